#include "yaml_node.h"

#include <algorithm>
#include <cstdlib>
#include <utility>
#include <variant>

#include "core_schema.h"
#include "problem_text.h"

namespace tokensync {

namespace {

JsonValue NumberToJson(const YamlNode& node, ProblemList& problems) {
  const ScalarKind kind = node.kind == YamlKind::kInteger ? ScalarKind::kInteger : ScalarKind::kFloat;
  const auto number = ExactNumber(node.text, kind);
  if (const double* value = std::get_if<double>(&number)) return *value;
  switch (std::get<NumberFault>(number)) {
    case NumberFault::kTooLarge:
      problems.Add(node.position, "an integer beyond 2^53, which the service would change",
                   "quote it: \"" + Shortened(node.text) + "\"");
      break;
    case NumberFault::kNotFinite:
      problems.Add(node.position, "a number that JSON cannot hold", "quote it: \"" + Shortened(node.text) + "\"");
      break;
    case NumberFault::kInexact:
      problems.Add(node.position, "a number with more digits or a greater exponent than a double keeps",
                   "quote it: \"" + Shortened(node.text) + "\", or round it");
      break;
  }
  return nullptr;
}

}  // namespace

const YamlMember* YamlNode::Find(std::string_view key) const {
  const auto found =
      std::find_if(members.begin(), members.end(), [&](const YamlMember& member) { return member.key == key; });
  return found == members.end() ? nullptr : &*found;
}

std::string_view KindText(YamlKind kind) {
  switch (kind) {
    case YamlKind::kNull:
      return "nothing (null)";
    case YamlKind::kBool:
      return "true or false";
    case YamlKind::kInteger:
      return "an integer";
    case YamlKind::kFloat:
      return "a number with a fraction";
    case YamlKind::kString:
      return "a string";
    case YamlKind::kSequence:
      return "a list";
    case YamlKind::kMap:
      return "a map";
  }
  std::abort();
}

bool IsTrue(const YamlNode& node) {
  return node.kind == YamlKind::kBool && (node.text[0] == 't' || node.text[0] == 'T');
}

JsonValue ToJson(const YamlNode& node, ProblemList& problems) {
  switch (node.kind) {
    case YamlKind::kNull:
      return nullptr;
    case YamlKind::kBool:
      return IsTrue(node);
    case YamlKind::kInteger:
    case YamlKind::kFloat:
      return NumberToJson(node, problems);
    case YamlKind::kString:
      return node.text;
    case YamlKind::kSequence: {
      JsonArray array;
      array.reserve(node.items.size());
      for (const YamlNode& item : node.items) array.push_back(ToJson(item, problems));
      return array;
    }
    case YamlKind::kMap: {
      JsonObject object;
      for (const YamlMember& member : node.members) {
        if (member.key.find('\0') != std::string::npos) {
          problems.Add(member.position, "a name with a NUL character, which readers of JSON cut short", "remove it");
        }
        object[member.key] = ToJson(member.value, problems);
      }
      return object;
    }
  }
  std::abort();
}

}  // namespace tokensync
