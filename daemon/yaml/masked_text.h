/// The text as yaml-cpp is shown it. Some valid YAML is beyond it: surrogate pairs in double quotes, a '?' within a
/// plain scalar in [ ] or { }. Such places are covered by as many harmless characters; the values are taken from the
/// original.
#pragma once

#include <string>
#include <string_view>

namespace tokensync {

/// `text` with the same length and line ends, and with white space and indicators where `text` has them.
/// Empty where nothing needs to be covered.
std::string MaskedText(std::string_view text);

}  // namespace tokensync
