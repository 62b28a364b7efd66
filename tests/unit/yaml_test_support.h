/// YAML texts and what the reader makes of them, as short texts that tests compare.
#pragma once

#include <fmt/format.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "json.h"
#include "source_text.h"
#include "yaml_node.h"
#include "yaml_reader.h"

namespace tokensync {

struct ReadText {
  std::vector<YamlNode> documents;
  std::string json;  ///< the documents as canonical JSON, a line each
  std::vector<Problem> problems;

  /// `line:column what`, or nothing.
  std::string First() const {
    if (problems.empty()) return {};
    const Problem& problem = problems.front();
    return fmt::format("{}:{} {}", problem.place.line, problem.place.column, problem.what);
  }
};

inline ReadText ReadDocuments(std::string_view bytes) {
  const SourceText source("test.yaml", bytes);
  ProblemList problems(source);
  ReadText result;
  result.documents = ReadYaml(source, problems);
  for (const YamlNode& document : result.documents) {
    if (!result.json.empty()) result.json += "\n";
    result.json += CanonicalJson(ToJson(document, problems));
  }
  result.problems = problems.Take();
  return result;
}

}  // namespace tokensync
