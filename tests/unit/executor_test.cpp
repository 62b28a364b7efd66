// Which calls leave when, and what each answer makes true: the executor without a service, a clock or a thread.
#include "executor.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "samples.h"

using namespace tokensync;

namespace {

const Digest kDigest = SampleDigest(1);
const ServiceAnswer kAnswer{.http_status = 503, .message = "down"};
constexpr Duration kSettling{60'000};

ExecutorPolicy Policy() {
  ExecutorPolicy policy;
  policy.concurrency = 4;
  policy.requests_per_minute = 0;
  policy.settling = kSettling;
  policy.bounded_tries_max = 3;
  policy.failures_max = 5;
  return policy;
}

Work CreateWork(std::uint64_t number, TimePoint due = {}, std::uint32_t rank = 0) {
  return {.action = Create{.key = SampleKey(number), .entry = nullptr, .attempt = 1, .due = due}, .rank = rank};
}

Work ReadWork(std::uint64_t number, TimePoint due = {}, std::uint32_t rank = 0) {
  return {.action = Resolve{.key = SampleKey(number), .digest = kDigest, .attempt = 1, .due = due}, .rank = rank};
}

Completion CreateEnded(std::uint64_t number, CreateOutcome outcome, RateHint hint = {}) {
  return {.kind = CallKind::kCreate, .key = SampleKey(number), .created = outcome, .answer = kAnswer, .hint = hint};
}

Completion ReadEnded(std::uint64_t number, ReadOutcome outcome) {
  return {.kind = CallKind::kRead, .key = SampleKey(number), .read = std::move(outcome), .answer = kAnswer};
}

const EntryState kSent = Submitting{.digest = kDigest, .attempt = 1, .since = At(0)};
const EntryState kSentAgain = Submitting{.digest = kDigest, .attempt = 2, .since = At(0), .unknown_since = At(-9)};
const EntryState kLost = Uncertain{.digest = kDigest, .attempt = 1, .since = At(0), .due = At(0)};

std::vector<std::string> Keys(const std::vector<Work>& work) {
  std::vector<std::string> keys;
  for (const Work& item : work) keys.push_back(KeyOf(item.action).token.text());
  return keys;
}

using Texts = std::vector<std::string>;

/// Starts a create of key `number` and says how it ended.
Event EndCreate(Executor& executor, CreateOutcome outcome, const EntryState& state = kSent, TimePoint now = At(0),
                std::uint64_t number = 1) {
  executor.Add(CreateWork(number));
  REQUIRE(Keys(executor.Take(now)) == Texts{std::to_string(number)});
  const auto event = executor.Judge(CreateEnded(number, outcome), state, now);
  REQUIRE(event);
  CHECK(Advance(state, *event));
  return *event;
}

std::optional<Event> EndRead(Executor& executor, ReadOutcome outcome, const EntryState& state = kLost,
                             TimePoint now = At(0), std::uint64_t number = 1) {
  executor.Add(ReadWork(number));
  REQUIRE(Keys(executor.Take(now)) == Texts{std::to_string(number)});
  const auto event = executor.Judge(ReadEnded(number, std::move(outcome)), state, now);
  if (event) CHECK(Advance(state, *event));
  return event;
}

}  // namespace

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
    executor.Begin();
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
  const auto event = EndRead(executor, Found{.differences = {{"name", "a", "b"}}, .remote_digest = SampleDigest(7)});
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
  CHECK(executor.Context().can_read);
  CHECK_FALSE(EndRead(executor, Unsupported{}));
  CHECK_FALSE(executor.can_read());
  CHECK_FALSE(executor.Context().can_read);
  CHECK(executor.Context().settling == kSettling);
  CHECK_FALSE(executor.stopped());
  executor.Begin();
  CHECK_FALSE(executor.can_read());
}

