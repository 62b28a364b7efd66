/// Commits that a webhook announced and that a fetch has not brought yet: the forge tells of a push before every one of
/// its servers shows it.
#pragma once

#include <deque>
#include <functional>
#include <optional>
#include <vector>

#include "model.h"

namespace tokensync {

class FollowUps {
 public:
  /// Looks are due 1, 3, 7, 15 and 30 s after the announcement. At most 64 commits are waited for: the oldest goes.
  void Add(const CommitId& commit, TimePoint now);

  /// When the next look is due, if the commits are not there by then.
  std::optional<TimePoint> Next() const;

  /// Whether a look is due at `now` for a commit that is not there yet. Forgets those that are, and gives to `missed`
  /// those that the last look did not bring either.
  bool TakeDue(TimePoint now, const std::function<bool(const CommitId&)>& is_there, std::vector<CommitId>& missed);

  /// What the other one waits for is waited for here.
  void TakeOver(FollowUps other);

  /// The clock was set: the next look of each is counted from `now`.
  void CountFrom(TimePoint now);

 private:
  struct Awaited {
    CommitId commit;
    std::size_t looks = 0;  ///< so far
    TimePoint due{};
  };
  std::deque<Awaited> awaited_;
};

}  // namespace tokensync
