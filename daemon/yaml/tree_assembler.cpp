#include "tree_assembler.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "problem_text.h"
#include "yaml_reader.h"

namespace tokensync {

namespace {

constexpr std::size_t kMembersSearchedOneByOne = 16;

/// The line where `key` is in the map already, or 0. Notes it for later otherwise.
std::uint32_t LineOfKey(Frame& frame, const std::string& key, std::uint32_t line) {
  const std::vector<YamlMember>& members = frame.tree.node.members;
  if (members.size() < kMembersSearchedOneByOne) {
    const YamlMember* member = frame.tree.node.Find(key);
    return member == nullptr ? 0 : member->position.line;
  }
  if (frame.key_lines.empty()) {
    for (const YamlMember& member : members) frame.key_lines.emplace(member.key, member.position.line);
  }
  const auto [known, added] = frame.key_lines.emplace(key, line);
  return added ? 0 : known->second;
}

}  // namespace

TreeAssembler::TreeAssembler(YamlBudget& budget, ProblemList& problems) : budget_(budget), problems_(problems) {
  stack_.emplace_back();
}

void TreeAssembler::Stop(TextPosition position, std::string what, std::string advice) {
  problems_.Add(position, std::move(what), std::move(advice));
  throw Abandoned{};
}

void TreeAssembler::Begin(FrameKind kind, TextPosition position, std::size_t indent, std::string anchor) {
  if (Top().AwaitsKey()) {
    Stop(position, "a key that is a list or a map", "a key is a text; quote it if it begins with a bracket");
  }
  if (stack_.size() - 1 >= YamlLimits::kDepthMax) {
    Stop(position, fmt::format("nesting beyond {} levels", YamlLimits::kDepthMax), "flatten the value");
  }
  if (!anchor.empty()) anchors_[anchor] = std::nullopt;
  Frame& frame = stack_.emplace_back();
  frame.kind = kind;
  frame.anchor = std::move(anchor);
  frame.indent = indent;
  frame.tree.node.position = position;
  const bool map = kind == FrameKind::kBlockMap || kind == FrameKind::kFlowMap;
  frame.tree.node.kind = map ? YamlKind::kMap : YamlKind::kSequence;
}

void TreeAssembler::End() {
  Frame frame = std::move(Top());
  stack_.pop_back();
  ++frame.tree.height;
  const TextPosition position = frame.tree.node.position;
  Add(std::move(frame.tree), frame.anchor, position);
}

void TreeAssembler::AddScalar(YamlNode node, const std::string& anchor) {
  WeighedTree tree;
  tree.bytes = node.text.size();
  tree.node = std::move(node);
  const TextPosition position = tree.node.position;
  Add(std::move(tree), anchor, position);
}

void TreeAssembler::AddAlias(std::string_view anchor, TextPosition position) {
  if (Top().AwaitsKey()) Stop(position, "an alias as a key", "write the key itself");
  const auto found = anchors_.find(anchor);
  if (found == anchors_.end()) {
    Stop(position, "an alias of an anchor that does not exist here", "quote the value if it begins with '*'");
  }
  if (!found->second) Stop(position, "an alias within the value that it names", "a value cannot hold itself");
  const WeighedTree& named = *found->second;
  if (stack_.size() - 1 + named.height > YamlLimits::kDepthMax) {
    Stop(position, fmt::format("nesting beyond {} levels", YamlLimits::kDepthMax), "flatten the value");
  }
  Charge(named.nodes, named.bytes, position);
  Add(named, {}, position);
}

void TreeAssembler::Add(WeighedTree tree, const std::string& anchor, TextPosition position) {
  if (!anchor.empty()) {
    Charge(tree.nodes, tree.bytes, position);
    anchors_.insert_or_assign(anchor, tree);
  }
  Frame& top = Top();
  if (top.AwaitsKey()) {
    AddKey(tree.node);
    return;
  }
  Charge(1, 0, position);
  top.tree.nodes += tree.nodes;
  top.tree.bytes += tree.bytes;
  top.tree.height = std::max(top.tree.height, tree.height);
  YamlNode& parent = top.tree.node;
  switch (top.kind) {
    case FrameKind::kDocument:
      root_ = std::move(tree.node);
      break;
    case FrameKind::kBlockSequence:
    case FrameKind::kFlowSequence:
      parent.items.push_back(std::move(tree.node));
      break;
    case FrameKind::kBlockMap:
    case FrameKind::kFlowMap:
      top.tree.bytes += top.key.size();
      if (!top.key_repeated) parent.members.push_back({std::move(top.key), top.key_position, std::move(tree.node)});
      top.awaits_key = true;
      break;
  }
}

void TreeAssembler::AddKey(const YamlNode& node) {
  Frame& top = Top();
  top.awaits_key = false;
  top.key = node.text;
  top.key_position = node.position;
  const std::uint32_t first_line = LineOfKey(top, top.key, node.position.line);
  top.key_repeated = first_line > 0;
  if (node.kind != YamlKind::kString) {
    problems_.Add(node.position, fmt::format("a key that is {}, not a string", KindText(node.kind)),
                  fmt::format("quote it: \"{}\"", Shortened(node.text)));
  } else if (top.key_repeated) {
    problems_.Add(node.position, fmt::format("duplicate key '{}', first in line {}", Shortened(top.key), first_line),
                  "remove one of them");
  }
}

void TreeAssembler::Charge(std::size_t nodes, std::size_t copied_bytes, TextPosition position) {
  budget_.nodes += nodes;
  budget_.copied_bytes += copied_bytes;
  if (budget_.nodes > YamlLimits::kNodesMax) {
    Stop(position, fmt::format("more than {} values, those that aliases repeat included", YamlLimits::kNodesMax),
         "divide the file, or write fewer aliases");
  }
  if (budget_.copied_bytes > YamlLimits::kCopiedBytesMax) {
    Stop(position, fmt::format("aliases that repeat more than {} MiB of text", YamlLimits::kCopiedBytesMax >> 20U),
         "write fewer aliases");
  }
}

}  // namespace tokensync
