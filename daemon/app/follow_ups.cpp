#include "follow_ups.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tokensync {

namespace {
constexpr std::size_t kCommitsMax = 64;
/// Before each look, after the announcement or the look before it.
constexpr std::array<Duration, 5> kWaits = {Duration(1'000), Duration(2'000), Duration(4'000), Duration(8'000),
                                            Duration(15'000)};
}  // namespace

void FollowUps::Add(const CommitId& commit, TimePoint now) {
  std::erase_if(awaited_, [&](const Awaited& known) { return known.commit == commit; });
  if (awaited_.size() >= kCommitsMax) awaited_.pop_front();
  awaited_.push_back({.commit = commit, .due = now + kWaits[0]});
}

std::optional<TimePoint> FollowUps::Next() const {
  const auto next = std::min_element(awaited_.begin(), awaited_.end(),
                                     [](const Awaited& a, const Awaited& b) { return a.due < b.due; });
  return next == awaited_.end() ? std::nullopt : std::optional(next->due);
}

bool FollowUps::TakeDue(TimePoint now, const std::function<bool(const CommitId&)>& is_there,
                        std::vector<CommitId>& missed) {
  bool looks = false;
  std::erase_if(awaited_, [&](Awaited& awaited) {
    if (awaited.due > now) return false;
    if (is_there(awaited.commit)) return true;
    if (awaited.looks == kWaits.size()) {
      missed.push_back(awaited.commit);
      return true;
    }
    ++awaited.looks;
    // The last one is followed by a glance at what it brought.
    awaited.due = now + (awaited.looks < kWaits.size() ? kWaits[awaited.looks] : kWaits[0]);
    looks = true;
    return false;
  });
  return looks;
}

void FollowUps::TakeOver(FollowUps other) {
  for (Awaited& awaited : other.awaited_) {
    if (awaited_.size() < kCommitsMax) awaited_.push_back(std::move(awaited));
  }
}

void FollowUps::CountFrom(TimePoint now) {
  for (Awaited& awaited : awaited_) awaited.due = now + kWaits[std::min(awaited.looks, kWaits.size() - 1)];
}

}  // namespace tokensync
