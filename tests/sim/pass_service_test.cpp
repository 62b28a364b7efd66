// What a pass makes of what the service answers, and of what it does not answer.
#include <catch2/catch.hpp>

#include "scenario.h"

using namespace tokensync;

TEST_CASE("a reply lost after the service applied the create is resolved by reading, not by sending again") {
  World world;
  world.source.Push(TreeOf(1, 1));
  world.service.Script(SampleKey(1), {Fate::kReplyLost});
  const PassSummary summary = PassUntilNothingWaits(world);
  CHECK(summary.record.result == PassResult::kComplete);
  CHECK(Story(world, 1) == Strings{"create-intended", "create-lost", "read-equal"});
  CHECK(Creates(world) == Numbers{1});
  CHECK(LastOf(world, 1).record.action == "resolve");
  CHECK(world.service.Accepted(SampleKey(1)) == 1);
}

TEST_CASE("a lost request is sent again, only after the settling delay and two readings") {
  World world;
  world.service.rules.unique = false;
  world.source.Push(TreeOf(1, 1));
  world.service.Script(SampleKey(1), {Fate::kRequestLost});
  PassUntilNothingWaits(world);
  CHECK(Story(world, 1) == Strings{"create-intended", "create-lost", "read-absent", "read-absent", "read-absent",
                                   "create-intended", "token-created"});
  CHECK(LastOf(world, 1).record.attempt == 2);
  TimePoint lost{};
  for (const Change& change : world.ledger.log()) {
    if (const auto* event = std::get_if<CreateLost>(&change.event)) lost = event->at;
    if (const auto* event = std::get_if<CreateIntended>(&change.event); event != nullptr && event->attempt == 2) {
      CHECK(event->at >= lost + world.policy.executor.settling);
    }
  }
}

TEST_CASE("a request that is applied after the cut is found, not repeated") {
  World world;
  world.service.rules.unique = false;
  world.source.Push(TreeOf(1, 1));
  world.service.Script(SampleKey(1), {Fate::kAppliedLate});
  PassUntilNothingWaits(world);
  CHECK(Creates(world) == Numbers{1});
  CHECK(StateOf(world, 1) == "confirmed");
}

