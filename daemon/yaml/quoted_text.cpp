#include "quoted_text.h"

#include <fmt/format.h>

#include <cstdint>
#include <optional>
#include <utility>

#include "source_text.h"

namespace tokensync {

namespace {

bool IsBlank(char c) {
  return c == ' ' || c == '\t';
}

bool IsHighSurrogate(std::uint32_t c) {
  return c >= 0xD800U && c <= 0xDBFFU;
}

bool IsLowSurrogate(std::uint32_t c) {
  return c >= 0xDC00U && c <= 0xDFFFU;
}

class QuotedReader {
 public:
  QuotedReader(std::string_view text, std::size_t start, std::size_t indent)
      : text_(text), start_(start), at_(start + 1), indent_(indent), quote_(text[start]) {}

  std::variant<QuotedText, QuoteFault> Read() {
    while (at_ < text_.size() && !fault_) {
      const char c = text_[at_];
      if (c == quote_) {
        if (quote_ == '"' || at_ + 1 >= text_.size() || text_[at_ + 1] != quote_) {
          return QuotedText{std::move(value_), at_ + 1};
        }
        value_.push_back(quote_);
        at_ += 2;
        solid_ = value_.size();
      } else if (c == '\\' && quote_ == '"') {
        ReadEscape();
      } else if (AtLineEnd()) {
        // Blanks at the end of a line are layout, escaped ones are content.
        value_.resize(solid_);
        FoldLines(false);
      } else {
        value_.push_back(c);
        ++at_;
        if (!IsBlank(c)) solid_ = value_.size();
      }
    }
    if (fault_) return *std::move(fault_);
    return QuoteFault{start_, fmt::format("a quoted text that does not end: its closing {} is missing", quote_),
                      fmt::format("close it with {}", quote_)};
  }

 private:
  bool AtLineEnd() const { return text_[at_] == '\n' || text_.substr(at_).starts_with("\r\n"); }

  void Fault(std::size_t offset, std::string what, std::string advice) {
    fault_ = QuoteFault{offset, std::move(what), std::move(advice)};
  }

  /// One line end is a space, further ones are line feeds; an escaped line end is nothing at all.
  void FoldLines(bool escaped) {
    std::size_t line_ends = 0;
    std::size_t line_start = at_;
    while (at_ < text_.size() && AtLineEnd()) {
      at_ += text_[at_] == '\r' ? 2 : 1;
      line_start = at_;
      ++line_ends;
      while (at_ < text_.size() && IsBlank(text_[at_])) ++at_;
    }
    if (line_ends > 1) {
      value_.append(line_ends - 1, '\n');
    } else if (!escaped) {
      value_.push_back(' ');
    }
    solid_ = value_.size();
    if (at_ >= text_.size()) return;
    std::size_t spaces = 0;
    while (text_[line_start + spaces] == ' ') ++spaces;
    if (spaces < indent_) {
      Fault(start_, "a quoted text that goes on in a line which is indented less than it",
            fmt::format("close it with {}, or indent its lines by at least {} space{}", quote_, indent_,
                        indent_ == 1 ? "" : "s"));
    }
  }

  void ReadEscape() {
    const std::size_t escape = at_;
    ++at_;
    if (at_ >= text_.size()) return;
    if (AtLineEnd()) {
      FoldLines(true);
      return;
    }
    const char c = text_[at_];
    ++at_;
    switch (c) {
      case '0':
        AppendUtf8(value_, 0);
        break;
      case 'a':
        value_.push_back('\a');
        break;
      case 'b':
        value_.push_back('\b');
        break;
      case 't':
      case '\t':
        value_.push_back('\t');
        break;
      case 'n':
        value_.push_back('\n');
        break;
      case 'v':
        value_.push_back('\v');
        break;
      case 'f':
        value_.push_back('\f');
        break;
      case 'r':
        value_.push_back('\r');
        break;
      case 'e':
        AppendUtf8(value_, 0x1B);
        break;
      case ' ':
      case '"':
      case '/':
      case '\\':
        value_.push_back(c);
        break;
      case 'N':
        AppendUtf8(value_, 0x85);
        break;
      case '_':
        AppendUtf8(value_, 0xA0);
        break;
      case 'L':
        AppendUtf8(value_, 0x2028);
        break;
      case 'P':
        AppendUtf8(value_, 0x2029);
        break;
      case 'x':
        ReadCodePoint(escape, 2);
        break;
      case 'u':
        ReadCodePoint(escape, 4);
        break;
      case 'U':
        ReadCodePoint(escape, 8);
        break;
      default:
        Fault(escape, "an escape that does not exist in double quotes",
              "write \\\\ for a backslash, or use single quotes");
    }
    solid_ = value_.size();
  }

  void ReadCodePoint(std::size_t escape, std::size_t digits) {
    std::optional<std::uint32_t> c = ReadHex(digits);
    if (c && IsHighSurrogate(*c) && digits == 4 && text_.substr(at_).starts_with("\\u")) {
      at_ += 2;
      const std::optional<std::uint32_t> low = ReadHex(4);
      c = low && IsLowSurrogate(*low) ? 0x10000U + ((*c & 0x3FFU) << 10U) + (*low & 0x3FFU) : *c;
    }
    if (!c) {
      Fault(escape, fmt::format("an escape that is not followed by {} hexadecimal digits", digits),
            "write \\\\ for a backslash, or use single quotes");
    } else if (IsHighSurrogate(*c) || IsLowSurrogate(*c)) {
      Fault(escape, "half of a surrogate pair", "write both halves, or the character itself");
    } else if (*c > 0x10FFFFU) {
      Fault(escape, "an escape beyond Unicode", "the largest character is U+10FFFF");
    } else {
      AppendUtf8(value_, *c);
    }
  }

  std::optional<std::uint32_t> ReadHex(std::size_t digits) {
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < digits; ++i, ++at_) {
      const char c = at_ < text_.size() ? text_[at_] : '\0';
      std::uint32_t digit = 0;
      if (c >= '0' && c <= '9') {
        digit = static_cast<std::uint32_t>(c - '0');
      } else if (c >= 'a' && c <= 'f') {
        digit = static_cast<std::uint32_t>(c - 'a') + 10;
      } else if (c >= 'A' && c <= 'F') {
        digit = static_cast<std::uint32_t>(c - 'A') + 10;
      } else {
        return std::nullopt;
      }
      value = value << 4U | digit;
    }
    return value;
  }

  std::string_view text_;
  std::size_t start_;
  std::size_t at_;
  std::size_t indent_;
  char quote_;
  std::string value_;
  std::size_t solid_ = 0;  ///< size of the value up to its last character that is no layout
  std::optional<QuoteFault> fault_;
};

}  // namespace

std::optional<std::size_t> FindOpenQuote(std::string_view text, std::size_t from) {
  for (std::size_t at = text.find_first_of("'\"", from); at != std::string_view::npos;
       at = text.find_first_of("'\"", at)) {
    const bool starts_word = at == 0 || std::string_view(" \t\n[]{},:").find(text[at - 1]) != std::string_view::npos;
    const auto read = starts_word ? ReadQuoted(text, at, 0) : QuotedText{{}, at + 1};
    if (std::holds_alternative<QuoteFault>(read)) return at;
    at = std::get<QuotedText>(read).end;
  }
  return std::nullopt;
}

std::variant<QuotedText, QuoteFault> ReadQuoted(std::string_view text, std::size_t start, std::size_t indent) {
  return QuotedReader(text, start, indent).Read();
}

}  // namespace tokensync
