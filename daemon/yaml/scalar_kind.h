/// What kind a scalar is, by its tag or its text. Private to this folder.
#pragma once

#include <string_view>

#include "source_text.h"
#include "yaml_node.h"

namespace tokensync {

/// A tag as it stands before a value.
struct WrittenTag {
  std::string_view name;  ///< in full, as yaml-cpp expands it
  TextPosition position;
};

/// The kind of an untagged scalar; `plain` tells that it is neither quoted nor a block text.
YamlKind KindOfUntagged(std::string_view text, bool plain);

/// The kind that a tag of the core schema gives to the text, quoted or not. Other tags, and texts that are not what the
/// tag says, are problems.
YamlKind KindOfTagged(const WrittenTag& tag, std::string_view text, ProblemList& problems);

/// A problem where the tag of a list or map is not the one of the core schema.
void CheckCollectionTag(const WrittenTag& tag, YamlKind kind, ProblemList& problems);

}  // namespace tokensync
