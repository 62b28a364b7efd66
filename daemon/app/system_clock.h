/// The machine's clock as a Clock.
#pragma once

#include <atomic>
#include <chrono>

#include "ports.h"

namespace tokensync {

/// Wall-clock time that is taken once and then carried on by the steady clock, so that a step of the machine's clock
/// never reaches into a pass. Any thread.
class SystemClock : public Clock {
 public:
  SystemClock() { TakeWallTime(); }

  TimePoint Now() override { return TimePoint(Duration(offset_ms_.load() + SteadyMilliseconds())); }

  /// Follows the machine's wall clock from here on. Between passes, while nothing waits for a time by this clock.
  void TakeWallTime() {
    const auto wall = std::chrono::floor<Duration>(std::chrono::system_clock::now()).time_since_epoch().count();
    offset_ms_.store(wall - SteadyMilliseconds());
  }

 private:
  static Duration::rep SteadyMilliseconds() {
    return std::chrono::floor<Duration>(std::chrono::steady_clock::now().time_since_epoch()).count();
  }

  std::atomic<Duration::rep> offset_ms_{0};
};

}  // namespace tokensync
