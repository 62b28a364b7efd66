#include "token_values.h"

#include <fmt/format.h>

#include <cstdlib>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core_schema.h"
#include "model.h"
#include "nearest_name.h"
#include "problem_text.h"
#include "token_fields.h"

namespace tokensync {

namespace {

/// A whole number without a sign, or nothing.
std::optional<std::uint64_t> WholeNumber(const YamlNode& node) {
  if (node.kind != YamlKind::kInteger) return std::nullopt;
  const auto number = ExactNumber(node.text, ScalarKind::kInteger);
  const double* value = std::get_if<double>(&number);
  if (value == nullptr || *value < 0) return std::nullopt;
  return static_cast<std::uint64_t>(*value);
}

void AddWrongType(const YamlMember& member, std::string_view wanted, std::string advice, ProblemList& problems) {
  problems.Add(member.value.position,
               fmt::format("'{}' is {}, not {}", Shortened(member.key), KindText(member.value.kind), wanted),
               std::move(advice));
}

bool IsNumberOrBool(const YamlNode& node) {
  return node.kind == YamlKind::kInteger || node.kind == YamlKind::kFloat || node.kind == YamlKind::kBool;
}

std::string QuoteAdvice(const YamlNode& node) {
  return fmt::format("quote it: \"{}\"", Shortened(node.text));
}

JsonValue ReadText(const YamlMember& member, ProblemList& problems) {
  const YamlNode& node = member.value;
  if (node.kind == YamlKind::kString) return node.text;
  if (node.kind != YamlKind::kNull) {
    AddWrongType(member, "a string", IsNumberOrBool(node) ? QuoteAdvice(node) : "write a text", problems);
  }
  return nullptr;
}

std::string TokenIdAdvice(std::string_view text) {
  const bool digits = !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
  if (!digits) return "a token id is a number from 0 to 2^256-1, written in decimal digits alone";
  const std::size_t significant = text.find_first_not_of('0');
  if (text[0] != '0' || significant == 0) return "the largest token id is 2^256-1";
  const std::string_view canonical = significant == std::string_view::npos ? "0" : text.substr(significant);
  return fmt::format("write it without leading zeros: \"{}\"", Shortened(canonical));
}

JsonValue ReadTokenId(const YamlMember& member, ProblemList& problems) {
  const YamlNode& node = member.value;
  if (node.kind != YamlKind::kString && node.kind != YamlKind::kInteger) {
    AddWrongType(member, "a token id", "write its decimal digits, best in quotes", problems);
    return nullptr;
  }
  if (!TokenId::Parse(node.text)) {
    problems.Add(node.position, fmt::format("'{}' is no canonical token id", Shortened(node.text)),
                 TokenIdAdvice(node.text));
    return nullptr;
  }
  return node.text;
}

JsonValue ReadProperties(const YamlMember& member, ProblemList& problems) {
  if (member.value.kind == YamlKind::kNull) return nullptr;
  if (member.value.kind != YamlKind::kMap) {
    AddWrongType(member, "a map", "write names and values: {element: Shadow}", problems);
    return nullptr;
  }
  return ToJson(member.value, problems);
}

JsonValue ReadAttributes(const YamlMember& member, ProblemList& problems) {
  static constexpr std::string_view kForm = "write a list of maps: [{trait_type: Rarity, value: Legendary}]";
  if (member.value.kind == YamlKind::kNull) return nullptr;
  if (member.value.kind != YamlKind::kSequence) {
    AddWrongType(member, "a list", std::string(kForm), problems);
    return nullptr;
  }
  for (const YamlNode& item : member.value.items) {
    if (item.kind != YamlKind::kMap) {
      problems.Add(item.position, fmt::format("an attribute is {}, not a map", KindText(item.kind)),
                   std::string(kForm));
    }
  }
  return ToJson(member.value, problems);
}

JsonValue ReadDecimals(const YamlMember& member, ProblemList& problems) {
  if (member.value.kind == YamlKind::kNull) return nullptr;
  if (const auto number = WholeNumber(member.value)) return static_cast<double>(*number);
  const bool quoted_number =
      member.value.kind == YamlKind::kString && ResolvePlain(member.value.text) == ScalarKind::kInteger;
  problems.Add(member.value.position, "'decimals' is not a whole number that is 0 or more",
               quoted_number ? "write it without quotes" : "write digits alone: decimals: 18");
  return nullptr;
}

JsonValue ReadField(const TokenField& field, const YamlMember& member, ProblemList& problems) {
  switch (field.type) {
    case FieldType::kTokenId:
      return ReadTokenId(member, problems);
    case FieldType::kText:
      return ReadText(member, problems);
    case FieldType::kProperties:
      return ReadProperties(member, problems);
    case FieldType::kAttributes:
      return ReadAttributes(member, problems);
    case FieldType::kDecimals:
      return ReadDecimals(member, problems);
  }
  std::abort();
}

const std::vector<std::string_view>& FieldSpellings() {
  static const std::vector<std::string_view> kSpellings = [] {
    std::vector<std::string_view> spellings;
    for (const TokenField& field : TokenFields()) {
      spellings.push_back(field.name);
      if (!field.alias.empty()) spellings.push_back(field.alias);
    }
    return spellings;
  }();
  return kSpellings;
}

bool IsDocumentKey(std::string_view key) {
  return key == "projectId" || key == "collectionId" || key == "private";
}

void AddUnknownField(const YamlMember& member, FieldsOf of, ProblemList& problems) {
  const std::string_view place = of == FieldsOf::kToken ? "token" : "defaults";
  std::string what = fmt::format("unknown key '{}'", Shortened(member.key));
  std::string advice = NameAdvice(member.key, FieldSpellings());
  if (IsServiceField(member.key)) {
    what = fmt::format("'{}' is set by the service alone", member.key);
    advice = "remove it";
  } else if (IsDocumentKey(member.key)) {
    what = fmt::format("'{}' within '{}'", member.key, place);
    advice = fmt::format("it belongs beside '{}', not into it", place);
  }
  problems.Add(member.position, std::move(what), std::move(advice));
}

}  // namespace

std::optional<std::uint64_t> ReadId(const YamlMember& member, ProblemList& problems) {
  const YamlNode& node = member.value;
  const auto number = WholeNumber(node);
  if (number && *number > 0) return number;
  if (node.kind == YamlKind::kString && ResolvePlain(node.text) == ScalarKind::kInteger) {
    AddWrongType(member, "a number", "write it without quotes", problems);
  } else if (node.kind != YamlKind::kInteger) {
    AddWrongType(member, "a number", fmt::format("write digits alone: {}: 888", member.key), problems);
  } else {
    problems.Add(node.position, fmt::format("'{}' is not within 1 and 2^53", member.key),
                 "write the number that Sequence Builder shows");
  }
  return std::nullopt;
}

std::optional<bool> ReadPrivate(const YamlMember& member, ProblemList& problems) {
  if (member.value.kind == YamlKind::kBool) return IsTrue(member.value);
  AddWrongType(member, "true or false", "write true or false, without quotes", problems);
  return std::nullopt;
}

JsonObject ReadTokenFields(const YamlNode& map, FieldsOf of, ProblemList& problems) {
  JsonObject fields;
  for (const YamlMember& member : map.members) {
    const TokenField* field = FindTokenField(member.key);
    if (field == nullptr) {
      AddUnknownField(member, of, problems);
      continue;
    }
    if (of == FieldsOf::kDefaults && field->type == FieldType::kTokenId) {
      problems.Add(member.position, "'tokenId' within 'defaults'",
                   "each token has a tokenId of its own: remove it here");
      continue;
    }
    const std::string_view other = member.key == field->name ? field->alias : field->name;
    const YamlMember* twin = other.empty() ? nullptr : map.Find(other);
    if (twin != nullptr && twin->position < member.position) {
      problems.Add(member.position, fmt::format("'{}' and '{}' are one field in two spellings", twin->key, member.key),
                   "keep one of them");
      continue;
    }
    fields[std::string(field->name)] = ReadField(*field, member, problems);
  }
  return fields;
}

void MergeInto(JsonObject& base, const JsonObject& over) {
  for (const auto& [name, value] : over) {
    JsonValue& target = base[name];
    const JsonObject* members = value.AsObject();
    JsonObject* target_members = target.AsObject();
    if (members != nullptr && target_members != nullptr) {
      MergeInto(*target_members, *members);
    } else {
      target = value;
    }
  }
}

void AddUnknownKey(const YamlMember& member, std::span<const std::string_view> known, ProblemList& problems) {
  std::string what = fmt::format("unknown key '{}'", Shortened(member.key));
  std::string advice;
  if (FindTokenField(member.key) != nullptr) {
    what = fmt::format("'{}' outside of the token", member.key);
    advice = "it is a field of the token: indent it below 'token:'";
  } else {
    advice = NameAdvice(member.key, known);
  }
  problems.Add(member.position, std::move(what), std::move(advice));
}

}  // namespace tokensync
