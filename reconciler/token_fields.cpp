#include "token_fields.h"

#include <algorithm>
#include <array>

namespace tokensync {

namespace {

constexpr std::array<TokenField, 13> kFields = {{
    {"tokenId", "", FieldType::kTokenId},
    {"name", "", FieldType::kText},
    {"description", "", FieldType::kText},
    {"image", "", FieldType::kText},
    {"imageData", "image_data", FieldType::kText},
    {"video", "", FieldType::kText},
    {"audio", "", FieldType::kText},
    {"externalUrl", "external_url", FieldType::kText},
    {"backgroundColor", "background_color", FieldType::kText},
    {"animationUrl", "animation_url", FieldType::kText},
    {"properties", "", FieldType::kProperties},
    {"attributes", "", FieldType::kAttributes},
    {"decimals", "", FieldType::kDecimals},
}};

constexpr std::array<std::string_view, 6> kServiceFields = {"status",   "source",      "updatedAt",
                                                            "queuedAt", "lastFetched", "assets"};

bool SameMeaning(const JsonValue& a, const JsonValue& b);

/// Empty, or a map of such members only: with those left out it would be empty.
bool MeansNothing(const JsonValue& value) {
  const JsonObject* object = value.AsObject();
  if (object == nullptr) return value.IsEmpty();
  return std::all_of(object->begin(), object->end(), [](const auto& member) { return MeansNothing(member.second); });
}

bool SameObject(const JsonObject& a, const JsonObject& b) {
  const auto covered = [](const JsonObject& from, const JsonObject& by) {
    return std::all_of(from.begin(), from.end(), [&](const auto& member) {
      const auto twin = by.find(member.first);
      return twin == by.end() ? MeansNothing(member.second) : SameMeaning(member.second, twin->second);
    });
  };
  return covered(a, b) && covered(b, a);
}

bool SameMeaning(const JsonValue& a, const JsonValue& b) {
  if (MeansNothing(a) || MeansNothing(b)) return MeansNothing(a) && MeansNothing(b);
  const JsonObject* a_object = a.AsObject();
  const JsonObject* b_object = b.AsObject();
  if (a_object != nullptr && b_object != nullptr) return SameObject(*a_object, *b_object);
  const JsonArray* a_array = a.AsArray();
  const JsonArray* b_array = b.AsArray();
  if (a_array != nullptr && b_array != nullptr) {
    return std::equal(a_array->begin(), a_array->end(), b_array->begin(), b_array->end(), SameMeaning);
  }
  return a == b;
}

const JsonValue* FindMember(const JsonObject& object, std::string_view name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &found->second;
}

/// The field in whichever spelling holds something.
JsonValue FieldValue(const JsonObject& token, const TokenField& field) {
  const JsonValue* value = FindMember(token, field.name);
  if ((value == nullptr || value->IsEmpty()) && !field.alias.empty()) {
    if (const JsonValue* other = FindMember(token, field.alias)) value = other;
  }
  return value == nullptr ? JsonValue() : *value;
}

std::string DifferenceText(const JsonValue& value) {
  return value.IsNull() ? std::string() : CanonicalJson(value);
}

}  // namespace

std::span<const TokenField> TokenFields() {
  return kFields;
}

const TokenField* FindTokenField(std::string_view spelling) {
  if (spelling.empty()) return nullptr;
  const auto found = std::find_if(kFields.begin(), kFields.end(), [&](const TokenField& field) {
    return field.name == spelling || field.alias == spelling;
  });
  return found == kFields.end() ? nullptr : &*found;
}

bool IsServiceField(std::string_view spelling) {
  return std::find(kServiceFields.begin(), kServiceFields.end(), spelling) != kServiceFields.end();
}

JsonObject NormalizedToken(JsonObject token) {
  JsonObject normalized;
  for (auto& [name, value] : token) {
    if (value.IsEmpty()) continue;
    const TokenField* field = FindTokenField(name);
    normalized.emplace(field == nullptr ? name : std::string(field->name), std::move(value));
  }
  return normalized;
}

std::vector<FieldDifference> CompareTokens(const JsonObject& payload, const JsonObject& remote) {
  std::vector<FieldDifference> differences;
  for (const TokenField& field : kFields) {
    const JsonValue ours = FieldValue(payload, field);
    const JsonValue theirs = FieldValue(remote, field);
    if (!SameMeaning(ours, theirs)) {
      differences.push_back({std::string(field.name), DifferenceText(ours), DifferenceText(theirs)});
    }
  }
  return differences;
}

}  // namespace tokensync
