#include "json_text.h"

#include <Poco/Exception.h>
#include <Poco/JSON/Handler.h>
#include <Poco/JSON/Parser.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>
#include <vector>

#include "text.h"

namespace tokensync {

namespace {

constexpr std::size_t kReasonCharactersMax = 120;

// Poco quotes the offending byte as it is, and of a bad number all digits: neither belongs in a log.
[[noreturn]] void Fail(std::string_view why) {
  throw JsonTextError("reading JSON: " + PrintableText(why, kReasonCharactersMax));
}

void RequireUtf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint character = CodePointAt(text, at);
    if (!character.valid) Fail("the text is not valid UTF-8 at byte " + std::to_string(at + 1));
    at += character.length;
  }
}

bool IsSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

// The end of the string literal that begins at `begin`, behind its closing quote.
std::size_t LiteralEnd(std::string_view text, std::size_t begin) {
  for (std::size_t at = begin + 1; at < text.size(); ++at) {
    if (text[at] == '\\') {
      ++at;
    } else if (text[at] == '"') {
      return at + 1;
    }
  }
  return text.size();
}

bool HoldsNul(std::string_view literal) {
  for (std::size_t at = 0; at + 1 < literal.size(); ++at) {
    if (literal[at] != '\\') continue;
    if (literal.substr(at, 6) == "\\u0000") return true;
    ++at;
  }
  return false;
}

bool IsMemberName(std::string_view text, std::size_t literal_end) {
  while (literal_end < text.size() && IsSpace(text[literal_end])) ++literal_end;
  return literal_end < text.size() && text[literal_end] == ':';
}

// Three things that Poco 1.11 would get wrong are settled on the text: it takes the byte FF as the end of the text and
// so accepts anything after it, it cuts a member's name at a NUL, and it refuses an integer beyond 64 bits, which it
// reads as a double once it has an exponent.
std::string Prepared(std::string_view text) {
  constexpr std::size_t kDigitsOfSafeIntegers = 18;
  RequireUtf8(text);
  std::string prepared;
  prepared.reserve(text.size() + 16);
  for (std::size_t at = 0; at < text.size();) {
    std::size_t end = at + 1;
    if (text[at] == '"') {
      end = LiteralEnd(text, at);
      if (HoldsNul(text.substr(at, end - at)) && IsMemberName(text, end)) Fail("a member's name holds a NUL");
      prepared.append(text.substr(at, end - at));
    } else if (text[at] >= '0' && text[at] <= '9') {
      end = std::min(text.find_first_not_of("0123456789", at), text.size());
      prepared.append(text.substr(at, end - at));
      const bool goes_on = end < text.size() && (text[end] == '.' || text[end] == 'e' || text[end] == 'E');
      if (goes_on) {
        const std::size_t tail = std::min(text.find_first_not_of("0123456789+-.eE", end), text.size());
        prepared.append(text.substr(end, tail - end));
        end = tail;
      } else if (end - at > kDigitsOfSafeIntegers) {
        prepared.append("e0");
      }
    } else {
      prepared.push_back(text[at]);
    }
    at = end;
  }
  return prepared;
}

class ValueBuilder : public Poco::JSON::Handler {
 public:
  JsonValue Take() { return std::move(root_); }

  void reset() override {}
  void startObject() override { open_.push_back({JsonObject(), std::exchange(name_, {})}); }
  void endObject() override { Close(); }
  void startArray() override { open_.push_back({JsonArray(), std::exchange(name_, {})}); }
  void endArray() override { Close(); }
  void key(const std::string& name) override { name_ = name; }
  void null() override { Add(JsonValue(nullptr)); }
  void value(int number) override { Add(JsonValue(number)); }
  void value(unsigned number) override { Add(JsonValue(static_cast<double>(number))); }
  void value(Poco::Int64 number) override { Add(JsonValue(static_cast<double>(number))); }
  void value(Poco::UInt64 number) override { Add(JsonValue(static_cast<double>(number))); }
  void value(const std::string& text) override { Add(JsonValue(text)); }
  void value(bool truth) override { Add(JsonValue(truth)); }
  void value(double number) override {
    if (!std::isfinite(number)) Fail("a number is beyond what a double holds");
    Add(JsonValue(number));
  }

 private:
  struct Container {
    JsonValue value;
    std::string name;  // under which the container goes into the one around it
  };

  void Close() {
    Container done = std::move(open_.back());
    open_.pop_back();
    name_ = std::move(done.name);
    Add(std::move(done.value));
  }

  void Add(JsonValue value) {
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (JsonArray* array = open_.back().value.AsArray()) {
      array->push_back(std::move(value));
    } else {
      open_.back().value.AsObject()->insert_or_assign(std::exchange(name_, {}), std::move(value));
    }
  }

  JsonValue root_;
  std::vector<Container> open_;
  std::string name_;
};

}  // namespace

JsonValue ParseJson(std::string_view text, std::size_t depth_max) {
  const std::string prepared = Prepared(text);
  Poco::SharedPtr<ValueBuilder> builder(new ValueBuilder);
  try {
    Poco::JSON::Parser parser(builder);
    parser.setDepth(depth_max);
    parser.parse(prepared);
  } catch (const Poco::Exception& error) {
    Fail(error.message().empty() ? error.displayText() : error.message());
  }
  return builder->Take();
}

}  // namespace tokensync
