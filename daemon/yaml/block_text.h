/// Block scalars, read from the text itself: yaml-cpp loses a line end of a folded text that keeps them (>+).
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include "quoted_text.h"

namespace tokensync {

/// The block scalar whose indicator, | or >, is at `start`. `text` ends where the document ends. `parent_indent` is the
/// indentation of the collection that holds it, 0 at the top of a document; `within` tells that there is one, so that
/// the content must be indented more. The result's `end` is the end of its last line of content, or of its header.
std::variant<QuotedText, QuoteFault> ReadBlockText(std::string_view text, std::size_t start, std::size_t parent_indent,
                                                   bool within);

}  // namespace tokensync
