#include "source_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace tokensync {

namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
constexpr std::size_t kLineTextCharactersMax = 200;

bool IsContinuation(char byte) {
  return (static_cast<unsigned char>(byte) & 0xC0U) == 0x80U;
}

std::uint32_t DecodeUtf8(std::string_view sequence) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(sequence[i])); };
  switch (sequence.size()) {
    case 1:
      return byte(0);
    case 2:
      return (byte(0) & 0x1FU) << 6U | (byte(1) & 0x3FU);
    case 3:
      return (byte(0) & 0x0FU) << 12U | (byte(1) & 0x3FU) << 6U | (byte(2) & 0x3FU);
    default:
      return (byte(0) & 0x07U) << 18U | (byte(1) & 0x3FU) << 12U | (byte(2) & 0x3FU) << 6U | (byte(3) & 0x3FU);
  }
}

bool IsForbidden(std::uint32_t c) {
  if (c < 0x20U) return c != '\t' && c != '\n';
  return (c >= 0x7FU && c <= 0x9FU && c != 0x85U) || c == 0xFEFFU || c == 0xFFFEU || c == 0xFFFFU;
}

}  // namespace

std::size_t Utf8SequenceLength(std::string_view text, std::size_t offset) {
  const auto lead = static_cast<unsigned char>(text[offset]);
  if (lead < 0x80U) return 1;
  const std::size_t length = lead >= 0xC2U && lead <= 0xDFU   ? 2
                             : lead >= 0xE0U && lead <= 0xEFU ? 3
                             : lead >= 0xF0U && lead <= 0xF4U ? 4
                                                              : 0;
  if (length == 0 || text.size() - offset < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if (!IsContinuation(text[offset + i])) return 0;
  }
  const std::uint32_t c = DecodeUtf8(text.substr(offset, length));
  const bool overlong = (length == 3 && c < 0x800U) || (length == 4 && c < 0x10000U);
  const bool surrogate = c >= 0xD800U && c <= 0xDFFFU;
  return overlong || surrogate || c > 0x10FFFFU ? 0 : length;
}

void AppendUtf8(std::string& out, std::uint32_t c) {
  const auto push = [&](std::uint32_t byte) { out.push_back(static_cast<char>(static_cast<unsigned char>(byte))); };
  if (c < 0x80U) {
    push(c);
  } else if (c < 0x800U) {
    push(0xC0U | c >> 6U);
    push(0x80U | (c & 0x3FU));
  } else if (c < 0x10000U) {
    push(0xE0U | c >> 12U);
    push(0x80U | (c >> 6U & 0x3FU));
    push(0x80U | (c & 0x3FU));
  } else {
    push(0xF0U | c >> 18U);
    push(0x80U | (c >> 12U & 0x3FU));
    push(0x80U | (c >> 6U & 0x3FU));
    push(0x80U | (c & 0x3FU));
  }
}

SourceText::SourceText(std::string path, std::string_view bytes) : path_(std::move(path)), text_(bytes) {
  if (text_.starts_with(kByteOrderMark)) text_.remove_prefix(kByteOrderMark.size());
  line_starts_.push_back(0);
  for (std::size_t at = text_.find('\n'); at != std::string_view::npos; at = text_.find('\n', at + 1)) {
    line_starts_.push_back(at + 1);
  }
}

