#include "tree_builder.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <map>
#include <string>
#include <unordered_set>
#include <utility>
#include <vector>

#include "block_text.h"
#include "core_schema.h"
#include "document_feed.h"
#include "parse_fault.h"
#include "problem_text.h"
#include "quoted_text.h"
#include "text_cursor.h"
#include "yaml_reader.h"

namespace tokensync {

namespace {

/// Ends the reading of a document whose problem was noted.
struct Abandoned {};

enum class FrameKind { kDocument, kBlockSequence, kBlockMap, kFlowSequence, kFlowMap };

/// A value with what its tree weighs, for the limits.
struct Weighed {
  YamlNode node;
  std::size_t nodes = 1;
  std::size_t bytes = 0;
  std::size_t height = 0;  ///< levels of collections in it, itself included
};

/// A collection that is being read.
struct Frame {
  FrameKind kind = FrameKind::kDocument;
  Weighed tree;
  std::string anchor;
  std::size_t indent = 0;   ///< of the entries of a block collection, in bytes
  std::size_t entries = 0;  ///< begun so far
  bool awaits_key = true;   ///< of a map
  std::string key;          ///< read last
  TextPosition key_position;
  std::unordered_set<std::string> keys;  ///< only of larger maps
};

constexpr std::size_t kMembersSearchedOneByOne = 16;

/// YAML takes {"a": 1 "b":2} as a map with one value, the text `1 "b":2`.
bool HoldsQuotedKey(std::string_view text) {
  return text.find("\":") != std::string_view::npos || text.find("':") != std::string_view::npos;
}

/// Follows yaml-cpp's events through the text. Each event must find its value where the text has one, and between two
/// values exactly what belongs there: so nothing is accepted, dropped or moved unseen.
class TreeBuilder : public YAML::EventHandler {
 public:
  TreeBuilder(const SourceText& source, std::string_view masked, const DocumentSpan& span, YamlBudget& budget,
              ProblemList& problems)
      : source_(source), masked_(masked), cursor_(source, span), budget_(budget), problems_(problems) {
    cursor_.SkipGap();
    Push(FrameKind::kDocument, {}, {}, 0);
  }

  /// The tree, or nothing after a problem of its form.
  std::optional<YamlNode> Build(const DocumentSpan& span);

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override;
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override;
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value style) override;
  void OnSequenceEnd() override { End(']'); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value style) override;
  void OnMapEnd() override { End('}'); }

 private:
  struct Properties {
    bool tagged = false;
    std::string anchor;
    TextPosition tag_position;
  };

  [[noreturn]] void Stop(TextPosition position, std::string what, std::string advice) {
    problems_.Add(position, std::move(what), std::move(advice));
    throw Abandoned{};
  }
  [[noreturn]] void StopHere(std::string what, std::string advice) {
    Stop(cursor_.position(), std::move(what), std::move(advice));
  }
  /// Something stands here that belongs to nothing.
  [[noreturn]] void StopAtUnexpected(std::string_view expected);

  Frame& Top() { return stack_.back(); }
  bool InFlow() const {
    return stack_.back().kind == FrameKind::kFlowSequence || stack_.back().kind == FrameKind::kFlowMap;
  }
  bool AwaitsKey() const {
    const Frame& top = stack_.back();
    return (top.kind == FrameKind::kBlockMap || top.kind == FrameKind::kFlowMap) && top.awaits_key;
  }
  /// The offset in the text of a place in what yaml-cpp was fed.
  std::size_t Absolute(const YAML::Mark& mark) const;
  void NoteParseFault(const YAML::Exception& fault);

  void Approach();
  void ApproachBlockEntry(Frame& top);
  void ApproachBlockValue(const Frame& top);
  void ApproachFlowEntry(Frame& top);
  void ApproachFlowValue(const Frame& top);
  void CheckMark(const YAML::Mark& mark);
  void CheckIndent();
  Properties ReadProperties(const std::string& tag, YAML::anchor_t anchor);
  Properties Begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor);

  YamlKind KindOf(const std::string& tag, const Properties& properties, bool plain, const YamlNode& node);
  void BeginCollection(const std::string& tag, std::string_view core_tag, const Properties& properties, FrameKind kind,
                       YamlKind node_kind);
  void Push(FrameKind kind, std::string anchor, TextPosition position, std::size_t indent);
  void End(char bracket);
  void Finish(Weighed tree, const std::string& anchor);
  void FinishKey(const YamlNode& node);
  void Charge(std::size_t nodes, std::size_t copied_bytes);
  void Keep(const std::string& anchor, const Weighed& tree);

