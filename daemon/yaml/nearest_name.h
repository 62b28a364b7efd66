/// "Did you mean": the known name that a misspelt one most likely stands for.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tokensync {

/// The name of `known` that is nearest to `name` (Damerau-Levenshtein, letters of either case alike), or an empty text
/// where none is near enough to be what was meant.
std::string_view NearestName(std::string_view name, std::span<const std::string_view> known);

/// Advice for an unknown name: the nearest one, else all of them.
std::string NameAdvice(std::string_view name, std::span<const std::string_view> known);

}  // namespace tokensync
