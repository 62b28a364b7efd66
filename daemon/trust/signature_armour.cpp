#include "signature_armour.h"

#include <fmt/format.h>

#include <optional>

#include "text.h"

namespace tokensync {

namespace {

constexpr std::string_view kBegin = "-----BEGIN ";
constexpr std::string_view kDashes = "-----";
constexpr std::size_t kShownMax = 60;

std::string_view WithoutEndingSpace(std::string_view text) {
  const std::size_t last = text.find_last_not_of(" \t\r\n");
  return last == std::string_view::npos ? std::string_view() : text.substr(0, last + 1);
}

/// What stands between "-----BEGIN " and "-----" in the first line.
std::optional<std::string_view> Title(std::string_view text) {
  if (!text.starts_with(kBegin)) return std::nullopt;
  const std::string_view line = WithoutEndingSpace(text.substr(0, text.find('\n')));
  if (line.size() < kBegin.size() + kDashes.size() || !line.ends_with(kDashes)) return std::nullopt;
  return line.substr(kBegin.size(), line.size() - kBegin.size() - kDashes.size());
}

}  // namespace

std::variant<SignatureKind, NoSignature> KindOfSignature(std::string_view signature) {
  const std::string_view text = WithoutEndingSpace(signature);
  if (text.empty()) return NoSignature{"it is not signed; sign commits with git commit -S"};
  // The programs read C strings in places: what stands after a zero byte would be another text for each of them.
  if (text.find('\0') != std::string_view::npos) return NoSignature{"its signature holds a zero byte"};
  const std::optional<std::string_view> title = Title(text);
  if (!title) {
    return NoSignature{fmt::format("its signature begins with '{}', which is no kind that is known",
                                   PrintableText(text.substr(0, text.find('\n')), kShownMax))};
  }
  if (*title == "SIGNED MESSAGE") {
    return NoSignature{"it is signed with X.509, which is not supported; sign with an ssh or an OpenPGP key"};
  }
  if (*title != "SSH SIGNATURE" && *title != "PGP SIGNATURE") {
    return NoSignature{
        fmt::format("its signature is a '{}', which is not supported; sign with an ssh or an OpenPGP key",
                    PrintableText(*title, kShownMax))};
  }
  if (text.find(kBegin, kBegin.size()) != std::string_view::npos) {
    return NoSignature{"it has more than one signature; sign it with one key"};
  }
  if (!text.ends_with(fmt::format("\n-----END {}-----", *title))) {
    return NoSignature{"its signature is cut off, or something follows it"};
  }
  return *title == "SSH SIGNATURE" ? SignatureKind::kSsh : SignatureKind::kOpenPgp;
}

}  // namespace tokensync
