/// How fast calls may leave: our own limit, what the service tells of its quota, and what its answers show.
///
/// Additive increase, multiplicative decrease, twice: of the rate when the service throttles, and of the number of
/// calls in flight when its answers become slow. No clock in here: time is passed in.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "model.h"
#include "pacing.h"
#include "ports.h"

namespace tokensync {

struct RatePolicy {
  std::uint32_t concurrency = 16;            ///< calls in flight at most, at least 1
  std::uint32_t requests_per_minute = 3000;  ///< 0: no limit of our own
  /// The share of the project's quota that is ours, more than 0 and at most 1. Of what the service tells; before it has
  /// told, of requests_per_minute.
  double share = 1.0;
};

class RateControl {
 public:
  explicit RateControl(const RatePolicy& policy);

  /// The earliest time, `now` or later, at which a call may start.
  TimePoint Next(TimePoint now) const;

  /// Calls that may be in flight at most: from 1 to the policy's concurrency.
  std::size_t Window() const { return static_cast<std::size_t>(window_); }

  /// Calls a minute that are allowed now; nothing where nothing limits them.
  std::optional<double> PerMinute() const;

  /// A call starts now.
  void Spend(TimePoint now);

  /// The clock was set back by that much. What was sent in the last minute is forgotten.
  void SetBack(Duration by);

  /// A call was answered as it should be.
  void OnAnswered(Duration latency, TimePoint now);

  /// A call that started at `started` was refused for coming too fast. Calls that had left before the last decrease
  /// tell nothing new.
  void OnThrottled(TimePoint started, TimePoint now);

  /// What a reply tells of the quota; `in_flight` calls are not in its numbers yet.
  void Heed(const RateHint& hint, std::size_t in_flight, TimePoint now);

 private:
  /// Calls that started in each of the last 60 seconds.
  class LastMinute {
   public:
    void Count(TimePoint now);
    std::uint32_t Sum(TimePoint now) const;

   private:
    std::array<std::uint32_t, 60> counts_{};
    std::array<std::int64_t, 60> seconds_{};
  };

  std::optional<double> Ceiling() const;
  void Apply();
  void Recover(TimePoint now);

  RatePolicy policy_;
  RateLimit limit_;
  LastMinute last_minute_;
  std::optional<std::uint64_t> quota_{};  ///< calls a minute of the project, as the service tells
  bool counted_ = false;                  ///< the service tells limit, remaining calls and their end with its replies
  /// After a throttled call: less than the ceiling, and growing back to it.
  std::optional<double> throttled_rate_{};
  double recovery_per_second_ = 0;
  TimePoint recovered_at_{};
  TimePoint decreased_at_{};

  /// What the service's counter leaves us until it begins anew.
  TimePoint counter_resets_{};
  Duration counter_interval_{0};
  TimePoint counter_next_{};

  double window_;
  std::optional<double> latency_ms_{};   ///< smoothed
  std::optional<double> baseline_ms_{};  ///< what the service needs when nothing holds it up
  TimePoint answered_at_{};
  TimePoint narrowed_at_{};
};

}  // namespace tokensync
