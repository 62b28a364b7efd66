#include "text_limits.h"

#include <algorithm>

#include "text.h"

namespace tokensync {

namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
constexpr std::string_view kEllipsis = "\xE2\x80\xA6";

}  // namespace

bool IsValidUtf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint character = CodePointAt(text, at);
    if (!character.valid) return false;
    at += character.length;
  }
  return true;
}

std::string FitText(std::string_view text, std::size_t bytes_max) {
  std::string out;
  out.reserve(std::min(text.size(), bytes_max));
  std::size_t room_for_ellipsis = 0;  // length of the longest prefix that leaves room for it
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint character = CodePointAt(text, at);
    const bool keep = character.valid && character.code != 0;
    const std::string_view bytes = keep ? text.substr(at, character.length) : kReplacement;
    if (out.size() + bytes.size() > bytes_max) {
      out.resize(room_for_ellipsis);
      out += kEllipsis;
      break;
    }
    out += bytes;
    if (out.size() + kEllipsis.size() <= bytes_max) room_for_ellipsis = out.size();
    at += character.length;
  }
  return out;
}

}  // namespace tokensync
