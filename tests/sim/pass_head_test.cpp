// Which heads are applied: signatures that are not good, and histories that were rewritten.
#include <catch2/catch.hpp>

#include "scenario.h"

using namespace tokensync;

namespace {

Vouching RefusedFor(const std::string& why) {
  return {.refusal = why};
}

Vouching SignedBy(const std::string& signer) {
  return {.signer = signer};
}

std::vector<NoticeKind> Kinds(const World& world) {
  std::vector<NoticeKind> kinds;
  for (const Notice& notice : world.ledger.store().notices) kinds.push_back(notice.kind);
  return kinds;
}

using NoticeKinds = std::vector<NoticeKind>;

/// Tokens 1 and 2 exist, and then the branch is forced to another history, which declares 1 and 3.
void Rewrite(World& world) {
  world.source.Push(Tree({Token(1)}));
  world.source.Push(Tree({Token(1), Token(2)}));
  REQUIRE(world.Pass().record.result == PassResult::kComplete);
  world.source.PushRewritten(Tree({Token(1), Token(3)}), 0);
}

std::string HeldFingerprint(const World& world) {
  REQUIRE(world.ledger.checkpoint().held);
  return world.ledger.checkpoint().held->fingerprint;
}

}  // namespace

TEST_CASE("nothing of a head that is refused is read or done, and that is noticed once") {
  World world;
  world.source.Push(Tree({Token(1)}));
  world.source.vouches = [](const CommitId&) { return RefusedFor("it is not signed"); };
  std::size_t reads = 0;
  world.source.fails = [&](SourceStep step) {
    if (step == SourceStep::kRead) ++reads;
    return false;
  };
  const PassSummary summary = world.Pass();
  CHECK(summary.record.result == PassResult::kHeld);
  CHECK(summary.record.error == "it is not signed");
  CHECK(summary.record.commit == world.source.Head());
  CHECK(reads == 0);
  CHECK(world.service.calls().empty());
  REQUIRE(world.ledger.checkpoint().refused);
  CHECK(world.ledger.checkpoint().refused->commit == world.source.Head());
  CHECK_FALSE(world.ledger.checkpoint().head_accepted);
  REQUIRE(Kinds(world) == NoticeKinds{NoticeKind::kHeadRefused});
  const Notice& notice = world.ledger.store().notices.front();
  CHECK(notice.commit->subject == "commit 1");
  CHECK(notice.detail == "it is not signed");
  CHECK(notice.pass == summary.record.pass);
  CHECK(NextPassIsQuiet(world));
  CHECK(world.Pass().record.result == PassResult::kHeld);
}

TEST_CASE("a good head after one that was refused goes on by itself") {
  World world;
  world.source.Push(Tree({Token(1)}));
  const CommitId bad = world.source.Head();
  world.source.vouches = [bad](const CommitId& commit) {
    return commit == bad ? RefusedFor("it is not signed") : SignedBy("ada");
  };
  CHECK(world.Pass().record.result == PassResult::kHeld);
  world.source.Push(Tree({Token(1), Token(2)}));
  CHECK(world.Pass().record.result == PassResult::kComplete);
  CHECK(Creates(world) == Numbers{1, 2});
  CHECK_FALSE(world.ledger.checkpoint().refused);
  CHECK(LastOf(world, 1).record.signer == "ada");
}

TEST_CASE("a refused head that arrives in mid-pass ends it; what is in flight is awaited") {
  World world;
  world.policy.executor.rate.concurrency = 1;
  world.source.Push(TreeOf(1, 5));
  world.source.vouches = [](const CommitId& commit) {
    return commit.hex.ends_with("2") ? RefusedFor("it is not signed") : SignedBy("ada");
  };
  std::size_t answers = 0;
  const auto before = world.service.on_answer;
  world.service.on_answer = [&](const Completion& completion) {
    before(completion);
    if (++answers == 2) {
      world.source.Push(TreeOf(1, 9));
      world.refresh = true;
    }
  };
  CHECK(world.Pass().record.result == PassResult::kHeld);
  CHECK(world.service.InFlight() == 0);
  CHECK(Creates(world).size() < 5);
  world.source.Push(TreeOf(1, 9));
  CHECK(PassUntilNothingWaits(world).record.result == PassResult::kComplete);
  CHECK(Creates(world).size() == 9);
}

