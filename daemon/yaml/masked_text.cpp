#include "masked_text.h"

#include <cstddef>

namespace tokensync {

namespace {

bool IsHexDigit(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// Whether `text` begins with \uXYZZ, X being d and Y one of `second`.
bool IsEscape(std::string_view text, std::string_view second) {
  constexpr std::size_t kLength = 6;
  return text.size() >= kLength && text[0] == '\\' && text[1] == 'u' && (text[2] == 'd' || text[2] == 'D') &&
         second.find(text[3]) != std::string_view::npos && IsHexDigit(text[4]) && IsHexDigit(text[5]);
}

/// Whether a word, or blanks after a word of the same line, stand before `at`: a '?' there announces no key.
bool FollowsWord(std::string_view text, std::size_t at) {
  const std::size_t before = at == 0 ? std::string_view::npos : text.find_last_not_of(" \t", at - 1);
  return before != std::string_view::npos &&
         std::string_view("\r\n,[]{}:-?").find(text[before]) == std::string_view::npos;
}

}  // namespace

std::string MaskedText(std::string_view text) {
  constexpr std::string_view kPairMask = "\\u2020\\u2020";
  std::string masked;
  std::size_t last_covered = std::string_view::npos;
  for (std::size_t at = text.find_first_of("?\\"); at != std::string_view::npos;
       at = text.find_first_of("?\\", at + 1)) {
    if (text[at] == '?') {
      const bool next_to_covered = at > 0 && last_covered == at - 1;
      if (!next_to_covered && !FollowsWord(text, at)) continue;
      if (masked.empty()) masked = text;
      masked[at] = 'q';
      last_covered = at;
    } else if (IsEscape(text.substr(at), "89abAB") && IsEscape(text.substr(at + 6), "cdefCDEF")) {
      if (masked.empty()) masked = text;
      masked.replace(at, kPairMask.size(), kPairMask);
      at += kPairMask.size() - 1;
    }
  }
  return masked;
}

}  // namespace tokensync
