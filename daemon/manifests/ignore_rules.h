/// What `.tokensyncignore` files leave out: gitignore's syntax and its rules of precedence.
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "glob.h"
#include "source_text.h"

namespace tokensync {

/// The patterns of all ignore files of a tree. Used by one thread at a time.
class IgnoreRules {
 public:
  /// Adds the patterns of the ignore file in `folder` (without a slash at the end; empty for the root). A pattern that
  /// git would take as one that never matches (an unclosed `[`, a backslash at the end) is a problem.
  /// All files are added before the first question.
  void Add(const std::string& folder, const SourceText& source, ProblemList& problems);

  /// Whether the file is left out, by a pattern for itself or for a folder above it. As in git, nothing within a folder
  /// that is left out can be taken in again.
  bool Ignores(std::string_view path);

 private:
  struct Rule {
    Glob glob;
    bool negated = false;
    bool folders_only = false;
    bool whole_path = false;  ///< matched with the path below the ignore file, else with the last name alone
  };

  bool IgnoresFolder(std::string_view folder);
  bool Decide(std::string_view path, bool is_folder) const;

  std::map<std::string, std::vector<Rule>, std::less<>> rules_;  ///< by folder
  std::unordered_map<std::string, bool> folders_;                ///< answers so far
};

}  // namespace tokensync
