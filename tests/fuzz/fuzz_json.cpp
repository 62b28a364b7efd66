/// JSON text, against a plain reader of RFC 8259 that is here for this alone: both accept the same texts, but for those
/// that ours refuses by its contract, and both read the same values.
#include <charconv>
#include <cmath>
#include <optional>
#include <string>

#include "fuzz_checks.h"
#include "json.h"
#include "json_text.h"

namespace tokensync {
namespace {

constexpr std::size_t kDepthMax = 64;

class PlainReader {
 public:
  explicit PlainReader(std::string_view text) : text_(text) {}

  std::optional<JsonValue> Read() {
    auto value = Value();
    SkipSpace();
    return at_ == text_.size() ? value : std::nullopt;
  }

  /// The text is JSON, and holds what our reader refuses: a NUL in a name, half a surrogate pair, a number beyond a
  /// double.
  bool holds_refused() const { return holds_refused_; }
  std::size_t depth() const { return depth_max_; }

 private:
  char Peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
  bool Take(char c) {
    if (Peek() != c || at_ == text_.size()) return false;
    ++at_;
    return true;
  }
  bool TakeWord(std::string_view word) {
    if (!text_.substr(at_).starts_with(word)) return false;
    at_ += word.size();
    return true;
  }
  void SkipSpace() {
    while (at_ < text_.size() && (Peek() == ' ' || Peek() == '\t' || Peek() == '\n' || Peek() == '\r')) ++at_;
  }

  std::optional<JsonValue> Value() {
    SkipSpace();
    if (Peek() == '{' || Peek() == '[') {
      depth_max_ = std::max(depth_max_, ++depth_);
      // Deep enough to know that it is too deep, and no more: this is a recursion.
      if (depth_ > kDepthMax + 1) return std::nullopt;
      auto value = Peek() == '{' ? Object() : Array();
      --depth_;
      return value;
    }
    if (Peek() == '"') {
      auto text = String();
      return text ? std::optional<JsonValue>(*std::move(text)) : std::nullopt;
    }
    if (TakeWord("null")) return JsonValue(nullptr);
    if (TakeWord("true")) return JsonValue(true);
    if (TakeWord("false")) return JsonValue(false);
    return Number();
  }

  std::optional<JsonValue> Array() {
    JsonArray array;
    Take('[');
    SkipSpace();
    if (Take(']')) return array;
    do {
      auto item = Value();
      if (!item) return std::nullopt;
      array.push_back(*std::move(item));
      SkipSpace();
    } while (Take(','));
    return Take(']') ? std::optional<JsonValue>(std::move(array)) : std::nullopt;
  }

  std::optional<JsonValue> Object() {
    JsonObject object;
    Take('{');
    SkipSpace();
    if (Take('}')) return object;
    do {
      SkipSpace();
      auto name = String();
      SkipSpace();
      if (!name || !Take(':')) return std::nullopt;
      if (name->find('\0') != std::string::npos) holds_refused_ = true;
      auto value = Value();
      if (!value) return std::nullopt;
      object.insert_or_assign(*std::move(name), *std::move(value));
      SkipSpace();
    } while (Take(','));
    return Take('}') ? std::optional<JsonValue>(std::move(object)) : std::nullopt;
  }

  std::optional<std::string> String() {
    if (!Take('"')) return std::nullopt;
    std::string out;
    while (at_ < text_.size() && Peek() != '"') {
      const CodePoint character = CodePointAt(text_, at_);
      if (!character.valid || character.code < 0x20) return std::nullopt;
      if (character.code == '\\') {
        if (!Escape(out)) return std::nullopt;
      } else {
        out += text_.substr(at_, character.length);
        at_ += character.length;
      }
    }
    return Take('"') ? std::optional<std::string>(std::move(out)) : std::nullopt;
  }

