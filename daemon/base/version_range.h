/// Versions as semver.org 2.0.0 orders them, and ranges of versions as npm writes them.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tokensync {

/// A longer text is neither version nor range.
inline constexpr std::size_t kVersionBytesMax = 256;

/// Ordered by precedence: a pre-release is before its release; build metadata does not count and is not kept.
struct Version {
  std::uint64_t major = 0;
  std::uint64_t minor = 0;
  std::uint64_t patch = 0;
  std::vector<std::string> prerelease;  ///< identifiers: {"rc", "1"} for 1.2.0-rc.1

  /// 1.2.3, 1.2.3-rc.1+build, v1.2.3; all three numbers, each at most 2^53-1. Nothing for anything else.
  static std::optional<Version> Parse(std::string_view text);

  std::strong_ordering operator<=>(const Version& other) const;
  bool operator==(const Version& other) const { return (*this <=> other) == 0; }
};

/// Why a text is no range, as a phrase with what to write instead.
struct RangeFault {
  std::string text;
};

/// https://github.com/npm/node-semver: > >= < <= = ^ ~ before a version or its beginning, 1.2.x and *, `1.2 - 2.3`, a
/// space for "and", || for "or". A pre-release is only contained where a comparator names one of the same three
/// numbers. Stricter than npm: nothing at all is no range (npm: any), and neither is a number or pre-release after a
/// wildcard.
class VersionRange {
 public:
  static std::variant<VersionRange, RangeFault> Parse(std::string_view text);

  bool Contains(const Version& version) const;

 private:
  friend class RangeReader;
  enum class Relation { kLess, kLessOrEqual, kEqual, kGreaterOrEqual, kGreater };
  struct Comparator {
    Relation relation = Relation::kEqual;
    Version version;
  };
  using All = std::vector<Comparator>;  // none: any release
  std::vector<All> any_of_;
};

}  // namespace tokensync
