/// The time that one verification may take, and the sign of life meanwhile.
#pragma once

#include <chrono>
#include <functional>

#include "model.h"

namespace tokensync {

class VerificationTime {
 public:
  using SteadyClock = std::chrono::steady_clock;

  /// `beat` and `next_beat`, when it is due, outlive this; so the beat keeps its pace over many verifications.
  VerificationTime(Duration limit, const std::function<void()>& beat, SteadyClock::time_point& next_beat);

  /// Calls the beat when it is due. How long to wait at most before the next call: above 0, at most a second; 0 when
  /// the time is up.
  std::chrono::milliseconds Left();

  Duration limit() const { return limit_; }

 private:
  const Duration limit_;
  const std::function<void()>& beat_;
  const SteadyClock::time_point end_;
  SteadyClock::time_point& next_beat_;
};

}  // namespace tokensync
