#include "standin_json.h"

#include <charconv>
#include <cmath>
#include <cstdlib>
#include <system_error>

namespace tokensync::standin {
namespace {

constexpr int kDepthMax = 1000;
constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

/// Length of the well-formed UTF-8 sequence at the start of `text`, or 0.
std::size_t SequenceLength(std::string_view text) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto follows = [&](std::size_t i, unsigned low = 0x80, unsigned high = 0xBF) {
    return i < text.size() && byte(i) >= low && byte(i) <= high;
  };
  const unsigned first = byte(0);
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return follows(1) ? 2 : 0;
  if (first == 0xE0) return follows(1, 0xA0) && follows(2) ? 3 : 0;
  if (first == 0xED) return follows(1, 0x80, 0x9F) && follows(2) ? 3 : 0;
  if (first >= 0xE1 && first <= 0xEF) return follows(1) && follows(2) ? 3 : 0;
  if (first == 0xF0) return follows(1, 0x90) && follows(2) && follows(3) ? 4 : 0;
  if (first >= 0xF1 && first <= 0xF3) return follows(1) && follows(2) && follows(3) ? 4 : 0;
  if (first == 0xF4) return follows(1, 0x80, 0x8F) && follows(2) && follows(3) ? 4 : 0;
  return 0;
}

void AppendCodePoint(std::string& out, std::uint32_t code) {
  const auto put = [&](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | (code >> 6));
    put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | (code >> 12));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | (code >> 18));
    put(0x80 | ((code >> 12) & 0x3F));
    put(0x80 | ((code >> 6) & 0x3F));
    put(0x80 | (code & 0x3F));
  }
}

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text) {}

  Json Document() {
    Json value = Value(0);
    SkipSpace();
    if (at_ != text_.size()) Fail("there is more after the value");
    return value;
  }

 private:
  [[noreturn]] void Fail(const std::string& why) const { throw NotJson("at byte " + std::to_string(at_) + ": " + why); }

  bool Ends() const { return at_ >= text_.size(); }
  char Peek() const { return Ends() ? '\0' : text_[at_]; }

  void SkipSpace() {
    while (!Ends() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\r' || text_[at_] == '\t')) ++at_;
  }

  void Expect(char wanted) {
    if (Peek() != wanted || Ends()) Fail(std::string("expected ") + wanted);
    ++at_;
  }

  void Word(std::string_view word) {
    if (text_.substr(at_, word.size()) != word) Fail("no value");
    at_ += word.size();
  }

  Json Value(int depth) {
    if (depth > kDepthMax) Fail("nested too deeply");
    SkipSpace();
    switch (Peek()) {
      case '{':
        return Json(Members(depth));
      case '[':
        return Json(List(depth));
      case '"':
        return Json(Text());
      case 't':
        Word("true");
        return Json(true);
      case 'f':
        Word("false");
        return Json(false);
      case 'n':
        Word("null");
        return Json();
      default:
        return Json(Number());
    }
  }

  JsonMembers Members(int depth) {
    JsonMembers members;
    ++at_;
    SkipSpace();
    if (Peek() == '}') return ++at_, members;
    while (true) {
      SkipSpace();
      if (Peek() != '"') Fail("expected a member's name");
      std::string name = Text();
      SkipSpace();
      Expect(':');
      members.insert_or_assign(std::move(name), Value(depth + 1));
      SkipSpace();
      if (Peek() == '}') return ++at_, members;
      Expect(',');
    }
  }

  JsonList List(int depth) {
    JsonList list;
    ++at_;
    SkipSpace();
    if (Peek() == ']') return ++at_, list;
    while (true) {
      list.push_back(Value(depth + 1));
      SkipSpace();
      if (Peek() == ']') return ++at_, list;
      Expect(',');
    }
  }

  std::uint32_t HexUnit() {
    std::uint32_t unit = 0;
    const auto* begin = text_.data() + at_;
    if (text_.size() - at_ < 4) Fail("short escape");
    const auto [end, error] = std::from_chars(begin, begin + 4, unit, 16);
    if (error != std::errc() || end != begin + 4) Fail("bad escape");
    at_ += 4;
    return unit;
  }

  void Escape(std::string& out) {
    ++at_;
    if (Ends()) Fail("unfinished string");
    const char kind = text_[at_++];
    switch (kind) {
      case '"':
      case '\\':
      case '/':
        out.push_back(kind);
        return;
      case 'b':
        out.push_back('\b');
        return;
      case 'f':
        out.push_back('\f');
        return;
      case 'n':
        out.push_back('\n');
        return;
      case 'r':
        out.push_back('\r');
        return;
      case 't':
        out.push_back('\t');
        return;
      case 'u':
        break;
      default:
        Fail("unknown escape");
    }
    const std::uint32_t unit = HexUnit();
    if (unit < 0xD800 || unit > 0xDFFF) return AppendCodePoint(out, unit);
    if (unit < 0xDC00 && text_.substr(at_, 2) == "\\u") {
      const std::size_t second_at = at_;
      at_ += 2;
      const std::uint32_t second = HexUnit();
      if (second >= 0xDC00 && second <= 0xDFFF)
        return AppendCodePoint(out, 0x10000 + ((unit - 0xD800) << 10) + (second - 0xDC00));
      at_ = second_at;
    }
    out += kReplacement;
  }

  std::string Text() {
    std::string out;
    ++at_;
    while (true) {
      std::size_t end = at_;
      while (end < text_.size() && static_cast<unsigned char>(text_[end]) >= 0x20 && text_[end] != '"' &&
             text_[end] != '\\' && static_cast<unsigned char>(text_[end]) < 0x80)
        ++end;
      out.append(text_, at_, end - at_);
      at_ = end;
      if (Ends()) Fail("unfinished string");
      const char c = text_[at_];
      if (c == '"') return ++at_, out;
      if (c == '\\') {
        Escape(out);
      } else if (static_cast<unsigned char>(c) < 0x20) {
        Fail("control character in a string");
      } else if (const std::size_t length = SequenceLength(text_.substr(at_)); length > 0) {
        out.append(text_, at_, length);
        at_ += length;
      } else {
        out += kReplacement;
        ++at_;
      }
    }
  }

  std::size_t Digits() {
    const std::size_t begin = at_;
    while (!Ends() && text_[at_] >= '0' && text_[at_] <= '9') ++at_;
    return at_ - begin;
  }

  JsonNumber Number() {
    const std::size_t begin = at_;
    bool plain = true;
    if (Peek() == '-') ++at_, plain = false;
    const char first = Peek();
    const std::size_t digits = Digits();
    if (digits == 0) Fail("no value");
    if (digits > 1 && first == '0') Fail("leading zero");
    if (Peek() == '.') {
      ++at_, plain = false;
      if (Digits() == 0) Fail("no digit after the point");
    }
    if (Peek() == 'e' || Peek() == 'E') {
      ++at_, plain = false;
      if (Peek() == '+' || Peek() == '-') ++at_;
      if (Digits() == 0) Fail("no digit in the exponent");
    }
    const std::string literal(text_.substr(begin, at_ - begin));
    JsonNumber number;
    const char* end = literal.data() + literal.size();
    if (std::from_chars(literal.data(), end, number.value).ec == std::errc::result_out_of_range) {
      // Too large and too small are one error of from_chars; only too large is one of the format.
      number.value = std::strtod(literal.c_str(), nullptr);
      if (!std::isfinite(number.value)) Fail("a number beyond the range of a double");
    }
    std::uint64_t whole = 0;
    if (plain && std::from_chars(literal.data(), end, whole).ec == std::errc()) number.whole = whole;
    return number;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

void AppendNumber(std::string& out, double value) {
  char buffer[64];
  const double size = std::fabs(value);
  const bool scientific = size != 0 && (size < 1e-6 || size >= 1e21);
  const auto result = std::to_chars(buffer, buffer + sizeof buffer, value,
                                    scientific ? std::chars_format::scientific : std::chars_format::fixed);
  std::string text(buffer, result.ptr);
  // Go drops the zero that C++ puts before a one-digit exponent.
  if (scientific && text.size() >= 4 && text[text.size() - 2] == '0' &&
      (text[text.size() - 3] == '-' || text[text.size() - 3] == '+'))
    text.erase(text.size() - 2, 1);
  out += text;
}

}  // namespace

Json ParseJsonText(std::string_view text) {
  return Parser(text).Document();
}

void AppendJsonText(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out.push_back('"');
  std::size_t plain = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    // U+2028 and U+2029 end a line in old JavaScript.
    const bool separator = c == 0xE2 && (text.substr(i, 3) == "\xE2\x80\xA8" || text.substr(i, 3) == "\xE2\x80\xA9");
    if (c >= 0x20 && c != '"' && c != '\\' && c != '<' && c != '>' && c != '&' && !separator) continue;
    out.append(text, plain, i - plain);
    if (separator) {
      out += text[i + 2] == '\xA8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else if (c == '"' || c == '\\') {
      out.push_back('\\');
      out.push_back(static_cast<char>(c));
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      out += "\\u00";
      out.push_back(kHex[c >> 4]);
      out.push_back(kHex[c & 15]);
    }
    plain = i + 1;
  }
  out.append(text, plain, text.size() - plain);
  out.push_back('"');
}

void AppendJson(std::string& out, const JsonMembers& members) {
  out.push_back('{');
  bool first = true;
  for (const auto& [name, value] : members) {
    if (!std::exchange(first, false)) out.push_back(',');
    AppendJsonText(out, name);
    out.push_back(':');
    AppendJson(out, value);
  }
  out.push_back('}');
}

void AppendJson(std::string& out, const Json& value) {
  if (value.IsNull()) {
    out += "null";
  } else if (const auto* flag = value.As<bool>()) {
    out += *flag ? "true" : "false";
  } else if (const auto* number = value.As<JsonNumber>()) {
    AppendNumber(out, number->value);
  } else if (const auto* text = value.As<std::string>()) {
    AppendJsonText(out, *text);
  } else if (const auto* list = value.As<JsonList>()) {
    out.push_back('[');
    for (std::size_t i = 0; i < list->size(); ++i) {
      if (i > 0) out.push_back(',');
      AppendJson(out, (*list)[i]);
    }
    out.push_back(']');
  } else {
    AppendJson(out, *value.As<JsonMembers>());
  }
}

}  // namespace tokensync::standin
