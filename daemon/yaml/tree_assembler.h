/// Puts values together to a tree: collections, keys, anchors, and the limits on them. Private to this folder.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "source_text.h"
#include "tree_builder.h"
#include "yaml_node.h"

namespace tokensync {

/// Ends the reading of a document whose problem was noted.
struct Abandoned {};

enum class FrameKind { kDocument, kBlockSequence, kBlockMap, kFlowSequence, kFlowMap };

/// A value with what its tree weighs.
struct WeighedTree {
  YamlNode node;
  std::size_t nodes = 1;
  std::size_t bytes = 0;
  std::size_t height = 0;  ///< levels of collections in it, itself included
};

/// A collection that is being read, or the document.
struct Frame {
  FrameKind kind = FrameKind::kDocument;
  WeighedTree tree;
  std::string anchor;
  std::size_t indent = 0;   ///< of the entries of a block collection, in bytes
  std::size_t entries = 0;  ///< begun so far
  bool awaits_key = true;   ///< of a map
  std::string key;          ///< read last
  TextPosition key_position;
  bool key_repeated = false;
  std::unordered_map<std::string, std::uint32_t> key_lines;  ///< only of larger maps

  bool IsBlock() const { return kind == FrameKind::kBlockSequence || kind == FrameKind::kBlockMap; }
  bool IsFlow() const { return kind == FrameKind::kFlowSequence || kind == FrameKind::kFlowMap; }
  bool AwaitsKey() const { return (kind == FrameKind::kBlockMap || kind == FrameKind::kFlowMap) && awaits_key; }
};

/// One document's tree in the making. What goes beyond a limit, and what makes no tree, is noted as a problem and ends
/// the document by Abandoned; a bad key is only noted, and a repeated one is left out.
class TreeAssembler {
 public:
  TreeAssembler(YamlBudget& budget, ProblemList& problems);

  Frame& Top() { return stack_.back(); }
  const Frame& Top() const { return stack_.back(); }

  /// A collection begins where a value or item is awaited. `anchor` is empty where it has none.
  void Begin(FrameKind kind, TextPosition position, std::size_t indent, std::string anchor);
  /// The collection on top is complete.
  void End();
  /// A scalar; as a key where one is awaited.
  void AddScalar(YamlNode node, const std::string& anchor);
  /// A copy of what `anchor` names, for an alias at `position`.
  void AddAlias(std::string_view anchor, TextPosition position);

  /// The document's value.
  YamlNode TakeRoot() { return std::move(root_); }

 private:
  [[noreturn]] void Stop(TextPosition position, std::string what, std::string advice);
  void Add(WeighedTree tree, const std::string& anchor, TextPosition position);
  void AddKey(const YamlNode& node);
  void Charge(std::size_t nodes, std::size_t copied_bytes, TextPosition position);

  YamlBudget& budget_;
  ProblemList& problems_;
  std::vector<Frame> stack_;
  std::map<std::string, std::optional<WeighedTree>, std::less<>> anchors_;  ///< nothing: still being read
  YamlNode root_;
};

}  // namespace tokensync
