#include "yaml_reader.h"

#include <optional>
#include <string>
#include <utility>

#include "document_split.h"
#include "masked_text.h"
#include "tree_builder.h"

namespace tokensync {

std::vector<YamlNode> ReadYaml(const SourceText& source, ProblemList& problems) {
  std::vector<YamlNode> trees;
  if (auto bad = source.FindBadCharacter()) {
    problems.Add(*std::move(bad));
    return trees;
  }
  const std::string masked = MaskedText(source.text());
  const std::string_view shown = masked.empty() ? source.text() : std::string_view(masked);
  YamlBudget budget;
  for (const DocumentSpan& span : SplitDocuments(source, YamlLimits::kDocumentsMax, problems)) {
    if (auto tree = BuildTree(source, shown, span, budget, problems)) trees.push_back(*std::move(tree));
    // A file that is beyond its limits is not worth another look.
    if (budget.nodes > YamlLimits::kNodesMax || budget.copied_bytes > YamlLimits::kCopiedBytesMax) break;
  }
  return trees;
}

}  // namespace tokensync