  const SourceText& source_;
  std::string_view masked_;
  TextCursor cursor_;
  YamlBudget& budget_;
  ProblemList& problems_;
  DocumentFeed* feed_ = nullptr;
  std::size_t fed_from_ = 0;  ///< offset of what yaml-cpp takes for position `lead_`
  std::size_t lead_ = 0;
  std::size_t empty_at_ = 0;  ///< where an empty value stands: after the last indicator
  std::vector<Frame> stack_;
  std::map<std::string, std::optional<Weighed>, std::less<>> anchors_;  ///< nothing: still being read
  YamlNode root_;
};

std::optional<YamlNode> TreeBuilder::Build(const DocumentSpan& span) {
  if (cursor_.AtEnd()) {
    root_.position = cursor_.position();
    return std::move(root_);
  }
  // A bracket at the very start could be a key, for all that the scanner knows: it would keep the tokens of the whole
  // document until it sees the matching one. After '---' it cannot.
  const bool flow = cursor_.Peek() == '[' || cursor_.Peek() == '{';
  const std::string_view lead = flow ? "--- " : "";
  fed_from_ = flow ? cursor_.at() : span.begin;
  lead_ = lead.size();
  DocumentFeed feed(lead, masked_.substr(fed_from_, span.end - fed_from_));
  feed_ = &feed;
  try {
    std::istream stream(&feed);
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(*this)) StopAtUnexpected("a document");
    cursor_.SkipGap();
    if (!cursor_.AtEnd()) StopAtUnexpected("the end of the document");
    return std::move(root_);
  } catch (const Abandoned&) {
    return std::nullopt;
  } catch (const ScannedTooFar&) {
    problems_.Add(cursor_.position(), "a value with too many brackets, commas, colons and quotes", "divide it");
  } catch (const YAML::Exception& fault) {
    NoteParseFault(fault);
  }
  return std::nullopt;
}

void TreeBuilder::NoteParseFault(const YAML::Exception& fault) {
  std::size_t at = fault.mark.is_null() ? cursor_.at() : std::min(Absolute(fault.mark), cursor_.text().size());
  // Where the text ends within a quote, the place to mend is where the quote begins.
  if (fault.msg == YAML::ErrorMsg::EOF_IN_SCALAR) at = FindOpenQuote(cursor_.text(), cursor_.at()).value_or(at);
  // In an escape, yaml-cpp names the place after it.
  const std::string_view message = fault.msg;
  const bool in_escape = message.starts_with(YAML::ErrorMsg::INVALID_UNICODE) ||
                         message.starts_with(YAML::ErrorMsg::INVALID_ESCAPE) || message == YAML::ErrorMsg::INVALID_HEX;
  if (in_escape && at > 0) at = std::min(cursor_.text().rfind('\\', at - 1), at);
  FaultText text = ExplainParseFault(message, cursor_.text().substr(at));
  problems_.Add(source_.PositionAt(at), std::move(text.what), std::move(text.advice));
}

std::size_t TreeBuilder::Absolute(const YAML::Mark& mark) const {
  const auto fed = static_cast<std::size_t>(std::max(mark.pos, 0));
  return fed_from_ + (fed > lead_ ? fed - lead_ : 0);
}

void TreeBuilder::StopAtUnexpected(std::string_view expected) {
  if (cursor_.AtEnd()) StopHere(fmt::format("the document ends where {} is expected", expected), {});
  const char c = cursor_.Peek();
  if (c == '#') StopHere("a '#' right after a value", "put a space before a comment, or quote the value");
  const std::size_t length = Utf8SequenceLength(cursor_.text(), cursor_.at());
  StopHere(fmt::format("'{}' where {} is expected", SafeText(cursor_.Rest().substr(0, length)), expected),
           "check the indentation and the quotes here and in the lines above");
}

