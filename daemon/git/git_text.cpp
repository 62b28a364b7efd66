#include "git_text.h"

#include <optional>

#include "text.h"

namespace tokensync {

namespace {

std::optional<int> HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

}  // namespace

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

std::string PercentDecoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '%' && i + 2 < text.size() && HexDigit(text[i + 1]) && HexDigit(text[i + 2])) {
      out += static_cast<char>(*HexDigit(text[i + 1]) * 16 + *HexDigit(text[i + 2]));
      i += 2;
    } else {
      out += text[i];
    }
  }
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
