// Situations of a pass over collections that are looked at before anything is created in them.
#include <algorithm>
#include <catch2/catch.hpp>

#include "scenario.h"

using namespace tokensync;

namespace {

const CollectionKey kCollection = SampleKey(1).Collection();

/// Prepares a world in which collections can be listed, and are.
void LookFirst(World& world) {
  world.policy.executor.survey = true;
}

/// Somebody else made these tokens long ago.
void Foreign(World& world, std::uint64_t first, std::uint64_t last, const std::string& name = "first") {
  for (std::uint64_t number = first; number <= last; ++number) {
    world.service.CreateForeign(SampleKey(number), PayloadText(number, name), std::chrono::hours(1));
  }
}

std::size_t Lists(const World& world) {
  return world.service.CallCount(CallKind::kList);
}

}  // namespace

TEST_CASE("a collection is listed once, when it first appears, and never again") {
  World world;
  LookFirst(world);
  world.service.rules.page_size = 30;
  world.source.Push(TreeOf(1, 3));
  CHECK(PassUntilNothingWaits(world).record.created == 3);
  CHECK(Lists(world) == 1);
  CHECK(world.service.calls().front().kind == CallKind::kList);
  world.source.Push(TreeOf(1, 5));
  CHECK(PassUntilNothingWaits(world).record.created == 2);
  world.Kill();
  world.source.Push(TreeOf(1, 6));
  CHECK(PassUntilNothingWaits(world).record.created == 1);
  CHECK(Lists(world) == 1);
  CHECK(NextPassIsQuiet(world));
}

TEST_CASE("what the collection holds as git declares it is adopted without a call for each token") {
  World world;
  LookFirst(world);
  world.service.rules.page_size = 30;
  Foreign(world, 1, 60);
  world.source.Push(TreeOf(1, 60));
  const PassSummary summary = PassUntilNothingWaits(world);
  CHECK(summary.record.adopted == 60);
  CHECK(summary.record.created == 0);
  CHECK(summary.record.result == PassResult::kComplete);
  CHECK(Lists(world) == 2);
  CHECK(world.service.calls().size() == 2);
  CHECK(Story(world, 7) == Strings{"token-adopted"});
  CHECK(LastOf(world, 7).record.action == "adopt");
  CHECK(LastOf(world, 7).record.path == "a.yaml");
  CHECK(NextPassIsQuiet(world));
}

TEST_CASE("a private token is adopted as private: the service does not tell") {
  World world;
  LookFirst(world);
  Foreign(world, 1, 1);
  world.source.Push(Tree({Token(1, "first", true)}));
  CHECK(PassUntilNothingWaits(world).record.adopted == 1);
}

TEST_CASE("what the collection holds differently is a conflict, even where a create would overwrite it") {
  World world;
  LookFirst(world);
  world.service.rules.unique = false;
  Foreign(world, 1, 1, "theirs");
  world.source.Push(TreeOf(1, 2));
  PassUntilNothingWaits(world);
  CHECK(Story(world, 1) == Strings{"token-found", "read-different"});
  CHECK(StateOf(world, 1) == "conflicting");
  CHECK(LastOf(world, 1).record.other_digest == DigestOfText(1, "theirs"));
  CHECK(StateOf(world, 2) == "confirmed");
  CHECK(Creates(world) == Numbers{2});
  REQUIRE(world.surveys().size() == 1);
  CHECK(world.surveys()[0].different == 1);
}

TEST_CASE("tokens of the collection that git does not declare are counted and left alone") {
  World world;
  LookFirst(world);
  Foreign(world, 10, 13, "theirs");
  world.source.Push(TreeOf(1, 1));
  PassUntilNothingWaits(world);
  REQUIRE(world.surveys().size() == 1);
  CHECK(world.surveys()[0].undeclared == 4);
  CHECK(world.ledger.entries().size() == 1);
}

TEST_CASE("a token that the survey found and that git declares later is compared, not created") {
  World world;
  LookFirst(world);
  world.service.rules.unique = false;
  Foreign(world, 2, 3);
  Foreign(world, 4, 4, "theirs");
  world.source.Push(Tree({Token(1), Token(2)}));
  PassUntilNothingWaits(world);
  if (GENERATE(false, true)) world.Kill();
  world.source.Push(TreeOf(1, 5));
  PassUntilNothingWaits(world);
  CHECK(Story(world, 3) == Strings{"token-found", "read-equal"});
  CHECK(Story(world, 4) == Strings{"token-found", "read-different"});
  CHECK(Creates(world) == Numbers{1, 5});
  CHECK(NextPassIsQuiet(world));
}

