#include "jwt_claims.h"

#include <charconv>
#include <cmath>
#include <string>
#include <string_view>

#include "json_text.h"

namespace tokensync {

namespace {

std::optional<std::string> DecodeBase64Url(std::string_view text) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string bytes;
  std::uint32_t bits = 0;
  int bit_count = 0;
  for (const char c : text) {
    const std::size_t digit = kAlphabet.find(c);
    if (digit == std::string_view::npos) return std::nullopt;
    bits = ((bits << 6) | static_cast<std::uint32_t>(digit)) & 0xFFFFFF;
    bit_count += 6;
    if (bit_count >= 8) {
      bit_count -= 8;
      bytes.push_back(static_cast<char>((bits >> bit_count) & 0xFF));
    }
  }
  return bytes;
}

std::optional<std::uint64_t> SafeInteger(const JsonValue* value) {
  if (value == nullptr) return std::nullopt;
  if (const double* number = value->AsNumber()) {
    if (*number < 0 || *number > static_cast<double>(kSafeIntegerMax) || std::floor(*number) != *number) {
      return std::nullopt;
    }
    return static_cast<std::uint64_t>(*number);
  }
  if (const std::string* text = value->AsString()) {
    std::uint64_t number = 0;
    const char* end = text->data() + text->size();
    const auto [stop, failure] = std::from_chars(text->data(), end, number);
    if (failure == std::errc() && stop == end && number <= kSafeIntegerMax) return number;
  }
  return std::nullopt;
}

// The year 9999, up to which a TimePoint can be written in four digits.
constexpr double kSecondsMax = 253402300799.0;

}  // namespace

std::optional<JwtClaims> ReadJwtClaims(const Secret& token) {
  const std::string_view text = token.Reveal();
  const std::size_t first_dot = text.find('.');
  if (first_dot == std::string_view::npos) return std::nullopt;
  const std::size_t second_dot = text.find('.', first_dot + 1);
  if (second_dot == std::string_view::npos) return std::nullopt;
  const auto payload = DecodeBase64Url(text.substr(first_dot + 1, second_dot - first_dot - 1));
  if (!payload) return std::nullopt;
  try {
    const JsonValue claims = ParseJson(*payload);
    if (claims.AsObject() == nullptr) return std::nullopt;
    JwtClaims result;
    result.project = SafeInteger(claims.Find("project"));
    const JsonValue* expires = claims.Find("exp");
    if (const double* seconds = expires == nullptr ? nullptr : expires->AsNumber()) {
      if (*seconds >= 0 && *seconds <= kSecondsMax) {
        result.expires = TimePoint(std::chrono::seconds(static_cast<std::int64_t>(*seconds)));
      }
    }
    return result;
  } catch (const JsonTextError&) {
    return std::nullopt;
  }
}

}  // namespace tokensync
