#include "glob.h"

#include <array>
#include <cctype>
#include <string>

namespace tokensync {

namespace {

std::size_t Index(char c) {
  return static_cast<unsigned char>(c);
}

/// The bytes of a class such as `alpha`; all of them ASCII. False where there is no such class.
bool AddNamedClass(std::string_view name, std::bitset<256>& set) {
  struct Named {
    std::string_view name;
    int (*test)(int);
  };
  static const std::array<Named, 12> kClasses = {{{"alnum", std::isalnum},
                                                  {"alpha", std::isalpha},
                                                  {"blank", std::isblank},
                                                  {"cntrl", std::iscntrl},
                                                  {"digit", std::isdigit},
                                                  {"graph", std::isgraph},
                                                  {"lower", std::islower},
                                                  {"print", std::isprint},
                                                  {"punct", std::ispunct},
                                                  {"space", std::isspace},
                                                  {"upper", std::isupper},
                                                  {"xdigit", std::isxdigit}}};
  for (const Named& named : kClasses) {
    if (named.name != name) continue;
    for (int c = 0; c < 128; ++c) {
      if (named.test(c) != 0) set.set(static_cast<std::size_t>(c));
    }
    return true;
  }
  return false;
}

/// The set of a `[…]` whose `[` is at `at`, which moves behind the `]`.
std::optional<std::bitset<256>> ParseSet(std::string_view pattern, std::size_t& at) {
  std::bitset<256> set;
  std::size_t i = at + 1;
  const bool negated = i < pattern.size() && (pattern[i] == '!' || pattern[i] == '^');
  if (negated) ++i;
  for (bool first = true; i < pattern.size() && (first || pattern[i] != ']'); first = false) {
    if (pattern.substr(i).starts_with("[:")) {
      const std::size_t end = pattern.find(":]", i + 2);
      if (end != std::string_view::npos) {
        if (!AddNamedClass(pattern.substr(i + 2, end - i - 2), set)) return std::nullopt;
        i = end + 2;
        continue;
      }
    }
    if (pattern[i] == '\\' && ++i >= pattern.size()) return std::nullopt;
    const std::size_t low = Index(pattern[i++]);
    std::size_t high = low;
    if (i + 1 < pattern.size() && pattern[i] == '-' && pattern[i + 1] != ']') {
      ++i;
      if (pattern[i] == '\\' && ++i >= pattern.size()) return std::nullopt;
      high = Index(pattern[i++]);
    }
    for (std::size_t c = low; c <= high; ++c) set.set(c);
  }
  if (i >= pattern.size()) return std::nullopt;
  at = i + 1;
  if (negated) set.flip();
  set.reset(Index('/'));
  return set;
}

}  // namespace

std::optional<Glob> Glob::Parse(std::string_view pattern) {
  Glob glob;
  const auto push_set = [&](const std::bitset<256>& set) { glob.tokens_.push_back({Step::kSet, set}); };
  for (std::size_t at = 0; at < pattern.size();) {
    const char c = pattern[at];
    if (c == '*') {
      std::size_t end = at;
      while (end < pattern.size() && pattern[end] == '*') ++end;
      const bool whole_name =
          end - at >= 2 && (at == 0 || pattern[at - 1] == '/') && (end == pattern.size() || pattern[end] == '/');
      if (!whole_name) {
        glob.tokens_.push_back({Step::kStar, {}});
        at = end;
      } else if (end == pattern.size()) {
        glob.tokens_.push_back({Step::kEverything, {}});
        at = end;
      } else {
        glob.tokens_.push_back({Step::kFolders, {}});
        at = end + 1;
      }
      continue;
    }
    std::bitset<256> set;
    if (c == '[') {
      const auto parsed = ParseSet(pattern, at);
      if (!parsed) return std::nullopt;
      set = *parsed;
    } else if (c == '?') {
      set.set();
      set.reset(Index('/'));
      ++at;
    } else {
      if (c == '\\' && ++at >= pattern.size()) return std::nullopt;
      set.set(Index(pattern[at]));
      ++at;
    }
    push_set(set);
  }
  return glob;
}

bool Glob::Matches(std::string_view text) const {
  // reached[i]: the tokens so far can match the first i bytes.
  std::vector<bool> reached(text.size() + 1, false);
  reached[0] = true;
  for (const Token& token : tokens_) {
    std::vector<bool> next(text.size() + 1, false);
    bool open = false;
    for (std::size_t i = 0; i <= text.size(); ++i) {
      switch (token.step) {
        case Step::kSet:
          if (i > 0 && reached[i - 1] && token.set.test(Index(text[i - 1]))) next[i] = true;
          break;
        case Step::kStar:
          if (i > 0 && text[i - 1] == '/') open = false;
          open = open || reached[i];
          next[i] = open;
          break;
        case Step::kFolders:
          next[i] = reached[i] || (open && text[i - 1] == '/');
          open = open || reached[i];
          break;
        case Step::kEverything:
          open = open || reached[i];
          next[i] = open;
          break;
      }
    }
    reached.swap(next);
  }
  return reached[text.size()];
}

}  // namespace tokensync