TEST_CASE("a token that the survey found and that somebody removed since is created when git declares it") {
  World world;
  LookFirst(world);
  Foreign(world, 2, 2);
  world.source.Push(TreeOf(1, 1));
  PassUntilNothingWaits(world);
  world.service.Remove(SampleKey(2));
  world.source.Push(TreeOf(1, 2));
  PassUntilNothingWaits(world);
  CHECK(StateOf(world, 2) == "confirmed");
  CHECK(Creates(world) == Numbers{1, 2});
}

TEST_CASE("a push in the middle of a survey is judged by all that was listed") {
  World world;
  LookFirst(world);
  world.service.rules.page_size = 1;
  Foreign(world, 1, 6);
  world.source.Push(Tree({Token(6), Token(9)}));
  world.clock.At(world.clock.Now() + Duration(700), [&] {
    world.source.Push(Tree({Token(1), Token(6), Token(9)}));
    world.refresh = true;
    world.service.Wake();
  });
  const PassSummary summary = PassUntilNothingWaits(world);
  CHECK(world.plans() == 2);
  CHECK(summary.record.adopted == 2);
  CHECK(Creates(world) == Numbers{9});
}

TEST_CASE("a service without ListTokens is served without looking, unless looking is demanded") {
  World world;
  LookFirst(world);
  world.service.rules.listable = false;
  world.source.Push(TreeOf(1, 2));
  SECTION("not demanded") {
    CHECK(PassUntilNothingWaits(world).record.created == 2);
    REQUIRE(world.surveys().size() == 1);
    CHECK(world.surveys()[0].end == SurveyEnd::kUnsupported);
    CHECK_FALSE(world.surveys()[0].held);
  }
  SECTION("demanded") {
    world.policy.executor.survey_required = true;
    const PassSummary summary = world.Pass();
    CHECK(summary.record.result == PassResult::kDenied);
    CHECK(Creates(world).empty());
  }
}

TEST_CASE("a collection that the service refuses to list holds up nobody else") {
  World world;
  LookFirst(world);
  world.service.rules.closed = true;
  world.policy.executor.survey_required = GENERATE(false, true);
  world.source.Push(TreeOf(1, 2));
  const PassSummary summary = world.Pass();
  if (world.policy.executor.survey_required) {
    CHECK(summary.record.result == PassResult::kIncomplete);
    CHECK(summary.waiting == 2);
    CHECK(summary.next_due.has_value());
    CHECK(Creates(world).empty());
    world.service.rules.closed = false;
    CHECK(PassUntilNothingWaits(world).record.created == 2);
  } else {
    CHECK(summary.record.created == 2);
  }
}

TEST_CASE("a survey goes on after failures where it was") {
  World world;
  LookFirst(world);
  world.service.rules.page_size = 1;
  Foreign(world, 1, 5);
  const auto fate = GENERATE(Fate::kRequestLost, Fate::kThrottled, Fate::kUntypedFault, Fate::kUnreachable);
  world.service.Script(TokenKey::OfCollection(kCollection),
                       {Fate::kAnswered, Fate::kAnswered, fate, Fate::kAnswered, fate});
  world.source.Push(TreeOf(1, 5));
  CHECK(PassUntilNothingWaits(world).counts.in_sync == 5);
  CHECK(Creates(world).empty());
  CHECK(Lists(world) == 7);
}

TEST_CASE("git failing when a survey is concluded costs another survey, and nothing else") {
  World world;
  LookFirst(world);
  Foreign(world, 1, 1);
  world.source.Push(TreeOf(1, 2));
  bool failed = false;
  world.source.fails = [&](SourceStep step) { return step == SourceStep::kPayload && !std::exchange(failed, true); };
  CHECK(world.Pass().record.result == PassResult::kEnvironment);
  CHECK(PassUntilNothingWaits(world).counts.in_sync == 2);
  CHECK(Creates(world) == Numbers{2});
}

