/// What the running daemon says of itself: for `status`, and for whoever approves a plan. Any thread.
#pragma once

#include <mutex>
#include <optional>
#include <string>

#include "json.h"
#include "pass_reporter.h"
#include "triggers.h"

namespace tokensync {

class LiveStatus {
 public:
  /// A loop that has not shown for so long that it is alive counts as stalled.
  static constexpr Duration kStalledAfter{10'000};

  /// `triggers` outlives it.
  LiveStatus(TimePoint started, const Triggers& triggers) : triggers_(triggers), started_(started) {}

  // ---- from the loop ----

  /// Who tells of the passes from now on; null: nobody. Outlives being watched.
  void Watch(const PassReporter* reporter);
  /// The plan that waits, where one does.
  void Hold(const std::optional<HeldPlan>& held);
  void PassBegins();
  void PassEnded(const Checkpoint& checkpoint, std::optional<TimePoint> next_pass);

  // ---- from any thread ----

  /// Whether a plan waits under this fingerprint, or one that begins so.
  bool HasHeldPlan(const std::string& fingerprint) const;

  /// pid, version, started, passing; progress while it passes, next_pass while it does not; stalled, and silent_ms
  /// where that is true.
  JsonValue Json() const;

 private:
  const Triggers& triggers_;
  const TimePoint started_;
  mutable std::mutex mutex_;
  const PassReporter* reporter_ = nullptr;
  bool passing_ = false;
  std::optional<TimePoint> next_pass_;
  std::optional<HeldPlan> held_;
};

}  // namespace tokensync
