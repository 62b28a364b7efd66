#include "text_cursor.h"

#include <algorithm>
#include <array>

namespace tokensync {

namespace {

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

}  // namespace

void TextCursor::SkipGap() {
  while (!AtEnd()) {
    const char c = text_[at_];
    if (IsSpace(c)) {
      ++at_;
      continue;
    }
    // A '#' right after something is no comment, whatever yaml-cpp says.
    const bool comment = c == '#' && (at_ == 0 || IsSpace(text_[at_ - 1]));
    if (!comment) return;
    at_ = std::min(text_.find('\n', at_), text_.size());
  }
}

bool TextCursor::FirstInLine() const {
  const std::size_t start = source_.LineStart(at_);
  return text_.substr(start, at_ - start).find_first_not_of(' ') == std::string_view::npos;
}

bool TextCursor::AtBlockIndicator(char indicator) const {
  return Peek() == indicator && (at_ + 1 >= text_.size() || IsSpace(text_[at_ + 1]));
}

std::size_t TextCursor::NullLength() const {
  static constexpr std::array<std::string_view, 4> kNulls = {"~", "null", "Null", "NULL"};
  for (const std::string_view null : kNulls) {
    if (!Rest().starts_with(null)) continue;
    const std::string_view after = Rest().substr(null.size());
    if (after.empty() || IsSpace(after[0]) || std::string_view(",]}:").find(after[0]) != std::string_view::npos) {
      return null.size();
    }
  }
  return 0;
}

bool TextCursor::MatchValue(std::string_view masked_value, std::string_view masked_text, std::string& value) {
  value.assign(masked_value);
  std::size_t at = at_;
  for (char& c : value) {
    if (IsSpace(c)) continue;
    while (at < text_.size() && IsSpace(text_[at])) ++at;
    if (at >= text_.size() || masked_text[at] != c) return false;
    c = text_[at];
    ++at;
  }
  at_ = at;
  return true;
}

}  // namespace tokensync
