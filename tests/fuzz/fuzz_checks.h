/// What the fuzz targets have in common: a property that does not hold ends the run, and the fuzzer keeps the input.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <utility>

#include "text.h"

namespace tokensync {

inline std::string_view InputText(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// `property`: a sentence that holds for every input.
inline void Require(bool holds, std::string_view property, std::string_view about = {}) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %.*s\n", static_cast<int>(property.size()), property.data());
  if (!about.empty()) std::fprintf(stderr, "here: %.*s\n", static_cast<int>(about.size()), about.data());
  std::abort();
}

/// The input with each word replaced by its text: what must not be in the tree is made when the target runs.
template <std::size_t N>
std::string WithWords(std::string_view input, const std::array<std::pair<std::string_view, std::string>, N>& words) {
  std::string out;
  while (!input.empty()) {
    const auto word =
        std::find_if(words.begin(), words.end(), [&](const auto& w) { return input.starts_with(w.first); });
    out += word == words.end() ? std::string(input.substr(0, 1)) : word->second;
    input.remove_prefix(word == words.end() ? 1 : word->first.size());
  }
  return out;
}

inline std::size_t CharactersOf(std::string_view text) {
  std::size_t characters = 0;
  for (std::size_t at = 0; at < text.size(); ++characters) at += CodePointAt(text, at).length;
  return characters;
}

/// One line that a terminal shows and does not obey, of at most so many characters.
inline void RequirePrintable(std::string_view text, std::size_t characters_max) {
  Require(PrintableText(text) == text, "a text for people is one printable line", text);
  Require(CharactersOf(text) <= characters_max, "a text for people has a limit", text);
}

/// The same for a text of several lines.
inline void RequirePrintableLines(std::string_view text) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    RequirePrintable(text.substr(0, end), kNoLimit);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

}  // namespace tokensync
