#include "scalar_kind.h"

#include <fmt/format.h>

#include <cstdlib>

#include "core_schema.h"
#include "problem_text.h"

namespace tokensync {

namespace {

constexpr std::string_view kCore = "tag:yaml.org,2002:";

void AddUnknown(const WrittenTag& tag, ProblemList& problems) {
  const bool core_prefix = tag.name.starts_with(kCore);
  const std::string name = core_prefix ? fmt::format("!!{}", tag.name.substr(kCore.size())) : std::string(tag.name);
  problems.Add(tag.position, fmt::format("the tag '{}' is not known here", Shortened(name)),
               "remove it; quote the value if it begins with '!'");
}

}  // namespace

YamlKind KindOfUntagged(std::string_view text, bool plain) {
  if (!plain) return YamlKind::kString;
  switch (ResolvePlain(text)) {
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
  std::abort();
}

YamlKind KindOfTagged(const WrittenTag& tag, std::string_view text, ProblemList& problems) {
  const std::string_view name = tag.name.starts_with(kCore) ? tag.name.substr(kCore.size()) : std::string_view();
  if (name == "str") return YamlKind::kString;
  const YamlKind kind = KindOfUntagged(text, true);
  if (name == "null" && kind == YamlKind::kNull) return kind;
  if (name == "bool" && kind == YamlKind::kBool) return kind;
  if (name == "int" && kind == YamlKind::kInteger) return kind;
  const bool decimal_integer = kind == YamlKind::kInteger && text.find_first_of("xo") == std::string_view::npos;
  if (name == "float" && (kind == YamlKind::kFloat || decimal_integer)) return YamlKind::kFloat;
  if (name == "null" || name == "bool" || name == "int" || name == "float") {
    problems.Add(tag.position, fmt::format("the tag !!{} on a value that is none", name),
                 "remove the tag, or mend the value");
  } else {
    AddUnknown(tag, problems);
  }
  return YamlKind::kString;
}

void CheckCollectionTag(const WrittenTag& tag, YamlKind kind, ProblemList& problems) {
  const std::string_view wanted = kind == YamlKind::kMap ? "tag:yaml.org,2002:map" : "tag:yaml.org,2002:seq";
  if (tag.name != wanted) AddUnknown(tag, problems);
}

}  // namespace tokensync
