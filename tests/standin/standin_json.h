/// JSON as the vendor's servers read and write it, which are written in Go: numbers are doubles unless a field is an
/// integer, invalid UTF-8 becomes U+FFFD, of a repeated member the last counts, and < > & are escaped in replies.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace tokensync::standin {

class Json;
using JsonList = std::vector<Json>;
using JsonMembers = std::map<std::string, Json, std::less<>>;

struct JsonNumber {
  double value = 0;
  /// The exact value of a literal without sign, fraction and exponent that fits: 888, not 888.0.
  std::optional<std::uint64_t> whole;
};

class Json {
 public:
  using Variant = std::variant<std::nullptr_t, bool, JsonNumber, std::string, JsonList, JsonMembers>;

  Json() : value_(std::in_place_type<std::nullptr_t>) {}
  explicit Json(bool value) : value_(std::in_place_type<bool>, value) {}
  explicit Json(JsonNumber value) : value_(std::in_place_type<JsonNumber>, value) {}
  explicit Json(std::string value) : value_(std::in_place_type<std::string>, std::move(value)) {}
  explicit Json(JsonList value) : value_(std::in_place_type<JsonList>, std::move(value)) {}
  explicit Json(JsonMembers value) : value_(std::in_place_type<JsonMembers>, std::move(value)) {}

  const Variant& variant() const { return value_; }
  bool IsNull() const { return std::holds_alternative<std::nullptr_t>(value_); }
  template <typename T>
  const T* As() const {
    return std::get_if<T>(&value_);
  }
  template <typename T>
  T* As() {
    return std::get_if<T>(&value_);
  }

 private:
  Variant value_;
};

/// The text is not JSON, or nested deeper than the limit.
class NotJson : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Throws NotJson.
Json ParseJsonText(std::string_view text);

/// Appends the value, members sorted by name, without white space.
void AppendJson(std::string& out, const Json& value);
void AppendJson(std::string& out, const JsonMembers& members);
/// Appends a string with its quotes.
void AppendJsonText(std::string& out, std::string_view text);

}  // namespace tokensync::standin
