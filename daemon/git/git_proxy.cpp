#include "git_proxy.h"

#include <openssl/evp.h>

#include <algorithm>
#include <string_view>
#include <variant>

#include "git_fetch_protocol.h"
#include "git_text.h"
#include "proxy_url.h"

namespace tokensync {

namespace {

/// For the user and password of a URL that has them.
std::string BasicAuthorization(std::string_view url) {
  const std::size_t begin = url.find("://") + 3;
  const std::string pair = PercentDecoded(url.substr(begin, url.rfind('@') - begin));
  std::string encoded(pair.size() / 3 * 4 + 5, '\0');
  const int length =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(encoded.data()),
                      reinterpret_cast<const unsigned char*>(pair.data()), static_cast<int>(pair.size()));
  encoded.resize(static_cast<std::size_t>(length));
  return "Basic " + encoded;
}

GitProxy Read(std::string url, const std::string& named_by) {
  // As curl takes it.
  if (url.find("://") == std::string::npos) url.insert(0, "http://");
  auto read = ParseProxyUrl(url);
  if (const auto* fault = std::get_if<ProxyFault>(&read)) {
    throw FetchStop(FetchFailure::kUnusable, named_by + " holds " + fault->text);
  }
  auto& proxy = std::get<ProxyUrl>(read);
  const std::string host = proxy.host.find(':') == std::string::npos ? proxy.host : "[" + proxy.host + "]";
  return {"http://" + host + ":" + proxy.port, std::move(proxy.host), std::move(proxy.port),
          Secret(proxy.credential ? BasicAuthorization(url) : "")};
}

char Lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

bool EndsWith(std::string_view text, std::string_view end) {
  return text.size() >= end.size() &&
         std::equal(end.begin(), end.end(), text.end() - static_cast<std::ptrdiff_t>(end.size()),
                    [](char a, char b) { return Lower(a) == Lower(b); });
}

bool Matches(std::string_view entry, const GitSource& source) {
  if (entry == "*") return true;
  const int port = source.port != 0 ? source.port : source.kind == SourceKind::kHttps ? 443 : 80;
  const std::string with_port = ":" + std::to_string(port);
  if (entry.ends_with(with_port)) entry.remove_suffix(with_port.size());
  if (entry.starts_with('[') && entry.ends_with(']')) entry = entry.substr(1, entry.size() - 2);
  if (entry.starts_with('.')) entry.remove_prefix(1);
  if (entry.empty() || !EndsWith(source.host, entry)) return false;
  return source.host.size() == entry.size() || source.host[source.host.size() - entry.size() - 1] == '.';
}

bool IsListed(std::string_view list, const GitSource& source) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find_first_of(", \t"), list.size());
    if (Matches(list.substr(0, end), source)) return true;
    list.remove_prefix(std::min(end + 1, list.size()));
  }
  return false;
}

}  // namespace

std::optional<GitProxy> ProxyFor(const GitSource& source, const std::string& configured,
                                 const EnvironmentLookup& environment) {
  const bool by_http = source.kind == SourceKind::kHttp || source.kind == SourceKind::kHttps;
  if (!configured.empty()) {
    if (!by_http) {
      throw FetchStop(FetchFailure::kUnusable, "source.proxy is only for http and https; remove it");
    }
    return Read(configured, "source.proxy");
  }
  if (!by_http) return std::nullopt;
  auto value = [&](const char* name) {
    const char* text = environment(name);
    return std::string(text == nullptr ? "" : text);
  };
  const bool secure = source.kind == SourceKind::kHttps;
  const char* no_names[] = {"no_proxy", "NO_PROXY"};
  for (const char* name : {secure ? "https_proxy" : "http_proxy", secure ? "HTTPS_PROXY" : "HTTP_PROXY"}) {
    std::string url = value(name);
    if (url.empty()) continue;
    if (std::any_of(std::begin(no_names), std::end(no_names), [&](auto no) { return IsListed(value(no), source); })) {
      return std::nullopt;
    }
    return Read(std::move(url), std::string("the environment's ") + name);
  }
  return std::nullopt;
}

}  // namespace tokensync
