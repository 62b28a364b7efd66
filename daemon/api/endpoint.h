/// Where the service is.
#pragma once

#include <cstdint>
#include <string>

namespace tokensync {

struct Endpoint {
  bool tls = true;
  std::string host;  ///< a name or an address, without brackets
  bool host_is_address = false;
  std::uint16_t port = 443;
  std::string base_path;  ///< goes before the path of a call; empty, or begins with '/' and does not end with one

  /// HOST:PORT, with brackets around an IPv6 address: for messages.
  std::string Text() const;
  /// The value of a Host header: as Text(), without the scheme's own port.
  std::string HostHeader() const;
};

/// `url` as an endpoint. Throws ConfigError where it is no http or https URL, or has what an endpoint cannot have: a
/// user name, a query or a fragment.
Endpoint ParseEndpoint(const std::string& url);

}  // namespace tokensync