void TreeBuilder::Approach() {
  feed_->NoteEvent();
  Frame& top = Top();
  switch (top.kind) {
    case FrameKind::kDocument:
      cursor_.SkipGap();
      empty_at_ = cursor_.at();
      break;
    case FrameKind::kBlockSequence:
      ApproachBlockEntry(top);
      if (!cursor_.AtBlockIndicator('-')) StopAtUnexpected("'- item'");
      cursor_.MoveTo(cursor_.at() + 1);
      empty_at_ = cursor_.at();
      cursor_.SkipGap();
      break;
    case FrameKind::kBlockMap:
      if (top.awaits_key) {
        ApproachBlockEntry(top);
      } else {
        ApproachBlockValue(top);
      }
      break;
    case FrameKind::kFlowSequence:
      ApproachFlowEntry(top);
      break;
    case FrameKind::kFlowMap:
      if (top.awaits_key) {
        ApproachFlowEntry(top);
      } else {
        ApproachFlowValue(top);
      }
      break;
  }
  if (!AwaitsKey()) return;
  if (cursor_.AtBlockIndicator('?')) StopHere("a key written with '?'", "write 'key: value'");
  if (cursor_.AtBlockIndicator(':')) StopHere("a ':' without a key", "write 'key: value'");
}

void TreeBuilder::ApproachBlockEntry(Frame& top) {
  cursor_.SkipGap();
  const bool aligned = top.entries == 0 || (cursor_.Indent() == top.indent && cursor_.FirstInLine());
  if (!aligned) StopAtUnexpected(top.kind == FrameKind::kBlockMap ? "'key: value'" : "'- item'");
  ++top.entries;
}

void TreeBuilder::ApproachBlockValue(const Frame& top) {
  const std::size_t blanks = std::min(cursor_.Rest().find_first_not_of(" \t"), cursor_.Rest().size());
  cursor_.MoveTo(cursor_.at() + blanks);
  if (!cursor_.AtBlockIndicator(':')) {
    Stop(top.key_position, fmt::format("'{}' is neither a value nor a key: no ':' follows it", Shortened(top.key)),
         "write 'key: value', or indent it if it belongs to the line above");
  }
  cursor_.MoveTo(cursor_.at() + 1);
  empty_at_ = cursor_.at();
  cursor_.SkipGap();
}

void TreeBuilder::ApproachFlowEntry(Frame& top) {
  cursor_.SkipGap();
  if (top.entries > 0) {
    if (cursor_.Peek() != ',') StopAtUnexpected("','");
    cursor_.MoveTo(cursor_.at() + 1);
    cursor_.SkipGap();
  }
  ++top.entries;
}

void TreeBuilder::ApproachFlowValue(const Frame& top) {
  cursor_.SkipGap();
  if (cursor_.Peek() != ':') {
    Stop(top.key_position, fmt::format("the key '{}' has no value", Shortened(top.key)),
         "write 'key: value', with a space after the ':'");
  }
  cursor_.MoveTo(cursor_.at() + 1);
  empty_at_ = cursor_.at();
  cursor_.SkipGap();
}

void TreeBuilder::CheckMark(const YAML::Mark& mark) {
  if (Absolute(mark) != cursor_.at()) StopAtUnexpected("the value that follows");
}

TreeBuilder::Properties TreeBuilder::ReadProperties(const std::string& tag, YAML::anchor_t anchor) {
  Properties properties;
  bool awaits_tag = tag != "?";
  bool awaits_anchor = anchor != YAML::NullAnchor;
  while ((awaits_tag && cursor_.Peek() == '!') || (awaits_anchor && cursor_.Peek() == '&')) {
    const std::string_view rest = cursor_.Rest();
    const bool verbatim = rest.starts_with("!<");
    std::size_t end = verbatim ? rest.find('>') : rest.find_first_of(" \t\r\n[]{},");
    end = std::min(end, rest.size());
    if (verbatim) ++end;
    if (rest[0] == '!') {
      properties.tagged = true;
      properties.tag_position = cursor_.position();
      awaits_tag = false;
    } else {
      properties.anchor = rest.substr(1, end - 1);
      awaits_anchor = false;
    }
    cursor_.MoveTo(cursor_.at() + end);
    empty_at_ = cursor_.at();
    cursor_.SkipGap();
  }
  return properties;
}

TreeBuilder::Properties TreeBuilder::Begin(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor) {
  Approach();
  CheckMark(mark);
  CheckIndent();
  Properties properties = ReadProperties(tag, anchor);
  CheckIndent();
  return properties;
}

