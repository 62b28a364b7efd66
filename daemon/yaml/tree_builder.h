/// One document's tree, by following yaml-cpp's events through the text. Private to this folder.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

#include "document_split.h"
#include "source_text.h"
#include "yaml_node.h"

namespace tokensync {

/// What the documents of one file have used up of its limits.
struct YamlBudget {
  std::size_t nodes = 0;
  std::size_t copied_bytes = 0;
};

/// The tree of the document in `span`, or nothing after a fault of its form, which is then among the problems.
/// `masked` is the whole text as yaml-cpp may see it (masked_text.h).
std::optional<YamlNode> BuildTree(const SourceText& source, std::string_view masked, const DocumentSpan& span,
                                  YamlBudget& budget, ProblemList& problems);

}  // namespace tokensync
