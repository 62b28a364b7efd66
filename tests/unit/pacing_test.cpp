// Back-off stays within its bounds, and no window of 60 s holds more calls than the limit.
#include "pacing.h"

#include <catch2/catch.hpp>
#include <deque>
#include <random>
#include <set>

#include "samples.h"

using namespace tokensync;

TEST_CASE("a wait is at least a tenth of its window and at most the whole") {
  const Backoff::Limits limits{.base = Duration(500), .cap = Duration(60'000)};
  Backoff backoff(limits, 1);
  for (std::uint32_t failures = 0; failures < 40; ++failures) {
    const std::uint32_t doublings = failures == 0 ? 0 : failures - 1;
    const std::int64_t window = doublings > 10 ? 60'000 : std::min<std::int64_t>(500LL << doublings, 60'000);
    for (int i = 0; i < 200; ++i) {
      const std::int64_t wait = backoff.After(failures).count();
      CHECK(wait >= window / 10);
      CHECK(wait <= window);
    }
  }
  CHECK(backoff.After(0xFFFFFFFF) <= limits.cap);
}

TEST_CASE("waits are spread over their window, and the same seed draws the same") {
  Backoff one({}, 5);
  Backoff two({}, 5);
  Backoff other({}, 6);
  std::set<std::int64_t> seen;
  bool differs = false;
  for (int i = 0; i < 100; ++i) {
    const Duration wait = one.After(8);
    CHECK(wait == two.After(8));
    differs = differs || wait != other.After(8);
    seen.insert(wait.count() / 6'000);
  }
  CHECK(differs);
  CHECK(seen.size() >= 9);
}

TEST_CASE("the smallest windows still wait") {
  Backoff backoff({.base = Duration(1), .cap = Duration(1)}, 1);
  for (int i = 0; i < 20; ++i) CHECK(backoff.After(5) == Duration(1));
}

TEST_CASE("no 60 seconds hold more calls than the limit, however they arrive") {
  std::mt19937_64 random(60);
  for (const std::uint32_t limit : {1U, 2U, 3U, 7U, 49U, 50U, 51U, 100U, 600U, 3'000U, 100'000U}) {
    RateLimit rate(limit);
    std::deque<TimePoint> window;
    std::size_t most = 0;
    TimePoint now = At(0);
    const TimePoint end = now + std::chrono::minutes(limit > 1'000 ? 3 : 10);
    while (now < end) {
      // Greedy for a while, then silent for a while: what a burst after a pause could exceed.
      if (random() % (200 + limit) == 0) now += Duration(static_cast<std::int64_t>(random() % 120'000));
      if (random() % 5 == 0) now += Duration(static_cast<std::int64_t>(random() % 40));
      now = rate.Next(now);
      rate.Spend(now);
      window.push_back(now);
      while (window.front() <= now - std::chrono::seconds(60)) window.pop_front();
      most = std::max(most, window.size());
    }
    INFO("limit " << limit);
    CHECK(most <= limit);
    if (limit <= 1'000) CHECK(most * 2 >= limit);
  }
}

TEST_CASE("a caller that is never late gets nearly the limit") {
  RateLimit rate(3'000);
  TimePoint now = At(0);
  int calls = 0;
  while ((now = rate.Next(now)) < At(600'000)) {
    rate.Spend(now);
    ++calls;
  }
  CHECK(calls <= 30'000);
  CHECK(calls >= 29'000);
}

TEST_CASE("the next time is never in the past, and holds once it has come") {
  RateLimit rate(600);
  TimePoint now = At(0);
  std::mt19937_64 random(3);
  for (int i = 0; i < 1'000; ++i) {
    const TimePoint next = rate.Next(now);
    CHECK(next >= now);
    CHECK(rate.Next(next) == next);
    now = next + Duration(static_cast<std::int64_t>(random() % 3));
    if (rate.Next(now) == now) rate.Spend(now);
  }
}

TEST_CASE("without a limit every call may start at once") {
  RateLimit rate(0);
  for (int i = 0; i < 100; ++i) {
    CHECK(rate.Next(At(0)) == At(0));
    rate.Spend(At(0));
  }
}
