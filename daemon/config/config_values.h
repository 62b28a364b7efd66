/// Single values of the configuration, checked. Private to this folder.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model.h"

namespace tokensync {

/// `250ms`, `30s`, `5m`, `1h`, or `0`; nothing for anything else, or for more than a year.
std::optional<Duration> ParseDuration(std::string_view text);

/// Where a manifests repository is.
enum class SourceTransport { kPath, kHttp, kHttps, kSsh };

struct UrlFault {
  std::string what;
  std::string advice;
  bool secret = false;  ///< the URL holds one: it must not be shown
};

struct SourceUrl {
  SourceTransport kind = SourceTransport::kPath;
  std::optional<UrlFault> fault;
};

/// Checks a source URL: a path, file://, http(s)://, ssh:// or user@host:path, without a password in it.
SourceUrl CheckSourceUrl(std::string_view url);

/// Checks the service's base URL: https with a host, or http with a loopback host; no user, query or fragment.
std::optional<UrlFault> CheckEndpoint(std::string_view url);

/// Whether this is an address to listen at: an IPv4 address, an IPv6 address in brackets or localhost, and a port; 0
/// for one that the kernel picks.
bool IsListenAddress(std::string_view address);

/// Whether this names a folder within a repository: relative, with no way out.
bool IsFolderInside(std::string_view path);

}  // namespace tokensync
