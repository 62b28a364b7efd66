/// The address of an HTTP proxy.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace tokensync {

struct ProxyUrl {
  std::string host;         ///< without brackets
  std::string port;         ///< a number within 1 and 65535
  bool credential = false;  ///< a user or password was written before the host
};

/// Why a text is no address of a proxy, as a phrase with what to write instead. It never quotes the text, which may
/// hold a secret.
struct ProxyFault {
  std::string text;
};

/// http://HOST:PORT, with or without a slash at the end. The port is mandatory, for programs differ in what they take
/// instead.
std::variant<ProxyUrl, ProxyFault> ParseProxyUrl(std::string_view url);

/// What is wrong with the proxy of a configuration, or nothing. Empty is right: there is none. A credential is wrong:
/// it would be a secret in the configuration.
std::optional<std::string> FaultOfProxy(std::string_view url);

}  // namespace tokensync
