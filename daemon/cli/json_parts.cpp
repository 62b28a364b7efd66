#include "json_parts.h"

#include "text.h"
#include "time_text.h"

namespace tokensync {

JsonValue JsonNumber(std::uint64_t number) {
  return static_cast<double>(number);
}

JsonValue JsonText(std::string_view text) {
  return text.empty() ? JsonValue() : JsonValue(ValidUtf8(text));
}

JsonValue JsonTime(std::optional<TimePoint> time) {
  return time ? JsonValue(FormatTime(*time)) : JsonValue();
}

JsonValue JsonDigest(const std::optional<Digest>& digest) {
  return digest ? JsonValue(digest->Hex()) : JsonValue();
}

std::string ValidUtf8(std::string_view text) {
  std::string valid;
  valid.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const CodePoint character = CodePointAt(text, at);
    valid += character.valid ? text.substr(at, character.length) : "\uFFFD";
    at += character.length;
  }
  return valid;
}

}  // namespace tokensync
