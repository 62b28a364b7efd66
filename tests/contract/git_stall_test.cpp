/// A server that falls silent in the middle of a pack.
#include <catch2/catch.hpp>
#include <random>

#include "git_servers.h"
#include "git_workshop.h"

namespace tokensync::test {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

namespace {

/// Nothing that zlib could shorten.
std::string Noise(std::size_t bytes) {
  std::mt19937 random(1);
  std::string text;
  for (std::size_t i = 0; i < bytes; ++i) text += static_cast<char>(random() & 0xff);
  return text;
}

/// The error of a fetch that got as far as the pack; on a slow machine only with more time.
std::string StalledInThePack(Workshop& shop) {
  for (shop.request.timeout = std::chrono::milliseconds(1'200);; shop.request.timeout *= 2) {
    const GitFetchError error = shop.FetchFails();
    CHECK(error.failure() == FetchFailure::kTimedOut);
    const std::string text = error.what();
    if (text.find("receiving from") != std::string::npos || shop.request.timeout > std::chrono::seconds(15)) {
      return text;
    }
  }
}

}  // namespace

TEST_CASE("a server that hangs in the middle of a pack ends at the time-out, and the mirror is as good as before") {
  Workshop shop;
  const fs::path repositories = shop.folder / "repositories";
  WorkTree source(repositories / "source");
  const CommitId first = source.Put("a.yaml", "a: 1\n", "first");

  SECTION("https") {
    const SilentPeer elsewhere;
    const HttpsServer server(shop.folder / "https", repositories, elsewhere.port());
    shop.request.ca_file = server.ca_file();
    shop.request.url = server.Url("/stalled/source/.git");
    CHECK(shop.Fetch() == first);
    source.Put("b.yaml", Noise(10 * HttpsServer::kStalledAfter), "much");
    CHECK_THAT(StalledInThePack(shop), Contains("receiving from localhost"));
  }
  SECTION("ssh") {
    SshServer server(shop.folder / "ssh");
    const fs::path key = server.MakeKey("user");
    shop.request.ssh_key_file = key;
    shop.request.known_hosts_file = shop.folder / "known_hosts";
    WriteFile(shop.request.known_hosts_file, server.KnownHostLine());
    shop.request.url = server.Url(source.url());
    server.Authorize(key);
    CHECK(shop.Fetch() == first);
    source.Put("b.yaml", Noise(200'000), "much");
    server.AuthorizeToStall(key, source.url(), 20'000);
    CHECK_THAT(StalledInThePack(shop), Contains("receiving from 127.0.0.1"));
  }
  GitMirror mirror(shop.mirror);
  CHECK(mirror.Resolve("HEAD") == first);
  CHECK(mirror.Tree(first, ".")->List().size() == 1);
}

}  // namespace tokensync::test
