// When two tokens mean the same: key order, spelling, 1 against 1.0 and emptiness do not count; everything else does.
#include "token_fields.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>
#include <vector>

using namespace tokensync;

namespace {

std::vector<std::string> DifferingFields(const JsonObject& payload, const JsonObject& remote) {
  std::vector<std::string> fields;
  for (const FieldDifference& difference : CompareTokens(payload, remote)) fields.push_back(difference.field);
  return fields;
}

JsonObject WithProperties(JsonValue properties) {
  return {{"tokenId", "1"}, {"name", "n"}, {"properties", std::move(properties)}};
}

}  // namespace

TEST_CASE("tokens that mean the same do not differ") {
  const JsonObject bare = {{"tokenId", "1"}, {"name", "n"}};
  struct Row {
    const char* why;
    JsonObject ours;
    JsonObject theirs;
  };
  const std::vector<Row> rows = {
      {"identical", bare, bare},
      {"null against absent", bare, {{"tokenId", "1"}, {"name", "n"}, {"description", nullptr}}},
      {"empty text against absent", bare, {{"tokenId", "1"}, {"name", "n"}, {"image", ""}}},
      {"empty list against absent", bare, {{"tokenId", "1"}, {"name", "n"}, {"attributes", JsonArray{}}}},
      {"empty map against absent", bare, {{"tokenId", "1"}, {"name", "n"}, {"properties", JsonObject{}}}},
      {"empty list against null",
       {{"tokenId", "1"}, {"name", "n"}, {"attributes", JsonArray{}}},
       {{"tokenId", "1"}, {"name", "n"}, {"attributes", nullptr}}},
      {"what the service owns",
       bare,
       {{"tokenId", "1"},
        {"name", "n"},
        {"status", "AVAILABLE"},
        {"source", "x"},
        {"updatedAt", "0001-01-01"},
        {"assets", JsonArray{1}}}},
      {"an unknown field of the reply", bare, {{"tokenId", "1"}, {"name", "n"}, {"shiny", true}}},
      {"1 against 1.0", WithProperties(JsonObject{{"a", 1}}), WithProperties(JsonObject{{"a", 1.0}})},
      {"0 against -0", WithProperties(JsonObject{{"a", 0.0}}), WithProperties(JsonObject{{"a", -0.0}})},
      {"the other spelling",
       {{"tokenId", "1"}, {"name", "n"}, {"imageData", "d"}, {"externalUrl", "u"}},
       {{"tokenId", "1"}, {"name", "n"}, {"image_data", "d"}, {"external_url", "u"}}},
      {"both spellings, one of them empty",
       {{"tokenId", "1"}, {"name", "n"}, {"animationUrl", "u"}},
       {{"tokenId", "1"}, {"name", "n"}, {"animationUrl", ""}, {"animation_url", "u"}}},
      {"an empty member of a map against none", WithProperties(JsonObject{{"a", 1}, {"b", nullptr}}),
       WithProperties(JsonObject{{"a", 1}})},
      {"an empty member of a map, theirs", WithProperties(JsonObject{{"a", 1}}),
       WithProperties(JsonObject{{"a", 1}, {"b", JsonArray{}}})},
      {"a map of empty members against no map",
       WithProperties(JsonObject{{"a", ""}, {"b", JsonObject{{"c", nullptr}}}}), bare},
      {"a map of empty members against an empty map", WithProperties(JsonObject{{"a", ""}}),
       WithProperties(JsonObject{})},
      {"deep in a list",
       {{"tokenId", "1"}, {"name", "n"}, {"attributes", JsonArray{JsonObject{{"value", 1}, {"display_type", ""}}}}},
       {{"tokenId", "1"}, {"name", "n"}, {"attributes", JsonArray{JsonObject{{"value", 1.0}}}}}},
  };
  for (const Row& row : rows) {
    INFO(row.why);
    CHECK(DifferingFields(row.ours, row.theirs).empty());
    CHECK(DifferingFields(row.theirs, row.ours).empty());
  }
}

