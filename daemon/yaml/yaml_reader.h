/// A strict reader of YAML 1.2, and so of JSON. yaml-cpp finds the structure, and everything that it takes wrongly,
/// loses or changes is found by following its events through the text.
///
/// Refused although YAML has them: tags outside the core schema, merge keys, keys that are no strings, keys written
/// with
/// '?', a map within [ ] without braces, a value without ':', versions other than 1.2.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "source_text.h"
#include "yaml_node.h"

namespace tokensync {

/// What one file may hold; beyond a limit is a problem.
struct YamlLimits {
  static constexpr std::size_t kDepthMax = 64;
  static constexpr std::size_t kDocumentsMax = 100'000;
  /// Values of one file, copies by aliases included.
  static constexpr std::size_t kNodesMax = 1'000'000;
  /// Text that aliases copy.
  static constexpr std::size_t kCopiedBytesMax = std::size_t{8} << 20U;
};

/// The documents of the text that could be read, in order; an empty document is kNull. What is wrong goes to
/// `problems`: after a fault of its form a document is left out and reading goes on with the next one. Never throws,
/// and ends in time and memory that are bounded by the size of the text.
std::vector<YamlNode> ReadYaml(const SourceText& source, ProblemList& problems);

}  // namespace tokensync
