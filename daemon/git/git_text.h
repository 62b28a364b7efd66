/// Foreign text made fit for logs and terminals, and text out of URLs.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tokensync {

/// Valid UTF-8 of at most `bytes_max` bytes on one line: invalid bytes become U+FFFD, control characters (also those of
/// terminals beyond ASCII) a space; white space at both ends is dropped; cut at a character.
std::string CleanText(std::string_view bytes, std::size_t bytes_max);

/// The text with %41 as A; a percent sign that two hexadecimal digits do not follow stays.
std::string PercentDecoded(std::string_view text);

/// Whether the bytes are valid UTF-8.
bool IsUtf8(std::string_view bytes);

}  // namespace tokensync