TEST_CASE("the commit that is asked for by hand needs its signature as well") {
  World world;
  world.source.Push(Tree({Token(1)}));
  world.source.vouches = [](const CommitId&) { return RefusedFor("it is not signed"); };
  CHECK(world.Pass("sync", world.source.Head()).record.result == PassResult::kHeld);
  CHECK(world.service.calls().empty());
}

TEST_CASE("the newest head that reaches vouched commits only is remembered, and given back") {
  World world;
  world.source.Push(Tree({Token(1)}));
  world.source.vouches = [](const CommitId&) { return Vouching{.signer = "ada", .reaches_vouched = true}; };
  world.Pass();
  CHECK(world.ledger.checkpoint().head_vouched == world.source.Head());
}

TEST_CASE("a rewritten history waits for an approval, with nothing done and noticed once") {
  World world;
  world.policy.hold_rewrites = true;
  Rewrite(world);
  const CommitId accepted = *world.ledger.checkpoint().head_accepted;
  const std::size_t calls = world.service.calls().size();
  const PassSummary summary = world.Pass();
  CHECK(summary.record.result == PassResult::kHeld);
  CHECK_THAT(summary.record.error, Catch::Contains("tokensyncd approve " + HeldFingerprint(world).substr(0, 12)));
  CHECK_THAT(summary.record.error, Catch::Contains("1 to create, 0 to resolve, 1 to report"));
  CHECK(world.service.calls().size() == calls);
  CHECK(Story(world, 2) == Strings{"create-intended", "token-created"});
  CHECK(Kinds(world) == NoticeKinds{NoticeKind::kPlanHeld});
  CHECK(world.ledger.checkpoint().head_accepted == accepted);
  CHECK(NextPassIsQuiet(world));
}

TEST_CASE("an approved plan is carried out, and the log says by whom") {
  World world;
  world.policy.hold_rewrites = true;
  Rewrite(world);
  world.Pass();
  const std::string fingerprint = HeldFingerprint(world);
  CHECK_FALSE(world.Approve("00000000"));
  CHECK_FALSE(world.Approve(fingerprint.substr(0, 7)));
  CHECK(world.Approve(fingerprint.substr(0, 12)));
  world.Kill();
  CHECK(world.Pass().record.result == PassResult::kComplete);
  CHECK(Creates(world) == Numbers{1, 2, 3});
  CHECK(Kinds(world) == NoticeKinds{NoticeKind::kPlanHeld, NoticeKind::kPlanApproved, NoticeKind::kHistoryRewritten});
  CHECK(world.ledger.store().notices[1].actor == "somebody");
  CHECK_FALSE(world.ledger.checkpoint().held);
  CHECK(world.ledger.checkpoint().head_accepted == world.source.Head());
  CHECK(NextPassIsQuiet(world));
}

TEST_CASE("an approval holds for exactly its plan: a further push needs another one") {
  World world;
  world.policy.hold_rewrites = true;
  Rewrite(world);
  world.Pass();
  const std::string fingerprint = HeldFingerprint(world);
  REQUIRE(world.Approve(fingerprint));
  world.source.Push(Tree({Token(1), Token(3), Token(4)}));
  CHECK(world.Pass().record.result == PassResult::kHeld);
  CHECK(HeldFingerprint(world) != fingerprint);
  CHECK_FALSE(world.ledger.checkpoint().held->approved);
  CHECK(Creates(world) == Numbers{1, 2});
}

TEST_CASE("a plan has one fingerprint, whoever makes it and whenever") {
  World world;
  world.policy.hold_rewrites = true;
  Rewrite(world);
  world.Pass();
  const std::string fingerprint = HeldFingerprint(world);
  world.Kill();
  world.clock.PassUntil(world.clock.WorldNow() + std::chrono::hours(30));
  world.Pass();
  CHECK(HeldFingerprint(world) == fingerprint);
}

