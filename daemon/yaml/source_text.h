/// The text of one file: its characters checked, its places counted, its lines quoted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model.h"

namespace tokensync {

/// Line and column of a character; both count from 1, columns in code points.
struct TextPosition {
  std::uint32_t line = 1;
  std::uint32_t column = 1;
  auto operator<=>(const TextPosition&) const = default;
};

/// A file's bytes with the places in them. Keeps no copy: the bytes outlive it. A byte order mark at the start is no
/// part of the text. Used by one thread at a time.
class SourceText {
 public:
  /// `path` is how problems name the file.
  SourceText(std::string path, std::string_view bytes);

  const std::string& path() const { return path_; }
  std::string_view text() const { return text_; }
  /// Whether the file's name says that it is JSON: then YAML's unquoted texts are mistakes.
  bool IsJson() const { return path_.ends_with(".json"); }

  /// The first place that is not text: invalid UTF-8, or a character that YAML forbids (NUL, other control characters,
  /// a carriage return that ends no line, a byte order mark inside). Nothing where all is well.
  std::optional<Problem> FindBadCharacter() const;

  /// Where the character at `offset` stands; past the end, where the next one would. Cheap for growing offsets.
  TextPosition PositionAt(std::size_t offset) const;

  /// Offset of the first character of the line that holds `offset`.
  std::size_t LineStart(std::size_t offset) const;

  /// A problem at a place of this file, with its line where `position` is within the part that is shown.
  Problem ProblemAt(TextPosition position, std::string what, std::string advice = {}) const;
  /// The same for the file as a whole.
  Problem ProblemOfFile(std::string what, std::string advice = {}) const;

 private:
  std::size_t LineIndex(std::size_t offset) const;
  std::string LineText(std::uint32_t line) const;

  std::string path_;
  std::string_view text_;
  std::vector<std::size_t> line_starts_;
  // The last answer of PositionAt: a long line is counted once, not once for each of its tokens.
  mutable std::size_t known_offset_ = 0;
  mutable TextPosition known_;
};

/// The problems of one file, at most kProblemsPerFileMax: the last one kept says that there were more.
class ProblemList {
 public:
  static constexpr std::size_t kProblemsPerFileMax = 50;

  explicit ProblemList(const SourceText& source) : source_(source) {}

  void Add(TextPosition position, std::string what, std::string advice = {});
  void Add(Problem problem);
  bool empty() const { return problems_.empty(); }
  std::size_t size() const { return problems_.size(); }
  const SourceText& source() const { return source_; }
  /// Hands out what was collected, in order of place.
  std::vector<Problem> Take();

 private:
  const SourceText& source_;
  std::vector<Problem> problems_;
};

/// Number of bytes of the valid UTF-8 sequence at `offset`, or 0.
std::size_t Utf8SequenceLength(std::string_view text, std::size_t offset);

/// Appends the code point (not a surrogate) as UTF-8.
void AppendUtf8(std::string& out, std::uint32_t code_point);

}  // namespace tokensync
