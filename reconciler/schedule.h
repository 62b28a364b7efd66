/// When the next pass starts by itself.
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <random>

#include "model.h"
#include "pacing.h"

namespace tokensync {

struct SchedulePolicy {
  Duration poll_interval{60'000};  ///< 0: only when triggered, or when something that waits is due
  Backoff::Limits failures{.base = Duration{5'000}, .cap = Duration{300'000}};
};

class Schedule {
 public:
  Schedule(const SchedulePolicy& policy, std::uint64_t seed)
      : policy_(policy), backoff_(policy.failures, seed), random_(seed) {}

  /// The time of the next pass after one that ended at `now`; nothing: only when triggered.
  /// `failures_in_a_row`: passes that failed, this one included. `next_due`: when something that waits is due.
  std::optional<TimePoint> NextPass(TimePoint now, std::uint32_t failures_in_a_row, std::optional<TimePoint> next_due) {
    if (failures_in_a_row > 0) return now + backoff_.After(failures_in_a_row);
    std::optional<TimePoint> next = NextPoll(now);
    if (next_due && (!next || *next_due < *next)) next = std::max(*next_due, now);
    return next;
  }

  /// The time of the next look at the repository, a tenth of the interval earlier or later so that many daemons do not
  /// poll one server in step; nothing where polling is off.
  std::optional<TimePoint> NextPoll(TimePoint now) {
    const std::int64_t interval = policy_.poll_interval.count();
    if (interval == 0) return std::nullopt;
    return now + Duration(std::uniform_int_distribution<std::int64_t>(interval * 9 / 10, interval * 11 / 10)(random_));
  }

 private:
  SchedulePolicy policy_;
  Backoff backoff_;
  std::mt19937_64 random_;
};

}  // namespace tokensync
