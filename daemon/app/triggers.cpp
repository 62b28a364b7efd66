#include "triggers.h"

#include <algorithm>
#include <utility>

namespace tokensync {

namespace {

// Waits are cut into steps: the loop shows that it is alive, and the daemon's clock, not the waiter's, says what is
// due.
constexpr std::chrono::milliseconds kStep{500};

/// Approvals that nobody took yet: more than one plan never waits.
constexpr std::size_t kApprovalsMax = 16;

}  // namespace

void Triggers::Attach(Hooks hooks) {
  const std::lock_guard lock(mutex_);
  hooks_ = std::move(hooks);
}

void Triggers::Detach() {
  const std::lock_guard lock(mutex_);
  hooks_ = {};
}

TriggerTicket Triggers::Request(const std::string& cause) {
  const std::lock_guard lock(mutex_);
  const TriggerTicket ticket = ++given_;
  cause_ = cause;
  changed_.notify_all();
  if (hooks_.wake) hooks_.wake();
  return ticket;
}

TriggerTicket Triggers::RequestFor(const CommitId& commit, const std::string& cause) {
  {
    const std::lock_guard lock(mutex_);
    follow_ups_.Add(commit, clock_.Now());
  }
  return Request(cause);
}

TriggerTicket Triggers::Approve(Approval approval) {
  {
    const std::lock_guard lock(mutex_);
    if (approvals_.size() < kApprovalsMax) approvals_.push_back(std::move(approval));
  }
  return Request("approval");
}

void Triggers::RequestReload() {
  {
    const std::lock_guard lock(mutex_);
    reload_ = true;
  }
  Request("signal");
}

void Triggers::RequestStop() {
  const std::lock_guard lock(mutex_);
  stop_ = true;
  changed_.notify_all();
  if (hooks_.wake) hooks_.wake();
}

std::optional<JsonValue> Triggers::ResultOf(TriggerTicket ticket) {
  const std::lock_guard lock(mutex_);
  if (served_ < ticket) return std::nullopt;
  return summary_;
}

Duration Triggers::SilentFor() const {
  return std::chrono::floor<Duration>(std::chrono::steady_clock::now() - alive_.load());
}

std::optional<std::string> Triggers::WaitForPass(std::optional<TimePoint> until) {
  std::string cause = "poll";
  std::unique_lock lock(mutex_);
  while (!stop_ && given_ == taken_) {
    const TimePoint now = clock_.Now();
    if (until && now >= *until) break;
    Duration wait = until ? std::min<Duration>(*until - now, kStep) : kStep;
    if (const auto next = follow_ups_.Next()) wait = std::min(wait, std::max(*next - now, Duration(0)));
    changed_.wait_for(lock, wait);
    lock.unlock();
    Beat();
    const bool follows_up = FollowUpIsDue();
    lock.lock();
    if (follows_up) {
      cause = "webhook";
      break;
    }
  }
  if (stop_) return std::nullopt;
  if (given_ != taken_) cause = cause_;
  taken_ = looked_ = sure_ = given_;
  next_poll_ = hooks_.next_poll(clock_.Now());
  return cause;
}

std::vector<Approval> Triggers::TakeApprovals() {
  const std::lock_guard lock(mutex_);
  return std::exchange(approvals_, {});
}

bool Triggers::TakeReload() {
  const std::lock_guard lock(mutex_);
  return std::exchange(reload_, false);
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
  const TimePoint now = clock_.Now();
  if (next_poll_) next_poll_ = hooks_.next_poll(now);
  follow_ups_.CountFrom(now);
}

bool Triggers::StopRequested() {
  const std::lock_guard lock(mutex_);
  return stop_;
}

bool Triggers::TakeRefreshRequest() {
  const bool follows_up = FollowUpIsDue();
  const std::lock_guard lock(mutex_);
  const TimePoint now = clock_.Now();
  const bool poll_is_due = next_poll_ && now >= *next_poll_;
  if (given_ == looked_ && !poll_is_due && !follows_up) return false;
  looked_ = given_;
  sure_ = taken_;
  // An approval and a new configuration are for the next pass, and so are the tickets of those who wait for that.
  if (!reload_ && approvals_.empty()) taken_ = given_;
  next_poll_ = hooks_.next_poll(now);
  return true;
}

void Triggers::RefreshFailed() {
  const std::lock_guard lock(mutex_);
  taken_ = sure_;
}

void Triggers::Beat() {
  alive_ = std::chrono::steady_clock::now();
  beat_();
}

bool Triggers::FollowUpIsDue() {
  FollowUps known;
  TimePoint now;
  {
    const std::lock_guard lock(mutex_);
    now = clock_.Now();
    const auto next = follow_ups_.Next();
    if (!next || *next > now) return false;
    known = std::exchange(follow_ups_, {});
  }
  std::vector<CommitId> missed;
  const bool is_due = known.TakeDue(now, hooks_.has, missed);
  for (const CommitId& commit : missed) hooks_.missing(commit);
  const std::lock_guard lock(mutex_);
  known.TakeOver(std::move(follow_ups_));
  follow_ups_ = std::move(known);
  return is_due;
}

}  // namespace tokensync
