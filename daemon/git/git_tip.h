/// What is followed, as a source has it now: one of its references, and the commit that it leads to.
///
/// Only .cpp files of this folder include it.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "git_library.h"
#include "source_ref.h"

namespace tokensync {

inline constexpr std::string_view kHeads = "refs/heads/";
inline constexpr std::string_view kTags = "refs/tags/";

struct Tip {
  std::string reference;  ///< refs/heads/main, refs/tags/v1.2.0
  git_oid target{};       ///< a commit; for an annotated tag the tag
};

/// The references of a source.
class SourceReferences {
 public:
  virtual ~SourceReferences() = default;
  /// What a reference points to, or nothing where there is none. Throws FetchStop.
  virtual std::optional<git_oid> At(const std::string& reference) = 0;
  /// The names below kHeads or kTags, without that; only such as git allows. Throws FetchStop.
  virtual std::vector<std::string> Names(std::string_view below) = 0;
};

/// Throws FetchStop: kEmpty, or kNoBranch with some of the names that there are.
Tip FindTip(SourceReferences& source, const SourceRef& ref);

/// The commit that it leads to, through any number of tags. Throws FetchStop(kUnusable) where that is no commit, and
/// GitCallError where `repository` lacks an object on the way.
git_oid CommitOf(git_repository* repository, const Tip& tip);

/// Whether the reference points there, and the commit and its root tree are present.
bool HasTip(git_repository* repository, const Tip& tip);

/// Has the reference point there and HEAD name it: by its name for a branch, by its commit for a tag. What is as it
/// should be is not written. Gives the commit. Throws as CommitOf() does, and GitCallError where the commit's root tree
/// cannot be read.
git_oid MoveTo(git_repository* repository, const Tip& tip);

/// Removes every other branch and tag that the source does not have in the same place: who asks for one by name gets
/// what the source has, or an error. Throws GitCallError and FetchStop.
void ForgetStale(git_repository* repository, const Tip& tip, SourceReferences& source);

}  // namespace tokensync
