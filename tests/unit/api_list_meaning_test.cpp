/// What a page of a collection makes true: its tokens, by digests that can be compared with what is declared, and
/// whether there are more. (The replies that are no page are in the tables of all calls.)
#include <fmt/format.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "api_test_support.h"
#include "page_reading.h"
#include "reply_meaning.h"
#include "sha256.h"

namespace tokensync {
namespace {

constexpr TimePoint kNow{std::chrono::seconds(1'800'000'000)};

HttpReply Reply(int status, std::string body) {
  return HttpReply{status, {}, std::move(body), true};
}

ListReading List(const HttpReply& reply, std::uint32_t page = 0) {
  return ClassifyList(reply, ListCall(page), kNow, ForeignText(RunToken()));
}

/// The page, which must be one.
Listed PageOf(const std::string& body) {
  INFO(body.substr(0, 300));
  const ListReading reading = List(Reply(200, body));
  REQUIRE(NameOf(reading.outcome) == "listed");
  CHECK(reading.answer.http_status == 200);
  return std::get<Listed>(reading.outcome);
}

std::string PageWith(const std::string& tokens, const std::string& page = R"({"pageSize":30,"more":false})") {
  return fmt::format(R"({{"page":{},"tokens":[{}]}})", page, tokens);
}

TEST_CASE("the tokens of a page have the digests of what was declared, public and private, in either spelling") {
  const std::string member = GENERATE(as<std::string>(), "external_url", "externalUrl");
  const Listed page = PageOf(PageWith(
      fmt::format(
          R"({{"tokenId":"7","name":"Dragon 7","{}":"https://example.com/7","image":"","attributes":null,)"
          R"("updatedAt":"2026-11-24T06:42:44Z","status":"AVAILABLE","unheard_of":[1]}},)"
          R"({{"tokenId":"10","name":"Other","imageData":"","image_data":"x","properties":{{"b":1.0,"a":[]}}}})",
          member),
      R"({"pageSize":2,"more":true})"));
  CHECK(page.more);
  REQUIRE(page.tokens.size() == 2);
  CHECK(page.tokens[0].token.text() == "7");
  CHECK(page.tokens[0].if_public == PayloadDigest(CreateCall("7").payload, false));
  CHECK(page.tokens[0].if_private == PayloadDigest(CreateCall("7").payload, true));
  CHECK(page.tokens[1].token.text() == "10");
  CHECK(page.tokens[1].if_public ==
        PayloadDigest(R"({"imageData":"x","name":"Other","properties":{"a":[],"b":1},"tokenId":"10"})", false));
}

TEST_CASE("a page tells whether there are more, or what it lacks does") {
  const std::string two = R"({"tokenId":"1","name":"a"},{"tokenId":"2","name":"b"})";
  CHECK(PageOf(PageWith(two, R"({"more":true})")).more);
  CHECK_FALSE(PageOf(PageWith(two, R"({"more":false})")).more);
  CHECK_FALSE(PageOf(PageWith(two, R"({"pageSize":1,"more":false})")).more);
  CHECK(PageOf(PageWith("", R"({"more":true})")).more);
  // As a server written in Go leaves a false out.
  CHECK_FALSE(PageOf(PageWith(two, R"({"pageSize":3})")).more);
  CHECK_FALSE(PageOf(PageWith(two, R"({"pageSize":3,"more":null})")).more);
  CHECK(PageOf(PageWith(two, R"({"pageSize":2})")).more);
  CHECK_FALSE(PageOf(PageWith("", R"({"pageSize":2})")).more);
  CHECK_FALSE(PageOf(PageWith("", "{}")).more);
  for (const char* empty : {R"({"page":{},"tokens":null})", R"({"page":{"pageSize":30,"more":false}})",
                            R"({"tokens":[]})", R"({"page":null,"tokens":[]})"}) {
    const Listed page = PageOf(empty);
    CHECK(page.tokens.empty());
    CHECK_FALSE(page.more);
  }
  const std::string open =
      GENERATE(as<std::string>(), "null", "{}", "7", "[]", "true", R"({"pageSize":0})", R"({"pageSize":"30"})",
               R"({"pageSize":-30})", R"({"pageSize":3,"more":"false"})", R"({"pageSize":3,"more":0})");
  INFO(open);
  const ListReading reading = List(Reply(200, PageWith(two, open)));
  CHECK(NameOf(reading.outcome) == "reading-failed");
  CHECK(reading.answer.message.find("more pages") != std::string::npos);
}

TEST_CASE("a 200 that is no page is a reading that failed") {
  const std::string body = GENERATE(
      as<std::string>(), "", "{}", "null", "[]", "7", "<html></html>", R"({"tokens":null})", R"({"tokens":{}})",
      R"({"page":{"more":false},"tokens":{}})", R"({"page":{"more":false},"tokens":"none"})", R"({"page":[]})",
      R"({"token":{"tokenId":"7","name":"n"}})", R"({"page":{"more":false},"tokens":[]} trailing)",
      R"({"page":{"more":false},"tokens":[)", R"({"page":{"more":false},"tokens":[}})",
      R"({"page":{"more":false},"tokens":[{"tokenId":"1"},]})", R"({"page":{"more":fals},"tokens":[]})",
      // Items that are no JSON, and tell no id.
      R"({"page":{"more":false},"tokens":[nul]})", R"({"page":{"more":false},"tokens":[{"name":tru}]})",
      R"({"page":{"more":false},"tokens":[{"tokenId":"1","name"}]})",
      R"({"page":{"more":false},"tokens":[{"tokenId":"07","name":tru}]})",
      "{\"page\":{\"more\":false},\"tokens\":[\"\xFF\"]}", R"({"error":"Fail","code":1005,"msg":"m","status":200})");
  INFO(body);
  const ListReading reading = List(Reply(200, body));
  CHECK(NameOf(reading.outcome) == "reading-failed");
  CHECK(reading.answer.http_status == 200);
  CHECK_FALSE(reading.answer.message.empty());
}

TEST_CASE("white space, escaped names and repeated members do not change what a page is") {
  const Listed page = PageOf(
      " { \"tokens\" : [ ] ,\r\n\t\"t\\u006fkens\" : [ { \"tokenId\" : \"1\" } , { \"tokenId\":\"2\" } ] , "
      "\"page\" : { \"more\" : true } , \"x\": \"]}\\\"{[\" } ");
  CHECK(page.more);
  CHECK(page.tokens.size() == 2);
}

TEST_CASE("a page that is not complete is none, and neither is one with too many tokens") {
  HttpReply cut = Reply(200, PageWith(R"({"tokenId":"1","name":"a"})"));
  cut.body_complete = false;
  CHECK(NameOf(List(cut).outcome) == "reading-failed");
  cut.status = 400;
  cut.body = R"({"error":"NotFound","code":3000})";
  CHECK(NameOf(List(cut).outcome) == "reading-failed");
  cut.status = 413;
  CHECK(NameOf(List(cut).outcome) == "refused");

  std::string tokens = R"({"tokenId":"0"})";
  for (std::size_t i = 1; i < kPageTokensMax; ++i) tokens += fmt::format(R"(,{{"tokenId":"{}"}})", i);
  CHECK(PageOf(PageWith(tokens)).tokens.size() == kPageTokensMax);
  const ListReading reading = List(Reply(200, PageWith(tokens + R"(,{"tokenId":"x"})")));
  CHECK(NameOf(reading.outcome) == "reading-failed");
  CHECK(reading.answer.message.find("a list is too long") != std::string::npos);
}

TEST_CASE("a collection that is not found holds nothing, but not after a page that was there") {
  const HttpReply reply = Reply(400, R"({"error":"NotFound","code":3000,"msg":"Resource not found","status":400})");
  const ListReading first = List(reply);
  REQUIRE(NameOf(first.outcome) == "listed");
  CHECK(std::get<Listed>(first.outcome).tokens.empty());
  CHECK_FALSE(std::get<Listed>(first.outcome).more);
  CHECK(first.answer.error_name == "NotFound");
  CHECK(NameOf(List(reply, 1).outcome) == "reading-failed");
  CHECK(NameOf(List(Reply(400, R"({"code":3000})")).outcome) == "listed");
}

TEST_CASE("a token with an id is listed whatever else it holds, and one without is left out and counted") {
  std::string deep = "1";
  for (int i = 0; i < 400; ++i) deep = "[" + deep + "]";
  const std::vector<std::string> odd = {
      R"("name":7)", R"("name":["n"])", R"("attributes":{"a":1})", R"("attributes":[1])", R"("properties":"n")",
      R"("decimals":"18")", R"("decimals":1e300)", R"("image":{"a":null})", R"("external_url":true)",
      // These cannot be read as tokens.
      R"("properties":{"p":)" + deep + "}", R"("properties":{"\u0000":1})", "\"name\":\"\xFF\"", R"("decimals":1e400)",
      R"("name":"n",)" + fmt::format(R"("description":"{}")", std::string(kListedTokenBytesMax, 'x'))};
  std::string tokens;
  for (std::size_t i = 0; i < odd.size(); ++i) {
    tokens += fmt::format(R"({{"tokenId":"{}",{}}},)", i, odd[i]);
  }
  const std::vector<std::string> without = {
      "null",
      "7",
      "[]",
      "\"7\"",
      "{}",
      R"({"name":"n"})",
      R"({"tokenId":7})",
      R"({"tokenId":""})",
      R"({"tokenId":"07"})",
      R"({"tokenId":"0x7"})",
      R"({"tokenId":null})",
      R"({"tokenId":"115792089237316195423570985008687907853269984665640564039457584007913129639936"})"};
  for (const std::string& token : without) tokens += token + ",";
  tokens += R"({"tokenId":"99","name":"n"})";

  const ListReading reading = List(Reply(200, PageWith(tokens)));
  REQUIRE(NameOf(reading.outcome) == "listed");
  const Listed& page = std::get<Listed>(reading.outcome);
  REQUIRE(page.tokens.size() == odd.size() + 1);
  CHECK(reading.answer.message ==
        fmt::format("{} of the page's tokens have no tokenId that can be read", without.size()));
  for (std::size_t i = 0; i < odd.size(); ++i) {
    INFO(odd[i]);
    const std::string id = std::to_string(i);
    CHECK(page.tokens[i].token.text() == id);
    // Nobody declares such a token; a token without the odd field is another one.
    CHECK(page.tokens[i].if_public != PayloadDigest(fmt::format(R"({{"tokenId":"{}"}})", id), false));
  }
  CHECK(page.tokens.back().if_public == PayloadDigest(R"({"name":"n","tokenId":"99"})", false));
  CHECK(List(Reply(200, PageWith(R"({"tokenId":"1"})"))).answer.message.empty());
}

/// Makes tokens, and other tokens that mean the same or do not.
class TokenDice {
 public:
  explicit TokenDice(unsigned seed) : random_(seed) {}

  bool Chance(int percent) { return static_cast<int>(random_() % 100) < percent; }

  JsonValue Value(int depth) {
    switch (random_() % (depth > 0 ? 8 : 6)) {
      case 0:
        return nullptr;
      case 1:
        return Chance(50);
      case 2:
        return Pick<double>({0.0, -0.0, 1.0, 2.5, -3.0, 1e21, 5e-324, 9007199254740992.0});
      case 3:
      case 4:
        return Pick<const char*>({"", "a", "é", "<&>\n\"\\", "1", "\x01"});
      case 5:
        return Chance(50) ? JsonValue(JsonArray()) : JsonValue(JsonObject());
      case 6: {
        JsonArray list;
        while (Chance(60)) list.push_back(Value(depth - 1));
        return list;
      }
      default: {
        JsonObject map;
        while (Chance(60)) map.insert_or_assign(Pick<const char*>({"a", "b", "", "trait_type"}), Value(depth - 1));
        return map;
      }
    }
  }

  /// As a manifest may declare it: known fields by their names.
  JsonObject Token() {
    JsonObject token{{"tokenId", "7"}};
    for (const TokenField& field : TokenFields()) {
      if (field.name != "tokenId" && Chance(40)) token.insert_or_assign(std::string(field.name), Value(3));
    }
    return token;
  }

  /// As the service may show it.
  JsonObject SameElsewhere(const JsonObject& token) {
    JsonObject shown{{"status", "AVAILABLE"}, {"unheard_of", Value(1)}};
    for (const TokenField& field : TokenFields()) {
      const auto own = token.find(field.name);
      const JsonValue value = own == token.end() ? Nothing() : own->second;
      const bool by_alias = !field.alias.empty() && Chance(50);
      if (!value.IsEmpty() || Chance(50))
        shown.insert_or_assign(std::string(by_alias ? field.alias : field.name), value);
      if (!field.alias.empty() && Chance(30))
        shown.emplace(std::string(by_alias ? field.name : field.alias), Nothing());
    }
    return shown;
  }

  JsonObject Altered(JsonObject token) {
    const TokenField& field = TokenFields()[random_() % TokenFields().size()];
    token.insert_or_assign(std::string(field.alias.empty() || Chance(50) ? field.name : field.alias), Value(2));
    if (Chance(20)) token.erase(std::string(field.name));
    return token;
  }

 private:
  template <class T>
  T Pick(std::initializer_list<T> from) {
    return *(from.begin() + random_() % from.size());
  }
  JsonValue Nothing() {
    return Chance(50)   ? JsonValue()
           : Chance(50) ? JsonValue("")
           : Chance(50) ? JsonValue(JsonArray())
                        : JsonValue(JsonObject());
  }

  std::mt19937 random_;
};

TEST_CASE("equal digests mean equal tokens, and what the service may show otherwise does not change a digest") {
  TokenDice dice(20261124);
  int equal = 0;
  int only_by_meaning = 0;
  int different = 0;
  for (int round = 0; round < 4000; ++round) {
    const JsonObject declared = dice.Token();
    const std::string payload = CanonicalJson(NormalizedToken(declared));
    const bool same = dice.Chance(50);
    const JsonObject shown = same ? dice.SameElsewhere(declared) : dice.Altered(dice.SameElsewhere(declared));
    const std::string shown_text = CanonicalJson(shown);
    INFO(payload << " shown as " << shown_text);

    const ListReading reading = List(Reply(200, PageWith(shown_text)));
    REQUIRE(NameOf(reading.outcome) == "listed");
    const Listed& page = std::get<Listed>(reading.outcome);
    if (page.tokens.empty()) continue;  // its id was altered
    REQUIRE(page.tokens.size() == 1);
    const ListedToken& listed = page.tokens.front();
    const bool digests_equal = listed.if_public == PayloadDigest(payload, false);
    CHECK(digests_equal == (listed.if_private == PayloadDigest(payload, true)));
    const bool tokens_equal = CompareTokens(NormalizedToken(declared), shown).empty();
    if (digests_equal) CHECK(tokens_equal);
    if (same) CHECK(digests_equal);
    ++(digests_equal ? equal : tokens_equal ? only_by_meaning : different);
  }
  CHECK(equal > 1000);
  CHECK(only_by_meaning > 5);
  CHECK(different > 500);
}

TEST_CASE("a token has one digest, listed or read") {
  TokenDice dice(7);
  for (int round = 0; round < 500; ++round) {
    const std::string shown = CanonicalJson(dice.SameElsewhere(dice.Token()));
    INFO(shown);
    Call read = ReadCall("7");
    const ListedToken listed = PageOf(PageWith(shown)).tokens.at(0);
    for (const bool is_private : {false, true}) {
      read.is_private = is_private;
      const ReadReading reading =
          ClassifyRead(Reply(200, R"({"token":)" + shown + "}"), read, kNow, ForeignText(RunToken()));
      CHECK(std::get<Found>(reading.outcome).remote_digest == (is_private ? listed.if_private : listed.if_public));
    }
  }
}

}  // namespace
}  // namespace tokensync
