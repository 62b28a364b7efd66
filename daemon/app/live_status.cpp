#include "live_status.h"

#include <unistd.h>

#include "approval.h"
#include "program_version.h"
#include "time_text.h"

namespace tokensync {

void LiveStatus::Watch(const PassReporter* reporter) {
  const std::lock_guard lock(mutex_);
  reporter_ = reporter;
}

void LiveStatus::Hold(const std::optional<HeldPlan>& held) {
  const std::lock_guard lock(mutex_);
  held_ = held;
}

void LiveStatus::PassBegins() {
  const std::lock_guard lock(mutex_);
  passing_ = true;
  next_pass_.reset();
}

void LiveStatus::PassEnded(const Checkpoint& checkpoint, std::optional<TimePoint> next_pass) {
  const std::lock_guard lock(mutex_);
  passing_ = false;
  next_pass_ = next_pass;
  held_ = checkpoint.held;
}

bool LiveStatus::HasHeldPlan(const std::string& fingerprint) const {
  const std::lock_guard lock(mutex_);
  return held_ && IsFingerprintOf(fingerprint, *held_);
}

JsonValue LiveStatus::Json() const {
  const std::lock_guard lock(mutex_);
  const Duration silent = triggers_.SilentFor();
  JsonObject live = {{"pid", static_cast<double>(getpid())},
                     {"version", kVersion},
                     {"started", FormatTime(started_)},
                     {"passing", passing_},
                     {"stalled", silent >= kStalledAfter}};
  if (silent >= kStalledAfter) live["silent_ms"] = static_cast<double>(silent.count());
  if (passing_ && reporter_ != nullptr) {
    const Progress progress = reporter_->Latest();
    live["progress"] = JsonObject{{"pass", static_cast<double>(progress.pass)},
                                  {"done", static_cast<double>(progress.done)},
                                  {"total", static_cast<double>(progress.total)},
                                  {"in_flight", static_cast<double>(progress.in_flight)}};
  }
  if (next_pass_) live["next_pass"] = FormatTime(*next_pass_);
  return live;
}

}  // namespace tokensync
