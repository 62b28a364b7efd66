#include "json_slices.h"

#include <algorithm>
#include <string>

#include "json_text.h"

namespace tokensync {

namespace {

// "tokens" with every character escaped is far shorter.
constexpr std::size_t kEscapedNameBytesMax = 256;

[[noreturn]] void Fail(const char* why) {
  throw JsonTextError(std::string("reading JSON: ") + why);
}

/// Goes through a text, value by value.
class Cutter {
 public:
  explicit Cutter(std::string_view text) : text_(text) {}

  /// Whether the next byte, white space apart, is that one; it is passed then.
  bool Pass(char byte) {
    SkipSpace();
    if (at_ == text_.size() || text_[at_] != byte) return false;
    ++at_;
    return true;
  }

  void Expect(char byte) {
    if (!Pass(byte)) Fail("the text is not what JSON has there");
  }

  void ExpectEnd() {
    SkipSpace();
    if (at_ != text_.size()) Fail("something follows the value");
  }

  std::string_view Literal() {
    SkipSpace();
    const std::size_t begin = at_;
    if (at_ == text_.size() || text_[at_] != '"') Fail("a name is missing");
    PassLiteral();
    return text_.substr(begin, at_ - begin);
  }

  std::string_view Value() {
    SkipSpace();
    const std::size_t begin = at_;
    std::size_t open = 0;
    do {
      if (at_ == text_.size()) Fail("the text ends within a value");
      const char byte = text_[at_];
      if (byte == '"') {
        PassLiteral();
        continue;
      }
      if (open == 0 && byte != '{' && byte != '[') {
        at_ = std::min(text_.find_first_of(",:]} \t\r\n", at_), text_.size());
        break;
      }
      if (byte == '{' || byte == '[') ++open;
      if (byte == '}' || byte == ']') --open;
      ++at_;
    } while (open > 0);
    if (at_ == begin) Fail("a value is missing");
    return text_.substr(begin, at_ - begin);
  }

 private:
  void SkipSpace() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  void PassLiteral() {
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '\\') {
        ++at_;
      } else if (text_[at_] == '"') {
        ++at_;
        return;
      }
    }
    Fail("the text ends within a string");
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

bool Spells(std::string_view literal, std::string_view name) {
  const std::string_view inner = literal.substr(1, literal.size() - 2);
  if (inner.find('\\') == std::string_view::npos) return inner == name;
  if (inner.size() > kEscapedNameBytesMax) return false;
  const JsonValue value = ParseJson(literal);
  const std::string* text = value.AsString();
  return text != nullptr && *text == name;
}

}  // namespace

std::optional<std::string_view> MemberText(std::string_view object, std::string_view name) {
  Cutter cutter(object);
  std::optional<std::string_view> found;
  cutter.Expect('{');
  if (!cutter.Pass('}')) {
    do {
      const std::string_view literal = cutter.Literal();
      cutter.Expect(':');
      const std::string_view value = cutter.Value();
      if (Spells(literal, name)) found = value;
    } while (cutter.Pass(','));
    cutter.Expect('}');
  }
  cutter.ExpectEnd();
  return found;
}

std::vector<std::string_view> ItemTexts(std::string_view array, std::size_t items_max) {
  Cutter cutter(array);
  std::vector<std::string_view> items;
  cutter.Expect('[');
  if (!cutter.Pass(']')) {
    do {
      if (items.size() == items_max) Fail("a list is too long");
      items.push_back(cutter.Value());
    } while (cutter.Pass(','));
    cutter.Expect(']');
  }
  cutter.ExpectEnd();
  return items;
}

}  // namespace tokensync