TEST_CASE("tokens that mean something else differ in the field that does") {
  struct Row {
    const char* field;
    JsonObject ours;
    JsonObject theirs;
  };
  const std::vector<Row> rows = {
      {"name", {{"name", "a"}}, {{"name", "b"}}},
      {"name", {{"name", "a"}}, {{"name", "a "}}},
      {"name", {{"name", "a"}}, {}},
      {"tokenId", {{"tokenId", "1"}}, {{"tokenId", 1}}},
      {"decimals", {{"decimals", 0}}, {}},
      {"decimals", {{"decimals", 18}}, {{"decimals", "18"}}},
      {"properties", WithProperties(JsonObject{{"a", false}}), WithProperties(JsonObject{})},
      {"properties", WithProperties(JsonObject{{"a", 1}}), WithProperties(JsonObject{{"a", 2}})},
      {"properties", WithProperties(JsonObject{{"a", 1}}), WithProperties(JsonObject{{"b", 1}})},
      {"properties", WithProperties(JsonObject{{"a", 1}}), WithProperties(JsonObject{{"a", 1}, {"b", 1}})},
      {"properties", WithProperties(JsonObject{{"a", JsonArray{}}, {"b", 1}}), WithProperties(JsonArray{1})},
      {"attributes", {{"attributes", JsonArray{1, 2}}}, {{"attributes", JsonArray{2, 1}}}},
      {"attributes", {{"attributes", JsonArray{1, 2}}}, {{"attributes", JsonArray{1}}}},
      {"attributes", {{"attributes", JsonArray{nullptr}}}, {{"attributes", JsonArray{}}}},
      {"externalUrl", {{"externalUrl", "a"}}, {{"external_url", "b"}}},
      {"backgroundColor", {{"backgroundColor", "a"}}, {}},
  };
  for (const Row& row : rows) {
    INFO(row.field << " " << CanonicalJson(row.ours) << " " << CanonicalJson(row.theirs));
    CHECK(DifferingFields(row.ours, row.theirs) == std::vector<std::string>{row.field});
    CHECK(DifferingFields(row.theirs, row.ours) == std::vector<std::string>{row.field});
  }
}

TEST_CASE("a difference tells both values as canonical JSON, an absent one as nothing") {
  const auto differences =
      CompareTokens({{"name", "a"}, {"properties", JsonObject{{"y", 1}, {"x", 1.5}}}}, {{"name", "b"}});
  REQUIRE(differences.size() == 2);
  CHECK(differences[0].field == "name");
  CHECK(differences[0].sent == "\"a\"");
  CHECK(differences[0].kept == "\"b\"");
  CHECK(differences[1].field == "properties");
  CHECK(differences[1].sent == R"({"x":1.5,"y":1})");
  CHECK(differences[1].kept.empty());
}

TEST_CASE("every field is found by each of its spellings") {
  std::set<std::string_view> spellings;
  for (const TokenField& field : TokenFields()) {
    CHECK(FindTokenField(field.name) == &field);
    CHECK(spellings.insert(field.name).second);
    if (field.alias.empty()) continue;
    CHECK(FindTokenField(field.alias) == &field);
    CHECK(spellings.insert(field.alias).second);
  }
  CHECK(spellings.size() == 17);
  CHECK(TokenFields()[0].name == "tokenId");
  CHECK(TokenFields()[1].name == "name");
  for (const char* spelling : {"", "Name", "token_id", "externalURL", "status"}) {
    CHECK(FindTokenField(spelling) == nullptr);
  }
}

TEST_CASE("what the service owns is known, and is no field of a manifest") {
  for (const char* field : {"status", "source", "updatedAt", "queuedAt", "lastFetched", "assets"}) {
    CHECK(IsServiceField(field));
    CHECK(FindTokenField(field) == nullptr);
  }
  CHECK_FALSE(IsServiceField("name"));
  CHECK_FALSE(IsServiceField(""));
}

TEST_CASE("the payload form has one spelling and no empty field") {
  const JsonObject normalized = NormalizedToken({{"tokenId", "1"},
                                                 {"name", "n"},
                                                 {"image_data", "d"},
                                                 {"external_url", ""},
                                                 {"description", nullptr},
                                                 {"attributes", JsonArray{}},
                                                 {"properties", JsonObject{}},
                                                 {"decimals", 0}});
  CHECK(CanonicalJson(normalized) == R"({"decimals":0,"imageData":"d","name":"n","tokenId":"1"})");
}
