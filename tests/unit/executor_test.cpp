// What each answer makes true, and what it holds back: the executor without a service, a clock or a thread.
#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

#include "executor_samples.h"

using namespace tokensync;

// ---- what an answer makes true ----

TEST_CASE("a created token is created") {
  Executor executor(Policy(), 1);
  CHECK(std::holds_alternative<TokenCreated>(EndCreate(executor, Created{})));
}

TEST_CASE("a token that exists is read at once, whoever made it") {
  Executor executor(Policy(), 1);
  for (const EntryState& state : {kSent, kSentAgain}) {
    const Event event = EndCreate(executor, AlreadyThere{}, state, At(7));
    REQUIRE(std::holds_alternative<TokenExisted>(event));
    CHECK(std::get<TokenExisted>(event).at == At(7));
    CHECK(std::get<TokenExisted>(event).due == At(7));
  }
}

TEST_CASE("without read-back only the answer to a repetition counts as ours") {
  ExecutorPolicy policy = Policy();
  policy.read_back = false;
  Executor executor(policy, 1);
  CHECK(std::holds_alternative<TokenExisted>(EndCreate(executor, AlreadyThere{}, kSent)));
  CHECK(std::holds_alternative<TokenAssumedOurs>(EndCreate(executor, AlreadyThere{}, kSentAgain)));
}

TEST_CASE("a refusal is for good, and one that may be the service's fault after a few tries") {
  Executor executor(Policy(), 1);
  CHECK(std::holds_alternative<CreateRefused>(EndCreate(executor, Refused{})));
  for (std::uint32_t attempt = 1; attempt < 3; ++attempt) {
    const Event event = EndCreate(executor, Refused{.bounded_tries = true},
                                  Submitting{.digest = kDigest, .attempt = attempt, .since = At(0)});
    REQUIRE(std::holds_alternative<CreateNotDone>(event));
    CHECK(std::get<CreateNotDone>(event).attempt_spent);
    CHECK(std::get<CreateNotDone>(event).due > At(0));
  }
  CHECK(std::holds_alternative<CreateRefused>(EndCreate(executor, Refused{.bounded_tries = true},
                                                        Submitting{.digest = kDigest, .attempt = 3, .since = At(0)})));
  CHECK_FALSE(executor.stopped());
}

TEST_CASE("a call that was not sent, held back or denied spends no attempt") {
  Executor executor(Policy(), 1);
  for (const CreateOutcome& outcome : {CreateOutcome(NotSent{}), CreateOutcome(Throttled{.retry_after = Duration(5)}),
                                       CreateOutcome(Unauthorized{})}) {
    executor.Begin(At(0));
    const Event event = EndCreate(executor, outcome);
    REQUIRE(std::holds_alternative<CreateNotDone>(event));
    CHECK_FALSE(std::get<CreateNotDone>(event).attempt_spent);
    executor = Executor(Policy(), 1);
  }
}

TEST_CASE("a call whose fate is not known is lost from now on, and read later") {
  Executor executor(Policy(), 1);
  const Event event = EndCreate(executor, Unknown{}, kSent, At(7));
  REQUIRE(std::holds_alternative<CreateLost>(event));
  CHECK(std::get<CreateLost>(event).at == At(7));
  CHECK(std::get<CreateLost>(event).due > At(7));
}

TEST_CASE("a token that is found is equal or different") {
  Executor executor(Policy(), 1);
  CHECK(std::holds_alternative<ReadEqual>(*EndRead(executor, Found{})));
  const Found different{.differences = {{"name", "a", "b"}}, .remote_digest = SampleDigest(7)};
  const auto event = EndRead(executor, different, kLost, At(0) + kSettling);
  REQUIRE(std::holds_alternative<ReadDifferent>(*event));
  CHECK(std::get<ReadDifferent>(*event).remote == SampleDigest(7));
}

