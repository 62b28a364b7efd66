// How the rate answers to refusals, to what the service tells of its quota, and to slow answers.
#include "rate_control.h"

#include <catch2/catch.hpp>
#include <deque>

#include "samples.h"

using namespace tokensync;

namespace {

/// Calls that leave whenever they may until `until`.
std::size_t SendUntil(RateControl& rate, TimePoint from, TimePoint until) {
  std::size_t sent = 0;
  for (TimePoint now = rate.Next(from); now < until; now = rate.Next(now)) {
    rate.Spend(now);
    ++sent;
  }
  return sent;
}

}  // namespace

TEST_CASE("a share of the quota is left to others, of what the service tells and before that of our own limit") {
  RateControl rate({.requests_per_minute = 1'000, .share = 0.25});
  CHECK(rate.PerMinute() == 250.0);
  CHECK(SendUntil(rate, At(0), At(60'000)) <= 250);
  rate.Heed({.limit = 400}, 0, At(60'000));
  CHECK(rate.PerMinute() == 100.0);
  rate.Heed({.limit = 100'000}, 0, At(60'000));
  CHECK(rate.PerMinute() == 1'000.0);
}

TEST_CASE("without any limit calls leave at once, until the service tells of one") {
  RateControl rate({.requests_per_minute = 0});
  CHECK_FALSE(rate.PerMinute());
  for (int i = 0; i < 10'000; ++i) rate.Spend(At(0));
  CHECK(rate.Next(At(0)) == At(0));
  rate.Heed({.limit = 60}, 0, At(0));
  CHECK(rate.PerMinute() == 60.0);
}

TEST_CASE(
    "what is left of the service's counter is spread until it begins anew, and the others' part of it is spared") {
  RateControl rate({.requests_per_minute = 0, .share = 0.5});
  rate.Spend(At(0));
  rate.Heed({.limit = 1'000, .remaining = 520, .reset = At(10'000)}, 0, At(0));
  const std::size_t sent = SendUntil(rate, At(0), At(10'000));
  CHECK(sent <= 21);
  CHECK(sent >= 18);
  rate.Heed({.limit = 1'000, .remaining = 500, .reset = At(30'000)}, 0, At(10'000));
  CHECK(rate.Next(At(10'000)) == At(30'000));
}

TEST_CASE("a counter of any window is followed: ten calls a second are not taken for ten a minute") {
  RateControl rate({.requests_per_minute = 3'000});
  std::deque<TimePoint> window;
  TimePoint now = At(0);
  std::size_t refused = 0;
  for (int sent = 0; sent < 100; ++sent) {
    now = rate.Next(now);
    rate.Spend(now);
    while (!window.empty() && window.front() <= now - std::chrono::seconds(1)) window.pop_front();
    if (window.size() < 10) {
      window.push_back(now);
    } else {
      ++refused;
    }
    const TimePoint reset = std::chrono::ceil<std::chrono::seconds>(window.front() + std::chrono::seconds(1));
    rate.Heed({.limit = 10, .remaining = 10 - window.size(), .reset = reset}, 0, now);
  }
  CHECK(refused == 0);
  CHECK(now < At(30'000));
}

TEST_CASE("calls in flight are not in the counter yet") {
  RateControl rate({.requests_per_minute = 0});
  rate.Heed({.limit = 1'000, .remaining = 3, .reset = At(30'000)}, 3, At(0));
  CHECK(rate.Next(At(0)) == At(30'000));
}

TEST_CASE("a refusal lowers the rate once for all calls that had left before") {
  RateControl rate({.requests_per_minute = 600});
  (void)SendUntil(rate, At(0), At(60'000));
  rate.OnThrottled(At(59'000), At(60'000));
  const double once = rate.PerMinute().value();
  CHECK(once < 600 * 0.75);
  CHECK(once > 600 * 0.6);
  rate.OnThrottled(At(59'500), At(60'100));
  CHECK(rate.PerMinute() == once);
  rate.OnThrottled(At(60'200), At(60'300));
  CHECK(rate.PerMinute() < once);
}

TEST_CASE("after a refusal the rate grows with answers only, steadily, and not beyond the limit") {
  RateControl rate({.requests_per_minute = 600});
  (void)SendUntil(rate, At(0), At(60'000));
  rate.OnThrottled(At(59'000), At(60'000));
  const double low = rate.PerMinute().value();
  CHECK(rate.Next(At(3'600'000)) == At(3'600'000));
  CHECK(rate.PerMinute() == low);
  TimePoint now = At(60'000);
  double last = low;
  while (rate.PerMinute() < 600.0) {
    now += std::chrono::seconds(1);
    rate.OnAnswered(Duration(50), now);
    CHECK(rate.PerMinute().value() > last);
    CHECK(rate.PerMinute().value() - last < 5);
    last = rate.PerMinute().value();
  }
  CHECK(now < At(60'000 + 200'000));
}

TEST_CASE("who hardly sent anything is not slowed down for what others did") {
  RateControl rate({.requests_per_minute = 3'000});
  rate.Spend(At(0));
  rate.OnThrottled(At(0), At(10));
  CHECK(rate.PerMinute() >= 200.0);
}

TEST_CASE("against a quota that is not told, refusals become rare") {
  RateControl rate({.requests_per_minute = 3'000});
  constexpr std::size_t kQuota = 600;
  std::deque<TimePoint> window;
  std::size_t refused_early = 0;
  std::size_t refused_late = 0;
  TimePoint paused{};
  for (TimePoint now = At(0); now < At(3'600'000);) {
    now = std::max(rate.Next(now), paused);
    rate.Spend(now);
    while (!window.empty() && window.front() <= now - std::chrono::seconds(60)) window.pop_front();
    if (window.size() >= kQuota) {
      ++(now < At(600'000) ? refused_early : refused_late);
      rate.OnThrottled(now, now);
      paused = now + std::chrono::seconds(60);
    } else {
      window.push_back(now);
      rate.OnAnswered(Duration(20), now);
    }
  }
  CHECK(refused_early > 0);
  CHECK(refused_early <= 8);
  CHECK(refused_late <= 25);
}

TEST_CASE("slow answers narrow the window, quick ones widen it again, and a little jitter does neither") {
  RateControl rate({.concurrency = 32, .requests_per_minute = 0});
  TimePoint now = At(0);
  const auto answers = [&](int count, Duration latency) {
    for (int i = 0; i < count; ++i) {
      now += Duration(20);
      rate.OnAnswered(latency, now);
    }
  };
  answers(100, Duration(50));
  answers(100, Duration(120));
  CHECK(rate.Window() == 32);
  answers(600, Duration(2'000));
  const std::size_t narrow = rate.Window();
  CHECK(narrow < 16);
  CHECK(narrow >= 1);
  answers(2'000, Duration(50));
  CHECK(rate.Window() == 32);
}

TEST_CASE("a service that became slower for good gets its calls back") {
  RateControl rate({.concurrency = 16, .requests_per_minute = 0});
  TimePoint now = At(0);
  for (int i = 0; i < 100; ++i) rate.OnAnswered(Duration(50), now += Duration(20));
  for (int i = 0; i < 3'000; ++i) rate.OnAnswered(Duration(800), now += Duration(100));
  CHECK(rate.Window() == 16);
}