std::optional<Problem> SourceText::FindBadCharacter() const {
  for (std::size_t at = 0; at < text_.size();) {
    const auto byte = static_cast<unsigned char>(text_[at]);
    if (byte >= 0x20U && byte < 0x7FU) {
      ++at;
      continue;
    }
    const std::size_t length = Utf8SequenceLength(text_, at);
    if (length == 0) {
      return ProblemAt(PositionAt(at), fmt::format("invalid UTF-8 (byte 0x{:02X})", byte), "save the file as UTF-8");
    }
    const std::uint32_t c = DecodeUtf8(text_.substr(at, length));
    if (c == '\r') {
      if (at + 1 >= text_.size() || text_[at + 1] != '\n') {
        return ProblemAt(PositionAt(at), "a carriage return that ends no line", "end lines with LF or CR LF");
      }
    } else if (IsForbidden(c)) {
      const std::string what = c == 0        ? "a NUL character"
                               : c == 0xFEFF ? "a byte order mark inside the text"
                                             : fmt::format("a control character (U+{:04X})", c);
      return ProblemAt(PositionAt(at), what,
                       fmt::format("write it as \"\\u{:04X}\" in double quotes, or remove it", c));
    }
    at += length;
  }
  return std::nullopt;
}

std::size_t SourceText::LineIndex(std::size_t offset) const {
  const auto after = std::upper_bound(line_starts_.begin(), line_starts_.end(), offset);
  return static_cast<std::size_t>(after - line_starts_.begin()) - 1;
}

std::size_t SourceText::LineStart(std::size_t offset) const {
  return line_starts_[LineIndex(offset)];
}

TextPosition SourceText::PositionAt(std::size_t offset) const {
  offset = std::min(offset, text_.size());
  while (offset > 0 && offset < text_.size() && IsContinuation(text_[offset])) --offset;
  const std::size_t line = LineIndex(offset);
  const auto line_number = static_cast<std::uint32_t>(line + 1);
  std::size_t from = line_starts_[line];
  std::uint32_t column = 1;
  if (known_.line == line_number && known_offset_ >= from && known_offset_ <= offset) {
    from = known_offset_;
    column = known_.column;
  }
  for (std::size_t at = from; at < offset; ++at) {
    if (!IsContinuation(text_[at])) ++column;
  }
  known_offset_ = offset;
  known_ = {line_number, column};
  return known_;
}

std::string SourceText::LineText(std::uint32_t line) const {
  if (line == 0 || line > line_starts_.size()) return {};
  const std::size_t start = line_starts_[line - 1];
  std::string_view rest = text_.substr(start);
  rest = rest.substr(0, rest.find('\n'));
  if (rest.ends_with('\r')) rest.remove_suffix(1);
  std::string out;
  std::size_t characters = 0;
  for (std::size_t at = 0; at < rest.size() && characters < kLineTextCharactersMax; ++characters) {
    const std::size_t length = Utf8SequenceLength(rest, at);
    // Bytes that are no character are shown as such, so that what is quoted stays text.
    out.append(length == 0 ? std::string_view("\xEF\xBF\xBD") : rest.substr(at, length));
    at += std::max<std::size_t>(length, 1);
  }
  return out;
}

Problem SourceText::ProblemAt(TextPosition position, std::string what, std::string advice) const {
  Problem problem{{path_, position.line, position.column}, std::move(what), std::move(advice), {}};
  if (position.column <= kLineTextCharactersMax) problem.text = LineText(position.line);
  return problem;
}

Problem SourceText::ProblemOfFile(std::string what, std::string advice) const {
  return {{path_, 0, 0}, std::move(what), std::move(advice), {}};
}

void ProblemList::Add(TextPosition position, std::string what, std::string advice) {
  if (problems_.size() > kProblemsPerFileMax) return;
  Add(source_.ProblemAt(position, std::move(what), std::move(advice)));
}

void ProblemList::Add(Problem problem) {
  if (problems_.size() < kProblemsPerFileMax) {
    problems_.push_back(std::move(problem));
  } else if (problems_.size() == kProblemsPerFileMax) {
    problem.what = fmt::format("more problems than the {} that are shown", kProblemsPerFileMax);
    problem.advice = "mend those first";
    problems_.push_back(std::move(problem));
  }
}

std::vector<Problem> ProblemList::Take() {
  std::stable_sort(problems_.begin(), problems_.end(),
                   [](const Problem& a, const Problem& b) { return a.place < b.place; });
  return std::exchange(problems_, {});
}

}  // namespace tokensync
