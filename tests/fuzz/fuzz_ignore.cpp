/// An ignore file and the paths that it is asked about: the input's lines up to one that says `==>`, and those after
/// it.
#include <fnmatch.h>

#include <string>
#include <vector>

#include "fuzz_checks.h"
#include "glob.h"
#include "ignore_rules.h"
#include "source_text.h"

namespace tokensync {
namespace {

constexpr std::string_view kSeparator = "==>\n";
constexpr std::size_t kPathsMax = 16;

std::vector<std::string> Lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

/// A path as a tree has it.
bool IsPath(std::string_view path) {
  return !path.empty() && !path.starts_with('/') && !path.ends_with('/') && path.find("//") == std::string_view::npos &&
         path.find('\0') == std::string_view::npos;
}

/// Whether the C library's matcher means the same by this pattern, and answers soon. An escaped slash behind a star
/// matches nothing there, and a slash in git.
bool IsForFnmatch(std::string_view pattern, std::string_view path) {
  constexpr std::size_t kLengthMax = 24;
  return pattern.size() <= kLengthMax && path.size() <= kLengthMax && pattern.find("**") == std::string_view::npos &&
         pattern.find("\\/") == std::string_view::npos &&
         pattern.find_first_of(std::string_view("[\0", 2)) == std::string_view::npos;
}

void CheckGlob(const std::string& pattern, const std::string& path) {
  const auto glob = Glob::Parse(pattern);
  if (!glob) return;
  const bool matches = glob->Matches(path);
  if (pattern.find_first_of("*?[\\") == std::string::npos) {
    Require(matches == (pattern == path), "a pattern without special characters matches itself alone", pattern);
  }
  if (IsForFnmatch(pattern, path)) {
    const bool expected = fnmatch(pattern.c_str(), path.c_str(), FNM_PATHNAME) == 0;
    Require(matches == expected, "a pattern matches what it matches in a shell", pattern + " | " + path);
  }
}

std::string Escaped(std::string_view path) {
  std::string escaped;
  for (const char c : path) {
    escaped.push_back('\\');
    escaped.push_back(c);
  }
  return escaped;
}

/// The rules of the text, and after them one that names this very path.
bool IsIgnoredWith(std::string_view text, std::string_view last_rule, const std::string& path) {
  const std::string all = std::string(text) + "\n" + std::string(last_rule) + "\n";
  const SourceText source(".tokensyncignore", all);
  ProblemList problems(source);
  IgnoreRules rules;
  rules.Add("", source, problems);
  return rules.Ignores(path);
}

void CheckRules(std::string_view text, const std::vector<std::string>& paths) {
  const SourceText source("a/.tokensyncignore", text);
  ProblemList problems(source);
  if (source.FindBadCharacter()) return;
  IgnoreRules rules;
  rules.Add("a", source, problems);
  for (const std::string& path : paths) {
    if (!IsPath(path)) continue;
    const std::string below = "a/" + path;
    const bool ignored = rules.Ignores(below);
    Require(rules.Ignores(below) == ignored, "a question has one answer", path);
    Require(!rules.Ignores("b/" + path), "an ignore file counts in its folder only", path);
    if (rules.Ignores("a")) Require(ignored, "what lies in a folder that is left out is left out", path);
    if (path.find_first_of("\n\r") != std::string::npos) continue;
    Require(IsIgnoredWith(text, "/" + Escaped(path), path), "the last rule that names a path leaves it out", path);
    const bool in_root = path.find('/') == std::string::npos;
    Require(!in_root || !IsIgnoredWith(text, "!/" + Escaped(path), path), "or takes it in again", path);
  }
}

}  // namespace
}  // namespace tokensync

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace tokensync;  // NOLINT(google-build-using-namespace)
  const std::string_view text = InputText(data, size);
  const std::size_t separator = std::min(text.find(kSeparator), text.size());
  const std::string_view patterns = text.substr(0, separator);
  std::vector<std::string> paths = Lines(text.substr(std::min(separator + kSeparator.size(), text.size())));
  if (paths.size() > kPathsMax) paths.resize(kPathsMax);
  CheckRules(patterns, paths);
  for (const std::string& pattern : Lines(patterns.substr(0, 512))) {
    for (const std::string& path : paths) {
      if (IsPath(path)) CheckGlob(pattern, path);
    }
  }
  return 0;
}
