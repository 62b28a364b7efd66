#include "ignore_rules.h"
#include "tree_path.h"

#include <algorithm>
#include <utility>

namespace tokensync {

namespace {

/// The text without the spaces at its end, but for one that a backslash protects.
std::string_view WithoutTrailingSpaces(std::string_view line) {
  while (line.ends_with(' ')) {
    const std::string_view before = line.substr(0, line.size() - 1);
    const std::size_t other = before.find_last_not_of('\\');
    const std::size_t backslashes = before.size() - (other == std::string_view::npos ? 0 : other + 1);
    if (backslashes % 2 == 1) break;
    line = before;
  }
  return line;
}

}  // namespace

void IgnoreRules::Add(const std::string& folder, const SourceText& source, ProblemList& problems) {
  std::vector<Rule>& rules = rules_[folder];
  const std::string_view text = source.text();
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    std::string_view line = text.substr(start, end - start);
    const TextPosition position = source.PositionAt(start);
    start = end + 1;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.starts_with('#')) continue;
    line = WithoutTrailingSpaces(line);
    Rule rule;
    if (line.starts_with('!')) {
      rule.negated = true;
      line.remove_prefix(1);
    }
    if (line.ends_with('/')) {
      rule.folders_only = true;
      line.remove_suffix(1);
    }
    rule.whole_path = line.find('/') != std::string_view::npos;
    if (line.starts_with('/')) line.remove_prefix(1);
    if (line.empty()) continue;
    auto glob = Glob::Parse(line);
    if (!glob) {
      problems.Add(position, "a pattern that can never match", "close '[' with ']', and write '\\\\' for a backslash");
      continue;
    }
    rule.glob = *std::move(glob);
    rules.push_back(std::move(rule));
  }
}

bool IgnoreRules::Ignores(std::string_view path) {
  if (rules_.empty()) return false;
  return IgnoresFolder(ParentFolder(path)) || Decide(path, false);
}

bool IgnoreRules::IgnoresFolder(std::string_view folder) {
  if (folder.empty()) return false;
  const std::string key(folder);
  if (const auto known = folders_.find(key); known != folders_.end()) return known->second;
  const bool ignored = IgnoresFolder(ParentFolder(folder)) || Decide(folder, true);
  folders_.emplace(key, ignored);
  return ignored;
}

bool IgnoreRules::Decide(std::string_view path, bool is_folder) const {
  for (std::string_view folder = ParentFolder(path);; folder = ParentFolder(folder)) {
    if (const auto found = rules_.find(folder); found != rules_.end()) {
      const std::string_view below = folder.empty() ? path : path.substr(folder.size() + 1);
      const auto& rules = found->second;
      const auto decisive = std::find_if(rules.rbegin(), rules.rend(), [&](const Rule& rule) {
        return (is_folder || !rule.folders_only) && rule.glob.Matches(rule.whole_path ? below : LastName(path));
      });
      if (decisive != rules.rend()) return !decisive->negated;
    }
    if (folder.empty()) return false;
  }
}

}  // namespace tokensync
