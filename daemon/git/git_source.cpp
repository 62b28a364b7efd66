#include "git_source.h"

#include <charconv>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "git_fetch_protocol.h"
#include "git_text.h"

namespace tokensync {

namespace {

constexpr std::string_view kForms = "write https://, http://, ssh://, user@host:path, file:// or a path";

std::string AbsolutePath(const std::string& path) {
  std::string absolute = std::filesystem::absolute(path).lexically_normal().string();
  while (absolute.size() > 1 && absolute.back() == '/') absolute.pop_back();
  return absolute;
}

struct Authority {
  std::string_view user;  // still percent-encoded
  bool password = false;
  std::string_view host_and_port;
};

Authority SplitAuthority(std::string_view text) {
  Authority authority;
  // As git does: the last @, for a user name may hold one.
  if (auto at = text.rfind('@'); at != std::string_view::npos) {
    authority.user = text.substr(0, at);
    text.remove_prefix(at + 1);
    if (auto colon = authority.user.find(':'); colon != std::string_view::npos) {
      authority.password = true;
      authority.user = authority.user.substr(0, colon);
    }
  }
  authority.host_and_port = text;
  return authority;
}

void SplitHost(std::string_view text, GitSource& source) {
  std::string_view port;
  if (!text.empty() && text.front() == '[') {
    auto end = text.find(']');
    if (end == std::string_view::npos) return;
    source.host = text.substr(1, end - 1);
    if (end + 1 < text.size() && text[end + 1] == ':') port = text.substr(end + 2);
  } else {
    auto colon = text.find(':');
    source.host = text.substr(0, colon);
    if (colon != std::string_view::npos) port = text.substr(colon + 1);
  }
  std::from_chars(port.data(), port.data() + port.size(), source.port);
}

[[noreturn]] void RefusePassword() {
  throw FetchStop(FetchFailure::kUnusable,
                  "the URL holds a password, which would show in logs; put it into the file of source.token_file");
}

GitSource WithScheme(std::string_view scheme, std::string_view rest, const std::string& username) {
  GitSource source;
  const auto slash = rest.find('/');
  const std::string_view path = slash == std::string_view::npos ? std::string_view() : rest.substr(slash);
  if (scheme == "file") {
    const std::string_view host = rest.substr(0, slash);
    if ((!host.empty() && host != "localhost") || path.empty()) {
      throw FetchStop(FetchFailure::kUnusable,
                      "a file:// URL names an absolute path of this machine: file:///srv/git/x.git");
    }
    // As a URL libgit2 would pack every object anew, which takes thousands of times as long as the path it names.
    source.address = AbsolutePath(PercentDecoded(path));
    return source;
  }
  if (scheme == "https") {
    source.kind = SourceKind::kHttps;
  } else if (scheme == "http") {
    source.kind = SourceKind::kHttp;
  } else if (scheme == "ssh" || scheme == "git+ssh" || scheme == "ssh+git") {
    source.kind = SourceKind::kSsh;
  } else {
    throw FetchStop(FetchFailure::kUnusable,
                    "'" + CleanText(scheme, 40) + "' is not supported; " + std::string(kForms));
  }
  const Authority authority = SplitAuthority(rest.substr(0, slash));
  if (authority.password) RefusePassword();
  SplitHost(authority.host_and_port, source);
  if (source.host.empty() || path.size() < 2) {
    throw FetchStop(FetchFailure::kUnusable, "the URL lacks a host or a path; " + std::string(kForms));
  }
  source.username = PercentDecoded(authority.user);
  if (source.username.empty()) source.username = username.empty() ? "git" : username;
  const std::string where = std::string(authority.host_and_port) + std::string(path);
  if (source.kind == SourceKind::kSsh) {
    source.address = "ssh://" + (authority.user.empty() ? source.username : std::string(authority.user)) + "@" + where;
  } else {
    // With a user in the URL libgit2 would first try that user with an empty password.
    source.address = std::string(scheme) + "://" + where;
  }
  return source;
}

}  // namespace

GitSource ParseSource(const std::string& url, const std::string& username) {
  if (url.empty()) throw FetchStop(FetchFailure::kUnusable, "the URL is empty; " + std::string(kForms));
  if (auto scheme_end = url.find("://"); scheme_end != std::string::npos && url.find('/') == scheme_end + 1) {
    return WithScheme(std::string_view(url).substr(0, scheme_end), std::string_view(url).substr(scheme_end + 3),
                      username);
  }
  // git's rule: a colon before the first slash makes it a host; ./a:b is a path.
  const auto colon = url.find(':');
  if (colon == std::string::npos || url.find('/') < colon) {
    GitSource source;
    source.address = AbsolutePath(url);
    return source;
  }
  GitSource source;
  source.kind = SourceKind::kSsh;
  const auto at = url.find('@');
  if (at != std::string::npos && colon < at) RefusePassword();
  const auto host_begin = at == std::string::npos ? 0 : at + 1;
  const auto path_colon = url.find(':', host_begin);
  if (path_colon == std::string::npos || path_colon == host_begin || path_colon + 1 == url.size()) {
    throw FetchStop(FetchFailure::kUnusable, "the URL lacks a host or a path; " + std::string(kForms));
  }
  source.host = url.substr(host_begin, path_colon - host_begin);
  if (host_begin > 1) {
    source.username = url.substr(0, host_begin - 1);
    source.address = url;
  } else {
    source.username = username.empty() ? "git" : username;
    source.address = source.username + "@" + url.substr(host_begin);
  }
  return source;
}

std::string ShownUrl(const std::string& url) {
  const auto scheme_end = url.find("://");
  const auto begin = scheme_end == std::string::npos ? 0 : scheme_end + 3;
  const auto end = std::min(url.find('/', begin), url.size());
  const auto at = url.rfind('@', end);
  const auto colon = url.find(':', begin);
  if (at == std::string::npos || at < begin || colon == std::string::npos || colon > at) return CleanText(url, 400);
  return CleanText(url.substr(0, colon) + ":***" + url.substr(at), 400);
}

}  // namespace tokensync
