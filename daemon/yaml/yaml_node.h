/// A YAML document as a tree that knows where everything stands.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "json.h"
#include "source_text.h"

namespace tokensync {

enum class YamlKind { kNull, kBool, kInteger, kFloat, kString, kSequence, kMap };

struct YamlMember;

/// A value. Scalars keep their text: a number's as it was written, a string's as it is meant. Aliases are replaced by
/// copies of what they name, which keep the place of the original.
struct YamlNode {
  YamlKind kind = YamlKind::kNull;
  TextPosition position;
  std::string text;
  std::vector<YamlNode> items;      ///< of a sequence
  std::vector<YamlMember> members;  ///< of a map, in the order of the file; of a repeated key the first

  /// The member of that name, or null.
  const YamlMember* Find(std::string_view key) const;
};

/// A key, always a string, and its value.
struct YamlMember {
  std::string key;
  TextPosition position;
  YamlNode value;
};

/// "a string", "an integer", "a list": the kind in a sentence.
std::string_view KindText(YamlKind kind);

/// Whether a value of kind kBool is true.
bool IsTrue(const YamlNode& node);

/// The value as JSON. A number that JSON does not keep exactly, or not at all, is a problem and becomes null; a name
/// with a NUL is a problem.
JsonValue ToJson(const YamlNode& node, ProblemList& problems);

}  // namespace tokensync
