/// One manifest, one collection.yaml: the format of manifests, and each of its errors.
#include "manifest_file.h"

#include <fmt/format.h>
#include <catch2/catch.hpp>
#include <string>

#include "sha256.h"

using namespace tokensync;  // NOLINT(google-build-using-namespace)

namespace {

const std::string kHead = "projectId: 1\ncollectionId: 2\n";

ManifestContent Manifest_(std::string_view bytes, const InheritedValues& inherited = {}) {
  return ReadManifest(SourceText("m.yaml", bytes), inherited);
}

std::string Token(std::string_view fields) {
  return kHead + "token: {tokenId: \"7\", name: N" + (fields.empty() ? "" : ", ") + std::string(fields) + "}\n";
}

std::string PayloadOf(std::string_view bytes) {
  const ManifestContent content = Manifest_(bytes);
  for (const Problem& problem : content.problems) UNSCOPED_INFO(problem.what);
  REQUIRE(content.problems.empty());
  REQUIRE(content.tokens.size() == 1);
  return content.tokens[0].payload;
}

std::string Told(const Problem& problem) {
  return fmt::format("{}:{} {} | {}", problem.place.line, problem.place.column, problem.what, problem.advice);
}

void CheckProblem(const std::string& bytes, const std::string& told) {
  CAPTURE(bytes);
  const ManifestContent content = Manifest_(bytes);
  CHECK(content.tokens.empty());
  REQUIRE(content.problems.size() == 1);
  CHECK_THAT(Told(content.problems[0]), Catch::StartsWith(told));
}

}  // namespace

TEST_CASE("a request written as YAML is a manifest") {
  const ManifestContent content = Manifest_(
      "projectId: 30957\ncollectionId: 888\nprivate: false\n"
      "token:                         # or tokens: [ ... ]\n"
      "  tokenId: \"200\"\n  name: Eclipse Dragon\n  description: Forged from starlight and shadows.\n"
      "  image: https://example.com/200.png\n"
      "  properties: {element: Shadow, constellations_on_scales: 42}\n"
      "  attributes: [{trait_type: Rarity, value: Legendary}]\n");
  REQUIRE(content.problems.empty());
  REQUIRE(content.tokens.size() == 1);
  const DeclaredToken& token = content.tokens[0];
  CHECK(token.key.Text() == "30957/888/200");
  CHECK_FALSE(token.is_private);
  CHECK(token.position == TextPosition{5, 3});
  CHECK(
      token.payload ==
      R"({"attributes":[{"trait_type":"Rarity","value":"Legendary"}],"description":"Forged from starlight and shadows.",)"
      R"("image":"https://example.com/200.png","name":"Eclipse Dragon",)"
      R"("properties":{"constellations_on_scales":42,"element":"Shadow"},"tokenId":"200"})");
  CHECK(token.digest == PayloadDigest(token.payload, false));
}

TEST_CASE("manifests that mean the same have one payload") {
  const std::string payload = PayloadOf(Token("image_data: x, decimals: 18"));
  CHECK(PayloadOf(Token("decimals: 0x12,   imageData: \"x\"")) == payload);
  CHECK(PayloadOf("# c\ntoken:\n  decimals: 18\n  image_data: 'x'\n  name: \"\\u004E\"\n  tokenId: 7\n" + kHead) ==
        payload);
  CHECK(PayloadOf("{\"projectId\":1,\"collectionId\":2,\"token\":{\"tokenId\":\"7\",\"name\":\"N\",\"imageData\":\"x\","
                  "\"decimals\":18,\"video\":null,\"audio\":\"\",\"properties\":{},\"attributes\":[]}}") == payload);
  CHECK(PayloadOf("---\n---\n" + kHead +
                  "tokens:\n- {tokenId: 7, name: N, image_data: x, decimals: 18}\n---\n# end\n") == payload);
}

TEST_CASE("each of the four two-spelled fields is taken in either spelling, never in both") {
  for (const auto& [camel, snake] : {std::pair("imageData", "image_data"),
                                     {"externalUrl", "external_url"},
                                     {"backgroundColor", "background_color"},
                                     {"animationUrl", "animation_url"}}) {
    CHECK(PayloadOf(Token(fmt::format("{}: x", camel))) == PayloadOf(Token(fmt::format("{}: x", snake))));
    CheckProblem(
        Token(fmt::format("{}: x, {}: y", camel, snake)),
        fmt::format("3:{} '{}' and '{}' are one field in two spellings", 37 + std::string(camel).size(), camel, snake));
  }
}

