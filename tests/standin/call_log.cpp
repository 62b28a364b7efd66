#include "call_log.h"

#include <algorithm>
#include <utility>

namespace tokensync::standin {
namespace {

constexpr std::size_t kTimesMax = 1'000'000;

bool SameHeaderName(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

std::string_view StaticName(const std::string& method) {
  const auto known = FindMethod(method);
  return known ? MethodName(*known) : "other";
}

}  // namespace

std::optional<std::string> RecordedRequest::Header(std::string_view name) const {
  for (const auto& [key, value] : headers)
    if (SameHeaderName(key, name)) return value;
  return std::nullopt;
}

std::uint64_t Counts::Calls(const std::string& method) const {
  const auto found = calls.find(method);
  return found == calls.end() ? 0 : found->second;
}

std::size_t CallLog::NameHash::operator()(const TokenName& name) const {
  return std::hash<std::string>()(name.token_id) ^ (name.project * 0x9E3779B97F4A7C15u) ^ (name.collection << 20);
}

void CallLog::Arrived(RecordedRequest& request) {
  request.arrived = std::chrono::steady_clock::now();
  const std::string_view method = StaticName(request.method);
  const std::string name(method);
  {
    const std::lock_guard lock(mutex_);
    request.number = ++number_;
    ++counts_.calls[name];
    counts_.calls_in_flight_max = std::max(counts_.calls_in_flight_max, ++counts_.calls_in_flight);
    if (times_.size() < kTimesMax) times_.push_back({request.arrived, method});
  }
  changed_.notify_all();
}

void CallLog::Applied(Change change, const TokenName& name) {
  {
    const std::lock_guard lock(mutex_);
    switch (change) {
      case Change::kNone:
        break;
      case Change::kCreated:
        ++counts_.creates_applied;
        if (++creates_[name] == 2) ++counts_.duplicates;
        break;
      case Change::kUpdated:
        ++counts_.updates_applied;
        break;
      case Change::kDeleted:
        ++counts_.deletes_applied;
        break;
    }
  }
  changed_.notify_all();
}

void CallLog::Struck() {
  const std::lock_guard lock(mutex_);
  ++counts_.faults;
}

void CallLog::RateLimited() {
  const std::lock_guard lock(mutex_);
  ++counts_.rate_limited;
}

void CallLog::Ended(RecordedRequest request) {
  request.ended = std::chrono::steady_clock::now();
  RecordedRequest oldest;  // dies after the lock
  {
    const std::lock_guard lock(mutex_);
    ++counts_.answers[request.status];
    if (requests_kept_ > 0) {
      if (last_.size() >= requests_kept_) {
        oldest = std::move(last_.front());
        last_.pop_front();
      }
      last_.push_back(std::move(request));
    }
  }
  changed_.notify_all();
}

void CallLog::Left() {
  {
    const std::lock_guard lock(mutex_);
    --counts_.calls_in_flight;
  }
  changed_.notify_all();
}

Counts CallLog::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

std::uint64_t CallLog::CreatesApplied(const TokenName& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = creates_.find(name);
  return found == creates_.end() ? 0 : found->second;
}

std::vector<TokenName> CallLog::Duplicates() const {
  std::vector<TokenName> names;
  {
    const std::lock_guard lock(mutex_);
    if (counts_.duplicates > 0)
      for (const auto& [name, creates] : creates_)
        if (creates > 1) names.push_back(name);
  }
  std::sort(names.begin(), names.end(), TokenNameOrder());
  return names;
}

std::vector<RecordedRequest> CallLog::LastRequests() const {
  const std::lock_guard lock(mutex_);
  return {last_.begin(), last_.end()};
}

std::vector<CallTime> CallLog::CallTimes() const {
  const std::lock_guard lock(mutex_);
  return {times_.begin(), times_.end()};
}

bool CallLog::Await(const std::function<bool(const Counts&)>& reached, Milliseconds within) const {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, within, [&] { return reached(counts_); });
}

void CallLog::Notify() {
  // Without the lock a change could fall between a waiter's question and its sleep.
  { const std::lock_guard lock(mutex_); }
  changed_.notify_all();
}

void CallLog::Reset() {
  {
    const std::lock_guard lock(mutex_);
    Counts fresh;
    fresh.calls_in_flight = fresh.calls_in_flight_max = counts_.calls_in_flight;
    counts_ = std::move(fresh);
    creates_.clear();
    last_.clear();
    times_.clear();
    number_ = 0;
  }
  changed_.notify_all();
}

}  // namespace tokensync::standin
