#include <catch2/catch.hpp>

#include <string>

#include "json_text.h"

namespace tokensync {
namespace {

std::string Canonical(std::string_view text) {
  return CanonicalJson(ParseJson(text));
}

TEST_CASE("JSON text becomes the value that it says") {
  CHECK(Canonical(R"( { "b" : [ 1 , 2.5 , -0 , 1e3 ] , "a" : { } , "t" : true , "f" : false , "n" : null } )") ==
        R"({"a":{},"b":[1,2.5,0,1000],"f":false,"n":null,"t":true})");
  CHECK(Canonical(R"("a\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00é")") == "\"a\\\"\\\\/\\b\\f\\n\\r\\té😀é\"");
  CHECK(Canonical("[]") == "[]");
  CHECK(Canonical("[[],{},[{}]]") == "[[],{},[{}]]");
  CHECK(Canonical("7") == "7");
  CHECK(Canonical("null") == "null");
  CHECK(Canonical(R"({"":{"":""}})") == R"({"":{"":""}})");
}

TEST_CASE("of a repeated member the last counts") {
  CHECK(Canonical(R"({"a":1,"b":2,"a":{"c":3}})") == R"({"a":{"c":3},"b":2})");
}

TEST_CASE("a number is the double nearest to it, however it is written") {
  CHECK(*ParseJson("9007199254740993").AsNumber() == 9007199254740992.0);
  CHECK(*ParseJson("9223372036854775808").AsNumber() == 9223372036854775808.0);
  CHECK(*ParseJson("18446744073709551615").AsNumber() == 18446744073709551616.0);
  CHECK(*ParseJson("100000000000000000000").AsNumber() == 1e20);
  CHECK(*ParseJson("-123456789012345678901234567890").AsNumber() == -123456789012345678901234567890.0);
  CHECK(*ParseJson("0.1").AsNumber() == 0.1);
  CHECK(*ParseJson("123456789012345678901.5e-3").AsNumber() == 123456789012345678.9015);
  CHECK(*ParseJson("1E+2").AsNumber() == 100.0);
  CHECK(*ParseJson("5e-324").AsNumber() == 5e-324);
  CHECK(*ParseJson("1.7976931348623157e308").AsNumber() == 1.7976931348623157e308);
  CHECK(*ParseJson("1e-400").AsNumber() == 0.0);
}

TEST_CASE("what canonical JSON writes can be read again") {
  for (const double number : {1e20, 1e21, 1.5e300, -2e19, 5e-324, 9007199254740992.0, 0.1, 123456789.125}) {
    CHECK(*ParseJson(CanonicalJson(JsonValue(number))).AsNumber() == number);
  }
  const JsonValue odd(JsonObject{{"\x01\x7f\n", JsonValue(std::string("nul\0inside", 10))}});
  CHECK(ParseJson(CanonicalJson(odd)) == odd);
}

TEST_CASE("a NUL in a string is kept, and one in a member's name is refused") {
  CHECK(*ParseJson(R"("a\u0000b")").AsString() == std::string("a\0b", 3));
  CHECK(*ParseJson(R"(["a\\u0000b"])").AsArray()->front().AsString() == "a\\u0000b");
  CHECK(ParseJson(R"({"a\\u0000b":1})").Find("a\\u0000b") != nullptr);
  CHECK_THROWS_AS(ParseJson(R"({"token\u0000x":1})"), JsonTextError);
  CHECK_THROWS_AS(ParseJson(R"({"a":1,"token\u0000" : 2})"), JsonTextError);
}

TEST_CASE("what is not JSON is refused") {
  const std::string text = GENERATE(as<std::string>(),                                                              //
                                    "", " ", "{", "}", "[", "]", "[1,]", "[,1]", "[1 2]", "{\"a\":1,}",             //
                                    "{\"a\"}", "{\"a\":}", "{a:1}", "{1:1}", "{\"a\" 1}", "{\"a\":1 \"b\":2}",      //
                                    "nul", "nulll", "True", "NaN", "Infinity", "-Infinity", "-", "+1", "01",        //
                                    "-01", "1.", ".5", "1e", "1e+", "0x10", "1_000", "'a'", "\"a", "\"\\x\"",       //
                                    "\"\\u12\"", "\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"a\nb\"",    //
                                    "\"a\tb\"", "// c\n1", "/* c */1", "1 // c", "[1]/**/", "1 1", "{}{}", "[] x",  //
                                    "null,", "1\n2", "\xEF\xBB\xBF{}", "1e400", "-1e999", "[1e309]",
                                    "1234567890123456789012345678901234567890e300", "--1", "1-1", "1e5e5");
  INFO(text);
  CHECK_THROWS_AS(ParseJson(text), JsonTextError);
}

TEST_CASE("bytes after the end are refused, also those that Poco takes for the end") {
  CHECK_THROWS_AS(ParseJson("1\xFF rest"), JsonTextError);
  CHECK_THROWS_AS(ParseJson(std::string("{}\0", 3)), JsonTextError);
  CHECK_THROWS_AS(ParseJson(std::string("\0{}", 3)), JsonTextError);
  CHECK_THROWS_AS(ParseJson(std::string("\"a\0b\"", 5)), JsonTextError);
}

TEST_CASE("what is not UTF-8 is refused, wherever it stands") {
  const std::string bytes = GENERATE(as<std::string>(), "\x80", "\xC3", "\xC0\xAF", "\xE0\x80\xAF", "\xED\xA0\x80",
                                     "\xF4\x90\x80\x80", "\xF8\x88\x80\x80\x80", "\xFE", "\xE2\x82");
  CHECK_THROWS_AS(ParseJson("\"" + bytes + "\""), JsonTextError);
  CHECK_THROWS_AS(ParseJson("{\"" + bytes + "\":1}"), JsonTextError);
  CHECK_THROWS_AS(ParseJson("[1]" + bytes), JsonTextError);
}

TEST_CASE("nesting is taken up to the limit and refused beyond it") {
  const auto nested = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  CHECK_NOTHROW(ParseJson(nested(64)));
  CHECK_THROWS_AS(ParseJson(nested(65)), JsonTextError);
  CHECK_NOTHROW(ParseJson(nested(3), 3));
  CHECK_THROWS_AS(ParseJson(nested(4), 3), JsonTextError);
  CHECK_THROWS_AS(ParseJson(R"({"a":{"b":{"c":{}}}})", 3), JsonTextError);
  CHECK_THROWS_AS(ParseJson(std::string(1 << 20, '[')), JsonTextError);
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  CHECK_THROWS_AS(ParseJson(objects), JsonTextError);
}

TEST_CASE("an error's text is short, printable and tells why") {
  try {
    ParseJson("[1, \x1b[31m" + std::string(10'000, '9'));
    FAIL("it was taken");
  } catch (const JsonTextError& error) {
    const std::string what = error.what();
    CHECK(what.starts_with("reading JSON: "));
    CHECK(what.size() < 200);
    CHECK(what.find('\x1b') == std::string::npos);
  }
}

}  // namespace
}  // namespace tokensync