  bool Escape(std::string& out) {
    static constexpr std::string_view kNames = "\"\\/bfnrt";
    static constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    Take('\\');
    if (Take('u')) {
      auto unit = Unit();
      if (!unit) return false;
      char32_t code = *unit;
      if (code >= 0xD800 && code < 0xDC00 && TakeWord("\\u")) {
        const auto low = Unit();
        if (!low) return false;
        if (*low >= 0xDC00 && *low < 0xE000) code = 0x10000 + ((code - 0xD800) << 10U) + (*low - 0xDC00);
      }
      if (code >= 0xD800 && code < 0xE000) {
        holds_refused_ = true;
      } else {
        Append(out, code);
      }
      return true;
    }
    const std::size_t name = at_ < text_.size() ? kNames.find(Peek()) : std::string_view::npos;
    if (name == std::string_view::npos) return false;
    out.push_back(kMeanings[name]);
    ++at_;
    return true;
  }

  std::optional<char32_t> Unit() {
    std::uint32_t unit = 0;
    const std::string_view digits = text_.substr(at_, 4);
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), unit, 16);
    if (digits.size() < 4 || error != std::errc() || end != digits.data() + 4) return std::nullopt;
    at_ += 4;
    return unit;
  }

  static void Append(std::string& out, char32_t code) {
    const auto tail = [&](unsigned shift) { out.push_back(static_cast<char>(0x80U | (code >> shift & 0x3FU))); };
    if (code < 0x80) {
      out.push_back(static_cast<char>(code));
    } else if (code < 0x800) {
      out.push_back(static_cast<char>(0xC0U | code >> 6U));
      tail(0);
    } else if (code < 0x10000) {
      out.push_back(static_cast<char>(0xE0U | code >> 12U));
      tail(6);
      tail(0);
    } else {
      out.push_back(static_cast<char>(0xF0U | code >> 18U));
      tail(12);
      tail(6);
      tail(0);
    }
  }

  bool Digits() {
    const std::size_t before = at_;
    while (Peek() >= '0' && Peek() <= '9') ++at_;
    return at_ > before;
  }

  std::optional<JsonValue> Number() {
    const std::size_t begin = at_;
    Take('-');
    if (!Take('0') && !Digits()) return std::nullopt;
    if (Take('.') && !Digits()) return std::nullopt;
    if (Take('e') || Take('E')) {
      if (!Take('+')) Take('-');
      if (!Digits()) return std::nullopt;
    }
    const double number = std::strtod(std::string(text_.substr(begin, at_ - begin)).c_str(), nullptr);
    if (!std::isfinite(number)) holds_refused_ = true;
    return number;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t depth_ = 0;
  std::size_t depth_max_ = 0;
  bool holds_refused_ = false;
};

void Check(std::string_view text) {
  PlainReader plain(text);
  const std::optional<JsonValue> expected = plain.Read();
  std::optional<JsonValue> read;
  try {
    read = ParseJson(text, kDepthMax);
  } catch (const JsonTextError& error) {
    RequirePrintable(error.what(), 200);
  }
  if (!read) {
    Require(!expected || plain.holds_refused() || plain.depth() > kDepthMax, "JSON is read", text);
    return;
  }
  Require(expected.has_value(), "what is no JSON is refused", text);
  Require(!plain.holds_refused(), "JSON that could not be kept is refused", text);
  Require(plain.depth() <= kDepthMax, "nesting has its limit", text);
  Require(*read == *expected, "the value is what the text says", text);
  const std::string canonical = CanonicalJson(*read);
  Require(ValidText(canonical) == canonical, "canonical text is UTF-8", text);
  const JsonValue again = ParseJson(canonical, kDepthMax);
  Require(again == *read && CanonicalJson(again) == canonical, "canonical text is read as the same value", canonical);
  const std::string printable = PrintableJson(*read);
  Require(printable.ends_with('\n'), "printable JSON is a line");
  RequirePrintable(std::string_view(printable).substr(0, printable.size() - 1), kNoLimit);
  Require(ParseJson(printable, kDepthMax) == *read, "printable JSON is read as the same value", printable);
}

}  // namespace
}  // namespace tokensync

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tokensync::Check(tokensync::InputText(data, size));
  return 0;
}
