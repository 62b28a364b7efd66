// A pass that is disturbed: by a newer head, a stop, git that fails half-way, and the end of the process.
#include <catch2/catch.hpp>
#include <optional>

#include "scenario.h"

using namespace tokensync;

namespace {

/// Calls take 100 ms, one at a time.
void OneCallAtATime(World& world) {
  world.policy.executor.rate.concurrency = 1;
  world.service.rules.latency_min = world.service.rules.latency_max = Duration(100);
}

void After(World& world, Duration delay, std::function<void()> what) {
  world.clock.At(world.clock.Now() + delay, std::move(what));
}

}  // namespace

TEST_CASE("a newer head in mid pass goes first, and what left git is no longer created") {
  World world;
  OneCallAtATime(world);
  world.source.Push(TreeOf(1, 5));
  After(world, Duration(150), [&] {
    world.source.Push(
        {{"a.yaml", {.tokens = {Token(1), Token(2), Token(3), Token(4)}}}, {"new.yaml", {.tokens = {Token(9)}}}});
    world.refresh = true;
    world.service.Wake();
  });
  const PassSummary summary = world.Pass();
  CHECK(summary.record.result == PassResult::kComplete);
  CHECK(summary.record.commit == world.source.Head());
  CHECK(summary.record.created == 5);
  CHECK(world.plans() == 2);
  // a.yaml is as new as new.yaml is: its text changed in the same commit. So the order is that of the keys.
  CHECK(Creates(world) == Numbers{1, 2, 3, 4, 9});
  CHECK(StateOf(world, 5) == "none");
}

TEST_CASE("what a newer head brought overtakes what waits") {
  World world;
  OneCallAtATime(world);
  world.source.Push(TreeOf(1, 4));
  After(world, Duration(150), [&] {
    ScriptedTree tree = TreeOf(1, 4);
    tree["new.yaml"].tokens.push_back(Token(9));
    world.source.Push(tree);
    world.refresh = true;
    world.service.Wake();
  });
  world.Pass();
  CHECK(Creates(world) == Numbers{1, 2, 9, 3, 4});
}

TEST_CASE("an entry that waits and gets a new text is created with the new one only") {
  World world;
  OneCallAtATime(world);
  world.source.Push(TreeOf(1, 2));
  After(world, Duration(50), [&] {
    world.source.Push(Tree({Token(1), Token(2, "second")}));
    world.refresh = true;
    world.service.Wake();
  });
  world.Pass();
  CHECK(world.ledger.StateOf(SampleKey(2)) == EntryState(Confirmed{.digest = DigestOfText(2, "second")}));
  CHECK(world.service.Accepted(SampleKey(2)) == 1);
}

TEST_CASE("a call in flight whose manifest left git is recorded with the commit that had brought it") {
  World world;
  OneCallAtATime(world);
  world.source.Push(TreeOf(1, 1));
  After(world, Duration(50), [&] {
    world.source.Push({{"other.yaml", {.tokens = {Token(2)}}}});
    world.refresh = true;
    world.service.Wake();
  });
  world.Pass();
  CHECK(Story(world, 1) == Strings{"create-intended", "token-created", "drift-reported"});
  for (const Change& change : world.ledger.log()) {
    if (change.record.key != SampleKey(1)) continue;
    const bool report = change.record.action == "report";
    CHECK(change.record.commit->subject == (report ? "commit 2" : "commit 1"));
    CHECK(change.record.path == (report ? "" : "a.yaml"));
  }
}

TEST_CASE("a wish for a newer head where there is none changes nothing") {
  World world;
  OneCallAtATime(world);
  world.source.Push(TreeOf(1, 3));
  After(world, Duration(50), [&] {
    world.refresh = true;
    world.service.Wake();
  });
  CHECK(world.Pass().record.created == 3);
  CHECK(world.plans() == 1);
}

