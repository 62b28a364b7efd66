#include "core_schema.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <string>

#include "model.h"

namespace tokensync {

namespace {

bool IsDigit(char c) {
  return c >= '0' && c <= '9';
}

bool IsHexDigit(char c) {
  return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool IsOctalDigit(char c) {
  return c >= '0' && c <= '7';
}

template <typename Test>
bool All(std::string_view text, Test test) {
  return !text.empty() && std::all_of(text.begin(), text.end(), test);
}

std::string_view WithoutSign(std::string_view text) {
  if (!text.empty() && (text[0] == '-' || text[0] == '+')) text.remove_prefix(1);
  return text;
}

bool IsOneOf(std::string_view text, std::string_view a, std::string_view b, std::string_view c) {
  return text == a || text == b || text == c;
}

/// [-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?
bool IsDecimalFloat(std::string_view text) {
  text = WithoutSign(text);
  const std::size_t exponent = text.find_first_of("eE");
  if (exponent != std::string_view::npos) {
    if (!All(WithoutSign(text.substr(exponent + 1)), IsDigit)) return false;
    text = text.substr(0, exponent);
  }
  const std::size_t point = text.find('.');
  if (point == std::string_view::npos) return All(text, IsDigit);
  const std::string_view whole = text.substr(0, point);
  const std::string_view fraction = text.substr(point + 1);
  if (whole.empty()) return All(fraction, IsDigit);
  return All(whole, IsDigit) && (fraction.empty() || All(fraction, IsDigit));
}

/// A decimal number as its digits without zeros at either end, and the power of ten of the digit after them.
struct Decimal {
  std::string digits;
  std::int64_t exponent = 0;
  bool operator==(const Decimal&) const = default;
};

Decimal ParseDecimal(std::string_view text) {
  text = WithoutSign(text);
  std::int64_t exponent = 0;
  if (const std::size_t e = text.find_first_of("eE"); e != std::string_view::npos) {
    std::string_view digits = text.substr(e + 1);
    const bool negative = digits[0] == '-';
    digits = WithoutSign(digits);
    // Far beyond any double, and far from overflow with the digits of the largest file.
    constexpr std::int64_t kExponentMax = 1'000'000'000;
    for (const char c : digits) exponent = std::min<std::int64_t>(exponent * 10 + (c - '0'), kExponentMax);
    if (negative) exponent = -exponent;
    text = text.substr(0, e);
  }
  Decimal decimal;
  bool after_point = false;
  for (const char c : text) {
    if (c == '.') {
      after_point = true;
      continue;
    }
    decimal.digits.push_back(c);
    if (after_point) --exponent;
  }
  while (!decimal.digits.empty() && decimal.digits.back() == '0') {
    decimal.digits.pop_back();
    ++exponent;
  }
  decimal.digits.erase(0, decimal.digits.find_first_not_of('0'));
  decimal.exponent = decimal.digits.empty() ? 0 : exponent;
  return decimal;
}

std::variant<double, NumberFault> ExactInteger(std::string_view text) {
  const bool negative = text[0] == '-';
  text = WithoutSign(text);
  int base = 10;
  if (text.size() > 2 && text[0] == '0' && (text[1] == 'o' || text[1] == 'x')) {
    base = text[1] == 'o' ? 8 : 16;
    text.remove_prefix(2);
  }
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  if (error != std::errc() || end != text.data() + text.size() || value > kSafeIntegerMax) {
    return NumberFault::kTooLarge;
  }
  const auto number = static_cast<double>(value);
  return negative && value != 0 ? -number : number;
}

std::variant<double, NumberFault> ExactFloat(std::string_view text) {
  const std::string_view unsigned_text = WithoutSign(text);
  if (unsigned_text.find_first_of("nN") != std::string_view::npos) return NumberFault::kNotFinite;
  double value = 0;
  const auto [end, error] = std::from_chars(unsigned_text.data(), unsigned_text.data() + unsigned_text.size(), value);
  if (error == std::errc::result_out_of_range || end != unsigned_text.data() + unsigned_text.size()) {
    // Too large for a double, or so small that it would become 0.
    return NumberFault::kInexact;
  }
  if (!std::isfinite(value)) return NumberFault::kNotFinite;
  std::array<char, 64> shortest{};
  const auto written =
      std::to_chars(shortest.data(), shortest.data() + shortest.size(), value, std::chars_format::scientific);
  const auto length = static_cast<std::size_t>(written.ptr - shortest.data());
  if (ParseDecimal(unsigned_text) != ParseDecimal({shortest.data(), length})) return NumberFault::kInexact;
  return text[0] == '-' && value != 0 ? -value : value;
}

}  // namespace

ScalarKind ResolvePlain(std::string_view text) {
  if (text.empty() || text == "~" || IsOneOf(text, "null", "Null", "NULL")) return ScalarKind::kNull;
  if (IsOneOf(text, "true", "True", "TRUE") || IsOneOf(text, "false", "False", "FALSE")) return ScalarKind::kBool;
  const std::string_view unsigned_text = WithoutSign(text);
  if (unsigned_text.empty()) return ScalarKind::kString;
  if (All(unsigned_text, IsDigit)) return ScalarKind::kInteger;
  if (text.starts_with("0o") && All(text.substr(2), IsOctalDigit)) return ScalarKind::kInteger;
  if (text.starts_with("0x") && All(text.substr(2), IsHexDigit)) return ScalarKind::kInteger;
  if (IsOneOf(unsigned_text, ".inf", ".Inf", ".INF") || IsOneOf(text, ".nan", ".NaN", ".NAN"))
    return ScalarKind::kFloat;
  return IsDecimalFloat(text) ? ScalarKind::kFloat : ScalarKind::kString;
}

std::variant<double, NumberFault> ExactNumber(std::string_view text, ScalarKind kind) {
  return kind == ScalarKind::kInteger ? ExactInteger(text) : ExactFloat(text);
}

}  // namespace tokensync
