#include "problem_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "json.h"
#include "source_text.h"

namespace tokensync {

namespace {

constexpr std::size_t kShortenedCharactersMax = 60;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

struct Range {
  std::uint32_t first;
  std::uint32_t last;
};

template <std::size_t N>
bool InRanges(std::uint32_t c, const std::array<Range, N>& ranges) {
  return std::any_of(ranges.begin(), ranges.end(), [&](const Range& r) { return c >= r.first && c <= r.last; });
}

bool IsUnsafe(std::uint32_t c) {
  static constexpr std::array<Range, 6> kUnsafe = {
      {{0x00, 0x1F}, {0x7F, 0x9F}, {0x200E, 0x200F}, {0x2028, 0x202E}, {0x2066, 0x2069}, {0xFEFF, 0xFEFF}}};
  return InRanges(c, kUnsafe);
}

/// Columns that a terminal gives to a character; right for nearly all of them, which is enough for a caret.
std::size_t Width(std::uint32_t c) {
  static constexpr std::array<Range, 4> kNone = {
      {{0x300, 0x36F}, {0x200B, 0x200F}, {0x20D0, 0x20FF}, {0xFE00, 0xFE0F}}};
  static constexpr std::array<Range, 10> kWide = {{{0x1100, 0x115F},
                                                   {0x2E80, 0x303E},
                                                   {0x3041, 0xA4CF},
                                                   {0xAC00, 0xD7A3},
                                                   {0xF900, 0xFAFF},
                                                   {0xFE30, 0xFE6F},
                                                   {0xFF00, 0xFF60},
                                                   {0xFFE0, 0xFFE6},
                                                   {0x1F300, 0x1FAFF},
                                                   {0x20000, 0x3FFFD}}};
  if (InRanges(c, kNone)) return 0;
  return InRanges(c, kWide) ? 2 : 1;
}

/// Calls `each` with every character: its code point and its bytes; what is no UTF-8 arrives as U+FFFD.
template <typename Each>
void ForEachCharacter(std::string_view text, Each each) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = Utf8SequenceLength(text, at);
    if (length == 0) {
      each(std::uint32_t{0xFFFD}, kReplacement);
      ++at;
      continue;
    }
    const std::string_view bytes = text.substr(at, length);
    std::uint32_t c = static_cast<unsigned char>(bytes[0]);
    if (length > 1) {
      c &= 0x7FU >> length;
      for (const char byte : bytes.substr(1)) c = c << 6U | (static_cast<unsigned char>(byte) & 0x3FU);
    }
    each(c, bytes);
    at += length;
  }
}

std::string PlaceText(const Place& place) {
  std::string text = SafeText(place.path);
  if (place.line > 0) text += fmt::format(":{}", place.line);
  if (place.line > 0 && place.column > 0) text += fmt::format(":{}", place.column);
  return text;
}

/// The line and, below its `column`, a caret. Tabs become single spaces, so that both lines agree.
std::string QuotedLine(const Problem& problem, std::string_view bold_red, std::string_view reset) {
  std::string line;
  std::string caret;
  std::uint32_t column = 0;
  ForEachCharacter(problem.text, [&](std::uint32_t c, std::string_view bytes) {
    const std::string shown = c == '\t' ? std::string(" ") : SafeText(bytes);
    line += shown;
    if (++column >= problem.place.column) return;
    caret.append(IsUnsafe(c) ? shown.size() : Width(c), ' ');
  });
  const std::string number = fmt::format("{:>5}", problem.place.line);
  std::string out = fmt::format("\n{} | {}", number, line);
  if (problem.place.column > 0) {
    out += fmt::format("\n{:>5} | {}{}^{}", "", caret, bold_red, reset);
  }
  return out;
}

/// GitHub's escapes; in a property ':' and ',' as well.
std::string GithubEscaped(std::string_view text, bool property) {
  std::string out;
  for (const char c : text) {
    const bool escape = c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ','));
    if (escape) {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    } else {
      out.push_back(c);
    }
  }
  return out;
}

}  // namespace

std::string ValidText(std::string_view text) {
  std::string out;
  ForEachCharacter(text, [&](std::uint32_t, std::string_view bytes) { out.append(bytes); });
  return out;
}

std::string SafeText(std::string_view text) {
  std::string out;
  ForEachCharacter(text, [&](std::uint32_t c, std::string_view bytes) {
    if (IsUnsafe(c)) {
      out += fmt::format("\\u{:04x}", c);
    } else {
      out.append(bytes);
    }
  });
  return out;
}

std::string Shortened(std::string_view text) {
  std::string kept;
  std::size_t characters = 0;
  // A character has at most four bytes: no need to walk through megabytes.
  ForEachCharacter(text.substr(0, (kShortenedCharactersMax + 1) * 4), [&](std::uint32_t, std::string_view bytes) {
    if (characters++ < kShortenedCharactersMax) kept.append(bytes);
  });
  return SafeText(kept) + (characters > kShortenedCharactersMax ? "…" : "");
}

std::string ProblemText(const Problem& problem, bool colour) {
  const std::string_view bold = colour ? "\x1b[1m" : "";
  const std::string_view bold_red = colour ? "\x1b[1;31m" : "";
  const std::string_view cyan = colour ? "\x1b[36m" : "";
  const std::string_view reset = colour ? "\x1b[0m" : "";
  std::string out = fmt::format("{}{}:{} {}", bold, PlaceText(problem.place), reset, SafeText(problem.what));
  if (problem.place.line > 0 && !problem.text.empty()) out += QuotedLine(problem, bold_red, reset);
  if (!problem.advice.empty()) out += fmt::format("\n      {}= {}{}", cyan, SafeText(problem.advice), reset);
  return out;
}

std::string ProblemJson(const Problem& problem) {
  std::string out = R"({"path":)";
  AppendJsonString(out, ValidText(problem.place.path));
  out += fmt::format(R"(,"line":{},"column":{},"what":)", problem.place.line, problem.place.column);
  AppendJsonString(out, ValidText(problem.what));
  out += R"(,"advice":)";
  AppendJsonString(out, ValidText(problem.advice));
  out += "}";
  return out;
}

std::string ProblemGithub(const Problem& problem) {
  std::string out = "::error file=" + GithubEscaped(ValidText(problem.place.path), true);
  if (problem.place.line > 0) out += fmt::format(",line={}", problem.place.line);
  if (problem.place.line > 0 && problem.place.column > 0) out += fmt::format(",col={}", problem.place.column);
  const std::string message =
      problem.advice.empty() ? problem.what : fmt::format("{} ({})", problem.what, problem.advice);
  return out + "::" + GithubEscaped(SafeText(message), false);
}

}  // namespace tokensync
