/// Fetching through a real HTTP proxy.
#include <stdlib.h>

#include <catch2/catch.hpp>

#include "git_proxies.h"
#include "git_workshop.h"

namespace tokensync::test {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

namespace {

std::string LoopbackUrl(int port) {
  return "http://127.0.0.1:" + std::to_string(port);
}

/// A variable of this process, and so of the child, until the end of the block.
class Variable {
 public:
  Variable(const char* name, const std::string& value) : name_(name) { ::setenv(name, value.c_str(), 1); }
  ~Variable() { ::unsetenv(name_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

 private:
  const char* name_;
};

}  // namespace

TEST_CASE("http and https go through a proxy, which never hears a credential") {
  Workshop shop;
  const fs::path repositories = shop.folder / "repositories";
  WorkTree source(repositories / "source");
  CommitId head = source.Put("a.yaml", "a: 1\n", "first");
  const SilentPeer elsewhere;
  const HttpsServer server(shop.folder / "https", repositories, elsewhere.port());
  const TinyProxy proxy(shop.folder / "proxy");
  const Wiretap tap(proxy.port());
  shop.request.ca_file = server.ca_file();
  shop.request.proxy = LoopbackUrl(tap.port());
  const std::string way = "CONNECT localhost:" + std::to_string(server.port());

  SECTION("https by CONNECT, and the password within it") {
    shop.request.url = server.Url("/private/source/.git");
    shop.request.username = server.user();
    shop.request.password = Secret(server.password());
    CHECK(shop.Fetch() == head);
    head = source.Put("a.yaml", "a: 2\n", "second");
    CHECK(shop.Fetch() == head);
    CHECK_THAT(proxy.Log(), Contains(way));
    CHECK_THAT(tap.Heard(), Contains(way) && !Contains("uthorization") && !Contains("GET "));
    CHECK_THAT(server.AccessLog(), Contains("POST /private/source/.git/git-upload-pack 200 deploy"));
  }
  SECTION("who answers behind it must be who is meant") {
    shop.request.url = server.MisnamedUrl("/open/source/.git");
    CHECK(shop.FetchFails().failure() == FetchFailure::kCertificate);
    shop.request.url = server.ExpiredUrl("/open/source/.git");
    CHECK(shop.FetchFails().failure() == FetchFailure::kCertificate);
    shop.request.url = server.Url("/open/source/.git");
    shop.request.ca_file.clear();
    CHECK(shop.FetchFails().failure() == FetchFailure::kCertificate);
    CHECK_THAT(tap.Heard(), Contains("CONNECT") && !Contains("GET "));
  }
  SECTION("http as a request to the proxy") {
    shop.request.url = server.PlainUrl("/open/source/.git");
    CHECK(shop.Fetch() == head);
    head = source.Put("a.yaml", "a: 2\n", "second");
    CHECK(shop.Fetch() == head);
    CHECK_THAT(tap.Heard(), Contains("GET " + shop.request.url + "/info/refs") && !Contains("CONNECT"));
    CHECK_THAT(server.AccessLog(), Contains("POST /open/source/.git/git-upload-pack 200"));
    shop.request.url = server.PlainUrl("/broken/x.git");
    CHECK_THAT(shop.FetchFails().what(), Contains("503") && Contains(shop.request.proxy));
  }
  SECTION("http, where the server asks for a credential that the proxy would see") {
    shop.request.url = server.PlainUrl("/private/source/.git");
    shop.request.username = server.user();
    shop.request.password = Secret(server.password());
    const GitFetchError error = shop.FetchFails();
    CHECK(error.failure() == FetchFailure::kRefused);
    CHECK_THAT(error.what(), Contains("https") && Contains(shop.request.proxy));
    CHECK_THAT(tap.Heard(), Contains("GET ") && !Contains("uthorization"));
  }
  SECTION("the environment's proxy, but for what it excepts") {
    shop.request.proxy.clear();
    const Variable https("https_proxy", LoopbackUrl(tap.port()));
    const Variable http("HTTP_PROXY", LoopbackUrl(tap.port()) + "/");
    shop.request.url = server.Url("/open/source/.git");
    CHECK(shop.Fetch() == head);
    CHECK_THAT(tap.Heard(), Contains(way));
    shop.request.url = server.PlainUrl("/open/source/.git");
    CHECK(shop.Fetch() == head);
    CHECK_THAT(tap.Heard(), Contains("GET " + shop.request.url));
    const std::string heard = tap.Heard();
    const Variable none("no_proxy", "example.com, localhost");
    CHECK(shop.Fetch() == head);
    CHECK(tap.Heard() == heard);
  }
  SECTION("the environment's proxy, with the credential that is for it") {
    const TinyProxy asking(shop.folder / "asking", "BasicAuth user " + server.password() + "\n");
    shop.request.proxy.clear();
    const std::string at = "127.0.0.1:" + std::to_string(asking.port());
    const Variable https("https_proxy", "http://user:" + server.password() + "@" + at);
    const Variable http("http_proxy", "user:" + server.password() + "@" + at);
    shop.request.url = server.Url("/open/source/.git");
    CHECK(shop.Fetch() == head);
    shop.request.url = server.PlainUrl("/open/source/.git");
    CHECK(shop.Fetch() == head);
    const Variable wrong("https_proxy", "http://user:" + server.password() + "x@" + at);
    shop.request.url = server.Url("/open/source/.git");
    const GitFetchError error = shop.FetchFails();
    CHECK(error.failure() == FetchFailure::kRefused);
    CHECK_THAT(error.what(), Contains("the proxy http://" + at) && !Contains(server.password()));
  }
  CHECK(shop.BesideMirror().empty());
}

TEST_CASE("a proxy that refuses, asks for a credential, is dead or silent is an error that names it") {
  Workshop shop;
  const fs::path repositories = shop.folder / "repositories";
  fs::create_directories(repositories);
  std::string settings;
  int port = 0;
  FetchFailure failure = FetchFailure::kUnreachable;
  std::string text;
  const SilentPeer silent;
  SECTION("refuses") {
    settings = "ConnectPort 1\n";
    text = "does not connect us to localhost";
  }
  SECTION("asks for a credential") {
    settings = "BasicAuth user word\n";
    failure = FetchFailure::kRefused;
    text = "asks for a credential";
  }
  SECTION("dead") {
    port = LoopbackSocket().port();
    text = "cannot be reached";
  }
  SECTION("silent") {
    port = silent.port();
    shop.request.timeout = std::chrono::milliseconds(500);
    failure = FetchFailure::kTimedOut;
    text = "connecting to localhost through";
  }
  std::unique_ptr<TinyProxy> proxy;
  if (port == 0) {
    proxy = std::make_unique<TinyProxy>(shop.folder / "proxy", settings);
    port = proxy->port();
  }
  shop.request.proxy = LoopbackUrl(port);
  for (const std::string scheme : {"https", "http"}) {
    if (scheme == "http" && failure == FetchFailure::kUnreachable && proxy) continue;  // that is about CONNECT
    shop.request.url = scheme + "://localhost:9/x.git";
    const GitFetchError error = shop.FetchFails();
    CAPTURE(scheme, error.what());
    CHECK(error.failure() == failure);
    CHECK_THAT(error.what(), Contains(text) && Contains("the proxy " + shop.request.proxy));
  }
}

TEST_CASE("a proxy for a source that does not go through one, or one that cannot be used, is refused") {
  Workshop shop("/srv/x.git");
  shop.request.proxy = "http://127.0.0.1:1";
  CHECK_THAT(shop.FetchFails().what(), Contains("source.proxy") && Contains("only for http and https"));
  shop.request.url = "ssh://localhost/x.git";
  CHECK_THAT(shop.FetchFails().what(), Contains("source.proxy") && Contains("only for http and https"));
  shop.request.url = "http://localhost/x.git";
  shop.request.proxy = "socks5://127.0.0.1:1";
  CHECK_THAT(shop.FetchFails().what(), Contains("source.proxy holds") && Contains("http://"));
}

}  // namespace tokensync::test