TEST_CASE("a service without readings ends the pass where they are required") {
  ExecutorPolicy policy = Policy();
  policy.read_back_required = true;
  Executor executor(policy, 1);
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
  executor.Begin();
  executor.Add(CreateWork(3));
  CHECK(executor.NextDue(At(0)) == At(50'000));
}

TEST_CASE("calls pause before the wall that the service tells of") {
  Executor executor(Policy(), 1);
  const auto end = [&](RateHint hint) {
    executor.Add(CreateWork(1));
    const TimePoint now = At(0);
    REQUIRE(executor.Take(now).size() == 1);
    (void)executor.Judge(CreateEnded(1, Created{}, hint), kSent, now);
    executor.Add(CreateWork(2));
    const auto due = executor.NextDue(now);
    executor.Replace({});
    return due;
  };
  CHECK(end({.limit = 10, .remaining = 1, .reset = At(30'000)}) == At(0));
  CHECK(end({.limit = 10, .remaining = 0, .reset = At(-1)}) == At(0));
  CHECK(end({.limit = 10, .remaining = 0}) == At(0));
  CHECK(end({.limit = 10, .remaining = 0, .reset = At(30'000)}) == At(30'000));
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

TEST_CASE("a new pass is not held back by the failures of the one before") {
  Executor executor(Policy(), 1);
  for (int i = 0; i < 4; ++i) {
    executor.Add(CreateWork(1));
    const TimePoint now = executor.NextDue(At(0)).value();
    REQUIRE(executor.Take(now).size() == 1);
    (void)executor.Judge(CreateEnded(1, NotSent{}), kSent, At(0));
  }
  executor.Begin();
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
      executor.Begin();
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

// ---- order and places ----

TEST_CASE("smaller ranks go first, then keys by number, whatever order they were given in") {
  ExecutorPolicy policy = Policy();
  policy.concurrency = 100;
  Executor executor(policy, 1);
  executor.Replace({CreateWork(10, {}, 1), CreateWork(9, {}, 1), ReadWork(3, {}, UINT32_MAX), CreateWork(30, {}, 0),
                    ReadWork(4, {}, 0)});
  executor.Add(CreateWork(1, {}, 2));
  CHECK(Keys(executor.Take(At(0))) == Texts{"4", "30", "9", "10", "1", "3"});
}

TEST_CASE("what is not due waits, and then takes its place in the order") {
  ExecutorPolicy policy = Policy();
  policy.concurrency = 2;
  Executor executor(policy, 1);
  executor.Replace({CreateWork(1, At(100), 0), CreateWork(2, {}, 1), CreateWork(3, {}, 1), CreateWork(4, {}, 1)});
  CHECK(executor.WaitingCount() == 4);
  CHECK(Keys(executor.Take(At(99))) == Texts{"2", "3"});
  (void)executor.Judge(CreateEnded(2, Created{}), kSent, At(100));
  CHECK(Keys(executor.Take(At(100))) == Texts{"1"});
  CHECK(executor.WaitingCount() == 1);
  CHECK(executor.InFlightCount() == 2);
}

TEST_CASE("no more calls are in flight than there are places") {
  Executor executor(Policy(), 1);
  for (std::uint64_t i = 0; i < 10; ++i) executor.Add(CreateWork(i));
  CHECK(executor.Take(At(0)).size() == 4);
  CHECK(executor.Take(At(0)).empty());
  CHECK_FALSE(executor.NextDue(At(0)));
  (void)executor.Judge(CreateEnded(0, Created{}), kSent, At(0));
  CHECK(executor.Take(At(0)).size() == 1);
  executor.PutBack(SampleKey(4));
  CHECK(executor.Take(At(0)).size() == 1);
}

TEST_CASE("a key in flight is not given out again until it has ended, whatever the new plan says") {
  Executor executor(Policy(), 1);
  executor.Add(CreateWork(1));
  REQUIRE(executor.Take(At(0)).size() == 1);
  executor.Replace({CreateWork(1), CreateWork(2)});
  executor.Add(CreateWork(1));
  CHECK(executor.InFlight(SampleKey(1)));
  CHECK(Keys(executor.Take(At(0))) == Texts{"2"});
  CHECK(executor.InFlightCount() == 2);
  (void)executor.Judge(CreateEnded(1, Unknown{}), kSent, At(0));
  CHECK_FALSE(executor.InFlight(SampleKey(1)));
  executor.Add(ReadWork(1));
  CHECK(Keys(executor.Take(At(0))) == Texts{"1"});
}

TEST_CASE("a new plan replaces what waited") {
  Executor executor(Policy(), 1);
  executor.Replace({CreateWork(1), CreateWork(2, At(100))});
  executor.Replace({CreateWork(3)});
  CHECK(executor.WaitingCount() == 1);
  CHECK(Keys(executor.Take(At(200))) == Texts{"3"});
}

TEST_CASE("the rate limit holds calls back and says until when") {
  ExecutorPolicy policy = Policy();
  policy.concurrency = 100;
  policy.requests_per_minute = 61;
  Executor executor(policy, 1);
  for (std::uint64_t i = 0; i < 3; ++i) executor.Add(CreateWork(i));
  CHECK(executor.Take(At(0)).size() == 1);
  CHECK(executor.NextDue(At(0)) == At(1'000));
  CHECK(executor.Take(At(999)).empty());
  CHECK(executor.Take(At(1'000)).size() == 1);
}

TEST_CASE("the next due time is never in the past and never a busy loop, whatever happens") {
  std::mt19937_64 random(42);
  const auto below = [&](std::uint64_t bound) { return random() % bound; };
  for (int round = 0; round < 200; ++round) {
    ExecutorPolicy policy = Policy();
    policy.concurrency = static_cast<std::uint32_t>(1 + below(5));
    policy.requests_per_minute = below(2) == 0 ? 0 : static_cast<std::uint32_t>(1 + below(4'000));
    policy.failures_max = 3 + static_cast<std::uint32_t>(below(20));
    Executor executor(policy, random());
    std::vector<std::uint64_t> flying;
    std::uint64_t next_key = 0;
    TimePoint now = At(0);
    for (int step = 0; step < 300; ++step) {
      if (below(3) == 0) {
        const TimePoint due = now + Duration(static_cast<std::int64_t>(below(5'000)) - 1'000);
        executor.Add(CreateWork(next_key++, due, static_cast<std::uint32_t>(below(3))));
      }
      for (const Work& work : executor.Take(now)) {
        flying.push_back(std::stoull(KeyOf(work.action).token.text()));
        REQUIRE(std::get<Create>(work.action).due <= now);
      }
      REQUIRE(flying.size() == executor.InFlightCount());
      REQUIRE(flying.size() <= policy.concurrency);
      const auto due = executor.NextDue(now);
      if (due) {
        REQUIRE(*due > now);  // Take has just given all that it had
        REQUIRE(executor.WaitingCount() > 0);
      } else {
        REQUIRE((executor.stopped() || executor.WaitingCount() == 0 || flying.size() == policy.concurrency));
      }
      if (!flying.empty() && below(2) == 0) {
        const std::size_t which = below(flying.size());
        static const std::vector<CreateOutcome> kOutcomes = {Created{},      Created{},
                                                             AlreadyThere{}, Refused{.bounded_tries = true},
                                                             NotSent{},      Throttled{.retry_after = Duration(700)},
                                                             Unknown{}};
        const auto event = executor.Judge(CreateEnded(flying[which], kOutcomes[below(kOutcomes.size())]), kSent, now);
        if (const auto* lost = std::get_if<CreateLost>(&*event)) CHECK(lost->due > now);
        if (const auto* not_done = std::get_if<CreateNotDone>(&*event)) CHECK(not_done->due > now);
        flying.erase(flying.begin() + static_cast<std::ptrdiff_t>(which));
      } else if (due) {
        // Nothing happens meanwhile: at that time there is something, and not a moment before.
        REQUIRE(executor.Take(*due - Duration(1)).empty());
        now = *due;
        const auto taken = executor.Take(now);
        REQUIRE_FALSE(taken.empty());
        for (const Work& work : taken) flying.push_back(std::stoull(KeyOf(work.action).token.text()));
      } else {
        now += Duration(static_cast<std::int64_t>(below(300)));
      }
    }
  }
}