TEST_CASE("a newer head that cannot be fetched or read in mid pass is told, and the pass goes on") {
  for (const SourceStep broken : {SourceStep::kFetch, SourceStep::kRead}) {
    World world;
    OneCallAtATime(world);
    world.source.Push(TreeOf(1, 3));
    After(world, Duration(50), [&] {
      world.source.Push(TreeOf(1, 5));
      world.source.fails = [broken](SourceStep step) { return step == broken; };
      world.refresh = true;
      world.service.Wake();
    });
    const PassSummary summary = world.Pass();
    CHECK(world.refresh_failures() == 1);
    CHECK(summary.record.created == 3);
    CHECK(summary.record.error.empty());
    world.source.fails = {};
    CHECK(world.Pass().record.created == 2);
  }
}

TEST_CASE("a newer head that was read and cannot be planned for ends the pass in order") {
  World world;
  OneCallAtATime(world);
  world.source.Push(TreeOf(1, 3));
  After(world, Duration(50), [&] {
    world.source.Push(TreeOf(1, 5));
    world.source.fails = [](SourceStep step) { return step == SourceStep::kAttribute; };
    world.refresh = true;
    world.service.Wake();
  });
  const PassSummary summary = world.Pass();
  CHECK(summary.record.result == PassResult::kEnvironment);
  CHECK(summary.record.created == 1);
  CHECK(StateOf(world, 1) == "confirmed");
  world.source.fails = {};
  CHECK(world.Pass().record.created == 4);
}

TEST_CASE("a payload that cannot be read in the middle of a step loses no call and no place") {
  World world;
  world.policy.executor.rate.concurrency = 4;
  world.source.Push(TreeOf(1, 8));
  int payloads = 0;
  world.source.fails = [&](SourceStep step) { return step == SourceStep::kPayload && ++payloads == 3; };
  const PassSummary summary = world.Pass();
  CHECK(summary.record.result == PassResult::kEnvironment);
  CHECK(summary.record.created == 2);
  CHECK(Creates(world) == Numbers{1, 2});
  for (std::uint64_t number = 3; number <= 8; ++number) CHECK(StateOf(world, number) == "none");

  world.service.rules.latency_min = world.service.rules.latency_max = Duration(100);
  std::size_t in_flight = 0;
  After(world, Duration(50), [&] { in_flight = world.service.InFlight(); });
  CHECK(world.Pass().record.result == PassResult::kComplete);
  CHECK(in_flight == 4);
  CHECK(world.service.calls().size() == 8);
}

TEST_CASE("a stop awaits the calls in flight, records them and starts no other") {
  World world;
  world.policy.executor.rate.concurrency = 2;
  world.service.rules.latency_min = world.service.rules.latency_max = Duration(100);
  world.source.Push(TreeOf(1, 6));
  After(world, Duration(50), [&] {
    world.stop = true;
    world.service.Wake();
  });
  const PassSummary summary = world.Pass();
  CHECK(summary.record.result == PassResult::kStopped);
  CHECK(summary.record.created == 2);
  CHECK(summary.waiting == 4);
  REQUIRE(summary.next_due);
  CHECK(*summary.next_due >= summary.record.ended);
  CHECK(world.service.calls().size() == 2);
  CHECK(world.ledger.checkpoint().failures_in_a_row == 0);
  CHECK_FALSE(world.ledger.checkpoint().head_applied);
  world.stop = false;
  CHECK(world.Pass().record.created == 4);
}

