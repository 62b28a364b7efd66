/// A place that moves through one document's text, over what stands between values. Private to this folder.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "document_split.h"
#include "source_text.h"

namespace tokensync {

/// Offsets are those of the whole text. Never beyond the end of the document.
class TextCursor {
 public:
  TextCursor(const SourceText& source, const DocumentSpan& span)
      : source_(source), text_(source.text().substr(0, span.end)), at_(span.content) {}

  std::size_t at() const { return at_; }
  void MoveTo(std::size_t offset) { at_ = offset; }
  bool AtEnd() const { return at_ >= text_.size(); }
  /// The character here; NUL, which no text holds, at the end.
  char Peek() const { return AtEnd() ? '\0' : text_[at_]; }
  std::string_view Rest() const { return text_.substr(at_); }
  /// The text up to the end of the document.
  std::string_view text() const { return text_; }
  TextPosition position() const { return source_.PositionAt(at_); }

  /// Moves over blanks, line ends and comments.
  void SkipGap();

  /// Bytes before this place in its line.
  std::size_t Indent() const { return at_ - source_.LineStart(at_); }
  /// Whether only spaces stand before this place in its line.
  bool FirstInLine() const;
  /// Whether a block indicator (- ? :) stands here: one that white space or the end follows.
  bool AtBlockIndicator(char indicator) const;

  /// Length of the word here that means null, or 0.
  std::size_t NullLength() const;

  /// Moves over the content of a plain scalar: the characters of `masked_value`, which stand here in this
  /// order with white space anywhere between them. Gives the value with the characters of the original in their places.
  /// False, without a move, where something else stands here.
  bool MatchValue(std::string_view masked_value, std::string_view masked_text, std::string& value);

 private:
  const SourceText& source_;
  std::string_view text_;
  std::size_t at_;
};

}  // namespace tokensync