TEST_CASE("an absent token counts only once no late request can be applied any more") {
  Executor executor(Policy(), 1);
  const TimePoint settled = At(0) + kSettling;
  const auto early = EndRead(executor, Absent{}, kLost, settled - Duration(1));
  REQUIRE(std::holds_alternative<ReadAbsent>(*early));
  CHECK_FALSE(std::get<ReadAbsent>(*early).settled);
  CHECK(std::get<ReadAbsent>(*early).due == settled);
  const auto late = EndRead(executor, Absent{}, kLost, settled);
  REQUIRE(std::holds_alternative<ReadAbsent>(*late));
  CHECK(std::get<ReadAbsent>(*late).settled);
  CHECK(std::get<ReadAbsent>(*late).due > settled);
}

TEST_CASE("a reading that fails waits longer each time") {
  Executor executor(Policy(), 1);
  const Uncertain often{.digest = kDigest, .attempt = 1, .since = At(0), .due = At(0), .readings = 9};
  const auto event = EndRead(executor, ReadingFailed{}, often);
  REQUIRE(std::holds_alternative<ReadFailed>(*event));
  CHECK(std::get<ReadFailed>(*event).due >= At(6'000));
}

TEST_CASE("a service without readings changes the plan, not the entry") {
  Executor executor(Policy(), 1);
  for (int i = 0; i < 2; ++i) CHECK(std::holds_alternative<ReadFailed>(*EndRead(executor, Unsupported{})));
  CHECK(executor.Context().can_read);
  CHECK_FALSE(EndRead(executor, Unsupported{}));
  CHECK_FALSE(executor.can_read());
  CHECK_FALSE(executor.Context().can_read);
  CHECK(executor.Context().settling == kSettling);
  CHECK_FALSE(executor.stopped());
  executor.Begin(At(0));
  CHECK_FALSE(executor.can_read());
}

TEST_CASE("a service without readings ends the pass where they are required") {
  ExecutorPolicy policy = Policy();
  policy.read_back_required = true;
  Executor executor(policy, 1);
  for (int i = 0; i < 2; ++i) CHECK(EndRead(executor, Unsupported{}));
  CHECK_FALSE(EndRead(executor, Unsupported{}));
  CHECK(executor.can_read());
  CHECK(executor.stopped() == StopReason::kEndpoint);
}

// ---- pauses ----

TEST_CASE("Retry-After holds back every call, of creates and of readings") {
  for (const bool reading : {false, true}) {
    Executor executor(Policy(), 1);
    const Throttled throttled{.retry_after = Duration(90'000)};
    if (reading) {
      CHECK_FALSE(EndRead(executor, throttled));
    } else {
      CHECK(std::get<CreateNotDone>(EndCreate(executor, throttled)).due == At(90'000));
    }
    executor.Add(CreateWork(2));
    CHECK(executor.Take(At(89'999)).empty());
    CHECK(executor.NextDue(At(0)) == At(90'000));
    CHECK(executor.Take(At(90'000)).size() == 1);
  }
}

TEST_CASE("a throttle without a time waits the default, an absurd one at most the limit") {
  ExecutorPolicy policy = Policy();
  policy.throttled_default = Duration(60'000);
  policy.throttled_max = Duration(900'000);
  for (const auto& [asked, waits] :
       std::vector<std::pair<std::optional<Duration>, Duration>>{{std::nullopt, Duration(60'000)},
                                                                 {Duration(1'000'000'000), Duration(900'000)},
                                                                 {Duration(0), Duration(1)},
                                                                 {Duration(-5), Duration(1)}}) {
    Executor executor(policy, 1);
    CHECK(std::get<CreateNotDone>(EndCreate(executor, Throttled{.retry_after = asked})).due == At(0) + waits);
    executor.Add(CreateWork(2));
    CHECK(executor.NextDue(At(0)) == At(0) + waits);
  }
}

TEST_CASE("a shorter throttle does not end a longer one, and a new pass ends none") {
  Executor executor(Policy(), 1);
  executor.Add(CreateWork(1));
  executor.Add(CreateWork(2));
  REQUIRE(executor.Take(At(0)).size() == 2);
  (void)executor.Judge(CreateEnded(1, Throttled{.retry_after = Duration(50'000)}), kSent, At(0));
  (void)executor.Judge(CreateEnded(2, Throttled{.retry_after = Duration(10)}), kSent, At(0));
  executor.Begin(At(0));
  executor.Add(CreateWork(3));
  CHECK(executor.NextDue(At(0)) == At(50'000));
}

TEST_CASE("calls pause before the wall that the service tells of") {
  const auto end = [&](RateHint hint) {
    Executor executor(Policy(), 1);
    executor.Add(CreateWork(1));
    const TimePoint now = At(0);
    REQUIRE(executor.Take(now).size() == 1);
    (void)executor.Judge(CreateEnded(1, Created{}, hint), kSent, now);
    executor.Add(CreateWork(2));
    return executor.NextDue(now);
  };
  CHECK(end({.limit = 1'000, .remaining = 10, .reset = At(30'000)}) == At(0));
  CHECK(end({.limit = 1'000, .remaining = 0, .reset = At(-1)}) == At(0));
  CHECK(end({.limit = 1'000, .remaining = 0}) == At(0));
  CHECK(end({.limit = 1'000, .remaining = 0, .reset = At(30'000)}) == At(30'000));
}

TEST_CASE("one failed call holds back its own entry only, the next ones everything") {
  Executor executor(Policy(), 1);
  executor.Add(CreateWork(1));
  executor.Add(CreateWork(2));
  REQUIRE(executor.Take(At(0)).size() == 2);
  (void)executor.Judge(CreateEnded(1, NotSent{}), kSent, At(0));
  executor.Add(CreateWork(3));
  CHECK(executor.NextDue(At(0)) == At(0));
  (void)executor.Judge(CreateEnded(2, Unknown{}), kSent, At(0));
  CHECK(executor.NextDue(At(0)) > At(0));
  CHECK(executor.Take(At(0)).empty());
}

TEST_CASE("calls that fail together lengthen the pause once, and after that one call at a time finds out more") {
  ExecutorPolicy policy = Policy();
  policy.failures_max = 100;
  policy.backoff = {.base = Duration(500), .cap = Duration(60'000)};
  Executor executor(policy, 1);
  TimePoint now = At(0);
  for (int round = 0; round < 5; ++round) {
    for (std::uint64_t i = 0; i < 4; ++i) executor.Add(CreateWork(i));
    const std::uint64_t together = round == 0 ? 4 : 1;
    REQUIRE(executor.Take(now).size() == together);
    for (std::uint64_t i = 0; i < together; ++i) (void)executor.Judge(CreateEnded(i, NotSent{}), kSent, now);
    executor.Add(CreateWork(9));
    const Duration pause = executor.NextDue(now).value() - now;
    CHECK(pause >= Duration(50 << round));
    CHECK(pause <= Duration(500 << round));
    executor.Replace({});
    now += pause;
  }
}

TEST_CASE("a new pass is not held back by the failures of the one before") {
  Executor executor(Policy(), 1);
  for (int i = 0; i < 4; ++i) {
    executor.Add(CreateWork(1));
    const TimePoint now = executor.NextDue(At(0)).value();
    REQUIRE(executor.Take(now).size() == 1);
    (void)executor.Judge(CreateEnded(1, NotSent{}), kSent, At(0));
  }
  executor.Begin(At(0));
  executor.Add(CreateWork(1));
  CHECK(executor.NextDue(At(0)) == At(0));
}

// ---- stops ----

TEST_CASE("a denial stops everything at once and says why") {
  for (const auto& [denial, reason] :
       std::vector<std::pair<Denial, StopReason>>{{Denial::kCredential, StopReason::kCredential},
                                                  {Denial::kEndpoint, StopReason::kEndpoint},
                                                  {Denial::kQuotaExhausted, StopReason::kQuota}}) {
    for (const bool reading : {false, true}) {
      Executor executor(Policy(), 1);
      executor.Add(CreateWork(9));
      executor.Replace({});
      if (reading) {
        CHECK_FALSE(EndRead(executor, Unauthorized{.denial = denial}));
      } else {
        (void)EndCreate(executor, Unauthorized{.denial = denial});
      }
      CHECK(executor.stopped() == reason);
      CHECK(executor.stop_answer().message == "down");
      executor.Add(CreateWork(2));
      CHECK(executor.Take(At(1'000'000)).empty());
      CHECK_FALSE(executor.NextDue(At(0)));
      executor.Begin(At(0));
      CHECK_FALSE(executor.stopped());
      CHECK(executor.WaitingCount() == 0);
      executor.Add(CreateWork(2));
      CHECK(executor.Take(At(1'000'000)).size() == 1);
    }
  }
}

TEST_CASE("failures in a row stop the executor, and a success in between starts the count anew") {
  Executor executor(Policy(), 1);
  TimePoint now = At(0);
  const auto fail = [&](CreateOutcome outcome) {
    now += std::chrono::minutes(10);
    (void)EndCreate(executor, outcome, kSent, now);
  };
  for (int i = 0; i < 4; ++i) fail(NotSent{});
  fail(Created{});
  for (int i = 0; i < 4; ++i) fail(Unknown{});
  CHECK_FALSE(executor.stopped());
  fail(NotSent{});
  CHECK(executor.stopped() == StopReason::kUnreachable);
}

TEST_CASE("three failures in a row stop the executor where they take too long") {
  ExecutorPolicy policy = Policy();
  policy.failing_max = Duration(10'000);
  for (const bool long_enough : {false, true}) {
    Executor executor(policy, 1);
    (void)EndCreate(executor, Unknown{}, kSent, At(0));
    (void)EndCreate(executor, Unknown{}, kSent, At(8'000));
    CHECK_FALSE(executor.stopped());
    (void)EndCreate(executor, Unknown{}, kSent, At(long_enough ? 10'000 : 9'999));
    CHECK(executor.stopped().has_value() == long_enough);
    executor.Begin(At(50'000));
    for (int i = 0; i < 2; ++i) (void)EndCreate(executor, Unknown{}, kSent, At(100'000 * (i + 1)));
    CHECK_FALSE(executor.stopped());
  }
}

TEST_CASE("readings that fail count as failures") {
  Executor executor(Policy(), 1);
  TimePoint now = At(0);
  for (int i = 0; i < 5; ++i) {
    CHECK_FALSE(executor.stopped());
    now += std::chrono::minutes(10);
    (void)EndRead(executor, ReadingFailed{}, kLost, now);
  }
  CHECK(executor.stopped() == StopReason::kFailing);
}

TEST_CASE("the first reason to stop stays") {
  Executor executor(Policy(), 1);
  executor.Add(CreateWork(1));
  executor.Add(CreateWork(2));
  REQUIRE(executor.Take(At(0)).size() == 2);
  (void)executor.Judge(CreateEnded(1, Unauthorized{}), kSent, At(0));
  (void)executor.Judge(CreateEnded(2, Unauthorized{.denial = Denial::kQuotaExhausted}), kSent, At(0));
  CHECK(executor.stopped() == StopReason::kCredential);
}

TEST_CASE("after a pass that was stopped, one call goes ahead until the service answers") {
  ExecutorPolicy policy = Policy();
  Executor executor(policy, 1);
  for (std::uint64_t i = 0; i < 4; ++i) executor.Add(CreateWork(i));
  REQUIRE(executor.Take(At(0)).size() == 4);
  (void)executor.Judge(CreateEnded(0, Unauthorized{}), kSent, At(0));
  for (std::uint64_t i = 1; i < 4; ++i) (void)executor.Judge(CreateEnded(i, NotSent{}), kSent, At(0));
  REQUIRE(executor.stopped());
  executor.Begin(At(60'000));
  for (std::uint64_t i = 0; i < 4; ++i) executor.Add(CreateWork(i));
  const std::vector<Work> probe = executor.Take(At(60'000));
  REQUIRE(probe.size() == 1);
  CHECK(executor.Take(At(60'000)).empty());
  CHECK_FALSE(executor.NextDue(At(60'000)));
  (void)executor.Judge(CreateEnded(0, Created{}), kSent, At(60'000));
  CHECK(executor.Take(At(60'000)).size() == 3);
}

TEST_CASE("a different token counts only when no late request of ours can replace it any more") {
  Executor executor(Policy(), 1);
  const Found different{.differences = {{"name", "a", "b"}}, .remote_digest = SampleDigest(2)};
  const auto early = EndRead(executor, different, kLost, At(10));
  REQUIRE(early);
  REQUIRE(std::holds_alternative<ReadUnsettled>(*early));
  CHECK(std::get<ReadUnsettled>(*early).due == At(0) + kSettling);
  const auto settled = EndRead(executor, different, kLost, At(0) + kSettling);
  REQUIRE(settled);
  CHECK(std::holds_alternative<ReadDifferent>(*settled));
  // A refusal because the token exists is an answer: nothing of ours is on its way.
  const EntryState exists = Uncertain{.digest = kDigest, .attempt = 1, .since = At(0), .due = At(0), .exists = true};
  const auto refused = EndRead(executor, different, exists, At(10));
  REQUIRE(refused);
  CHECK(std::holds_alternative<ReadDifferent>(*refused));
}

TEST_CASE("a service that says both that a token exists and that there is none is not asked for ever") {
  const ExecutorPolicy policy = Policy();
  Executor executor(policy, 1);
  for (std::uint32_t attempt = 1; attempt <= policy.bounded_tries_max; ++attempt) {
    const EntryState state = Uncertain{.digest = kDigest,
                                       .attempt = attempt,
                                       .since = At(0),
                                       .due = At(0),
                                       .readings = 1,
                                       .absent_readings = 1,
                                       .exists = true};
    const auto event = EndRead(executor, Absent{}, state, At(0) + kSettling);
    REQUIRE(event);
    CHECK(std::holds_alternative<ExistenceUnreadable>(*event) == (attempt == policy.bounded_tries_max));
  }
}

TEST_CASE("a clock that is set back between two passes does not make a minute's pause last for a day") {
  ExecutorPolicy policy = Policy();
  policy.rate.requests_per_minute = 60;
  Executor executor(policy, 1);
  const TimePoint day = At(86'400'000);
  (void)EndCreate(executor, Throttled{.retry_after = Duration(50'000)}, kSent, day);
  executor.Begin(At(0));
  executor.Add(CreateWork(2));
  CHECK(executor.NextDue(At(0)) == At(50'000));
}

TEST_CASE("what was lost before the start settles from the start on: the clock may have been set forward") {
  Executor executor(Policy(), 1);
  const TimePoint start = At(86'400'000);
  executor.Begin(start);
  const auto early = EndRead(executor, Absent{}, kLost, start + kSettling - Duration(1));
  REQUIRE(early);
  CHECK_FALSE(std::get<ReadAbsent>(*early).settled);
  CHECK(std::get<ReadAbsent>(*early).due == start + kSettling);
  CHECK(executor.Context().running_since == start);
}

TEST_CASE("a create whose echo shows something else is read back, where that is possible") {
  const Created changed{.differences = {{"name", "a", "b"}}};
  Executor executor(Policy(), 1);
  const Event event = EndCreate(executor, changed, kSent, At(5));
  REQUIRE(std::holds_alternative<CreateLost>(event));
  CHECK(std::get<CreateLost>(event).due == At(5));
  ExecutorPolicy policy = Policy();
  policy.read_back = false;
  Executor blind(policy, 1);
  CHECK(std::holds_alternative<TokenCreated>(EndCreate(blind, changed)));
}
