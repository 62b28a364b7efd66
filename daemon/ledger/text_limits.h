/// Text from outside, made fit to be stored: valid UTF-8, without NUL, of limited length.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tokensync {

/// Longest message, cause, detail, error, or reason for holding or refusing a head, in bytes.
inline constexpr std::size_t kNoteBytesMax = 2'000;
/// Longest name: of an error, an author, a subject, a signer, an actor.
inline constexpr std::size_t kNameBytesMax = 500;
/// Longest path, and longest URL.
inline constexpr std::size_t kPathBytesMax = 4'096;

/// Whether the bytes are well-formed UTF-8 (no overlong form, surrogate, or code point beyond U+10FFFF).
bool IsValidUtf8(std::string_view text);

/// `text` with each byte that is not part of valid UTF-8, and each NUL, replaced by U+FFFD. Of a text that is then
/// longer than `bytes_max` (at least 3), as many whole characters as fit together with a closing "…".
std::string FitText(std::string_view text, std::size_t bytes_max);

}  // namespace tokensync
