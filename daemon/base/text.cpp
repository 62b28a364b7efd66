#include "text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

namespace tokensync {

namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// What a terminal obeys, or could be made to show in another order or not at all: C1 holds one-character forms of
// escape sequences; marks of direction and tags let a name look like another one.
constexpr std::array kControls = {Range{0x00, 0x1F},     Range{0x7F, 0x9F},     Range{0xAD, 0xAD},
                                  Range{0x61C, 0x61C},   Range{0x180E, 0x180E}, Range{0x200B, 0x200B},
                                  Range{0x200E, 0x200F}, Range{0x2028, 0x202E}, Range{0x2060, 0x206F},
                                  Range{0xFEFF, 0xFEFF}, Range{0xFFF9, 0xFFFB}, Range{0xE0000, 0xE007F}};

// Marks that stand over the character before them.
constexpr std::array kCombining = {
    Range{0x300, 0x36F},   Range{0x483, 0x489},    Range{0x591, 0x5BD},   Range{0x610, 0x61A},   Range{0x64B, 0x65F},
    Range{0x93C, 0x93C},   Range{0x94D, 0x94D},    Range{0xE31, 0xE31},   Range{0xE34, 0xE3A},   Range{0xE47, 0xE4E},
    Range{0x1AB0, 0x1AFF}, Range{0x1DC0, 0x1DFF},  Range{0x200C, 0x200D}, Range{0x20D0, 0x20FF}, Range{0xFE00, 0xFE0F},
    Range{0xFE20, 0xFE2F}, Range{0xE0100, 0xE01EF}};

// East Asian Wide and Fullwidth, and pictures that are shown as such.
constexpr std::array kWide = {Range{0x1100, 0x115F},   Range{0x231A, 0x231B},   Range{0x2E80, 0x303E},
                              Range{0x3041, 0x4DBF},   Range{0x4E00, 0xA4CF},   Range{0xA960, 0xA97F},
                              Range{0xAC00, 0xD7A3},   Range{0xF900, 0xFAFF},   Range{0xFE30, 0xFE6F},
                              Range{0xFF00, 0xFF60},   Range{0xFFE0, 0xFFE6},   Range{0x16FE0, 0x18CFF},
                              Range{0x1B000, 0x1B2FF}, Range{0x1F300, 0x1F64F}, Range{0x1F680, 0x1F6FF},
                              Range{0x1F900, 0x1F9FF}, Range{0x1FA70, 0x1FAFF}, Range{0x20000, 0x3FFFD}};

bool IsIn(std::span<const Range> ranges, char32_t code) {
  const auto after = std::ranges::upper_bound(ranges, code, {}, &Range::first);
  return after != ranges.begin() && code <= std::prev(after)->last;
}

std::size_t ColumnsOfCode(char32_t code) {
  if (code < 0x300) return 1;
  if (IsIn(kCombining, code)) return 0;
  return IsIn(kWide, code) ? 2 : 1;
}

std::string Escaped(char32_t code) {
  switch (code) {
    case '\n':
      return "\\n";
    case '\r':
      return "\\r";
    case '\t':
      return "\\t";
    default:
      return code <= 0xFFFF ? fmt::format("\\u{:04x}", static_cast<std::uint32_t>(code))
                            : fmt::format("\\U{:08x}", static_cast<std::uint32_t>(code));
  }
}

}  // namespace

CodePoint CodePointAt(std::string_view text, std::size_t at) {
  constexpr CodePoint kBad{.code = 0xFFFD, .length = 1, .valid = false};
  const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(text[at + i]); };
  const std::uint8_t lead = byte(0);
  if (lead < 0x80) return {.code = lead};
  if (lead < 0xC2 || lead > 0xF4) return kBad;
  const std::size_t length = lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
  if (text.size() - at < length) return kBad;
  std::uint32_t code = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0U) != 0x80) return kBad;
    code = code << 6U | (byte(i) & 0x3FU);
  }
  const bool overlong = (length == 3 && code < 0x800) || (length == 4 && code < 0x10000);
  if (overlong || (code >= 0xD800 && code <= 0xDFFF) || code > 0x10FFFF) return kBad;
  return {.code = code, .length = length};
}

bool IsControl(char32_t code) {
  if (code < 0x7F) return code < 0x20;
  return IsIn(kControls, code);
}

std::string PrintableText(std::string_view foreign, std::size_t characters_max) {
  std::string printable;
  std::size_t characters = 0;
  for (std::size_t at = 0; at < foreign.size(); ++characters) {
    if (characters == characters_max) return printable + "…";
    const CodePoint character = CodePointAt(foreign, at);
    if (!character.valid) {
      printable += "\uFFFD";
    } else if (IsControl(character.code)) {
      printable += Escaped(character.code);
    } else {
      printable += foreign.substr(at, character.length);
    }
    at += character.length;
  }
  return printable;
}

std::string ValidText(std::string_view foreign, std::size_t characters_max) {
  std::string valid;
  for (std::size_t at = 0; at < foreign.size();) {
    if (characters_max-- == 0) return valid + "…";
    const CodePoint character = CodePointAt(foreign, at);
    valid += character.valid ? foreign.substr(at, character.length) : "\uFFFD";
    at += character.length;
  }
  return valid;
}

std::string PrintableJson(const JsonValue& value) {
  const std::string canonical = CanonicalJson(value);
  std::string printable;
  printable.reserve(canonical.size() + 1);
  for (std::size_t at = 0; at < canonical.size();) {
    const CodePoint character = CodePointAt(canonical, at);
    const std::uint32_t code = character.code;
    if (!IsControl(code)) {
      printable += std::string_view(canonical).substr(at, character.length);
    } else if (code <= 0xFFFF) {
      printable += fmt::format("\\u{:04x}", code);
    } else {
      const std::uint32_t rest = code - 0x10000;
      printable += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + (rest >> 10U), 0xDC00 + (rest & 0x3FFU));
    }
    at += character.length;
  }
  return printable += '\n';
}

std::size_t ColumnsOf(std::string_view printable) {
  std::size_t columns = 0;
  for (std::size_t at = 0; at < printable.size();) {
    const CodePoint character = CodePointAt(printable, at);
    columns += ColumnsOfCode(character.code);
    at += character.length;
  }
  return columns;
}

std::string CutToColumns(std::string_view printable, std::size_t columns) {
  if (printable.size() <= columns) return std::string(printable);
  std::size_t used = 0;
  std::size_t fits_with_dots = 0;
  for (std::size_t at = 0; at < printable.size();) {
    const CodePoint character = CodePointAt(printable, at);
    used += ColumnsOfCode(character.code);
    if (used > columns) return std::string(printable.substr(0, fits_with_dots)) + (columns > 0 ? "…" : "");
    at += character.length;
    if (used < columns) fits_with_dots = at;
  }
  return std::string(printable);
}

std::string FitColumns(std::string_view printable, std::size_t columns) {
  std::string fitted = CutToColumns(printable, columns);
  fitted.append(columns - std::min(columns, ColumnsOf(fitted)), ' ');
  return fitted;
}

}  // namespace tokensync
