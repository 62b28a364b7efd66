/// JSON text that is cut into the texts of its parts.
#include "json_slices.h"

#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "json_text.h"

namespace tokensync {
namespace {

using Texts = std::vector<std::string_view>;

TEST_CASE("a member's text is found at the outermost level alone, the last of its name") {
  const std::string_view object =
      R"( { "a" : {"b":1,"c":"}]"} , "b":[ {"b":2} , "]" ],"b" : -1.5e3 ,"\u0063":"x\\","d":"\"}","":null } )";
  CHECK(MemberText(object, "a") == R"({"b":1,"c":"}]"})");
  CHECK(MemberText(object, "b") == "-1.5e3");
  CHECK(MemberText(object, "c") == R"("x\\")");
  CHECK(MemberText(object, "d") == R"("\"}")");
  CHECK(MemberText(object, "") == "null");
  CHECK(MemberText(object, "e") == std::nullopt);
  CHECK(MemberText("{}", "a") == std::nullopt);
  CHECK(MemberText("{ }", "a") == std::nullopt);
}

TEST_CASE("an array is cut into its items, up to a limit") {
  CHECK(ItemTexts(R"( [ 1,"a,b" , [2,[3]],{"c":[4,5]},null ] )", 5) ==
        Texts{"1", "\"a,b\"", "[2,[3]]", R"({"c":[4,5]})", "null"});
  CHECK(ItemTexts("[]", 0).empty());
  CHECK(ItemTexts("[1]", 1).size() == 1);
  CHECK_THROWS_AS(ItemTexts("[1,2]", 1), JsonTextError);
}

TEST_CASE("what is no object or no array at its outermost level is refused") {
  const std::string_view text =
      GENERATE(as<std::string_view>(), "", " ", "{", "}", "[", "]", "{]", "[}", "{,}", "[,]", "[1,]", "[,1]", "[1 2]",
               "[1", "[1,", "[\"a]", "[\"\\", "[[1]", R"({"a"})", R"({"a":})", R"({"a" 1})", R"({"a":1,})", R"({a:1})",
               R"({"a":1 "b":2})", R"({"a":1)", R"({"a":"b)", "{} {}", "[] x", "null", "\"a\"", "7");
  INFO(text);
  CHECK_THROWS_AS(MemberText(text, "a"), JsonTextError);
  CHECK_THROWS_AS(ItemTexts(text, 100), JsonTextError);
}

JsonValue RandomValue(std::mt19937& random, int depth) {
  switch (random() % (depth > 0 ? 6U : 4U)) {
    case 0:
      return JsonValue(static_cast<double>(random() % 1000) / 8);
    case 1:
      return JsonValue(random() % 2 == 0);
    case 2:
      return JsonValue(nullptr);
    case 3: {
      std::string text;
      while (random() % 4 != 0) text.push_back("\"\\{}[],: a\n"[random() % 11]);
      return JsonValue(text);
    }
    case 4: {
      JsonArray array;
      while (random() % 4 != 0) array.push_back(RandomValue(random, depth - 1));
      return JsonValue(array);
    }
    default: {
      JsonObject object;
      while (random() % 4 != 0) {
        object.insert_or_assign(std::string(random() % 3, "\"}a\\"[random() % 4]), RandomValue(random, depth - 1));
      }
      return JsonValue(object);
    }
  }
}

TEST_CASE("the parts of any value are those that a parser sees") {
  std::mt19937 random(3);
  for (int round = 0; round < 3000; ++round) {
    const JsonValue value = RandomValue(random, 4);
    const std::string text = CanonicalJson(value);
    INFO(text);
    if (const JsonArray* array = value.AsArray()) {
      const Texts items = ItemTexts(text, array->size());
      REQUIRE(items.size() == array->size());
      for (std::size_t i = 0; i < items.size(); ++i) CHECK(items[i] == CanonicalJson((*array)[i]));
    } else if (const JsonObject* object = value.AsObject()) {
      for (const auto& [name, member] : *object) CHECK(MemberText(text, name) == CanonicalJson(member));
    }
  }
}

}  // namespace
}  // namespace tokensync
