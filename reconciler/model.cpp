#include "model.h"

#include <algorithm>
#include <charconv>

namespace tokensync {

namespace {

constexpr std::string_view kUint256Max =
    "115792089237316195423570985008687907853269984665640564039457584007913129639935";

/// Digits without a leading zero: how the key's numbers are written everywhere.
bool IsCanonicalNumber(std::string_view text) {
  const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
  return !text.empty() && std::all_of(text.begin(), text.end(), is_digit) && (text.size() == 1 || text[0] != '0');
}

std::optional<std::uint64_t> ParseSafeInteger(std::string_view text) {
  std::uint64_t value = 0;
  if (!IsCanonicalNumber(text)) return std::nullopt;
  const auto result = std::from_chars(text.data(), text.data() + text.size(), value);
  if (result.ec != std::errc() || value > kSafeIntegerMax) return std::nullopt;
  return value;
}

}  // namespace

std::optional<TokenId> TokenId::Parse(std::string_view text) {
  if (!IsCanonicalNumber(text) || text.size() > kUint256Max.size()) return std::nullopt;
  if (text.size() == kUint256Max.size() && text > kUint256Max) return std::nullopt;
  return TokenId(std::string(text));
}

std::strong_ordering TokenId::operator<=>(const TokenId& other) const {
  if (const auto by_length = text_.size() <=> other.text_.size(); by_length != 0) return by_length;
  return text_.compare(other.text_) <=> 0;
}

std::string CollectionKey::Text() const {
  return std::to_string(project.value) + "/" + std::to_string(collection.value);
}

std::string TokenKey::Text() const {
  return Collection().Text() + (token == TokenId::None() ? "" : "/" + token.text());
}

std::optional<TokenKey> TokenKey::Parse(std::string_view text) {
  const std::size_t first = text.find('/');
  if (first == std::string_view::npos) return std::nullopt;
  const std::size_t second = text.find('/', first + 1);
  if (second == std::string_view::npos) return std::nullopt;
  const auto project = ParseSafeInteger(text.substr(0, first));
  const auto collection = ParseSafeInteger(text.substr(first + 1, second - first - 1));
  auto token = TokenId::Parse(text.substr(second + 1));
  if (!project || !collection || !token) return std::nullopt;
  return TokenKey{ProjectId{*project}, CollectionId{*collection}, std::move(*token)};
}

std::string Digest::Hex() const {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text.push_back(kHex[byte >> 4]);
    text.push_back(kHex[byte & 15]);
  }
  return text;
}

std::optional<Digest> Digest::FromHex(std::string_view hex) {
  Digest digest;
  if (hex.size() != digest.bytes.size() * 2) return std::nullopt;
  for (std::size_t i = 0; i < digest.bytes.size(); ++i) {
    unsigned value = 0;
    for (const char c : hex.substr(2 * i, 2)) {
      if (c >= '0' && c <= '9') {
        value = value * 16 + static_cast<unsigned>(c - '0');
      } else if (c >= 'a' && c <= 'f') {
        value = value * 16 + static_cast<unsigned>(c - 'a') + 10;
      } else {
        return std::nullopt;
      }
    }
    digest.bytes[i] = static_cast<std::uint8_t>(value);
  }
  return digest;
}

const Entry* DesiredState::Find(const TokenKey& key) const {
  const auto found = std::lower_bound(entries.begin(), entries.end(), key,
                                      [](const Entry& entry, const TokenKey& wanted) { return entry.key < wanted; });
  return found != entries.end() && found->key == key ? &*found : nullptr;
}

bool DesiredState::IsAmbiguous(const TokenKey& key) const {
  return std::binary_search(ambiguous.begin(), ambiguous.end(), key);
}

}  // namespace tokensync