void TreeBuilder::CheckIndent() {
  const Frame& top = Top();
  const bool block = top.kind == FrameKind::kBlockSequence || top.kind == FrameKind::kBlockMap;
  if (!block || AwaitsKey() || cursor_.AtEnd() || cursor_.Indent() > top.indent) return;
  const bool list_beside_its_key = top.kind == FrameKind::kBlockMap && cursor_.AtBlockIndicator('-');
  if (!list_beside_its_key) StopAtUnexpected("a value with more indentation");
}

void TreeBuilder::OnNull(const YAML::Mark&, YAML::anchor_t anchor) {
  // The mark of an empty value is that of whatever comes next, which may even be the word null in the next line.
  Approach();
  const Properties properties = ReadProperties("?", anchor);
  const Frame& top = Top();
  const bool block = top.kind == FrameKind::kBlockSequence || top.kind == FrameKind::kBlockMap;
  const bool belongs_here = !block || AwaitsKey() || cursor_.Indent() > top.indent;
  const std::size_t length = belongs_here ? cursor_.NullLength() : 0;
  if (length == 0 && AwaitsKey() && cursor_.Peek() != ',') {
    StopHere("a key without a ':' in its line, or of more than 1024 characters", "write 'key: value' in one line");
  }
  if (length == 0 && (AwaitsKey() || top.kind == FrameKind::kFlowSequence)) StopAtUnexpected("a value");
  Weighed tree;
  tree.node.position = length > 0 ? cursor_.position() : source_.PositionAt(empty_at_);
  tree.node.text = cursor_.Rest().substr(0, length);
  cursor_.MoveTo(cursor_.at() + length);
  Finish(std::move(tree), properties.anchor);
}

void TreeBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t) {
  Approach();
  CheckMark(mark);
  if (AwaitsKey()) StopHere("an alias as a key", "write the key itself");
  const std::string_view rest = cursor_.Rest();
  const std::size_t end = std::min(rest.find_first_of(" \t\r\n[]{},"), rest.size());
  const auto found = anchors_.find(rest.substr(std::min<std::size_t>(1, end), end - std::min<std::size_t>(1, end)));
  if (found == anchors_.end()) StopAtUnexpected("an alias of a known anchor");
  if (!found->second) StopHere("an alias within the value that it names", "a value cannot hold itself");
  const Weighed& named = *found->second;
  if (stack_.size() - 1 + named.height > YamlLimits::kDepthMax) {
    StopHere(fmt::format("nesting beyond {} levels", YamlLimits::kDepthMax), "flatten the value");
  }
  Charge(named.nodes, named.bytes);
  cursor_.MoveTo(cursor_.at() + end);
  Finish(named, {});
}

void TreeBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                           const std::string& value) {
  const Properties properties = Begin(mark, tag, anchor);
  Weighed tree;
  YamlNode& node = tree.node;
  node.position = cursor_.position();
  const char first = cursor_.Peek();
  const bool quoted = first == '"' || first == '\'';
  const bool block = !InFlow() && (first == '|' || first == '>');
  if (quoted || block) {
    const Frame& top = Top();
    const bool within = top.kind == FrameKind::kBlockSequence || top.kind == FrameKind::kBlockMap;
    auto read = block ? ReadBlockText(cursor_.text(), cursor_.at(), within ? top.indent : 0, within)
                      : ReadQuoted(cursor_.text(), cursor_.at(), within ? top.indent + 1 : 0);
    if (auto* fault = std::get_if<QuoteFault>(&read)) {
      Stop(source_.PositionAt(fault->offset), std::move(fault->what), std::move(fault->advice));
    }
    node.text = std::move(std::get<QuotedText>(read).value);
    cursor_.MoveTo(std::get<QuotedText>(read).end);
  } else {
    if (cursor_.AtBlockIndicator('?')) StopHere("a key written with '?'", "write 'key: value'");
    if (InFlow() && value == "-") StopHere("a '-' within brackets", "quote it if it is a text");
    if (!cursor_.MatchValue(value, masked_, node.text)) StopAtUnexpected("the value that follows");
  }
  if (properties.tagged && value.empty() && (!node.text.empty() || !(quoted || block))) {
    Stop(properties.tag_position, "a tag without a value", "write \"\" for an empty text");
  }
  node.kind = KindOf(tag, properties, !quoted && !block, node);
  const bool bare_text = node.kind == YamlKind::kString && !quoted && !block && !properties.tagged;
  if (bare_text && source_.IsJson()) {
    problems_.Add(node.position, fmt::format("a text without quotes in a JSON file: {}", Shortened(node.text)),
                  "quote it, or look for a missing ','");
  } else if (bare_text && InFlow() && HoldsQuotedKey(node.text)) {
    problems_.Add(node.position, fmt::format("a text that holds a quoted key: {}", Shortened(node.text)),
                  "put a ',' before that key, or quote the whole text");
  }
  if (AwaitsKey() && node.text == "<<" && !quoted) {
    problems_.Add(node.position, "a merge key '<<', which YAML 1.2 does not have", "write the merged keys out");
  }
  tree.bytes = node.text.size();
  Finish(std::move(tree), properties.anchor);
}

