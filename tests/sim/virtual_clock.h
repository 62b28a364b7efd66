/// Time that passes only when it is told to, and what happens meanwhile.
#pragma once

#include <functional>
#include <map>

#include "ports.h"

namespace tokensync {

/// Two kinds of time: the wall clock, which is all that the program under test sees and which can be set, and that
/// of the world, in which things happen. They are the same until the clock is set.
class VirtualClock final : public Clock {
 public:
  explicit VirtualClock(TimePoint start) : now_(start) {}

  /// By the wall clock.
  TimePoint Now() override { return now_ - behind_; }
  /// Of the world, as all the rest here.
  TimePoint WorldNow() const { return now_; }
  /// When the wall clock shows that, unless it is set before.
  TimePoint WorldTime(TimePoint wall) const { return wall + behind_; }

  /// Somebody sets the wall clock, forward or back. Between two passes: within one, Clock promises that it does not
  /// happen.
  void Set(Duration by) { behind_ -= by; }

  /// `what` happens when time comes to `when`; at the next passing of time where that is over already.
  void At(TimePoint when, std::function<void()> what) { agenda_.emplace(when, std::move(what)); }

  /// Lets time pass until `until`, or until `enough` holds after something happened; what is due then happens as well.
  void PassUntil(TimePoint until, const std::function<bool()>& enough = {});

  /// Time passes while the program works; what was due meanwhile happens later.
  void Spend(Duration duration) { now_ += duration; }

 private:
  TimePoint now_;
  Duration behind_{0};
  std::multimap<TimePoint, std::function<void()>> agenda_;
};

}  // namespace tokensync
