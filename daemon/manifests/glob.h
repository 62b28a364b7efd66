/// Patterns of file names, as gitignore has them.
#pragma once

#include <bitset>
#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace tokensync {

/// `*`, `?` and `[…]` match within a name, `**` as a whole name any number of folders; a backslash takes the next
/// character as it is. Bytes are compared, as git does.
class Glob {
 public:
  /// Nothing where the pattern is malformed: a `[` without `]`, a backslash at the end.
  static std::optional<Glob> Parse(std::string_view pattern);

  /// Whether the whole of `text` is matched. Takes time of at most the product of the lengths.
  bool Matches(std::string_view text) const;

 private:
  enum class Step { kSet, kStar, kFolders, kEverything };
  struct Token {
    Step step = Step::kSet;
    std::bitset<256> set;
  };
  std::vector<Token> tokens_;
};

}  // namespace tokensync
