/// JSON as a value, and its canonical text.
///
/// Numbers are IEEE 754 doubles, as RFC 8785 and the service have them; a reader refuses what a double does not hold.
#pragma once

#include <compare>
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tokensync {

class JsonValue;
using JsonArray = std::vector<JsonValue>;
/// Members by name, in byte order of their UTF-8 names. Names are unique.
using JsonObject = std::map<std::string, JsonValue, std::less<>>;

/// A JSON value. Strings are valid UTF-8 and numbers finite: whoever makes a value has checked that.
class JsonValue {
 public:
  using Variant = std::variant<std::nullptr_t, bool, double, std::string, JsonArray, JsonObject>;

  JsonValue() : value_(nullptr) {}
  JsonValue(std::nullptr_t) : value_(nullptr) {}                // NOLINT(google-explicit-constructor)
  JsonValue(bool value) : value_(value) {}                      // NOLINT(google-explicit-constructor)
  JsonValue(double value) : value_(value) {}                    // NOLINT(google-explicit-constructor)
  JsonValue(int value) : value_(static_cast<double>(value)) {}  // NOLINT(google-explicit-constructor)
  JsonValue(std::string value) : value_(std::move(value)) {}    // NOLINT(google-explicit-constructor)
  JsonValue(const char* value) : value_(std::string(value)) {}  // NOLINT(google-explicit-constructor)
  JsonValue(JsonArray value) : value_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  JsonValue(JsonObject value) : value_(std::move(value)) {}     // NOLINT(google-explicit-constructor)

  const Variant& variant() const { return value_; }

  bool IsNull() const { return std::holds_alternative<std::nullptr_t>(value_); }
  const bool* AsBool() const { return std::get_if<bool>(&value_); }
  const double* AsNumber() const { return std::get_if<double>(&value_); }
  const std::string* AsString() const { return std::get_if<std::string>(&value_); }
  const JsonArray* AsArray() const { return std::get_if<JsonArray>(&value_); }
  const JsonObject* AsObject() const { return std::get_if<JsonObject>(&value_); }
  JsonArray* AsArray() { return std::get_if<JsonArray>(&value_); }
  JsonObject* AsObject() { return std::get_if<JsonObject>(&value_); }

  /// The member of that name, or null where this is no object or has none.
  const JsonValue* Find(std::string_view name) const;

  /// null, "", [] and {} are empty: the service does not tell them from an absent field.
  bool IsEmpty() const;

  /// Deep equality; numbers by value.
  bool operator==(const JsonValue& other) const;

 private:
  Variant value_;
};

/// The text of RFC 8785 (JSON Canonicalization Scheme): no white space, members sorted by the UTF-16 code units of
/// their names, numbers as ECMAScript writes them, the fewest escapes. Equal values give equal bytes.
std::string CanonicalJson(const JsonValue& value);

/// Appends `text` (UTF-8) to `out` as a JSON string with its quotes, escaped as RFC 8785 says.
void AppendJsonString(std::string& out, std::string_view text);

/// A finite double as ECMAScript's Number::toString writes it: 1, 0.1, 1e+21, 5e-324. -0 gives 0.
std::string JsonNumberText(double value);

}  // namespace tokensync