YamlKind TreeBuilder::KindOf(const std::string& tag, const Properties& properties, bool plain, const YamlNode& node) {
  static constexpr std::string_view kCore = "tag:yaml.org,2002:";
  if (!properties.tagged && !plain) return YamlKind::kString;
  const ScalarKind resolved = ResolvePlain(node.text);
  if (!properties.tagged) {
    switch (resolved) {
      case ScalarKind::kNull:
        return YamlKind::kNull;
      case ScalarKind::kBool:
        return YamlKind::kBool;
      case ScalarKind::kInteger:
        return YamlKind::kInteger;
      case ScalarKind::kFloat:
        return YamlKind::kFloat;
      case ScalarKind::kString:
        return YamlKind::kString;
    }
  }
  const std::string_view name = std::string_view(tag).substr(tag.starts_with(kCore) ? kCore.size() : 0);
  if (tag.starts_with(kCore)) {
    if (name == "str") return YamlKind::kString;
    if (name == "null" && resolved == ScalarKind::kNull) return YamlKind::kNull;
    if (name == "bool" && resolved == ScalarKind::kBool) return YamlKind::kBool;
    if (name == "int" && resolved == ScalarKind::kInteger) return YamlKind::kInteger;
    if (name == "float" && resolved == ScalarKind::kFloat) return YamlKind::kFloat;
    const bool decimal = node.text.find_first_of("xo") == std::string::npos;
    if (name == "float" && resolved == ScalarKind::kInteger && decimal) return YamlKind::kFloat;
  }
  const bool core = tag.starts_with(kCore) && (name == "null" || name == "bool" || name == "int" || name == "float");
  if (core) {
    problems_.Add(properties.tag_position, fmt::format("the tag !!{} on a value that is none", name),
                  "remove the tag, or mend the value");
  } else {
    problems_.Add(properties.tag_position, fmt::format("the tag '{}' is not known here", Shortened(name)),
                  "remove it; quote the value if it begins with '!'");
  }
  return YamlKind::kString;
}

void TreeBuilder::OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                                  YAML::EmitterStyle::value style) {
  const Properties properties = Begin(mark, tag, anchor);
  const bool flow = style == YAML::EmitterStyle::Flow;
  BeginCollection(tag, "tag:yaml.org,2002:seq", properties, flow ? FrameKind::kFlowSequence : FrameKind::kBlockSequence,
                  YamlKind::kSequence);
  if (!flow) return;
  if (cursor_.Peek() != '[') StopAtUnexpected("'['");
  cursor_.MoveTo(cursor_.at() + 1);
}

void TreeBuilder::OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                             YAML::EmitterStyle::value style) {
  const Properties properties = Begin(mark, tag, anchor);
  if (style == YAML::EmitterStyle::Default) StopHere("a ':' without a key", "write 'key: value'");
  const bool flow = style == YAML::EmitterStyle::Flow;
  if (flow && cursor_.Peek() != '{') {
    StopHere("a map without braces in a list", "write {key: value}, or quote the text if it is one");
  }
  BeginCollection(tag, "tag:yaml.org,2002:map", properties, flow ? FrameKind::kFlowMap : FrameKind::kBlockMap,
                  YamlKind::kMap);
  if (flow) cursor_.MoveTo(cursor_.at() + 1);
}

