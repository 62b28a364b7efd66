#include "proxy_url.h"

#include <algorithm>

#include "address_text.h"

namespace tokensync {

namespace {

constexpr std::size_t kUrlBytesMax = 1024;
constexpr std::string_view kScheme = "http://";
constexpr const char* kForm = "write http://proxy.example.com:3128";

bool BeginsWithScheme(std::string_view url) {
  auto same = [](char expected, char c) { return expected == (c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c); };
  return url.size() >= kScheme.size() && std::equal(kScheme.begin(), kScheme.end(), url.begin(), same);
}

ProxyFault Fault(const std::string& what) {
  return {what + "; " + kForm};
}

}  // namespace

std::variant<ProxyUrl, ProxyFault> ParseProxyUrl(std::string_view url) {
  if (url.size() > kUrlBytesMax) return Fault("a proxy's URL of more than 1024 bytes");
  if (std::any_of(url.begin(), url.end(), IsSpaceOrControl)) {
    return Fault("a space or control character in the proxy's URL");
  }
  if (!BeginsWithScheme(url)) return Fault("a proxy's URL that does not begin with http://");
  url.remove_prefix(kScheme.size());
  if (url.ends_with('/')) url.remove_suffix(1);
  ProxyUrl proxy;
  if (const std::size_t at = url.rfind('@'); at != std::string_view::npos) {
    proxy.credential = true;
    url.remove_prefix(at + 1);
  }
  if (url.find_first_of("/?#") != std::string_view::npos) {
    return Fault("a proxy's URL with more than host and port");
  }
  const std::size_t colon = url.rfind(':');
  if (colon == std::string_view::npos || url.ends_with(']')) return Fault("a proxy's URL without a port");
  proxy.port = url.substr(colon + 1);
  if (!IsPort(proxy.port)) return Fault("a proxy's URL whose port is no number within 1 and 65535");
  std::string_view host = url.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host.empty()) return Fault("a proxy's URL without a host");
  if (host.find_first_of(bracketed ? "[]" : "[]:") != std::string_view::npos) {
    return Fault("a proxy's URL whose host cannot be read");
  }
  proxy.host = host;
  return proxy;
}

std::optional<std::string> FaultOfProxy(std::string_view url) {
  if (url.empty()) return std::nullopt;
  const auto read = ParseProxyUrl(url);
  if (const auto* fault = std::get_if<ProxyFault>(&read)) return fault->text;
  if (std::get<ProxyUrl>(read).credential) {
    return "a user or password in the proxy's URL, which would be a secret in the configuration; remove it, and let "
           "the proxy admit this machine by its address";
  }
  return std::nullopt;
}

}  // namespace tokensync
