/// JSON text to values, by Poco.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string_view>

#include "json.h"

namespace tokensync {

/// The text is not JSON, or beyond a limit. what() says why, without quoting more than a few characters.
class JsonTextError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Parses one JSON value: UTF-8, at most `depth_max` levels of nesting. Of a repeated member the last counts.
/// Throws JsonTextError.
JsonValue ParseJson(std::string_view text, std::size_t depth_max = 64);

}  // namespace tokensync
