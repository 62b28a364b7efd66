/// Who brought the present text of a path: a walk over the history that follows each path along the parents that have
/// the same text.
///
/// Only .cpp files of this folder include it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "git_library.h"
#include "git_mirror.h"

namespace tokensync {

/// A commit as the log names it; its texts are valid UTF-8 of limited length. Throws GitCallError.
std::shared_ptr<const Commit> DescribeCommit(git_repository* repository, const git_oid& id);

/// Answers for one repository, and remembers. Methods throw GitCallError.
class Attribution {
 public:
  Attribution(WalkLimits limits, std::function<void()> beat);

  /// For each path (relative to the repository's root, each once, sorted) the commit reachable from `head` that brought
  /// its text, and its place in the order of the walk: smaller is nearer to the newest head, equal for the same commit.
  struct Brought {
    std::shared_ptr<const Commit> commit;
    std::int64_t order = 0;
  };
  std::vector<Brought> Find(git_repository* repository, const git_oid& head, const std::vector<std::string>& paths);

 private:
  /// `commit` brought the text that the path has in commit `as_of`: true for ever, whatever comes later.
  struct Remembered {
    git_oid as_of{};
    git_oid commit{};
  };
  struct Known {
    std::shared_ptr<const Commit> commit;
    std::int64_t order = 0;
  };
  struct Walk;

  std::optional<std::vector<Brought>> TryFind(git_repository* repository, const git_oid& head,
                                              const std::vector<std::string>& paths);
  void Forget();

  const WalkLimits limits_;
  const std::function<void()> beat_;
  std::unordered_map<std::string, Remembered> remembered_;
  std::unordered_map<git_oid, Known, OidHash, OidEqual> known_;
  std::unordered_set<git_oid, OidHash, OidEqual> heads_;
  std::int64_t front_ = 0;
};

}  // namespace tokensync
