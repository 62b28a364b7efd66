// What a pass makes of what git says.
#include <catch2/catch.hpp>

#include "scenario.h"

using namespace tokensync;

TEST_CASE("tokens that git declares are created once, confirmed and recorded with who brought them") {
  World world;
  world.source.Push(Tree({Token(1), Token(2)}));
  world.source.Push({{"a.yaml", {.tokens = {Token(1), Token(2)}}}, {"b.yaml", {.tokens = {Token(3)}}}});
  const PassSummary summary = world.Pass("start");
  CHECK(summary.record.result == PassResult::kComplete);
  CHECK(summary.record.cause == "start");
  CHECK(summary.record.created == 3);
  CHECK(summary.counts.in_sync == 3);
  CHECK(summary.waiting == 0);
  CHECK(summary.changed);
  CHECK_FALSE(summary.next_due);
  CHECK(world.service.calls().size() == 3);
  for (const std::uint64_t number : {1U, 2U, 3U}) {
    CHECK(Story(world, number) == Strings{"create-intended", "token-created"});
    REQUIRE(world.service.Held(SampleKey(number)) != nullptr);
    CHECK(world.service.Held(SampleKey(number))->payload == PayloadText(number, "first"));
    const LogRecord& record = LastOf(world, number).record;
    CHECK(record.action == "create");
    CHECK(record.attempt == 1);
    CHECK(record.pass == 1);
    CHECK(record.answer.http_status == 200);
    CHECK(record.digest == DigestOfText(number, "first"));
    CHECK(record.duration > Duration(0));
    REQUIRE(record.commit);
    CHECK(record.commit->subject == (number == 3 ? "commit 2" : "commit 1"));
    CHECK(record.path == (number == 3 ? "b.yaml" : "a.yaml"));
    CHECK(record.line == (number == 2 ? 2 : 1));
  }
  CHECK(world.ledger.checkpoint().head_seen == world.source.Head());
  CHECK(world.ledger.checkpoint().head_applied == world.source.Head());
  CHECK(world.ledger.passes().at(1).created == 3);
}

TEST_CASE("what the newest commit brought is created first") {
  World world;
  world.policy.executor.rate.concurrency = 1;
  world.source.Push({{"old.yaml", {.tokens = {Token(1), Token(5)}}}});
  world.source.Push({{"old.yaml", {.tokens = {Token(1), Token(5)}}}, {"new.yaml", {.tokens = {Token(3)}}}});
  world.Pass();
  CHECK(Creates(world) == Numbers{3, 1, 5});
}

TEST_CASE("a second pass over an unchanged world makes no call and writes nothing, in this process and in the next") {
  World world;
  world.source.Push(TreeOf(1, 5));
  world.Pass();
  CHECK(NextPassIsQuiet(world));
  world.Kill();
  CHECK(NextPassIsQuiet(world));
  CHECK(world.source.payloads_read() == 5);
}

TEST_CASE("a commit that changes nothing for the tokens is noted and makes no call") {
  World world;
  world.source.Push(TreeOf(1, 2));
  world.Pass();
  world.source.Push({{"moved/b.yaml", {.tokens = {Token(2), Token(1)}}}});
  const PassSummary summary = world.Pass();
  CHECK(summary.counts.in_sync == 2);
  CHECK(summary.record.result == PassResult::kComplete);
  CHECK(world.service.calls().size() == 2);
  CHECK(world.ledger.log().size() == 4);
  CHECK(world.ledger.checkpoint().head_applied == world.source.Head());
  CHECK(NextPassIsQuiet(world));
}

TEST_CASE("an edit is reported once with both digests, and not again on the next pass") {
  World world;
  world.source.Push(TreeOf(1, 2));
  world.Pass();
  world.source.Push(Tree({Token(1), Token(2, "second")}));
  const PassSummary summary = world.Pass();
  CHECK(summary.record.reported == 1);
  CHECK(summary.record.result == PassResult::kComplete);
  CHECK(summary.counts.drifting == 1);
  CHECK(Story(world, 2) == Strings{"create-intended", "token-created", "drift-reported"});
  const LogRecord& record = LastOf(world, 2).record;
  CHECK(record.action == "report");
  CHECK(record.detail == "changed");
  CHECK(record.digest == DigestOfText(2, "first"));
  CHECK(record.other_digest == DigestOfText(2, "second"));
  CHECK(record.commit->subject == "commit 2");
  CHECK(world.service.calls().size() == 2);
  CHECK(world.service.Held(SampleKey(2))->payload == PayloadText(2, "first"));
  CHECK(NextPassIsQuiet(world));
}

TEST_CASE("another value of private is a change") {
  World world;
  world.source.Push(Tree({Token(1)}));
  world.Pass();
  world.source.Push(Tree({Token(1, "first", true)}));
  CHECK(world.Pass().record.reported == 1);
}

TEST_CASE("a further edit is reported as such, and a revert settles") {
  World world;
  world.source.Push(Tree({Token(1)}));
  world.Pass();
  for (const char* name : {"second", "third"}) {
    world.source.Push(Tree({Token(1, name)}));
    CHECK(world.Pass().record.reported == 1);
  }
  world.source.Push(Tree({Token(1)}));
  const PassSummary summary = world.Pass();
  CHECK(summary.counts.in_sync == 1);
  CHECK(summary.counts.drifting == 0);
  CHECK(Story(world, 1) ==
        Strings{"create-intended", "token-created", "drift-reported", "drift-reported", "drift-settled"});
  CHECK(NextPassIsQuiet(world));
}

