#include "paint.h"

#include <fmt/format.h>

#include "text.h"

namespace tokensync {

namespace {

std::string_view CodeOf(Ink ink) {
  switch (ink) {
    case Ink::kPlain:
      return "";
    case Ink::kBold:
      return "1";
    case Ink::kDim:
      return "2";
    case Ink::kGreen:
      return "32";
    case Ink::kYellow:
      return "33";
    case Ink::kRed:
      return "31";
    case Ink::kBlue:
      return "34";
    case Ink::kMagenta:
      return "35";
  }
  return "";
}

}  // namespace

std::string Painted(const Terminal& terminal, Ink ink, std::string_view text) {
  if (!terminal.colour || ink == Ink::kPlain || text.empty()) return std::string(text);
  return fmt::format("\x1b[{}m{}\x1b[0m", CodeOf(ink), text);
}

std::string Counted(std::uint64_t count, std::string_view word, std::string_view words) {
  return fmt::format("{} {}", count, count == 1 ? word : words);
}

std::string Joined(const std::vector<std::string>& parts) {
  return fmt::format("{}", fmt::join(parts, ", "));
}

std::string ShortHex(std::string_view hex) {
  constexpr std::size_t kDigits = 8;
  return PrintableText(hex.substr(0, kDigits));
}

}  // namespace tokensync
