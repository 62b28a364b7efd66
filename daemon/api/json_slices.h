/// JSON text, cut into the texts of its parts: so that a long list is read item by item, in the memory that one item
/// takes, and one item that cannot be read does not make the others unreadable.
///
/// Only the outermost level is looked at, and what is within a part only as far as its end is to be found: a part is
/// known to be JSON once ParseJson has read it.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>
#include <vector>

namespace tokensync {

/// The text of an object's member of that name, of a repeated one the last; nothing where there is none.
/// Throws JsonTextError where `object` is no object at that level.
std::optional<std::string_view> MemberText(std::string_view object, std::string_view name);

/// The texts of an array's items. Throws JsonTextError where `array` is no array at that level, or holds more.
std::vector<std::string_view> ItemTexts(std::string_view array, std::size_t items_max);

}  // namespace tokensync