void TreeBuilder::BeginCollection(const std::string& tag, std::string_view core_tag, const Properties& properties,
                                  FrameKind kind, YamlKind node_kind) {
  if (AwaitsKey()) StopHere("a key that is a list or a map", "a key is a text; quote it if it begins with a bracket");
  if (stack_.size() - 1 >= YamlLimits::kDepthMax) {
    StopHere(fmt::format("nesting beyond {} levels", YamlLimits::kDepthMax), "flatten the value");
  }
  if (properties.tagged && tag != core_tag) {
    problems_.Add(properties.tag_position,
                  fmt::format("the tag '{}' is not known on {}", Shortened(tag), KindText(node_kind)), "remove it");
  }
  if (!properties.anchor.empty()) anchors_[properties.anchor] = std::nullopt;
  Push(kind, properties.anchor, cursor_.position(), cursor_.Indent());
  Top().tree.node.kind = node_kind;
}

void TreeBuilder::Push(FrameKind kind, std::string anchor, TextPosition position, std::size_t indent) {
  Frame& frame = stack_.emplace_back();
  frame.kind = kind;
  frame.anchor = std::move(anchor);
  frame.indent = indent;
  frame.tree.node.position = position;
}

void TreeBuilder::End(char bracket) {
  feed_->NoteEvent();
  if (InFlow()) {
    cursor_.SkipGap();
    if (cursor_.Peek() == ',' && Top().entries > 0) {
      cursor_.MoveTo(cursor_.at() + 1);
      cursor_.SkipGap();
    }
    if (cursor_.Peek() != bracket) StopAtUnexpected(fmt::format("'{}'", bracket));
    cursor_.MoveTo(cursor_.at() + 1);
  }
  Frame frame = std::move(Top());
  stack_.pop_back();
  ++frame.tree.height;
  Finish(std::move(frame.tree), frame.anchor);
}

void TreeBuilder::Finish(Weighed tree, const std::string& anchor) {
  if (!anchor.empty()) Keep(anchor, tree);
  Frame& top = Top();
  if (AwaitsKey()) {
    FinishKey(tree.node);
    return;
  }
  Charge(1, 0);
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
      parent.members.push_back({std::move(top.key), top.key_position, std::move(tree.node)});
      top.awaits_key = true;
      break;
  }
}

void TreeBuilder::FinishKey(const YamlNode& node) {
  Frame& top = Top();
  top.awaits_key = false;
  top.key = node.text;
  top.key_position = node.position;
  if (node.kind != YamlKind::kString) {
    problems_.Add(node.position, fmt::format("a key that is {}, not a string", KindText(node.kind)),
                  fmt::format("quote it: \"{}\"", Shortened(node.text)));
    return;
  }
  const std::vector<YamlMember>& members = top.tree.node.members;
  const YamlMember* first = nullptr;
  if (members.size() < kMembersSearchedOneByOne) {
    first = top.tree.node.Find(top.key);
  } else {
    if (top.keys.empty()) {
      for (const YamlMember& member : members) top.keys.insert(member.key);
    }
    if (!top.keys.insert(top.key).second) first = top.tree.node.Find(top.key);
  }
  if (first != nullptr) {
    problems_.Add(node.position,
                  fmt::format("duplicate key '{}', first in line {}", Shortened(top.key), first->position.line),
                  "remove one of them");
  }
}

void TreeBuilder::Charge(std::size_t nodes, std::size_t copied_bytes) {
  budget_.nodes += nodes;
  budget_.copied_bytes += copied_bytes;
  if (budget_.nodes > YamlLimits::kNodesMax) {
    StopHere(fmt::format("more than {} values, those that aliases repeat included", YamlLimits::kNodesMax),
             "divide the file, or write fewer aliases");
  }
  if (budget_.copied_bytes > YamlLimits::kCopiedBytesMax) {
    StopHere(fmt::format("aliases that repeat more than {} MiB of text", YamlLimits::kCopiedBytesMax >> 20U),
             "write fewer aliases");
  }
}

void TreeBuilder::Keep(const std::string& anchor, const Weighed& tree) {
  Charge(tree.nodes, tree.bytes);
  anchors_.insert_or_assign(anchor, tree);
}

}  // namespace

std::optional<YamlNode> BuildTree(const SourceText& source, std::string_view masked, const DocumentSpan& span,
                                  YamlBudget& budget, ProblemList& problems) {
  return TreeBuilder(source, masked, span, budget, problems).Build(span);
}

}  // namespace tokensync
