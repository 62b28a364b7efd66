#include "tree_builder.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <istream>
#include <string>
#include <utility>
#include <variant>

#include "block_text.h"
#include "document_feed.h"
#include "parse_fault.h"
#include "problem_text.h"
#include "quoted_text.h"
#include "scalar_kind.h"
#include "text.h"
#include "text_cursor.h"
#include "tree_assembler.h"

namespace tokensync {

namespace {

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
      : source_(source), masked_(masked), cursor_(source, span), problems_(problems), tree_(budget, problems) {
    cursor_.SkipGap();
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
  /// What stands before a value.
  struct Properties {
    std::optional<WrittenTag> tag;
    std::string anchor;
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

  bool AwaitsKey() const { return tree_.Top().AwaitsKey(); }
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

  void End(char bracket);
  bool ReadQuotedOrBlock(char first, std::string& text);
  void CheckBareText(const YamlNode& node);

  const SourceText& source_;
  std::string_view masked_;
  TextCursor cursor_;
  ProblemList& problems_;
  TreeAssembler tree_;
  DocumentFeed* feed_ = nullptr;
  std::size_t fed_from_ = 0;  ///< offset of what yaml-cpp takes for position `lead_`
  std::size_t lead_ = 0;
  std::size_t empty_at_ = 0;  ///< where an empty value stands: after the last indicator
};

std::optional<YamlNode> TreeBuilder::Build(const DocumentSpan& span) {
  if (cursor_.AtEnd()) {
    YamlNode empty;
    empty.position = cursor_.position();
    return empty;
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
    return tree_.TakeRoot();
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
  StopHere(fmt::format("'{}' where {} is expected", PrintableText(cursor_.Rest().substr(0, length)), expected),
           "check the indentation and the quotes here and in the lines above");
}

void TreeBuilder::Approach() {
  feed_->NoteEvent();
  Frame& top = tree_.Top();
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
      properties.tag = WrittenTag{tag, cursor_.position()};
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
  const Frame& top = tree_.Top();
  if (!top.IsBlock() || AwaitsKey() || cursor_.AtEnd() || cursor_.Indent() > top.indent) return;
  const bool list_beside_its_key = top.kind == FrameKind::kBlockMap && cursor_.AtBlockIndicator('-');
  if (!list_beside_its_key) StopAtUnexpected("a value with more indentation");
}

void TreeBuilder::OnNull(const YAML::Mark&, YAML::anchor_t anchor) {
  // The mark of an empty value is that of whatever comes next, which may even be the word null in the next line.
  Approach();
  const Properties properties = ReadProperties("?", anchor);
  const Frame& top = tree_.Top();
  const bool belongs_here = !top.IsBlock() || AwaitsKey() || cursor_.Indent() > top.indent;
  const std::size_t length = belongs_here ? cursor_.NullLength() : 0;
  if (length == 0 && AwaitsKey() && cursor_.Peek() != ',') {
    StopHere("a key without a ':' in its line, or of more than 1024 characters", "write 'key: value' in one line");
  }
  if (length == 0 && (AwaitsKey() || top.kind == FrameKind::kFlowSequence)) StopAtUnexpected("a value");
  YamlNode node;
  node.position = length > 0 ? cursor_.position() : source_.PositionAt(empty_at_);
  node.text = cursor_.Rest().substr(0, length);
  cursor_.MoveTo(cursor_.at() + length);
  tree_.AddScalar(std::move(node), properties.anchor);
}

void TreeBuilder::OnAlias(const YAML::Mark& mark, YAML::anchor_t) {
  Approach();
  CheckMark(mark);
  if (cursor_.Peek() != '*') StopAtUnexpected("an alias");
  const std::string_view rest = cursor_.Rest();
  const std::size_t end = std::min(rest.find_first_of(" \t\r\n[]{},"), rest.size());
  tree_.AddAlias(rest.substr(1, end - 1), cursor_.position());
  cursor_.MoveTo(cursor_.at() + end);
}

void TreeBuilder::OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                           const std::string& value) {
  const Properties properties = Begin(mark, tag, anchor);
  YamlNode node;
  node.position = cursor_.position();
  const char first = cursor_.Peek();
  const bool plain = !ReadQuotedOrBlock(first, node.text);
  if (plain) {
    if (cursor_.AtBlockIndicator('?')) StopHere("a key written with '?'", "write 'key: value'");
    if (tree_.Top().IsFlow() && value == "-") StopHere("a '-' within brackets", "quote it if it is a text");
    if (!cursor_.MatchValue(value, masked_, node.text)) StopAtUnexpected("the value that follows");
  }
  if (properties.tag) {
    if (value.empty() && (plain || !node.text.empty())) {
      Stop(properties.tag->position, "a tag without a value", "write \"\" for an empty text");
    }
    node.kind = KindOfTagged(*properties.tag, node.text, problems_);
  } else {
    node.kind = KindOfUntagged(node.text, plain);
    if (plain && node.kind == YamlKind::kString) CheckBareText(node);
  }
  tree_.AddScalar(std::move(node), properties.anchor);
}

bool TreeBuilder::ReadQuotedOrBlock(char first, std::string& text) {
  const Frame& top = tree_.Top();
  const bool quoted = first == '"' || first == '\'';
  const bool block = !top.IsFlow() && (first == '|' || first == '>');
  if (!quoted && !block) return false;
  const bool within = top.IsBlock();
  auto read = block ? ReadBlockText(cursor_.text(), cursor_.at(), within ? top.indent : 0, within)
                    : ReadQuoted(cursor_.text(), cursor_.at(), within ? top.indent + 1 : 0);
  if (auto* fault = std::get_if<QuoteFault>(&read)) {
    Stop(source_.PositionAt(fault->offset), std::move(fault->what), std::move(fault->advice));
  }
  text = std::move(std::get<QuotedText>(read).value);
  cursor_.MoveTo(std::get<QuotedText>(read).end);
  return true;
}

void TreeBuilder::CheckBareText(const YamlNode& node) {
  if (source_.IsJson()) {
    problems_.Add(node.position, fmt::format("a text without quotes in a JSON file: {}", Shortened(node.text)),
                  "quote it, or look for a missing ','");
  } else if (tree_.Top().IsFlow() && HoldsQuotedKey(node.text)) {
    problems_.Add(node.position, fmt::format("a text that holds a quoted key: {}", Shortened(node.text)),
                  "put a ',' before that key, or quote the whole text");
  } else if (AwaitsKey() && node.text == "<<") {
    problems_.Add(node.position, "a merge key '<<', which YAML 1.2 does not have", "write the merged keys out");
  }
}

void TreeBuilder::OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                                  YAML::EmitterStyle::value style) {
  Properties properties = Begin(mark, tag, anchor);
  const bool flow = style == YAML::EmitterStyle::Flow;
  if (flow && cursor_.Peek() != '[') StopAtUnexpected("'['");
  if (properties.tag) CheckCollectionTag(*properties.tag, YamlKind::kSequence, problems_);
  tree_.Begin(flow ? FrameKind::kFlowSequence : FrameKind::kBlockSequence, cursor_.position(), cursor_.Indent(),
              std::move(properties.anchor));
  if (flow) cursor_.MoveTo(cursor_.at() + 1);
}

void TreeBuilder::OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                             YAML::EmitterStyle::value style) {
  Properties properties = Begin(mark, tag, anchor);
  if (style == YAML::EmitterStyle::Default) StopHere("a ':' without a key", "write 'key: value'");
  const bool flow = style == YAML::EmitterStyle::Flow;
  if (flow && cursor_.Peek() != '{') {
    StopHere("a map without braces in a list", "write {key: value}, or quote the text if it is one");
  }
  if (properties.tag) CheckCollectionTag(*properties.tag, YamlKind::kMap, problems_);
  tree_.Begin(flow ? FrameKind::kFlowMap : FrameKind::kBlockMap, cursor_.position(), cursor_.Indent(),
              std::move(properties.anchor));
  if (flow) cursor_.MoveTo(cursor_.at() + 1);
}

void TreeBuilder::End(char bracket) {
  feed_->NoteEvent();
  if (tree_.Top().IsFlow()) {
    cursor_.SkipGap();
    if (cursor_.Peek() == ',' && tree_.Top().entries > 0) {
      cursor_.MoveTo(cursor_.at() + 1);
      cursor_.SkipGap();
    }
    if (cursor_.Peek() != bracket) StopAtUnexpected(fmt::format("'{}'", bracket));
    cursor_.MoveTo(cursor_.at() + 1);
  }
  tree_.End();
}

}  // namespace

std::optional<YamlNode> BuildTree(const SourceText& source, std::string_view masked, const DocumentSpan& span,
                                  YamlBudget& budget, ProblemList& problems) {
  return TreeBuilder(source, masked, span, budget, problems).Build(span);
}

}  // namespace tokensync
