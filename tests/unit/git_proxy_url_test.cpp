/// Addresses of proxies, and which one is used.
#include <catch2/catch.hpp>
#include <map>

#include "git_fetch_protocol.h"
#include "git_proxy.h"
#include "proxy_url.h"

namespace tokensync::test {

using Catch::Matchers::Contains;

namespace {

using Variables = std::map<std::string, std::string>;

/// The proxy's address, or "none".
std::string Used(const std::string& url, const Variables& variables, const std::string& configured = "") {
  const auto proxy = ProxyFor(ParseSource(url, ""), configured, [&](const char* name) {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  });
  return proxy ? proxy->url + (proxy->authorization.empty() ? "" : " " + proxy->authorization.Reveal()) : "none";
}

}  // namespace

TEST_CASE("a proxy is http with host and port, and without a credential in the configuration") {
  for (const char* url :
       {"", "http://proxy.example.com:3128", "HTTP://p:1/", "http://[::1]:3128", "http://10.0.0.1:65535"}) {
    CAPTURE(url);
    CHECK_FALSE(FaultOfProxy(url));
  }
  for (const char* url : {"http://p", "http://p:", "http://p:0", "http://p:65536", "http://p:x", "http://:1", "http://",
                          "p:1", "https://p:1", "socks5://p:1", "http://p:1/x", "http://p:1?x", "http://p:1 ",
                          "http://p:1\n", "http://[::1]", "http://::1:1", "http://[]:1", "http://[::1:1"}) {
    CAPTURE(url);
    REQUIRE(FaultOfProxy(url));
    CHECK_THAT(*FaultOfProxy(url), Contains("write http://"));
  }
  CHECK(FaultOfProxy("http://" + std::string(1100, 'p') + ":1"));
  for (const char* url :
       {"http://user:hush@p:1", "http://hush@p:1", "http://:hush@p:1", "http://hush@p", "http://u:hush/@p:1"}) {
    CAPTURE(url);
    REQUIRE(FaultOfProxy(url));
    CHECK_THAT(*FaultOfProxy(url), !Contains("hush"));
  }
}

TEST_CASE("the configured proxy counts, else the environment's for the kind of URL") {
  const Variables both{{"https_proxy", "http://s:1"}, {"http_proxy", "http://h:2/"}};
  CHECK(Used("https://x/a", both) == "http://s:1");
  CHECK(Used("http://x/a", both) == "http://h:2");
  CHECK(Used("https://x/a", both, "http://c:3") == "http://c:3");
  CHECK(Used("https://x/a", {{"http_proxy", "http://h:2"}}) == "none");
  CHECK(Used("https://x/a", {{"https_proxy", ""}, {"HTTPS_PROXY", "S:1"}}) == "http://S:1");
  CHECK(Used("http://x/a", {{"HTTP_PROXY", "http://Aladdin:open%20sesame@h:2"}}) ==
        "http://h:2 Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  CHECK(Used("http://x/a", {{"http_proxy", "http://[::1]:2"}}) == "http://[::1]:2");
  CHECK(Used("ssh://x/a", both) == "none");
  CHECK(Used("/x/a", both) == "none");
  CHECK_THROWS_WITH(Used("/x/a", {}, "http://c:3"), Contains("only for http and https"));
  CHECK_THROWS_WITH(Used("http://x/a", {{"http_proxy", "https://u:hush@h:2"}}),
                    Contains("the environment's http_proxy") && !Contains("hush"));
}

TEST_CASE("no_proxy excepts hosts and whole domains") {
  struct Row {
    std::string list;
    std::string url;
    bool excepted;
  };
  const Row row = GENERATE(
      Row{"*", "http://x/a", true}, Row{"example.com", "https://example.com/a", true},
      Row{"example.com", "https://git.example.com/a", true}, Row{".example.com", "https://git.Example.com/a", true},
      Row{"example.com", "https://badexample.com/a", false}, Row{"git.example.com", "https://example.com/a", false},
      Row{"a,b, c", "http://c/a", true}, Row{"a b", "http://b/a", true}, Row{"c:443", "https://c/a", true},
      Row{"c:80", "https://c/a", false}, Row{"c:8443", "https://c:8443/a", true}, Row{"[::1]", "http://[::1]/a", true},
      Row{"::1", "http://[::1]:80/a", true}, Row{"127.0.0.1", "http://127.0.0.1/a", true}, Row{"", "http://c/a", false},
      Row{",,.", "http://c/a", false});
  CAPTURE(row.list, row.url);
  for (const char* name : {"no_proxy", "NO_PROXY"}) {
    const Variables variables{{name, row.list}, {"http_proxy", "p:1"}, {"https_proxy", "p:1"}};
    CHECK((Used(row.url, variables) == "none") == row.excepted);
  }
}

}  // namespace tokensync::test
