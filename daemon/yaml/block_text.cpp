#include "block_text.h"

#include <algorithm>

namespace tokensync {

namespace {

enum class Chomp { kStrip, kClip, kKeep };

struct Header {
  bool folded = false;
  Chomp chomp = Chomp::kClip;
  std::size_t indent = 0;  ///< as written; 0: to be found out
};

bool IsBlank(char c) {
  return c == ' ' || c == '\t';
}

class BlockReader {
 public:
  BlockReader(std::string_view text, std::size_t start, std::size_t parent_indent, bool within)
      : text_(text), start_(start), at_(start), parent_indent_(parent_indent), within_(within) {}

  std::variant<QuotedText, QuoteFault> Read() {
    Header header;
    if (!ReadHeader(header)) {
      return QuoteFault{at_, "text after '|' or '>'", "begin the text on the next line, or quote the value"};
    }
    end_ = at_;
    if (header.indent > 0) {
      indent_ = parent_indent_ + header.indent;
    } else if (!FindIndent()) {
      return QuoteFault{start_, "a block text that begins with a blank line of more spaces than its first line",
                        "remove those spaces"};
    }
    while (ReadLine(header.folded)) {
    }
    switch (header.chomp) {
      case Chomp::kStrip:
        break;
      case Chomp::kClip:
        if (line_ends_ > 0 && any_line_) value_.push_back('\n');
        break;
      case Chomp::kKeep:
        value_.append(line_ends_, '\n');
        break;
    }
    return QuotedText{std::move(value_), end_};
  }

 private:
  /// A line without its end, and the offset of the next one.
  struct Line {
    std::string_view text;
    std::size_t next = 0;
    bool ended = false;  ///< by a line end, not by the end of the document
  };

  Line LineAt(std::size_t offset) const {
    const std::size_t feed = text_.find('\n', offset);
    Line line;
    line.ended = feed != std::string_view::npos;
    line.next = line.ended ? feed + 1 : text_.size();
    line.text = text_.substr(offset, (line.ended ? feed : text_.size()) - offset);
    if (line.text.ends_with('\r')) line.text.remove_suffix(1);
    return line;
  }

  bool ReadHeader(Header& header) {
    header.folded = text_[at_] == '>';
    for (++at_; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (c == '+' || c == '-') {
        header.chomp = c == '+' ? Chomp::kKeep : Chomp::kStrip;
      } else if (c >= '1' && c <= '9') {
        header.indent = static_cast<std::size_t>(c - '0');
      } else {
        break;
      }
    }
    const Line rest = LineAt(at_);
    const std::size_t word = rest.text.find_first_not_of(" \t");
    if (word != std::string_view::npos && (rest.text[word] != '#' || word == 0)) return false;
    at_ = rest.next;
    line_ends_ = 0;
    return true;
  }

  bool FindIndent() {
    const std::size_t least = within_ ? parent_indent_ + 1 : 0;
    std::size_t most_blank = 0;
    for (std::size_t offset = at_; offset < text_.size();) {
      const Line line = LineAt(offset);
      const std::size_t spaces = std::min(line.text.find_first_not_of(' '), line.text.size());
      if (spaces < line.text.size()) {
        indent_ = std::max(spaces, least);
        return spaces < least || most_blank <= spaces;
      }
      most_blank = std::max(most_blank, spaces);
      offset = line.next;
    }
    indent_ = std::max(most_blank, least);
    return true;
  }

  bool ReadLine(bool folded) {
    if (at_ >= text_.size()) return false;
    const Line line = LineAt(at_);
    const std::size_t spaces = std::min(line.text.find_first_not_of(' '), line.text.size());
    if (spaces == line.text.size() && spaces <= indent_) {
      if (line.ended) ++line_ends_;
      at_ = line.next;
      return true;
    }
    if (spaces < indent_) return false;
    const std::string_view content = line.text.substr(indent_);
    const bool spaced = IsBlank(content[0]);
    const bool folds = folded && any_line_ && !spaced && !last_spaced_;
    if (!folds) {
      value_.append(line_ends_, '\n');
    } else if (line_ends_ == 1) {
      value_.push_back(' ');
    } else {
      value_.append(line_ends_ - 1, '\n');
    }
    value_.append(content);
    any_line_ = true;
    last_spaced_ = spaced;
    line_ends_ = line.ended ? 1 : 0;
    end_ = at_ + line.text.size();
    at_ = line.next;
    return true;
  }

  std::string_view text_;
  std::size_t start_;
  std::size_t at_;
  std::size_t parent_indent_;
  bool within_;
  std::size_t indent_ = 0;
  std::size_t end_ = 0;
  std::string value_;
  std::size_t line_ends_ = 0;  ///< since the last line of content
  bool any_line_ = false;
  bool last_spaced_ = false;
};

}  // namespace

std::variant<QuotedText, QuoteFault> ReadBlockText(std::string_view text, std::size_t start, std::size_t parent_indent,
                                                   bool within) {
  return BlockReader(text, start, parent_indent, within).Read();
}

}  // namespace tokensync
