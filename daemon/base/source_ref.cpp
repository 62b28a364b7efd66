#include "source_ref.h"

#include <fnmatch.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>
#include <variant>

#include "address_text.h"
#include "version_range.h"

namespace tokensync {

namespace {

constexpr std::string_view kHeads = "refs/heads/";
constexpr std::string_view kTags = "refs/tags/";
constexpr std::size_t kPatternBytesMax = 256;
/// fnmatch(3) takes its time with long names; a tag beyond this is never followed.
constexpr std::size_t kTagBytesMax = 256;

bool IsNameOfBranch(std::string_view name) {
  if (name.empty() || name.starts_with('-') || name.starts_with('/') || name.ends_with('/') || name.ends_with('.') ||
      name.ends_with(".lock") || name == "@") {
    return false;
  }
  for (const std::string_view bad : {"..", "//", "@{", "/.", ".lock/"}) {
    if (name.find(bad) != std::string_view::npos) return false;
  }
  return !name.starts_with('.') && name.find_first_of("~^:?*[\\") == std::string_view::npos &&
         std::none_of(name.begin(), name.end(), IsSpaceOrControl);
}

// fnmatch takes a bracket that is never closed as itself, which nobody means.
bool HasOpenBracket(std::string_view pattern) {
  for (std::size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\') {
      ++i;  // the next character is itself
      continue;
    }
    if (pattern[i] != '[') continue;
    ++i;
    if (i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^')) ++i;
    if (i < pattern.size() && pattern[i] == ']') ++i;
    while (i < pattern.size() && pattern[i] != ']') {
      const char kind = pattern[i] == '[' && i + 1 < pattern.size() ? pattern[i + 1] : '\0';
      if (kind == ':' || kind == '.' || kind == '=') {
        const char end[] = {kind, ']', '\0'};
        const std::size_t close = pattern.find(end, i + 2);
        if (close == std::string_view::npos) return true;
        i = close + 1;
      } else if (pattern[i] == '\\') {
        ++i;
      }
      ++i;
    }
    if (i >= pattern.size()) return true;
  }
  return false;
}

bool EndsInBackslash(std::string_view pattern) {
  const std::size_t last = pattern.find_last_not_of('\\');
  return (pattern.size() - (last == std::string_view::npos ? 0 : last + 1)) % 2 == 1;
}

std::optional<std::string> FaultOfPattern(std::string_view pattern) {
  if (pattern.empty()) return "an empty pattern; write * where any tag will do";
  if (pattern.size() > kPatternBytesMax) return "a pattern of more than 256 bytes; shorten it";
  if (std::any_of(pattern.begin(), pattern.end(), IsSpaceOrControl)) {
    return "a space or control character in the pattern, which no tag has; remove it";
  }
  if (pattern.starts_with(kTags)) return "a pattern with refs/tags/ before it; write the rest alone";
  if (HasOpenBracket(pattern)) return "a pattern with a '[' that is never closed; close it, or write \\[";
  if (EndsInBackslash(pattern)) return "a pattern that ends in a backslash; write what follows it, or \\\\";
  return std::nullopt;
}

/// Which tags are meant, read once.
class Chosen {
 public:
  explicit Chosen(const SourceRef& ref) : pattern_(ref.kind == SourceRef::Kind::kTag ? &ref.text : nullptr) {
    if (pattern_ != nullptr) {
      if (FaultOfPattern(ref.text)) pattern_ = &kNothing;
    } else if (auto read = VersionRange::Parse(ref.text); auto* range = std::get_if<VersionRange>(&read)) {
      range_ = std::move(*range);
    }
  }

  /// A tag that matches; `version` is only set where the range asks for one.
  struct Tag {
    std::string name;
    std::optional<Version> version;
    bool operator<(const Tag& other) const {
      if (version && *version != *other.version) return *version < *other.version;
      return ::strverscmp(name.c_str(), other.name.c_str()) < 0;
    }
  };

  std::optional<Tag> Match(std::string_view name) const {
    if (name.empty() || name.size() > kTagBytesMax) return std::nullopt;
    Tag tag{std::string(name), std::nullopt};
    if (pattern_ != nullptr) {
      if (::fnmatch(pattern_->c_str(), tag.name.c_str(), 0) != 0) return std::nullopt;
      return tag;
    }
    tag.version = Version::Parse(name);
    if (!range_ || !tag.version || !range_->Contains(*tag.version)) return std::nullopt;
    return tag;
  }

 private:
  inline static const std::string kNothing;
  const std::string* pattern_;
  std::optional<VersionRange> range_;
};

}  // namespace

bool SourceRef::Follows(std::string_view reference) const {
  if (kind == Kind::kBranch) return reference.starts_with(kHeads) && reference.substr(kHeads.size()) == text;
  return reference.starts_with(kTags) && Chosen(*this).Match(reference.substr(kTags.size()));
}

std::optional<std::string> SourceRef::NewestOf(std::span<const std::string> tags) const {
  if (kind == Kind::kBranch) std::abort();
  const Chosen chosen(*this);
  std::optional<Chosen::Tag> newest;
  for (const std::string& name : tags) {
    auto tag = chosen.Match(name);
    if (tag && (!newest || *newest < *tag)) newest = std::move(tag);
  }
  if (!newest) return std::nullopt;
  return std::move(newest->name);
}

std::string SourceRef::Text() const {
  switch (kind) {
    case Kind::kBranch:
      return "branch " + text;
    case Kind::kTag:
      return "tags " + text;
    case Kind::kSemver:
      return "versions " + text;
  }
  std::abort();
}

std::optional<std::string> FaultOf(const SourceRef& ref) {
  switch (ref.kind) {
    case SourceRef::Kind::kBranch:
      if (!IsNameOfBranch(ref.text)) return "no name of a branch; write a name such as main";
      return std::nullopt;
    case SourceRef::Kind::kTag:
      return FaultOfPattern(ref.text);
    case SourceRef::Kind::kSemver:
      break;
  }
  const auto range = VersionRange::Parse(ref.text);
  if (const auto* fault = std::get_if<RangeFault>(&range)) return fault->text;
  return std::nullopt;
}

}  // namespace tokensync
