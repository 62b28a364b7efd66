#include "git_text.h"

#include "text.h"

namespace tokensync {

std::string CleanText(std::string_view bytes, std::size_t bytes_max) {
  std::string out;
  for (std::size_t at = 0; at < bytes.size();) {
    const CodePoint point = CodePointAt(bytes, at);
    const std::string_view piece = !point.valid            ? std::string_view("\xef\xbf\xbd")
                                   : IsControl(point.code) ? std::string_view(" ")
                                                           : bytes.substr(at, point.length);
    at += point.length;
    if (piece == " " && out.empty()) continue;
    if (out.size() + piece.size() > bytes_max) break;
    out += piece;
  }
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return out;
}

bool IsUtf8(std::string_view bytes) {
  for (std::size_t at = 0; at < bytes.size();) {
    const CodePoint point = CodePointAt(bytes, at);
    if (!point.valid) return false;
    at += point.length;
  }
  return true;
}

}  // namespace tokensync