TEST_CASE("a reading that does not see the token yet does not lead to a second create") {
  World world;
  world.service.rules.unique = false;
  world.service.rules.stale_for = Duration(80'000);
  world.source.Push(TreeOf(1, 1));
  world.service.Script(SampleKey(1),
                       {Fate::kReplyLost, Fate::kStale, Fate::kStale, Fate::kStale, Fate::kStale, Fate::kStale});
  PassUntilNothingWaits(world);
  CHECK(Creates(world) == Numbers{1});
}

TEST_CASE("readings that fail are repeated, further and further apart") {
  World world;
  world.source.Push(TreeOf(1, 1));
  world.service.Script(SampleKey(1), {Fate::kReplyLost, Fate::kUnreachable, Fate::kRequestLost, Fate::kUnreachable});
  PassUntilNothingWaits(world);
  CHECK(Story(world, 1) ==
        Strings{"create-intended", "create-lost", "read-failed", "read-failed", "read-failed", "read-equal"});
  CHECK(Creates(world) == Numbers{1});
}

TEST_CASE("a refused credential stops the pass at once, and no attempt is spent") {
  World world;
  world.policy.executor.rate.concurrency = 1;
  world.source.Push(TreeOf(1, 5));
  world.service.fate_of = [](const Call&) { return Fate::kDenied; };
  const PassSummary summary = world.Pass();
  CHECK(summary.record.result == PassResult::kDenied);
  CHECK(summary.stop_reason == StopReason::kCredential);
  CHECK(summary.record.error.find("credential") != std::string::npos);
  CHECK(summary.record.error.find("401") != std::string::npos);
  CHECK(summary.waiting == 5);
  CHECK_FALSE(summary.next_due);
  CHECK(world.service.calls().size() == 1);
  CHECK(world.ledger.checkpoint().failures_in_a_row == 1);
  world.service.fate_of = {};
  CHECK(world.Pass().record.result == PassResult::kComplete);
  for (std::uint64_t number = 1; number <= 5; ++number) CHECK(LastOf(world, number).record.attempt == 1);
  CHECK(world.ledger.checkpoint().failures_in_a_row == 0);
}

TEST_CASE("a credential that is refused while calls are in flight: their outcomes are recorded, none follows") {
  World world;
  world.policy.executor.rate.concurrency = 3;
  world.source.Push(TreeOf(1, 9));
  world.service.Script(SampleKey(2), {Fate::kDenied});
  const PassSummary summary = world.Pass();
  CHECK(summary.record.result == PassResult::kDenied);
  for (const auto& [key, state] : world.ledger.entries()) CHECK_FALSE(std::holds_alternative<Submitting>(state));
  CHECK(summary.record.created + summary.waiting == 9);
}

TEST_CASE("Retry-After is honoured by every call, and spends no attempt") {
  World world;
  world.policy.executor.rate.concurrency = 1;
  world.service.rules.retry_after = Duration(30'000);
  world.source.Push(TreeOf(1, 3));
  world.service.Script(SampleKey(1), {Fate::kThrottled});
  const PassSummary summary = world.Pass();
  CHECK(summary.record.result == PassResult::kIncomplete);
  CHECK(world.service.calls().size() == 1);
  REQUIRE(summary.next_due);
  CHECK(*summary.next_due >= summary.record.started + Duration(30'000));
  CHECK(*summary.next_due <= summary.record.ended + Duration(30'000));
  CHECK(world.Pass().waiting == 3);
  CHECK(world.service.calls().size() == 1);
  world.clock.PassUntil(*summary.next_due);
  CHECK(world.Pass().waiting == 0);
  CHECK(LastOf(world, 1).record.attempt == 1);
}

TEST_CASE("a pause that is shorter than the patience is waited for within the pass") {
  World world;
  world.policy.patience = Duration(5'000);
  world.service.rules.retry_after = Duration(4'000);
  world.source.Push(TreeOf(1, 1));
  world.service.Script(SampleKey(1), {Fate::kThrottled});
  CHECK(world.Pass().record.result == PassResult::kComplete);
}

TEST_CASE("an entry that is refused for good waits for a new text") {
  World world;
  world.source.Push(Tree({Token(1, "bad"), Token(2)}));
  world.service.refuses = [](const Call& call) { return call.payload.find("bad") != std::string::npos; };
  const PassSummary summary = world.Pass();
  CHECK(summary.record.result == PassResult::kIncomplete);
  CHECK(summary.record.rejected == 1);
  CHECK(summary.counts.rejected == 1);
  CHECK(summary.waiting == 0);
  CHECK(LastOf(world, 1).record.answer.error_name == "ValidationFailed");
  CHECK(LastOf(world, 1).record.answer.error_code == 2004);
  CHECK(NextPassIsQuiet(world));
  world.source.Push(Tree({Token(1, "good"), Token(2)}));
  CHECK(world.Pass().record.result == PassResult::kComplete);
  CHECK(LastOf(world, 1).record.attempt == 1);
}

TEST_CASE("a fault that may be the service's own is tried a few times, then the entry is rejected") {
  World world;
  world.policy.executor.bounded_tries_max = 3;
  world.source.Push(TreeOf(1, 1));
  world.service.fate_of = [](const Call&) { return Fate::kUntypedFault; };
  PassUntilNothingWaits(world);
  CHECK(StateOf(world, 1) == "rejected");
  CHECK(Creates(world) == Numbers{1, 1, 1});
  CHECK(LastOf(world, 1).record.attempt == 3);
  CHECK(NextPassIsQuiet(world));
}

TEST_CASE("a token that exists with our text is adopted after it was read") {
  World world;
  world.source.Push(TreeOf(1, 1));
  world.service.CreateForeign(SampleKey(1), PayloadText(1, "first"));
  CHECK(world.Pass().record.result == PassResult::kComplete);
  CHECK(Story(world, 1) == Strings{"create-intended", "token-existed", "read-equal"});
}

TEST_CASE("a token that exists with another text is a conflict, told with both digests and never overwritten") {
  World world;
  world.source.Push(TreeOf(1, 1));
  world.service.CreateForeign(SampleKey(1), PayloadText(1, "theirs"));
  const PassSummary summary = world.Pass();
  CHECK(summary.record.result == PassResult::kIncomplete);
  CHECK(summary.record.conflicting == 1);
  CHECK(summary.counts.conflicting == 1);
  CHECK(summary.waiting == 0);
  const LogRecord& record = LastOf(world, 1).record;
  CHECK(record.digest == DigestOfText(1, "first"));
  CHECK(record.other_digest == DigestOfText(1, "theirs"));
  CHECK(record.detail.find("theirs") != std::string::npos);
  CHECK(world.service.Held(SampleKey(1))->payload == PayloadText(1, "theirs"));
  CHECK(NextPassIsQuiet(world));

  SECTION("a new text that is theirs ends it") {
    world.source.Push(Tree({Token(1, "theirs")}));
    CHECK(world.Pass().record.result == PassResult::kComplete);
    CHECK(StateOf(world, 1) == "confirmed");
    CHECK(Creates(world) == Numbers{1});
  }
  SECTION("a new text that is still another is read once and stays a conflict") {
    world.source.Push(Tree({Token(1, "third")}));
    CHECK(world.Pass().record.result == PassResult::kIncomplete);
    CHECK(world.ledger.StateOf(SampleKey(1)) ==
          EntryState(Conflicting{.digest = DigestOfText(1, "third"), .remote = DigestOfText(1, "theirs")}));
    CHECK(Creates(world) == Numbers{1});
    CHECK(NextPassIsQuiet(world));
  }
  SECTION("once the other token is gone, a new text is created") {
    world.service.Remove(SampleKey(1));
    world.source.Push(Tree({Token(1, "third")}));
    PassUntilNothingWaits(world);
    CHECK(StateOf(world, 1) == "confirmed");
    CHECK(world.service.Held(SampleKey(1))->payload == PayloadText(1, "third"));
  }
  SECTION("an entry that leaves git is reported once") {
    world.source.Push({});
    CHECK(world.Pass().record.reported == 1);
    CHECK(NextPassIsQuiet(world));
  }
}

TEST_CASE("an old text that turns out to be applied is confirmed as what it is, and then differs from git") {
  World world;
  world.source.Push(TreeOf(1, 1));
  world.service.Script(SampleKey(1), {Fate::kReplyLost, Fate::kUnreachable});
  world.policy.patience = Duration(0);
  world.Pass();
  REQUIRE(StateOf(world, 1) == "uncertain");
  world.source.Push(Tree({Token(1, "second")}));
  PassUntilNothingWaits(world);
  CHECK(world.ledger.StateOf(SampleKey(1)) ==
        EntryState(Confirmed{.digest = DigestOfText(1, "first"), .drift = Drift{DigestOfText(1, "second")}}));
  CHECK(Creates(world) == Numbers{1});
}

TEST_CASE("an old text that was never applied is not sent again once git has a new one") {
  World world;
  world.source.Push(TreeOf(1, 1));
  world.service.Script(SampleKey(1), {Fate::kRequestLost});
  world.Pass();
  world.source.Push(Tree({Token(1, "second")}));
  PassUntilNothingWaits(world);
  CHECK(world.ledger.StateOf(SampleKey(1)) == EntryState(Confirmed{.digest = DigestOfText(1, "second")}));
  CHECK(world.service.Accepted(SampleKey(1)) == 1);
}

TEST_CASE("without read-back a lost call is repeated after the settling delay, and 'exists' means ours") {
  World world;
  world.service.rules.readable = false;
  world.source.Push(TreeOf(1, 1));
  world.service.Script(SampleKey(1), {Fate::kReplyLost});
  PassUntilNothingWaits(world);
  // "There is no such call" is believed the third time.
  CHECK(Story(world, 1) == Strings{"create-intended", "create-lost", "read-failed", "read-failed", "create-intended",
                                   "token-assumed-ours"});
  CHECK(world.service.CallCount(CallKind::kRead) == 3);
  CHECK(world.service.Accepted(SampleKey(1)) == 1);
  CHECK(NextPassIsQuiet(world));
}

TEST_CASE("without read-back a first create that meets a token is a conflict of unknown content") {
  for (const bool told : {false, true}) {
    World world;
    world.service.rules.readable = false;
    world.policy.executor.read_back = !told;
    world.source.Push(TreeOf(1, 1));
    world.service.CreateForeign(SampleKey(1), PayloadText(1, "theirs"));
    const PassSummary summary = world.Pass();
    CHECK(summary.waiting == 0);
    CHECK(summary.counts.conflicting == 1);
    CHECK(Story(world, 1).back() == "existence-unreadable");
    CHECK(world.service.CallCount(CallKind::kRead) == (told ? 0 : 3));
    CHECK(NextPassIsQuiet(world));
    world.source.Push(Tree({Token(1, "second")}));
    CHECK(world.Pass().record.reported == 1);
    CHECK(Creates(world) == Numbers{1});
    CHECK(NextPassIsQuiet(world));
  }
}

TEST_CASE("without read-back a repetition that did not happen leaves the first call in doubt") {
  World world;
  world.policy.executor.read_back = false;
  world.source.Push(TreeOf(1, 1));
  world.service.Script(SampleKey(1), {Fate::kReplyLost, Fate::kUnreachable, Fate::kThrottled});
  PassUntilNothingWaits(world);
  CHECK(Story(world, 1) == Strings{"create-intended", "create-lost", "create-intended", "create-not-done",
                                   "create-intended", "create-not-done", "create-intended", "token-assumed-ours"});
}

TEST_CASE("a service that must be readable and is not ends the pass") {
  World world;
  world.policy.executor.read_back_required = true;
  world.service.rules.readable = false;
  world.source.Push(TreeOf(1, 2));
  world.service.Script(SampleKey(1), {Fate::kReplyLost});
  const PassSummary summary = world.Pass();
  CHECK(summary.record.result == PassResult::kDenied);
  CHECK(summary.stop_reason == StopReason::kEndpoint);
  CHECK(StateOf(world, 1) == "uncertain");
}

TEST_CASE("a service that cannot be reached ends the pass after a few tries, and the next pass tries at once") {
  World world;
  world.policy.executor.failures_max = 4;
  world.policy.executor.failing_max = std::chrono::hours(1);
  world.policy.executor.backoff.base = Duration(10'000);
  world.policy.patience = Duration(120'000);
  world.policy.executor.rate.concurrency = 1;
  world.source.Push(TreeOf(1, 9));
  world.service.fate_of = [](const Call&) { return Fate::kUnreachable; };
  const PassSummary summary = world.Pass();
  CHECK(summary.record.result == PassResult::kEnvironment);
  CHECK(summary.stop_reason == StopReason::kUnreachable);
  CHECK(world.service.calls().size() == 4);
  CHECK(world.ledger.checkpoint().failures_in_a_row == 1);
  world.service.fate_of = {};
  const PassSummary next = world.Pass();
  CHECK(next.record.created >= 5);
  CHECK(world.service.calls().size() > 4);
  for (const Change& change : world.ledger.log()) {
    if (change.record.pass != next.record.pass) continue;
    CHECK(change.record.time == next.record.started);
    break;
  }
  CHECK(PassUntilNothingWaits(world).record.result == PassResult::kComplete);
}

TEST_CASE("calls are never more than the places, and never faster than the limit") {
  World world;
  world.policy.executor.rate.concurrency = 3;
  world.policy.executor.rate.requests_per_minute = 120;
  world.policy.patience = Duration(60'000);
  world.source.Push(TreeOf(1, 200));
  const PassSummary summary = world.Pass();
  CHECK(summary.record.created == 200);
  CHECK(summary.record.ended - summary.record.started >= std::chrono::seconds(95));
  CHECK(summary.record.ended - summary.record.started <= std::chrono::seconds(110));
}
