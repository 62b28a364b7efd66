/// What a plain scalar means by YAML 1.2's core schema, and which numbers survive JSON.
#pragma once

#include <optional>
#include <string_view>
#include <variant>

namespace tokensync {

enum class ScalarKind { kNull, kBool, kInteger, kFloat, kString };

/// The kind of a plain scalar's text. `010` is a decimal integer, `0o17` and `0xff` are integers, `.inf` and `.nan` are
/// floats, `yes` and `1_000` are strings.
ScalarKind ResolvePlain(std::string_view text);

/// A number that JSON and the service keep exactly as it was written, or why it is none.
enum class NumberFault {
  kTooLarge,   ///< an integer beyond 2^53 in either direction
  kNotFinite,  ///< infinite or not a number, in the text or as a double
  kInexact     ///< more digits than a double keeps
};

/// The value of a text of kind kInteger or kFloat. A float is kept where the shortest text of its double is the number
/// that was written: 0.1 is, 0.12345678901234567890 is not.
std::variant<double, NumberFault> ExactNumber(std::string_view text, ScalarKind kind);

}  // namespace tokensync