TEST_CASE("a run that ends in the middle of a survey has created nothing, and the next one lists anew") {
  for (std::uint32_t steps = 1; steps < 40; ++steps) {
    World world;
    LookFirst(world);
    world.service.rules.page_size = 2;
    Foreign(world, 1, 2);
    Foreign(world, 3, 3, "theirs");
    Foreign(world, 4, 5);
    world.source.Push(TreeOf(1, 6));
    world.end.Arm(steps);
    try {
      world.Pass();
    } catch (const Crash&) {
    }
    world.end.Disarm();
    PassUntilNothingWaits(world);
    CHECK(world.service.Accepted(SampleKey(6)) == 1);
    CHECK(StateOf(world, 3) == "conflicting");
    CHECK(StateOf(world, 5) == "confirmed");
    CHECK(std::all_of(world.ledger.entries().begin(), world.ledger.entries().end(),
                      [&](const auto& entry) { return world.service.Accepted(entry.first) <= 1; }));
  }
}

// ---- the ledger is another one ----

TEST_CASE("after the ledger was lost, everything is adopted and nothing is created") {
  World world;
  LookFirst(world);
  world.source.Push(TreeOf(1, 8));
  PassUntilNothingWaits(world);
  const std::size_t creates = Creates(world).size();
  world.ReplaceLedger({});
  CHECK(PassUntilNothingWaits(world).counts.in_sync == 8);
  CHECK(Creates(world).size() == creates);
  CHECK(Story(world, 1) == Strings{"token-adopted"});
}

TEST_CASE("a call that the lost ledger knew of, and that arrives late, is waited for before anything is listed") {
  World world;
  LookFirst(world);
  world.source.Push(TreeOf(1, 1));
  world.service.Script(SampleKey(1), {Fate::kAppliedLate});
  world.clock.At(world.clock.Now() + Duration(400), [&] {
    world.stop = true;
    world.service.Wake();
  });
  world.policy.stop_grace = Duration(1);
  world.Pass();
  world.stop = false;
  world.ReplaceLedger({});
  PassUntilNothingWaits(world);
  CHECK(world.service.Accepted(SampleKey(1)) <= 1);
  CHECK(StateOf(world, 1) == "confirmed");
}

TEST_CASE("a restored ledger that is older than the service creates nothing that exists") {
  World world;
  LookFirst(world);
  world.source.Push(TreeOf(1, 3));
  PassUntilNothingWaits(world);
  const LedgerCopy backup = world.ledger.Copy();
  world.source.Push(Tree({Token(1), Token(2), Token(4), Token(5)}));
  PassUntilNothingWaits(world);
  world.source.Push(Tree({Token(1), Token(2), Token(4), Token(5, "second"), Token(6)}));
  world.ReplaceLedger(backup);
  PassUntilNothingWaits(world);
  CHECK(Creates(world) == Numbers{1, 2, 3, 4, 5, 6});
  CHECK(StateOf(world, 4) == "confirmed");
  CHECK(StateOf(world, 5) == "conflicting");
  CHECK(LastOf(world, 5).record.other_digest == DigestOfText(5, "first"));
}

TEST_CASE("without ListTokens a ledger that is not the one that ran last creates nothing") {
  World world;
  LookFirst(world);
  world.service.rules.listable = false;
  world.source.Push(TreeOf(1, 2));
  PassUntilNothingWaits(world);
  world.ReplaceLedger({});
  world.clock.PassUntil(world.Pass().next_due.value());
  CHECK(world.Pass().record.result == PassResult::kDenied);
  CHECK(Creates(world).size() == 2);
}

TEST_CASE("entries whose time lies ahead because the clock was set back do not wait for it") {
  World world;
  world.source.Push(TreeOf(1, 2));
  world.service.Script(SampleKey(1), {Fate::kThrottled});
  world.service.Script(SampleKey(2), {Fate::kRequestLost});
  world.Pass();
  REQUIRE(StateOf(world, 1) == "pending");
  REQUIRE(StateOf(world, 2) == "uncertain");
  if (GENERATE(false, true)) world.Kill();
  world.clock.Set(-std::chrono::hours(30));
  const TimePoint begun = world.clock.WorldNow();
  PassUntilNothingWaits(world);
  CHECK(StateOf(world, 1) == "confirmed");
  CHECK(StateOf(world, 2) == "confirmed");
  CHECK(world.clock.WorldNow() - begun < std::chrono::minutes(5));
}
