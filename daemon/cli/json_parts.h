/// Values of the program as members of JSON documents. For the files of this folder only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "json.h"
#include "model.h"

namespace tokensync {

/// A count, id or duration in milliseconds; all of them are below 2^53.
JsonValue JsonNumber(std::uint64_t number);
/// The text, or null where it is empty.
JsonValue JsonText(std::string_view text);
/// RFC 3339, or null.
JsonValue JsonTime(std::optional<TimePoint> time);
/// Hexadecimal, or null.
JsonValue JsonDigest(const std::optional<Digest>& digest);
/// `text` as valid UTF-8, as a JsonValue has to be: of foreign text, what is not becomes U+FFFD.
std::string ValidUtf8(std::string_view text);

}  // namespace tokensync
