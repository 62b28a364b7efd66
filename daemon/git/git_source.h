/// What a source URL means: which transport, which address, which user, and how to show it.
#pragma once

#include <string>

namespace tokensync {

enum class SourceKind { kLocal, kHttp, kHttps, kSsh };

struct GitSource {
  SourceKind kind = SourceKind::kLocal;
  /// For libgit2. kLocal: an absolute path. http(s): without user. ssh: with user.
  std::string address;
  std::string username;  ///< for http(s) and ssh
  std::string host;      ///< as a message names it; empty for kLocal
  int port = 0;          ///< 0: the transport's own
};

/// Throws FetchStop(kUnusable) where the URL is of no kind that is known, or holds a password.
/// `username` counts where the URL names no user; else "git".
GitSource ParseSource(const std::string& url, const std::string& username);

/// The URL as it may be shown: without a password.
std::string ShownUrl(const std::string& url);

}  // namespace tokensync
