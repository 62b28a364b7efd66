#include "openpgp_packet.h"

#include <openssl/evp.h>

#include <algorithm>
#include <cstdint>

namespace tokensync {

namespace {

constexpr unsigned int kSignatureTag = 2;

/// The next line, without its end.
std::string_view TakeLine(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
  return line;
}

bool IsBase64(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '/';
}

/// The bytes in the armour. Stricter than gpg, which skips what it does not know: so both read the same.
std::optional<std::string> Unarmoured(std::string_view armour) {
  TakeLine(armour);
  // Headers such as "Comment: …".
  while (!TakeLine(armour).empty()) {
    if (armour.empty()) return std::nullopt;
  }
  std::string digits;
  for (std::string_view line = TakeLine(armour); !line.starts_with('-'); line = TakeLine(armour)) {
    const bool is_checksum = line.starts_with('=') && line.size() == 5;
    if (is_checksum) {
      if (!TakeLine(armour).starts_with('-')) return std::nullopt;
      break;
    }
    // After padding nothing else may come.
    if (line.empty() || digits.ends_with('=')) return std::nullopt;
    digits += line;
  }
  const std::size_t padding = digits.size() - (digits.find_last_not_of('=') + 1);
  if (digits.empty() || digits.size() % 4 != 0 || padding > 2) return std::nullopt;
  if (!std::all_of(digits.begin(), digits.end() - static_cast<std::ptrdiff_t>(padding), IsBase64)) return std::nullopt;
  std::string bytes(digits.size() / 4 * 3, '\0');
  const int length =
      EVP_DecodeBlock(reinterpret_cast<unsigned char*>(bytes.data()),
                      reinterpret_cast<const unsigned char*>(digits.data()), static_cast<int>(digits.size()));
  if (length < 0) return std::nullopt;
  bytes.resize(static_cast<std::size_t>(length) - padding);
  return bytes;
}

struct Packet {
  unsigned int tag = 0;
  std::size_t size = 0;  ///< header included; may be more than there is
};

/// The packet's header, or nothing where it has none with a length.
std::optional<Packet> ReadHeader(std::string_view bytes) {
  const auto at = [&](std::size_t i) {
    return i < bytes.size() ? static_cast<std::uint8_t>(bytes[i]) : std::uint8_t{0};
  };
  const auto number = [&](std::size_t from, std::size_t count) {
    std::size_t value = 0;
    for (std::size_t i = 0; i < count; ++i) value = value << 8U | at(from + i);
    return value;
  };
  const unsigned int first = at(0);
  if ((first & 0x80U) == 0) return std::nullopt;
  if ((first & 0x40U) == 0) {
    const unsigned int kind = first & 3U;
    if (kind == 3) return std::nullopt;
    const std::size_t octets = std::size_t{1} << kind;
    return Packet{.tag = first >> 2U & 0xFU, .size = 1 + octets + number(1, octets)};
  }
  const unsigned int tag = first & 0x3FU;
  const unsigned int length = at(1);
  if (length < 192) return Packet{.tag = tag, .size = 2 + length};
  if (length < 224) return Packet{.tag = tag, .size = 3 + ((length - 192) << 8U) + at(2) + 192};
  if (length == 255) return Packet{.tag = tag, .size = 6 + number(2, 4)};
  return std::nullopt;
}

}  // namespace

std::optional<std::string> FaultOfOpenPgpArmour(std::string_view armour) {
  const std::optional<std::string> bytes = Unarmoured(armour);
  if (!bytes) return "the armour of its OpenPGP signature is damaged; sign it again";
  const std::optional<Packet> packet = ReadHeader(*bytes);
  if (!packet || packet->tag != kSignatureTag || packet->size > bytes->size()) {
    return "what it has for an OpenPGP signature is none; sign it again";
  }
  if (packet->size < bytes->size()) return "it has more than one signature; sign it with one key";
  return std::nullopt;
}

}  // namespace tokensync
