#include "parse_fault.h"

#include <fmt/format.h>
#include <yaml-cpp/exceptions.h>

#include <array>

#include "problem_text.h"
#include "text.h"

namespace tokensync {

namespace {

struct Explanation {
  std::string_view message;
  std::string_view what;
  std::string_view advice;
};

FaultText ExplainUnknownToken(std::string_view here) {
  const char c = here.empty() ? '\0' : here[0];
  if (c == '@' || c == '`') {
    return {fmt::format("a value that begins with '{}'", c), "quote it"};
  }
  if (c == '?') return {"a '?' that does not belong here", "quote the text that holds it"};
  if (c == '%') return {"a value that begins with '%'", "quote it"};
  if (c == '|' || c == '>') return {"a block text within [ ] or { }", "quote the text instead"};
  return {"text that is no YAML", "quote it if it is a value"};
}

}  // namespace

FaultText ExplainParseFault(std::string_view message, std::string_view here) {
  namespace msg = YAML::ErrorMsg;
  static const std::array<Explanation, 26> kExplanations = {{
      {msg::MAP_VALUE, "a ':' that does not belong here",
       "quote the value if it holds ': ', or check the indentation here and above"},
      {msg::MAP_KEY, "a '?' that does not belong here", "write 'key: value'"},
      {msg::BLOCK_ENTRY, "a '-' that does not belong here", "begin the list on the next line, or quote the value"},
      {msg::END_OF_MAP, "no 'key: value' where one is expected",
       "check the indentation and the quotes of the lines above"},
      {msg::END_OF_SEQ, "no '- item' where one is expected", "check the indentation and the quotes of the lines above"},
      {msg::END_OF_MAP_FLOW, "a '{' that is not closed here", "separate the members with ',' and close with '}'"},
      {msg::END_OF_SEQ_FLOW, "a '[' that is not closed here", "separate the items with ',' and close with ']'"},
      {msg::FLOW_END, "a closing bracket that nothing opened", "remove it, or quote the value"},
      {msg::TAB_IN_INDENTATION, "a tab in the indentation", "indent with spaces"},
      {msg::DOC_IN_SCALAR, "a quoted text that does not end: its closing quote is missing", "close it"},
      {msg::EOF_IN_SCALAR, "a quoted text that does not end: its closing quote is missing", "close it"},
      {msg::CHAR_IN_BLOCK, "text after '|' or '>'", "begin the text on the next line, or quote the value"},
      {msg::ZERO_INDENT_IN_BLOCK, "an indentation of 0 after '|' or '>'", "remove the 0"},
      {msg::UNKNOWN_ANCHOR, "an alias of an anchor that does not exist here", "quote the value if it begins with '*'"},
      {msg::ALIAS_NOT_FOUND, "a '*' without a name", "quote the value if it begins with '*'"},
      {msg::ANCHOR_NOT_FOUND, "a '&' without a name", "quote the value if it begins with '&'"},
      {msg::CHAR_IN_ALIAS, "a character that the name of an alias cannot have",
       "quote the value if it begins with '*'"},
      {msg::CHAR_IN_ANCHOR, "a character that the name of an anchor cannot have",
       "quote the value if it begins with '&'"},
      {msg::MULTIPLE_TAGS, "two tags on one value", "remove one of them"},
      {msg::MULTIPLE_ANCHORS, "two anchors on one value", "remove one of them"},
      {msg::ALIAS_CONTENT, "an alias with content of its own", "write one or the other"},
      {msg::CHAR_IN_TAG_HANDLE, "a tag that cannot be read", "quote the value if it begins with '!'"},
      {msg::TAG_WITH_NO_SUFFIX, "a tag that cannot be read", "quote the value if it begins with '!'"},
      {msg::END_OF_VERBATIM_TAG, "a tag that cannot be read", "quote the value if it begins with '!'"},
      {msg::INVALID_HEX, "an escape with a character that is no hexadecimal digit",
       "write \\\\ for a backslash, or use single quotes"},
      {msg::BAD_FILE, "nesting beyond what can be read", "flatten the value"},
  }};
  for (const Explanation& explanation : kExplanations) {
    if (message == explanation.message) return {std::string(explanation.what), std::string(explanation.advice)};
  }
  if (message == msg::UNKNOWN_TOKEN) return ExplainUnknownToken(here);
  if (message.starts_with(msg::INVALID_UNICODE)) {
    return {"half of a surrogate pair, or an escape beyond Unicode", "write the character itself"};
  }
  if (message.starts_with(msg::INVALID_ESCAPE)) {
    return {"an escape that does not exist in double quotes", "write \\\\ for a backslash, or use single quotes"};
  }
  return {fmt::format("text that cannot be read: {}", PrintableText(message)), {}};
}

}  // namespace tokensync
