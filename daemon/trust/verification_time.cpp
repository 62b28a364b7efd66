#include "verification_time.h"

#include <algorithm>

namespace tokensync {

namespace {

constexpr auto kBeatInterval = std::chrono::seconds(1);

}  // namespace

VerificationTime::VerificationTime(Duration limit, const std::function<void()>& beat,
                                   SteadyClock::time_point& next_beat)
    : limit_(limit), beat_(beat), end_(SteadyClock::now() + limit), next_beat_(next_beat) {}

std::chrono::milliseconds VerificationTime::Left() {
  const auto now = SteadyClock::now();
  if (now >= end_) return std::chrono::milliseconds(0);
  if (now >= next_beat_) {
    if (beat_) beat_();
    next_beat_ = now + kBeatInterval;
  }
  return std::chrono::ceil<std::chrono::milliseconds>(std::min(end_, next_beat_) - now);
}

}  // namespace tokensync