TEST_CASE("a stop waits no longer than the grace, and the next run resolves what was not back") {
  World world;
  world.policy.stop_grace = Duration(2'000);
  world.source.Push(TreeOf(1, 1));
  world.service.Script(SampleKey(1), {Fate::kSlow});
  After(world, Duration(50), [&] {
    world.stop = true;
    world.service.Wake();
  });
  const PassSummary summary = world.Pass();
  CHECK(summary.record.result == PassResult::kStopped);
  CHECK(summary.record.ended - summary.record.started <= Duration(3'100));
  CHECK(StateOf(world, 1) == "submitting");
  world.stop = false;
  PassUntilNothingWaits(world);
  CHECK(StateOf(world, 1) == "confirmed");
  CHECK(world.service.Accepted(SampleKey(1)) == 1);
}

TEST_CASE("a crash between intent and call: the run after reads, waits and sends") {
  World world;
  world.service.rules.unique = false;
  world.source.Push(TreeOf(1, 1));
  world.end.Arm(5);  // number and intent are written, in two steps each; the call is the next
  CHECK_THROWS_AS(world.Pass(), Crash);
  CHECK(world.service.calls().empty());
  CHECK(StateOf(world, 1) == "submitting");
  PassUntilNothingWaits(world);
  CHECK(Story(world, 1) == Strings{"create-intended", "run-interrupted", "read-absent", "read-absent", "read-absent",
                                   "create-intended", "token-created"});
  CHECK(Creates(world) == Numbers{1});
}

TEST_CASE("a crash between call and outcome: the run after finds the token by reading") {
  World world;
  world.service.rules.unique = false;
  world.source.Push(TreeOf(1, 1));
  After(world, Duration(1), [&] { world.end.Arm(1); });
  world.service.rules.latency_min = world.service.rules.latency_max = Duration(100);
  CHECK_THROWS_AS(world.Pass(), Crash);
  CHECK(world.service.Accepted(SampleKey(1)) == 1);
  CHECK(StateOf(world, 1) == "submitting");
  PassUntilNothingWaits(world);
  CHECK(Story(world, 1) == Strings{"create-intended", "run-interrupted", "read-equal"});
  CHECK(Creates(world) == Numbers{1});
}

TEST_CASE("a crash at any step, whatever of its calls arrives: every token is created exactly once") {
  std::uint32_t step = 1;
  for (bool crashed = true; crashed; ++step) {
    crashed = false;
    World world(step);
    world.policy.executor.rate.concurrency = 2;
    world.policy.batch_max = 3;
    world.service.rules.unique = false;
    world.source.Push(TreeOf(1, 4));
    world.service.Script(SampleKey(2), {Fate::kReplyLost});
    world.end.Arm(step);
    try {
      world.Pass();
    } catch (const Crash&) {
      crashed = true;
    }
    world.end.Disarm();
    PassUntilNothingWaits(world);
    for (std::uint64_t number = 1; number <= 4; ++number) {
      CHECK(StateOf(world, number) == "confirmed");
      CHECK(world.service.Accepted(SampleKey(number)) == 1);
    }
    CHECK(NextPassIsQuiet(world));
  }
  CHECK(step > 20);
}

TEST_CASE("a ledger that cannot be written lets no call leave and stops the program") {
  World world;
  world.source.Push(TreeOf(1, 3));
  world.ledger.fails = [] { return true; };
  CHECK_THROWS_AS(world.Pass(), LedgerError);
  CHECK(world.service.calls().empty());
  CHECK(world.ledger.log().empty());
  world.ledger.fails = {};
  CHECK(world.Pass().record.created == 3);
}

TEST_CASE("a pass that died leaves its number unused") {
  World world;
  world.source.Push(TreeOf(1, 1));
  world.end.Arm(5);
  CHECK_THROWS_AS(world.Pass(), Crash);
  CHECK(world.ledger.passes().empty());
  CHECK(world.Pass().record.pass == 2);
}

TEST_CASE("intents and outcomes share transactions of limited size") {
  World world;
  world.policy.batch_max = 10;
  world.policy.executor.rate.concurrency = 4;
  world.source.Push(TreeOf(1, 100));
  world.Pass();
  CHECK(world.ledger.log().size() == 200);
  CHECK(world.ledger.writes() < 200);
  world.source.Push({});
  world.Pass();
  CHECK(world.ledger.largest_batch() <= 10);
}
