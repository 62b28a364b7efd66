#include "endpoint.h"

#include <Poco/Exception.h>
#include <Poco/Net/IPAddress.h>
#include <Poco/URI.h>
#include <fmt/format.h>

#include <algorithm>

#include "errors.h"

namespace tokensync {

namespace {

// A URL may carry a password, so that only its problem is told, not the text.
[[noreturn]] void Refuse(std::string_view why) {
  throw ConfigError(fmt::format("reading api.endpoint: {}; write it as https://HOST[:PORT]", why));
}

std::string BracketedHost(const Endpoint& endpoint) {
  return endpoint.host.find(':') == std::string::npos ? endpoint.host : "[" + endpoint.host + "]";
}

}  // namespace

std::string Endpoint::Text() const {
  return fmt::format("{}:{}", BracketedHost(*this), port);
}

std::string Endpoint::HostHeader() const {
  return port == (tls ? 443 : 80) ? BracketedHost(*this) : Text();
}

Endpoint ParseEndpoint(const std::string& url) {
  // Poco's URI decodes %0d and takes white space, either of which would end up in the request's head.
  const bool plain = std::all_of(url.begin(), url.end(), [](char c) { return c > 0x20 && c < 0x7F && c != '%'; });
  if (!plain) Refuse("it has white space, '%' or non-ASCII characters");
  Poco::URI uri;
  try {
    uri = Poco::URI(url);
  } catch (const Poco::Exception&) {
    Refuse("it is no URL");
  }
  if (uri.getScheme() != "https" && uri.getScheme() != "http") Refuse("it does not begin with https:// (or http://)");
  if (!uri.getUserInfo().empty()) Refuse("it has a user name or password");
  if (!uri.getRawQuery().empty() || !uri.getFragment().empty()) Refuse("it has a query or a fragment");
  if (uri.getHost().empty()) Refuse("it names no host");
  if (uri.getPort() == 0) Refuse("it names no port that can be used");

  Endpoint endpoint;
  endpoint.tls = uri.getScheme() == "https";
  endpoint.host = uri.getHost();
  endpoint.port = uri.getPort();
  Poco::Net::IPAddress address;
  endpoint.host_is_address = Poco::Net::IPAddress::tryParse(endpoint.host, address);
  endpoint.base_path = uri.getPath();
  while (endpoint.base_path.ends_with('/')) endpoint.base_path.pop_back();
  return endpoint;
}

}  // namespace tokensync