TEST_CASE("the old history pushed back releases what waits") {
  World world;
  world.policy.hold_rewrites = true;
  Rewrite(world);
  world.Pass();
  world.source.PushRewritten(Tree({Token(1), Token(2), Token(5)}), 1);
  CHECK(world.Pass().record.result == PassResult::kComplete);
  CHECK(Creates(world) == Numbers{1, 2, 5});
  CHECK_FALSE(world.ledger.checkpoint().held);
}

TEST_CASE("a crash in the middle of an approved plan does not ask for another approval") {
  World world;
  world.policy.hold_rewrites = true;
  world.policy.executor.rate.concurrency = 1;
  Rewrite(world);
  world.source.Push(Tree({Token(1), Token(3), Token(4), Token(5)}));
  world.Pass();
  REQUIRE(world.Approve(HeldFingerprint(world)));
  const std::size_t calls = world.service.calls().size();
  world.end.Arm(12);
  CHECK_THROWS_AS(world.Pass(), Crash);
  world.end.Disarm();
  CHECK(world.service.calls().size() > calls);
  CHECK(PassUntilNothingWaits(world).record.result == PassResult::kComplete);
}

TEST_CASE("a rewritten history with nothing to do is accepted, and noticed") {
  World world;
  world.policy.hold_rewrites = true;
  world.source.Push(Tree({Token(1)}));
  world.source.Push(Tree({Token(1), Token(2)}));
  world.Pass();
  world.source.PushRewritten(Tree({Token(1), Token(2)}), 0);
  CHECK(world.Pass().record.result == PassResult::kComplete);
  CHECK(Kinds(world) == NoticeKinds{NoticeKind::kHistoryRewritten});
  CHECK(world.ledger.checkpoint().head_accepted == world.source.Head());
}

TEST_CASE("where rewritten histories are applied, that is noticed and done") {
  World world;
  Rewrite(world);
  CHECK(world.Pass().record.result == PassResult::kComplete);
  CHECK(Creates(world) == Numbers{1, 2, 3});
  CHECK(Kinds(world) == NoticeKinds{NoticeKind::kHistoryRewritten});
}

TEST_CASE("a history that was rewritten in mid-pass ends the pass and waits") {
  World world;
  world.policy.hold_rewrites = true;
  world.policy.executor.rate.concurrency = 1;
  world.source.Push(Tree({Token(1)}));
  world.source.Push(TreeOf(1, 5));
  std::size_t answers = 0;
  const auto before = world.service.on_answer;
  world.service.on_answer = [&](const Completion& completion) {
    before(completion);
    if (++answers == 2) {
      world.source.PushRewritten(TreeOf(7, 9), 0);
      world.refresh = true;
    }
  };
  CHECK(world.Pass().record.result == PassResult::kHeld);
  CHECK(Creates(world).size() < 5);
  CHECK(world.service.InFlight() == 0);
}

TEST_CASE("a commit that is asked for by hand is no new head") {
  World world;
  world.policy.hold_rewrites = true;
  world.source.Push(Tree({Token(1)}));
  const CommitId first = world.source.Head();
  world.source.Push(Tree({Token(1), Token(2)}));
  const CommitId second = world.source.Head();
  world.Pass();
  CHECK(world.Pass("sync", first).record.result == PassResult::kComplete);
  CHECK(world.ledger.checkpoint().head_accepted == second);
}

TEST_CASE("a fetch that is given up because the program is to stop is no failure") {
  World world;
  world.source.Push(Tree({Token(1)}));
  world.source.fails = [&](SourceStep step) {
    world.stop = world.stop || step == SourceStep::kFetch;
    return step == SourceStep::kFetch;
  };
  const PassSummary summary = world.Pass();
  CHECK(summary.record.result == PassResult::kStopped);
  CHECK(summary.record.error.empty());
  CHECK(world.ledger.checkpoint().failures_in_a_row == 0);
}
