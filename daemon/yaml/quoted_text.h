/// Quoted scalars, read from the text itself: yaml-cpp refuses JSON's surrogate pairs, gives invalid UTF-8 for \N and
/// \_, takes \' in double quotes, and lets the end of the file close a quote.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace tokensync {

struct QuotedText {
  std::string value;    ///< valid UTF-8
  std::size_t end = 0;  ///< offset after the closing quote
};

struct QuoteFault {
  std::size_t offset = 0;
  std::string what;
  std::string advice;
};

/// The first quote at the start of a word from `from` on that nothing closes.
std::optional<std::size_t> FindOpenQuote(std::string_view text, std::size_t from);

/// The quoted scalar whose opening quote, ' or ", is at `start`. `text` ends where the document ends and is valid
/// UTF-8. Lines after the first must be indented by at least `indent` spaces, or be empty.
std::variant<QuotedText, QuoteFault> ReadQuoted(std::string_view text, std::size_t start, std::size_t indent);

}  // namespace tokensync