TEST_CASE("a token id is its digits as they stand") {
  const std::string most = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
  for (const std::string& id : {std::string("0"), std::string("7"), std::string("\"7\""), most, "'" + most + "'"}) {
    CHECK(Manifest_(kHead + "token: {tokenId: " + id + ", name: N}\n").problems.empty());
  }
  struct Case {
    const char* id;
    const char* told;
  };
  const Case cases[] = {
      {"007", "3:18 '007' is no canonical token id | write it without leading zeros: \"7\""},
      {"\"000\"", "3:18 '000' is no canonical token id | write it without leading zeros: \"0\""},
      {"+7", "3:18 '+7' is no canonical token id | a token id is a number"},
      {"-7", "3:18 '-7' is no canonical token id"},
      {"0x7", "3:18 '0x7' is no canonical token id"},
      {"\" 7\"", "3:18 ' 7' is no canonical token id"},
      {"\"\"", "3:18 '' is no canonical token id"},
      {"1e3", "3:18 'tokenId' is a number with a fraction, not a token id"},
      {"7.0", "3:18 'tokenId' is a number with a fraction, not a token id"},
      {"true", "3:18 'tokenId' is true or false, not a token id"},
      {"[7]", "3:18 'tokenId' is a list, not a token id"},
      {"~", "3:18 'tokenId' is nothing (null), not a token id"},
      {"115792089237316195423570985008687907853269984665640564039457584007913129639936",
       "3:18 '115792089237316195423570985008687907853269984665640564039457…' is no canonical token id | the largest"},
  };
  for (const Case& c : cases) CheckProblem(kHead + "token: {tokenId: " + c.id + ", name: N}\n", c.told);
}

