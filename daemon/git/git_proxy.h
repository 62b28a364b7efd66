/// Through which proxy a source is reached: the request's, else the environment's.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "git_source.h"
#include "secret.h"

namespace tokensync {

struct GitProxy {
  std::string url;  ///< http://HOST:PORT
  std::string host;
  std::string port;
  Secret authorization;  ///< the value of Proxy-Authorization, or empty; only from the environment
};

/// Gives the value of a variable, or null.
using EnvironmentLookup = std::function<const char*(const char* name)>;

/// `configured` counts where it is not empty. Else, as curl and git have it: https_proxy or HTTPS_PROXY for https,
/// http_proxy or HTTP_PROXY for http, unless no_proxy or NO_PROXY lists the source's host ("*", a host, or a domain
/// with or without a dot ahead; each with or without :port). Nothing: straight to the source.
/// Throws FetchStop(kUnusable) for a proxy that cannot be used, and where one is configured for a source that is
/// neither http nor https.
std::optional<GitProxy> ProxyFor(const GitSource& source, const std::string& configured,
                                 const EnvironmentLookup& environment);

}  // namespace tokensync
