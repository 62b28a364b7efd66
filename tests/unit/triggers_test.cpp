/// Wishes from any thread, and the loop that takes them.
#include "triggers.h"

#include <catch2/catch.hpp>
#include <thread>

#include "samples.h"

using namespace tokensync;

namespace {

/// Stands still until somebody sets it.
class SetClock : public Clock {
 public:
  TimePoint Now() override { return now.load(); }
  std::atomic<TimePoint> now{At(0)};
};

struct Loop {
  SetClock clock;
  std::atomic<int> beats = 0;
  std::atomic<int> wakes = 0;
  std::set<CommitId> there{};
  std::vector<CommitId> missing{};
  Triggers triggers{clock, [this] { ++beats; }};

  Loop() {
    triggers.Attach({.wake = [this] { ++wakes; },
                     .next_poll = [](TimePoint now) { return std::optional(now + Duration(60'000)); },
                     .has = [this](const CommitId& commit) { return there.contains(commit); },
                     .missing = [this](const CommitId& commit) { missing.push_back(commit); }});
  }
};

const CommitId kCommit{std::string(40, 'a')};

}  // namespace

TEST_CASE("a request names the pass, wakes the one under way, and its ticket is served by the pass that follows") {
  Loop loop;
  const TriggerTicket ticket = loop.triggers.Request("trigger");
  CHECK(loop.wakes == 1);
  CHECK(loop.triggers.WaitForPass(std::nullopt) == "trigger");
  const TriggerTicket late = loop.triggers.Request("signal");
  loop.triggers.PassEnded(JsonObject{{"pass", 1}});
  CHECK(loop.triggers.ResultOf(ticket) == JsonValue(JsonObject{{"pass", 1}}));
  CHECK_FALSE(loop.triggers.ResultOf(late));
  CHECK(loop.triggers.WaitForPass(std::nullopt) == "signal");
  CHECK(loop.triggers.TakeRefreshRequest() == false);
}

TEST_CASE("an announced commit that is not there yet makes a pass of its own, soon") {
  Loop loop;
  loop.triggers.RequestFor(kCommit, "webhook");
  CHECK(loop.triggers.WaitForPass(std::nullopt) == "webhook");
  loop.triggers.PassEnded({});
  std::thread later([&] { loop.clock.now = At(1'000); });
  CHECK(loop.triggers.WaitForPass(At(3'600'000)) == "webhook");
  later.join();
  loop.clock.now = At(3'000);
  CHECK(loop.triggers.TakeRefreshRequest());
  loop.there.insert(kCommit);
  loop.clock.now = At(7'000);
  CHECK_FALSE(loop.triggers.TakeRefreshRequest());
  CHECK(loop.missing.empty());
}

TEST_CASE("an announced commit that never comes is told once, and not looked for any more") {
  Loop loop;
  loop.triggers.RequestFor(kCommit, "webhook");
  CHECK(loop.triggers.WaitForPass(std::nullopt) == "webhook");
  for (const int at : {1'000, 3'000, 7'000, 15'000, 30'000}) {
    loop.clock.now = At(at);
    CHECK(loop.triggers.TakeRefreshRequest());
  }
  loop.clock.now = At(40'000);
  CHECK_FALSE(loop.triggers.TakeRefreshRequest());
  CHECK(loop.missing == std::vector<CommitId>{kCommit});
}

TEST_CASE("approvals and the wish to read the configuration again reach the loop once") {
  Loop loop;
  loop.triggers.Approve({.fingerprint = "0123456789ab", .actor = "ada"});
  loop.triggers.RequestReload();
  CHECK(loop.triggers.WaitForPass(std::nullopt) == "signal");
  REQUIRE(loop.triggers.TakeApprovals().size() == 1);
  CHECK(loop.triggers.TakeApprovals().empty());
  CHECK(loop.triggers.TakeReload());
  CHECK_FALSE(loop.triggers.TakeReload());
}

TEST_CASE("what comes in the middle of a pass and is not for that pass makes another one, with its tickets") {
  Loop loop;
  loop.triggers.Request("trigger");
  REQUIRE(loop.triggers.WaitForPass(std::nullopt) == "trigger");
  const TriggerTicket ticket = loop.triggers.Approve({.fingerprint = "0123456789ab", .actor = "ada"});
  CHECK(loop.triggers.TakeRefreshRequest());
  CHECK_FALSE(loop.triggers.TakeRefreshRequest());
  loop.triggers.PassEnded(JsonObject{{"pass", 1}});
  CHECK_FALSE(loop.triggers.ResultOf(ticket));
  CHECK(loop.triggers.WaitForPass(std::nullopt) == "approval");
  CHECK(loop.triggers.TakeApprovals().size() == 1);
  loop.triggers.PassEnded(JsonObject{{"pass", 2}});
  CHECK(loop.triggers.ResultOf(ticket) == JsonValue(JsonObject{{"pass", 2}}));
  loop.triggers.Request("trigger");
  REQUIRE(loop.triggers.WaitForPass(std::nullopt) == "trigger");
  loop.triggers.RequestReload();
  CHECK(loop.triggers.TakeRefreshRequest());
  loop.triggers.PassEnded({});
  CHECK(loop.triggers.WaitForPass(std::nullopt) == "signal");
  CHECK(loop.triggers.TakeReload());
}

TEST_CASE("a look that failed serves nobody: whoever asked for it gets a pass of his own") {
  Loop loop;
  loop.triggers.Request("trigger");
  REQUIRE(loop.triggers.WaitForPass(std::nullopt) == "trigger");
  const TriggerTicket ticket = loop.triggers.Request("trigger");
  CHECK(loop.triggers.TakeRefreshRequest());
  loop.triggers.RefreshFailed();
  CHECK_FALSE(loop.triggers.TakeRefreshRequest());
  loop.triggers.PassEnded(JsonObject{{"pass", 1}});
  CHECK_FALSE(loop.triggers.ResultOf(ticket));
  CHECK(loop.triggers.WaitForPass(std::nullopt) == "trigger");
}

TEST_CASE("nothing is woken between two engines, and what was asked for then is not forgotten") {
  Loop loop;
  loop.triggers.Detach();
  loop.triggers.Request("trigger");
  CHECK(loop.wakes == 0);
  Loop other;
  loop.triggers.Attach({.wake = [] {},
                        .next_poll = [](TimePoint) { return std::nullopt; },
                        .has = [](const CommitId&) { return true; },
                        .missing = [](const CommitId&) {}});
  CHECK(loop.triggers.WaitForPass(std::nullopt) == "trigger");
}

TEST_CASE("a stop ends the wait, and a loop that waits shows that it is alive") {
  Loop loop;
  std::thread stopper([&] {
    while (loop.beats < 2) std::this_thread::yield();
    loop.triggers.RequestStop();
  });
  CHECK_FALSE(loop.triggers.WaitForPass(std::nullopt));
  stopper.join();
  CHECK(loop.triggers.StopRequested());
  CHECK(loop.triggers.SilentFor() < Duration(60'000));
}
