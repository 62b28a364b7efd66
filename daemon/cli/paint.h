/// Colours of the texts for people. For the files of this folder only.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "terminal.h"

namespace tokensync {

enum class Ink { kPlain, kBold, kDim, kGreen, kYellow, kRed, kBlue, kMagenta };

/// `text` in that colour, where the terminal shows colours. The text is printable.
std::string Painted(const Terminal& terminal, Ink ink, std::string_view text);

/// "3 words", and "1 word".
std::string Counted(std::uint64_t count, std::string_view word, std::string_view words);

/// "a, b, c"
std::string Joined(const std::vector<std::string>& parts);

/// The first eight digits of a commit or digest, printable.
std::string ShortHex(std::string_view hex);

}  // namespace tokensync