TEST_CASE("errors of a document name the place and what to write instead") {
  struct Case {
    std::string text;
    const char* told;
  };
  const Case cases[] = {
      {"projectid: 1\n" + Token(""), "1:1 unknown key 'projectid' | did you mean 'projectId'?"},
      {"zzz: 1\n" + Token(""), "1:1 unknown key 'zzz' | known here: projectId, collectionId, private, token, tokens"},
      {"name: x\n" + Token(""),
       "1:1 'name' outside of the token | it is a field of the token: indent it below 'token:'"},
      {"defaults: {}\n" + Token(""), "1:1 'defaults' in a manifest | they belong into a file named collection.yaml"},
      {Token("atributes: []"), "3:32 unknown key 'atributes' | did you mean 'attributes'?"},
      {Token("private: true"), "3:32 'private' within 'token' | it belongs beside 'token', not into it"},
      {Token("status: x"), "3:32 'status' is set by the service alone | remove it"},
      {Token("source: x"), "3:32 'source' is set by the service alone"},
      {Token("updatedAt: x"), "3:32 'updatedAt' is set by the service alone"},
      {Token("queuedAt: x"), "3:32 'queuedAt' is set by the service alone"},
      {Token("lastFetched: x"), "3:32 'lastFetched' is set by the service alone"},
      {Token("assets: []"), "3:32 'assets' is set by the service alone"},
      {Token("description: 12"), "3:45 'description' is an integer, not a string | quote it: \"12\""},
      {Token("image: [x]"), "3:39 'image' is a list, not a string"},
      {Token("video: true"), "3:39 'video' is true or false, not a string | quote it: \"true\""},
      {Token("properties: [x]"), "3:44 'properties' is a list, not a map"},
      {Token("properties: x"), "3:44 'properties' is a string, not a map"},
      {Token("attributes: {a: b}"), "3:44 'attributes' is a map, not a list"},
      {Token("attributes: [x]"), "3:45 an attribute is a string, not a map"},
      {Token("attributes: [[]]"), "3:45 an attribute is a list, not a map"},
      {Token("decimals: -1"), "3:42 'decimals' is not a whole number that is 0 or more"},
      {Token("decimals: 1.5"), "3:42 'decimals' is not a whole number"},
      {Token("decimals: \"18\""), "3:42 'decimals' is not a whole number that is 0 or more | write it without quotes"},
      {Token("properties: {a: 9007199254740993}"), "3:48 an integer beyond 2^53"},
      {Token("properties: {a: {\"b\\0c\": 1}}"), "3:49 a name with a NUL character, which readers of JSON cut short"},
      {Token("properties: {a: .nan}"), "3:48 a number that JSON cannot hold"},
      {Token("attributes: [{value: [.inf]}]"), "3:54 a number that JSON cannot hold"},
      {kHead + "token: {name: N}\n", "3:8 missing 'tokenId' | write the token's number"},
      {kHead + "token: {tokenId: 7}\n", "3:8 missing 'name'"},
      {kHead + "token: {tokenId: 7, name: \"\"}\n", "3:27 an empty 'name'"},
      {kHead + "token: {tokenId: 7, name: }\n", "3:26 an empty 'name'"},
      {kHead + "token: {tokenId: 7, name: 12}\n", "3:27 'name' is an integer, not a string | quote it: \"12\""},
      {kHead + "token: x\n", "3:8 'token' is a string, not a map"},
      {kHead + "token:\n", "3:7 'token' is nothing (null), not a map"},
      {kHead + "tokens: {tokenId: 7, name: N}\n", "3:9 'tokens' is a map, not a list"},
      {kHead + "tokens: [x]\n", "3:10 a token is a string, not a map"},
      {kHead + "token: {tokenId: 7, name: N}\ntokens: []\n", "4:1 both 'token' and 'tokens'"},
      {kHead,
       "1:1 missing 'token' (or 'tokens') | a file that only gives values to its folder is named collection.yaml"},
      {"collectionId: 2\ntoken: {tokenId: 7, name: N}\n",
       "1:1 missing 'projectId' | write it here, or in a collection.yaml"},
      {"projectId: 2\ntoken: {tokenId: 7, name: N}\n", "1:1 missing 'collectionId'"},
      {"projectId: \"1\"\ncollectionId: 2\ntokens: []\n",
       "1:12 'projectId' is a string, not a number | write it without quotes"},
      {"projectId: 1.0\ncollectionId: 2\ntokens: []\n", "1:12 'projectId' is a number with a fraction, not a number"},
      {"projectId: 1\ncollectionId: -2\ntokens: []\n", "2:15 'collectionId' is not within 1 and 2^53"},
      {"projectId: 1\ncollectionId: 0\ntokens: []\n", "2:15 'collectionId' is not within 1 and 2^53"},
      {"projectId: 1\ncollectionId: 9007199254740993\ntokens: []\n", "2:15 'collectionId' is not within 1 and 2^53"},
      {"private: no\n" + Token(""), "1:10 'private' is a string, not true or false"},
      {"private: \"true\"\n" + Token(""), "1:10 'private' is a string, not true or false"},
      {"private: 1\n" + Token(""), "1:10 'private' is an integer, not true or false"},
      {"- a\n", "1:1 the document is a list, not a map"},
      {"text\n", "1:1 the document is a string, not a map"},
      {"", "0:0 the file declares nothing | remove it, or write 'tokens: []'"},
      {"# nothing\n---\n", "0:0 the file declares nothing"},
      {Token("") + "token: {tokenId: 8, name: M}\n", "4:1 duplicate key 'token', first in line 3"},
      {Token("") + "---\n" + Token("") + "\xFF", "8:1 invalid UTF-8"},
  };
  for (const Case& c : cases) CheckProblem(c.text, c.told);
}

TEST_CASE("all problems of a file are told in one go, in the order of the file") {
  const ManifestContent content = Manifest_(
      "projectId: x\ncollectionId: 2\ntokens:\n- {tokenId: 07, name: 1}\n- {tokenId: 8, nmae: x, name: y, image: "
      "5}\n---\n"
      "a: [\n---\nprojectId: 1\ntoken: {tokenId: 1}\n");
  std::vector<std::uint32_t> lines;
  for (const Problem& problem : content.problems) lines.push_back(problem.place.line);
  CHECK(lines == std::vector<std::uint32_t>{1, 4, 4, 5, 5, 8, 9, 10});
  CHECK(content.tokens.empty());
}

