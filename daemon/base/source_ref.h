/// What of a repository is followed: a branch, or the newest of the tags that match.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace tokensync {

struct SourceRef {
  enum class Kind {
    kBranch,  ///< `text` is the name of a branch, without refs/heads/
    kTag,     ///< a pattern of tags as fnmatch(3) takes it; of those that match, the last by version order
    kSemver   ///< a range of versions (version_range.h); of the tags that are versions within it, the highest
  };
  Kind kind = Kind::kBranch;
  std::string text = "main";

  /// Whether a push to this reference (refs/heads/main, refs/tags/v1.2.0) can move what is followed.
  bool Follows(std::string_view reference) const;

  /// The one of these tags (names without refs/tags/) that is followed, or nothing. Not for kBranch.
  std::optional<std::string> NewestOf(std::span<const std::string> tags) const;

  /// "branch main", "tags release-*", "versions >=1.2.0 <2.0.0".
  std::string Text() const;

  bool operator==(const SourceRef&) const = default;
};

/// What is wrong with it, or nothing: no name of a branch; a pattern or range that cannot be read.
std::optional<std::string> FaultOf(const SourceRef& ref);

}  // namespace tokensync
