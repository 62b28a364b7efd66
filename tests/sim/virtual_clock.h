/// Time that passes only when it is told to, and what happens meanwhile.
#pragma once

#include <functional>
#include <map>

#include "ports.h"

namespace tokensync {

class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(TimePoint start) : now_(start) {}

  TimePoint Now() override { return now_; }

  /// `what` happens when time comes to `when`; at the next passing of time where that is over already.
  void At(TimePoint when, std::function<void()> what) { agenda_.emplace(when, std::move(what)); }

  /// Lets time pass until `until`, or until `enough` holds after something happened; what is due then happens as well.
  void PassUntil(TimePoint until, const std::function<bool()>& enough = {});

  /// Time passes while the program works; what was due meanwhile happens later.
  void Spend(Duration duration) { now_ += duration; }

 private:
  TimePoint now_;
  std::multimap<TimePoint, std::function<void()>> agenda_;
};

}  // namespace tokensync
