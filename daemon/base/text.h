/// Foreign text made fit to be shown: names, paths and messages that somebody else wrote.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "json.h"

namespace tokensync {

inline constexpr std::size_t kNoLimit = static_cast<std::size_t>(-1);

/// `foreign` as one line of valid UTF-8 that a terminal shows and does not obey: control characters (C0, DEL, C1, line
/// and paragraph separators, and those that turn the direction of text) as \n, \t, \r or \u001b; each byte that is not
/// UTF-8 as U+FFFD. What is longer than `characters_max` code points is cut and ends in "…".
std::string PrintableText(std::string_view foreign, std::size_t characters_max = kNoLimit);

/// `foreign` as valid UTF-8: each byte that is not becomes U+FFFD. What is longer than `characters_max` code points is
/// cut and ends in "…". Controls stay: for JSON, which escapes them.
std::string ValidText(std::string_view foreign, std::size_t characters_max = kNoLimit);

/// Whether a terminal may obey this character, or show nothing or its neighbours elsewhere for it.
bool IsControl(char32_t code);

/// The value as one line of JSON, its newline included, which a terminal shows and does not obey either.
std::string PrintableJson(const JsonValue& value);

/// How many columns of a terminal a printable text takes: 2 for wide characters, 0 for combining ones.
std::size_t ColumnsOf(std::string_view printable);

/// The printable text, cut to at most `columns`; a cut one ends in "…".
std::string CutToColumns(std::string_view printable, std::size_t columns);

/// Cut, or padded with spaces on the right, to `columns` exactly.
std::string FitColumns(std::string_view printable, std::size_t columns);

/// One character of a text that may be anything.
struct CodePoint {
  char32_t code = 0;
  std::size_t length = 1;  ///< bytes that it takes
  bool valid = true;       ///< false: one byte that is not UTF-8
};

/// The character at byte `at`, which lies within the text.
CodePoint CodePointAt(std::string_view text, std::size_t at);

}  // namespace tokensync
