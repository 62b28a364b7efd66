/// A child that is started ahead of its fetch.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <thread>

#include "git_workshop.h"

namespace tokensync::test {

namespace fs = std::filesystem;

namespace {

/// The processes that this one has started and not reaped.
std::vector<pid_t> Children() {
  std::vector<pid_t> children;
  const std::string parent = "\nPPid:\t" + std::to_string(::getpid()) + "\n";
  for (const fs::directory_entry& entry : fs::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (ReadFile(entry.path() / "status").find(parent) != std::string::npos) children.push_back(std::stoi(name));
  }
  return children;
}

}  // namespace

TEST_CASE("a child that was started ahead carries out the next fetch, and no other") {
  Workshop shop;
  WorkTree source(shop.folder / "source");
  shop.request.url = source.url();
  CommitId head = source.Put("a.yaml", "a: 1\n", "first");
  {
    GitFetcher fetcher(FetchProgram());
    fetcher.Prepare();
    const std::vector<pid_t> waiting = Children();
    REQUIRE(waiting.size() == 1);
    fetcher.Prepare();
    CHECK(Children() == waiting);
    CHECK(fetcher.Fetch(shop.request) == head);
    CHECK(Children().empty());
    head = source.Put("a.yaml", "a: 2\n", "second");
    CHECK(fetcher.Fetch(shop.request) == head);

    fetcher.Prepare();
    const std::vector<pid_t> killed = Children();
    REQUIRE(killed.size() == 1);
    ::kill(killed[0], SIGKILL);
    siginfo_t ended{};
    REQUIRE(::waitid(P_PID, static_cast<id_t>(killed[0]), &ended, WEXITED | WNOWAIT) == 0);
    CHECK(fetcher.Fetch(shop.request) == head);
    CHECK(Children().empty());
    fetcher.Prepare();
  }
  CHECK(Children().empty());
}

TEST_CASE("where no child can be started ahead, the fetch says why") {
  Workshop shop("/nowhere");
  GitFetcher fetcher("/nonexistent");
  fetcher.Prepare();
  CHECK_THROWS_WITH(fetcher.Fetch(shop.request), Catch::Contains("starting the fetching program /nonexistent"));
}

}  // namespace tokensync::test