TEST_CASE("numbers, null and nested values of properties are kept as JSON") {
  CHECK(
      PayloadOf(Token("properties: {a: 1.50, b: ~, c: [1, {d: yes}], e: {}, f: 010, g: \"9007199254740993\"}")) ==
      R"({"name":"N","properties":{"a":1.5,"b":null,"c":[1,{"d":"yes"}],"e":{},"f":10,"g":"9007199254740993"},"tokenId":"7"})");
}

TEST_CASE("values of collection.yaml are inherited, the manifest's own win") {
  InheritedValues above;
  const std::string outer =
      "projectId: 1\ncollectionId: 2\nprivate: true\ndefaults:\n  image: far\n  video: far\n"
      "  properties: {a: {x: 1, y: 1}, b: 1}\n  attributes: [{value: 1}]\n";
  const std::string inner = "collectionId: 3\ndefaults:\n  image: near\n  imageData: d\n  properties: {a: {y: 2}}\n";
  const CollectionContent far = ReadCollectionFile(SourceText("collection.yaml", outer), above);
  REQUIRE(far.problems.empty());
  const CollectionContent near = ReadCollectionFile(SourceText("x/collection.yaml", inner), far.values);
  REQUIRE(near.problems.empty());

  const ManifestContent plain = Manifest_("token: {tokenId: 7, name: N}\n", near.values);
  REQUIRE(plain.tokens.size() == 1);
  CHECK(plain.tokens[0].key.Text() == "1/3/7");
  CHECK(plain.tokens[0].is_private);
  CHECK(plain.tokens[0].payload == R"({"attributes":[{"value":1}],"image":"near","imageData":"d","name":"N",)"
                                   R"("properties":{"a":{"x":1,"y":2},"b":1},"tokenId":"7","video":"far"})");

  const ManifestContent own = Manifest_(
      "projectId: 9\nprivate: false\ntoken: {tokenId: 7, name: N, video: ~, image_data: own, attributes: [], "
      "properties: {a: 5, c: 6}}\n",
      near.values);
  REQUIRE(own.tokens.size() == 1);
  CHECK(own.tokens[0].key.Text() == "9/3/7");
  CHECK_FALSE(own.tokens[0].is_private);
  CHECK(own.tokens[0].payload ==
        R"({"image":"near","imageData":"own","name":"N","properties":{"a":5,"b":1,"c":6},"tokenId":"7"})");
}

TEST_CASE("a name may come from the defaults, a tokenId may not") {
  const std::string text = "projectId: 1\ncollectionId: 2\ndefaults: {name: Coin}\n";
  const CollectionContent values = ReadCollectionFile(SourceText("collection.yaml", text), {});
  CHECK(Manifest_("token: {tokenId: 7}\n", values.values).tokens.size() == 1);
  const std::string bad = "defaults: {tokenId: 1}\n";
  const CollectionContent refused = ReadCollectionFile(SourceText("collection.yaml", bad), {});
  REQUIRE(refused.problems.size() == 1);
  CHECK_THAT(Told(refused.problems[0]), Catch::StartsWith("1:12 'tokenId' within 'defaults'"));
}

TEST_CASE("errors of a collection.yaml") {
  struct Case {
    const char* text;
    const char* told;
  };
  const Case cases[] = {
      {"token: {}\n", "1:1 'token' in a collection.yaml | it gives values to the manifests beside and below it"},
      {"projectId: 1\ntokens: []\n", "2:1 'tokens' in a collection.yaml"},
      {"image: x\n", "1:1 'image' outside of 'defaults' | it is a field of a token: indent it below 'defaults:'"},
      {"default: {}\n", "1:1 unknown key 'default' | did you mean 'defaults'?"},
      {"defaults: []\n", "1:11 'defaults' is a list, not a map"},
      {"defaults: {status: x}\n", "1:12 'status' is set by the service alone"},
      {"defaults: {private: x}\n", "1:12 'private' within 'defaults'"},
      {"projectId: 1\n---\nprojectId: 2\n", "3:1 a second document in a collection.yaml"},
      {"[]\n", "1:1 the document is a list, not a map"},
      {"", "0:0 the file gives no values"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const CollectionContent content = ReadCollectionFile(SourceText("collection.yaml", c.text), {});
    CHECK(content.values.incomplete);
    REQUIRE(content.problems.size() == 1);
    CHECK_THAT(Told(content.problems[0]), Catch::StartsWith(c.told));
  }
}
