#include "triggers.h"

#include <algorithm>
#include <chrono>

namespace tokensync {

namespace {
// Waits are cut into steps: the loop shows that it is alive, and the daemon's clock, not the waiter's, says what is
// due.
constexpr std::chrono::milliseconds kStep{500};
}  // namespace

TriggerTicket Triggers::Request(const std::string& cause) {
  TriggerTicket ticket = 0;
  {
    const std::lock_guard lock(mutex_);
    ticket = ++given_;
    cause_ = cause;
  }
  changed_.notify_all();
  hooks_.wake();
  return ticket;
}

void Triggers::RequestStop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  hooks_.wake();
}

std::optional<JsonValue> Triggers::ResultOf(TriggerTicket ticket) {
  const std::lock_guard lock(mutex_);
  if (served_ < ticket) return std::nullopt;
  return summary_;
}

std::optional<std::string> Triggers::WaitForPass(std::optional<TimePoint> until) {
  std::unique_lock lock(mutex_);
  while (!stop_ && given_ == taken_) {
    const TimePoint now = clock_.Now();
    if (until && now >= *until) break;
    const auto wait = until ? std::min<std::chrono::milliseconds>(*until - now, kStep) : kStep;
    changed_.wait_for(lock, wait);
    lock.unlock();
    Beat();
    lock.lock();
  }
  if (stop_) return std::nullopt;
  const bool asked = given_ != taken_;
  taken_ = given_;
  next_poll_ = hooks_.next_poll(clock_.Now());
  return asked ? cause_ : "poll";
}

void Triggers::PassEnded(const JsonValue& summary) {
  {
    const std::lock_guard lock(mutex_);
    served_ = taken_;
    summary_ = summary;
  }
  changed_.notify_all();
}

void Triggers::ClockWasSet() {
  const std::lock_guard lock(mutex_);
  if (next_poll_) next_poll_ = hooks_.next_poll(clock_.Now());
}

bool Triggers::StopRequested() {
  const std::lock_guard lock(mutex_);
  return stop_;
}

bool Triggers::TakeRefreshRequest() {
  const std::lock_guard lock(mutex_);
  const TimePoint now = clock_.Now();
  const bool poll_is_due = next_poll_ && now >= *next_poll_;
  if (given_ == taken_ && !poll_is_due) return false;
  taken_ = given_;
  next_poll_ = hooks_.next_poll(now);
  return true;
}

}  // namespace tokensync
