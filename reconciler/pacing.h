/// When calls may leave: back-off after failures, and our own rate limit. No clock in here: time is passed in.
#pragma once

#include <algorithm>
#include <cstdint>
#include <random>

#include "model.h"

namespace tokensync {

/// Exponential back-off with full jitter: a uniformly random wait up to `base` · 2^(failures-1), at most `cap`.
/// Full jitter spreads the retries of many callers best; source of the shape: the AWS architecture blog's comparison.
class Backoff {
 public:
  struct Limits {
    Duration base{500};
    Duration cap{60'000};
  };

  Backoff(Limits limits, std::uint64_t seed) : limits_(limits), random_(seed) {}

  /// The wait after that many failures in a row (at least 1). Never less than a tenth of the window, so that a failing
  /// service is never hammered by lucky draws.
  Duration After(std::uint32_t failures) {
    const std::uint32_t doublings = std::min(std::max(failures, 1U) - 1, 20U);
    const Duration window = std::min(limits_.cap, limits_.base * (std::int64_t{1} << doublings));
    const std::int64_t least = std::max<std::int64_t>(window.count() / 10, 1);
    return Duration(std::uniform_int_distribution<std::int64_t>(least, std::max(window.count(), least))(random_));
  }

 private:
  Limits limits_;
  std::mt19937_64 random_;
};

/// At most `per_minute` calls in any 60 seconds, evenly spaced but for a small burst (GCRA, with the burst taken off
/// the rate so that no window of 60 seconds exceeds the limit).
class RateLimit {
 public:
  /// 0: no limit.
  explicit RateLimit(std::uint32_t per_minute) { Change(per_minute); }

  /// Another limit from now on. A window over the change holds no more than the larger of the two.
  void Change(std::uint32_t per_minute) {
    interval_ = tolerance_ = std::chrono::microseconds(0);
    if (per_minute == 0) return;
    const std::int64_t burst = std::max<std::int64_t>(per_minute / 50, 1);
    const std::int64_t sustained = std::max<std::int64_t>(std::int64_t{per_minute} - burst, 1);
    interval_ = std::chrono::microseconds((60'000'000 + sustained - 1) / sustained);
    tolerance_ = interval_ * (burst - 1);
  }

  /// The earliest time, `now` or later, at which a call may start.
  TimePoint Next(TimePoint now) const {
    if (interval_.count() == 0) return now;
    const auto earliest = theoretical_arrival_ - tolerance_;
    return std::max(now, std::chrono::ceil<Duration>(earliest));
  }

  /// The clock was set back by that much: what was counted from now on is counted from then on.
  void SetBack(Duration by) { theoretical_arrival_ -= by; }

  /// A call starts now.
  void Spend(TimePoint now) {
    if (interval_.count() == 0) return;
    theoretical_arrival_ = std::max(theoretical_arrival_, MicroTime(now)) + interval_;
  }

 private:
  using MicroTime = std::chrono::sys_time<std::chrono::microseconds>;
  std::chrono::microseconds interval_{0};
  std::chrono::microseconds tolerance_{0};
  MicroTime theoretical_arrival_{};
};

}  // namespace tokensync
