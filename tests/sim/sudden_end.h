/// The end of a run in the middle of whatever it is doing, at a step that was chosen before.
#pragma once

#include <cstdint>

namespace tokensync {

/// kill -9, or a power cut. Nothing in the program catches it.
struct Crash {};

/// The doubles call Step before and after everything that lasts: a run can end at each of these places.
class SuddenEnd {
 public:
  /// The step of that number from now on, counted from 1, is the last one.
  void Arm(std::uint32_t steps) { steps_left_ = steps; }
  void Disarm() { steps_left_ = 0; }

  void Step() {
    if (steps_left_ > 0 && --steps_left_ == 0) throw Crash{};
  }

 private:
  std::uint32_t steps_left_ = 0;
};

}  // namespace tokensync
