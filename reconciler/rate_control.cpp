#include "rate_control.h"

#include <algorithm>
#include <cmath>

namespace tokensync {

namespace {

/// What is left of the rate, or of the calls in flight, after a decrease.
constexpr double kDecrease = 0.7;
/// Who sent little did not fill the quota, and does not get out of the way of those who did by sending less.
constexpr double kLeastShareOfCeiling = 0.1;
constexpr double kLeastPerMinute = 60;

/// A throttled rate grows by what it was before in five minutes. Each refusal costs a whole window of the service, a
/// minute: it pays to come back to the wall slowly.
constexpr double kRecoverySeconds = 300;

/// Weight of the newest answer: about the last ten count.
constexpr double kSmoothing = 0.1;
/// The baseline follows a service that became slower for good within some minutes.
constexpr double kBaselineDriftSeconds = 300;
/// Answers are slow when they take four times the baseline, and so much more that it is no jitter.
constexpr double kSlowFactor = 4;
constexpr double kSlowAtLeastMs = 250;

/// A counter that begins anew later than this is told in another unit, or by another clock.
constexpr Duration kCounterMax = std::chrono::minutes(2);

std::uint32_t WholeRate(std::optional<double> per_minute) {
  return per_minute ? std::max(static_cast<std::uint32_t>(*per_minute), 1U) : 0;
}

std::int64_t SecondOf(TimePoint time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

}  // namespace

void RateControl::LastMinute::Count(TimePoint now) {
  const std::int64_t second = SecondOf(now);
  const auto place = static_cast<std::size_t>(second % 60);
  if (seconds_[place] != second) counts_[place] = 0;
  seconds_[place] = second;
  ++counts_[place];
}

std::uint32_t RateControl::LastMinute::Sum(TimePoint now) const {
  const std::int64_t second = SecondOf(now);
  std::uint32_t sum = 0;
  for (std::size_t i = 0; i < counts_.size(); ++i) {
    if (seconds_[i] > second - 60 && seconds_[i] <= second) sum += counts_[i];
  }
  return sum;
}

RateControl::RateControl(const RatePolicy& policy)
    : policy_(policy), limit_(0), window_(static_cast<double>(std::max(policy.concurrency, 1U))) {
  Apply();
}

std::optional<double> RateControl::Ceiling() const {
  std::optional<double> ceiling;
  if (policy_.requests_per_minute > 0) ceiling = policy_.requests_per_minute;
  // A counter is followed reply by reply, whatever its window is.
  if (counted_) return ceiling;
  const std::optional<double> quota = quota_ ? std::optional(static_cast<double>(*quota_)) : ceiling;
  if (!quota) return ceiling;
  const double ours = std::max(*quota * policy_.share, 1.0);
  return ceiling ? std::min(*ceiling, ours) : ours;
}

std::optional<double> RateControl::PerMinute() const {
  const std::optional<double> ceiling = Ceiling();
  if (!throttled_rate_) return ceiling;
  return ceiling ? std::min(*ceiling, *throttled_rate_) : *throttled_rate_;
}

void RateControl::Apply() {
  limit_.Change(WholeRate(PerMinute()));
}

TimePoint RateControl::Next(TimePoint now) const {
  const TimePoint next = limit_.Next(now);
  return now < counter_resets_ ? std::max(next, counter_next_) : next;
}

void RateControl::Spend(TimePoint now) {
  limit_.Spend(now);
  last_minute_.Count(now);
  if (now < counter_resets_) counter_next_ = std::max(counter_next_, now) + counter_interval_;
}

void RateControl::SetBack(Duration by) {
  limit_.SetBack(by);
  last_minute_ = {};
  for (TimePoint* time :
       {&recovered_at_, &decreased_at_, &counter_resets_, &counter_next_, &answered_at_, &narrowed_at_})
    *time -= by;
}

void RateControl::OnAnswered(Duration latency, TimePoint now) {
  Recover(now);
  const auto sample = static_cast<double>(latency.count());
  latency_ms_ = latency_ms_ ? *latency_ms_ + kSmoothing * (sample - *latency_ms_) : sample;
  const double seconds = std::clamp(std::chrono::duration<double>(now - answered_at_).count(), 0.0, 1.0);
  answered_at_ = now;
  if (!baseline_ms_) baseline_ms_ = *latency_ms_;
  *baseline_ms_ += (*latency_ms_ - *baseline_ms_) * seconds / kBaselineDriftSeconds;
  baseline_ms_ = std::min(*latency_ms_, *baseline_ms_);
  const bool slow = *latency_ms_ > std::max(kSlowFactor * *baseline_ms_, *baseline_ms_ + kSlowAtLeastMs);
  if (!slow) {
    window_ = std::min(window_ + 1 / window_, static_cast<double>(policy_.concurrency));
    return;
  }
  // What was in flight at the last decrease has to come back before it can show what that did.
  if (now - narrowed_at_ < Duration(static_cast<std::int64_t>(2 * *latency_ms_))) return;
  narrowed_at_ = now;
  window_ = std::max(window_ * kDecrease, 1.0);
}

void RateControl::Recover(TimePoint now) {
  if (!throttled_rate_) return;
  // Without answers nothing grows: a long pause is no evidence.
  const double seconds = std::clamp(std::chrono::duration<double>(now - recovered_at_).count(), 0.0, 1.0);
  recovered_at_ = now;
  *throttled_rate_ += recovery_per_second_ * seconds;
  if (const std::optional<double> ceiling = Ceiling(); ceiling && *throttled_rate_ >= *ceiling) throttled_rate_.reset();
  Apply();
}

void RateControl::OnThrottled(TimePoint started, TimePoint now) {
  if (started < decreased_at_) return;
  decreased_at_ = now;
  const double sent = last_minute_.Sum(now);
  const std::optional<double> ceiling = Ceiling();
  const double least =
      ceiling ? std::min(*ceiling, std::max(*ceiling * kLeastShareOfCeiling, kLeastPerMinute)) : kLeastPerMinute;
  const double before = std::max(std::min(PerMinute().value_or(sent), sent), least);
  throttled_rate_ = before * kDecrease;
  recovery_per_second_ = before / kRecoverySeconds;
  recovered_at_ = now;
  Apply();
}

void RateControl::Heed(const RateHint& hint, std::size_t in_flight, TimePoint now) {
  if (hint.limit && *hint.limit > 0) quota_ = hint.limit;
  counted_ = counted_ || (hint.limit && hint.remaining && hint.reset);
  Apply();
  if (!hint.remaining || !hint.reset || *hint.reset <= now || *hint.reset > now + kCounterMax) return;
  const auto remaining = static_cast<double>(*hint.remaining);
  const double others = hint.limit ? static_cast<double>(*hint.limit) * (1 - policy_.share) : 0;
  const double ours = std::floor(remaining - others) - static_cast<double>(in_flight);
  counter_resets_ = *hint.reset;
  if (ours < 1) {
    counter_interval_ = *hint.reset - now;
    counter_next_ = *hint.reset;
    return;
  }
  counter_interval_ = Duration(static_cast<std::int64_t>(static_cast<double>((*hint.reset - now).count()) / ours));
  counter_next_ = std::min(counter_next_, now + counter_interval_);
}

}  // namespace tokensync
