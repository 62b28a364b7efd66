/// What names and addresses that a configuration gives are made of.
#pragma once

#include <charconv>
#include <cstdint>
#include <string_view>
#include <system_error>

namespace tokensync {

/// White space, an ASCII control character, or DEL.
inline bool IsSpaceOrControl(char c) {
  return static_cast<unsigned char>(c) <= 0x20 || c == 0x7F;
}

/// A decimal number within 1 and 65535.
inline bool IsPort(std::string_view text) {
  std::uint16_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value > 0;
}

}  // namespace tokensync
