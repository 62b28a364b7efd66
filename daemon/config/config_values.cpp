#include "config_values.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdint>

#include "address_text.h"

namespace tokensync {

namespace {

/// Scheme in lower case, user information, host with port, and what follows them.
struct UrlParts {
  std::string scheme;
  std::string_view user_info;
  std::string_view host;  ///< without port and brackets
  std::string_view port;
  std::string_view rest;
};

std::optional<UrlParts> SplitUrl(std::string_view url) {
  const std::size_t colon = url.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  UrlParts parts;
  for (const char c : url.substr(0, colon))
    parts.scheme.push_back(c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c);
  std::string_view authority = url.substr(colon + 3);
  const std::size_t end = std::min(authority.find_first_of("/?#"), authority.size());
  parts.rest = authority.substr(end);
  authority = authority.substr(0, end);
  if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) {
    parts.user_info = authority.substr(0, at);
    authority.remove_prefix(at + 1);
  }
  if (authority.starts_with('[')) {
    const std::size_t close = std::min(authority.find(']'), authority.size());
    parts.host = authority.substr(1, close - 1);
    authority.remove_prefix(std::min(close + 1, authority.size()));
    if (authority.starts_with(':')) parts.port = authority.substr(1);
  } else {
    const std::size_t port = std::min(authority.find(':'), authority.size());
    parts.host = authority.substr(0, port);
    if (port < authority.size()) parts.port = authority.substr(port + 1);
  }
  return parts;
}

bool IsLoopback(std::string_view host) {
  const bool ipv4 = host.starts_with("127.") && host.find_first_not_of("0123456789.") == std::string_view::npos;
  return host == "localhost" || host.ends_with(".localhost") || host == "::1" || ipv4;
}

/// A user name that is the access token of a forge.
bool LooksLikeToken(std::string_view user) {
  static constexpr std::array<std::string_view, 8> kPrefixes = {"ghp_", "gho_",        "ghu_",   "ghs_",
                                                                "ghr_", "github_pat_", "glpat-", "gldt-"};
  return std::any_of(kPrefixes.begin(), kPrefixes.end(), [&](std::string_view p) { return user.starts_with(p); });
}

UrlFault SecretInUrl(std::string_view key) {
  return {"a secret in the URL", "remove it from there, and name a file that holds it as " + std::string(key), true};
}

}  // namespace

std::optional<Duration> ParseDuration(std::string_view text) {
  if (text == "0") return Duration(0);
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const std::string_view unit = text.substr(static_cast<std::size_t>(end - text.data()));
  const std::int64_t factor = unit == "ms"  ? 1
                              : unit == "s" ? 1'000
                              : unit == "m" ? 60'000
                              : unit == "h" ? 3'600'000
                                            : 0;
  constexpr auto kMost = std::chrono::milliseconds(std::chrono::hours(24 * 365));
  if (error != std::errc() || factor == 0 || number > static_cast<std::uint64_t>(kMost.count() / factor)) {
    return std::nullopt;
  }
  return Duration(static_cast<std::int64_t>(number) * factor);
}

SourceUrl CheckSourceUrl(std::string_view url) {
  SourceUrl result;
  if (url.empty()) {
    result.fault = {"an empty URL", "name the repository that holds the manifests", false};
    return result;
  }
  if (std::any_of(url.begin(), url.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; })) {
    result.fault = {"a control character in the URL", "remove it", false};
    return result;
  }
  const auto parts = SplitUrl(url);
  if (!parts) {
    const std::size_t colon = url.find(':');
    const bool scp_like = colon != std::string_view::npos && url.find('/') > colon;
    if (!scp_like) return result;
    result.kind = SourceTransport::kSsh;
    if (colon == 0 || url[colon - 1] == '@' || colon + 1 == url.size()) {
      result.fault = {"a URL without host or path", "write git@host:path", false};
    }
    return result;
  }
  if (parts->user_info.find(':') != std::string_view::npos || LooksLikeToken(parts->user_info)) {
    result.fault = SecretInUrl("source.token_file");
    return result;
  }
  if (parts->scheme == "file") {
    if (!parts->rest.starts_with('/'))
      result.fault = {"a file URL without an absolute path", "write file:///path", false};
    return result;
  }
  if (parts->scheme == "http") {
    result.kind = SourceTransport::kHttp;
  } else if (parts->scheme == "https") {
    result.kind = SourceTransport::kHttps;
  } else if (parts->scheme == "ssh") {
    result.kind = SourceTransport::kSsh;
  } else {
    result.fault = {"a URL scheme that is not known", "known are https, http, ssh, file, git@host:path, and a path",
                    false};
    return result;
  }
  if (parts->host.empty()) result.fault = {"a URL without a host", "write " + parts->scheme + "://host/path", false};
  if (!parts->port.empty() && !IsPort(parts->port))
    result.fault = {"a URL whose port is no number within 1 and 65535", "mend the port", false};
  return result;
}

std::optional<UrlFault> CheckEndpoint(std::string_view url) {
  const auto parts = SplitUrl(url);
  if (!parts || (parts->scheme != "https" && parts->scheme != "http")) {
    return UrlFault{"a URL that begins with neither https:// nor http://", "write https://metadata.sequence.app",
                    false};
  }
  if (parts->user_info.find(':') != std::string_view::npos || LooksLikeToken(parts->user_info)) {
    return SecretInUrl("api.token_file");
  }
  if (!parts->user_info.empty()) return UrlFault{"a user name in the URL", "remove it", false};
  if (parts->host.empty()) return UrlFault{"a URL without a host", "write https://metadata.sequence.app", false};
  if (!parts->port.empty() && !IsPort(parts->port))
    return UrlFault{"a port that is no number within 1 and 65535", "mend the port", false};
  if (parts->rest.find_first_of("?#") != std::string_view::npos) {
    return UrlFault{"a query or fragment in the URL", "write the base URL alone", false};
  }
  if (std::any_of(url.begin(), url.end(), IsSpaceOrControl))
    return UrlFault{"white space in the URL", "remove it", false};
  if (parts->scheme == "http" && !IsLoopback(parts->host)) {
    return UrlFault{"http to another machine, which would send the service token in clear text", "write https://",
                    false};
  }
  return std::nullopt;
}

bool IsListenAddress(std::string_view address) {
  const std::size_t colon = address.rfind(':');
  if (colon == std::string_view::npos) return false;
  const std::string host(address.substr(0, colon));
  const std::string_view port = address.substr(colon + 1);
  if (port != "0" && !IsPort(port)) return false;
  if (host == "localhost") return true;
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  if (host.starts_with('[') && host.ends_with(']')) {
    return inet_pton(AF_INET6, host.substr(1, host.size() - 2).c_str(), bytes.data()) == 1;
  }
  return inet_pton(AF_INET, host.c_str(), bytes.data()) == 1;
}

bool IsFolderInside(std::string_view path) {
  if (path.empty() || path.starts_with('/')) return false;
  while (!path.empty()) {
    const std::size_t slash = std::min(path.find('/'), path.size());
    if (path.substr(0, slash) == "..") return false;
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return true;
}

}  // namespace tokensync
