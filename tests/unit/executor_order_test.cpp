// Which calls leave when: order, places, and when to ask again.
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "executor_samples.h"

using namespace tokensync;

TEST_CASE("smaller ranks go first, then keys by number, whatever order they were given in") {
  ExecutorPolicy policy = Policy();
  policy.rate.concurrency = 100;
  Executor executor(policy, 1);
  executor.Replace({CreateWork(10, {}, 1), CreateWork(9, {}, 1), ReadWork(3, {}, UINT32_MAX), CreateWork(30, {}, 0),
                    ReadWork(4, {}, 0)});
  executor.Add(CreateWork(1, {}, 2));
  CHECK(Keys(executor.Take(At(0))) == Texts{"4", "30", "9", "10", "1", "3"});
}

TEST_CASE("what is not due waits, and then takes its place in the order") {
  ExecutorPolicy policy = Policy();
  policy.rate.concurrency = 2;
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
  policy.rate.concurrency = 100;
  policy.rate.requests_per_minute = 61;
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
    policy.rate.concurrency = static_cast<std::uint32_t>(1 + below(5));
    policy.rate.requests_per_minute = below(2) == 0 ? 0 : static_cast<std::uint32_t>(1 + below(4'000));
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
      REQUIRE(flying.size() <= policy.rate.concurrency);
      const auto due = executor.NextDue(now);
      if (due) {
        REQUIRE(*due > now);  // Take has just given all that it had
        REQUIRE(executor.WaitingCount() > 0);
      } else {
        REQUIRE((executor.stopped() || executor.WaitingCount() == 0 || !flying.empty()));
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
