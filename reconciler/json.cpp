#include "json.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>

namespace tokensync {

const JsonValue* JsonValue::Find(std::string_view name) const {
  const JsonObject* object = AsObject();
  if (object == nullptr) return nullptr;
  auto found = object->find(name);
  return found == object->end() ? nullptr : &found->second;
}

bool JsonValue::IsEmpty() const {
  if (IsNull()) return true;
  if (const auto* text = AsString()) return text->empty();
  if (const auto* array = AsArray()) return array->empty();
  if (const auto* object = AsObject()) return object->empty();
  return false;
}

bool JsonValue::operator==(const JsonValue& other) const {
  return value_ == other.value_;
}

namespace {

// RFC 8785 sorts names by UTF-16 code units. That order differs from the order of UTF-8 bytes only where a character
// beyond U+FFFF (a surrogate pair, so D800 to DFFF) meets one from U+E000 to U+FFFF.
bool Utf16Less(std::string_view a, std::string_view b) {
  const auto differ = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  if (differ.first == a.end() || differ.second == b.end()) return a.size() < b.size();
  const auto x = static_cast<std::uint8_t>(*differ.first);
  const auto y = static_cast<std::uint8_t>(*differ.second);
  // In both a lead byte, unless the characters share one; then both are on the same side of U+FFFF.
  const bool x_pair = x >= 0xF0;
  const bool y_pair = y >= 0xF0;
  if (x_pair != y_pair) {
    const std::uint8_t single = x_pair ? y : x;
    const bool single_is_above_surrogates = single >= 0xEE;
    if (single_is_above_surrogates) return x_pair;
  }
  return x < y;
}

void AppendCanonical(std::string& out, const JsonValue& value);

void AppendObject(std::string& out, const JsonObject& object) {
  std::vector<const JsonObject::value_type*> members;
  members.reserve(object.size());
  for (const auto& member : object) members.push_back(&member);
  std::sort(members.begin(), members.end(), [](const auto* a, const auto* b) { return Utf16Less(a->first, b->first); });
  out.push_back('{');
  bool first = true;
  for (const auto* member : members) {
    if (!first) out.push_back(',');
    first = false;
    AppendJsonString(out, member->first);
    out.push_back(':');
    AppendCanonical(out, member->second);
  }
  out.push_back('}');
}

void AppendArray(std::string& out, const JsonArray& array) {
  out.push_back('[');
  bool first = true;
  for (const auto& element : array) {
    if (!first) out.push_back(',');
    first = false;
    AppendCanonical(out, element);
  }
  out.push_back(']');
}

void AppendCanonical(std::string& out, const JsonValue& value) {
  if (value.IsNull()) {
    out += "null";
  } else if (const auto* boolean = value.AsBool()) {
    out += *boolean ? "true" : "false";
  } else if (const auto* number = value.AsNumber()) {
    out += JsonNumberText(*number);
  } else if (const auto* text = value.AsString()) {
    AppendJsonString(out, *text);
  } else if (const auto* array = value.AsArray()) {
    AppendArray(out, *array);
  } else if (const auto* object = value.AsObject()) {
    AppendObject(out, *object);
  }
}

}  // namespace

std::string CanonicalJson(const JsonValue& value) {
  std::string out;
  AppendCanonical(out, value);
  return out;
}

void AppendJsonString(std::string& out, std::string_view text) {
  static constexpr char kHex[] = "0123456789abcdef";
  out.push_back('"');
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (const auto byte = static_cast<unsigned char>(c); byte < 0x20) {
          out += "\\u00";
          out.push_back(kHex[byte >> 4]);
          out.push_back(kHex[byte & 15]);
        } else {
          out.push_back(c);
        }
    }
  }
  out.push_back('"');
}

std::string JsonNumberText(double value) {
  if (!std::isfinite(value)) std::abort();
  if (value == 0) return "0";
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, std::fabs(value), std::chars_format::scientific).ptr;
  // "d.ddde±xx" to the shortest digits and the decimal exponent of ECMAScript's Number::toString.
  const std::string_view text(buffer, static_cast<std::size_t>(end - buffer));
  const std::size_t mark = text.find('e');
  std::string digits;
  for (const char c : text.substr(0, mark)) {
    if (c != '.') digits.push_back(c);
  }
  const char* exponent_text = buffer + mark + 1;
  if (*exponent_text == '+') ++exponent_text;
  int exponent = 0;
  std::from_chars(exponent_text, end, exponent);
  const int digit_count = static_cast<int>(digits.size());
  const int point = exponent + 1;  // digits before the decimal point

  std::string out = value < 0 ? "-" : "";
  if (digit_count <= point && point <= 21) {
    out += digits;
    out.append(static_cast<std::size_t>(point - digit_count), '0');
  } else if (0 < point && point <= 21) {
    digits.insert(static_cast<std::size_t>(point), 1, '.');
    out += digits;
  } else if (-6 < point && point <= 0) {
    out += "0.";
    out.append(static_cast<std::size_t>(-point), '0');
    out += digits;
  } else {
    out.push_back(digits[0]);
    if (digit_count > 1) out.append(".").append(digits, 1);
    out += point - 1 < 0 ? "e-" : "e+";
    out += std::to_string(std::abs(point - 1));
  }
  return out;
}

}  // namespace tokensync