TEST_CASE("a removal is reported once, with the commit of the head") {
  World world;
  world.source.Push(TreeOf(1, 2));
  world.Pass();
  world.source.Push(TreeOf(1, 1));
  CHECK(world.Pass().record.reported == 1);
  const LogRecord& record = LastOf(world, 2).record;
  CHECK(record.detail == "removed");
  CHECK(record.commit->subject == "commit 2");
  CHECK(record.path.empty());
  CHECK_FALSE(record.other_digest);
  CHECK(StateOf(world, 2) == "confirmed");
  CHECK(world.service.Held(SampleKey(2)) != nullptr);
  CHECK(NextPassIsQuiet(world));
}

TEST_CASE("an unreadable file holds what is missing and nothing else") {
  World world;
  world.source.Push({{"a.yaml", {.tokens = {Token(1)}}}, {"b.yaml", {.tokens = {Token(2), Token(3)}}}});
  world.Pass();
  world.source.Push(
      {{"a.yaml", {.tokens = {Token(1), Token(4)}}}, {"b.yaml", {.tokens = {Token(2)}, .readable = false}}});
  const PassSummary summary = world.Pass();
  CHECK(summary.record.result == PassResult::kIncomplete);
  CHECK(summary.record.bad_manifests == 1);
  CHECK(summary.counts.held == 2);
  CHECK(summary.record.reported == 0);
  CHECK(summary.record.created == 1);
  CHECK(StateOf(world, 4) == "confirmed");
  CHECK(NextPassIsQuiet(world));
  world.source.Push({{"a.yaml", {.tokens = {Token(1), Token(4)}}}, {"b.yaml", {.tokens = {Token(2)}}}});
  CHECK(world.Pass().record.reported == 1);
  CHECK(LastOf(world, 3).record.detail == "removed");
}

TEST_CASE("a key that is declared twice is held, and counts again once it is declared once") {
  World world;
  world.source.Push(Tree({Token(1), Token(2)}));
  world.Pass();
  world.source.Push(
      {{"a.yaml", {.tokens = {Token(1), Token(2), Token(3)}}}, {"b.yaml", {.tokens = {Token(2, "second"), Token(3)}}}});
  const PassSummary summary = world.Pass();
  CHECK(summary.record.result == PassResult::kIncomplete);
  CHECK(summary.record.reported == 0);
  CHECK(summary.counts.held == 1);
  CHECK(StateOf(world, 3) == "none");
  CHECK(NextPassIsQuiet(world));
  world.source.Push(Tree({Token(1), Token(2), Token(3)}));
  CHECK(world.Pass().record.created == 1);
}

TEST_CASE("an entry that left git before it was created is withdrawn and forgotten") {
  World world;
  world.source.Push(Tree({Token(1), Token(2)}));
  world.service.Script(SampleKey(1), {Fate::kThrottled});
  world.service.Script(SampleKey(2), {Fate::kRefused});
  world.Pass();
  CHECK(StateOf(world, 1) == "pending");
  CHECK(StateOf(world, 2) == "rejected");
  world.source.Push({});
  const PassSummary summary = world.Pass();
  CHECK(summary.waiting == 0);
  CHECK(LastOf(world, 1).record.detail == "withdrawn");
  CHECK(LastOf(world, 2).record.detail == "withdrawn");
  CHECK(world.ledger.entries().empty());
  CHECK(NextPassIsQuiet(world));
}

TEST_CASE("a pass over a revision applies it and leaves what is known of the head alone") {
  World world;
  const CommitId first = world.source.Push(TreeOf(1, 1));
  world.source.Push(TreeOf(1, 2));
  const PassSummary summary = world.Pass("sync", first);
  CHECK(summary.record.commit == first);
  CHECK(summary.record.created == 1);
  CHECK_FALSE(world.ledger.checkpoint().head_seen);
  CHECK_FALSE(world.ledger.checkpoint().head_applied);
  CHECK_THROWS_AS(world.source.Read(CommitId{std::string(40, 'f')}), EnvironmentError);
  CHECK(world.Pass("sync", CommitId{std::string(40, 'f')}).record.result == PassResult::kEnvironment);
}

TEST_CASE("a repository that cannot be fetched ends the pass, changes nothing and is counted") {
  World world;
  world.source.Push(TreeOf(1, 2));
  world.Pass();
  for (const SourceStep broken : {SourceStep::kFetch, SourceStep::kRead}) {
    world.source.fails = [&](SourceStep step) { return step == broken; };
    const std::size_t records = world.ledger.log().size();
    const std::uint32_t failures = world.ledger.checkpoint().failures_in_a_row;
    const PassSummary summary = world.Pass();
    CHECK(summary.record.result == PassResult::kEnvironment);
    CHECK_FALSE(summary.record.error.empty());
    CHECK(world.ledger.log().size() == records);
    CHECK(world.ledger.checkpoint().failures_in_a_row == failures + 1);
    CHECK(world.ledger.passes().at(summary.record.pass).error == summary.record.error);
  }
  world.source.fails = {};
  CHECK(world.Pass().record.result == PassResult::kComplete);
  CHECK(world.ledger.checkpoint().failures_in_a_row == 0);
  CHECK(NextPassIsQuiet(world));
}
