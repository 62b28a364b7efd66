// Canonical JSON: the samples of RFC 8785, and properties of what lies between them.
#include "json.h"

#include <bit>
#include <catch2/catch.hpp>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <utility>
#include <vector>

using namespace tokensync;

namespace {

double FromBits(std::uint64_t bits) {
  return std::bit_cast<double>(bits);
}

std::string Utf8(char32_t c) {
  const auto byte = [](char32_t value) { return static_cast<char>(static_cast<unsigned char>(value)); };
  if (c < 0x80) return {byte(c)};
  if (c < 0x800) return {byte(0xC0 | c >> 6), byte(0x80 | (c & 0x3F))};
  if (c < 0x10000) return {byte(0xE0 | c >> 12), byte(0x80 | (c >> 6 & 0x3F)), byte(0x80 | (c & 0x3F))};
  return {byte(0xF0 | c >> 18), byte(0x80 | (c >> 12 & 0x3F)), byte(0x80 | (c >> 6 & 0x3F)), byte(0x80 | (c & 0x3F))};
}

std::u16string Utf16(const std::u32string& text) {
  std::u16string out;
  for (const char32_t c : text) {
    if (c < 0x10000) {
      out.push_back(static_cast<char16_t>(c));
    } else {
      out.push_back(static_cast<char16_t>(0xD800 + ((c - 0x10000) >> 10)));
      out.push_back(static_cast<char16_t>(0xDC00 + ((c - 0x10000) & 0x3FF)));
    }
  }
  return out;
}

}  // namespace

TEST_CASE("numbers are written as the table of RFC 8785 has them") {
  const std::vector<std::pair<std::uint64_t, std::string>> table = {
      {0x0000000000000000, "0"},
      {0x8000000000000000, "0"},
      {0x0000000000000001, "5e-324"},
      {0x8000000000000001, "-5e-324"},
      {0x7fefffffffffffff, "1.7976931348623157e+308"},
      {0xffefffffffffffff, "-1.7976931348623157e+308"},
      {0x4340000000000000, "9007199254740992"},
      {0xc340000000000000, "-9007199254740992"},
      {0x4430000000000000, "295147905179352830000"},
      {0x44b52d02c7e14af5, "9.999999999999997e+22"},
      {0x44b52d02c7e14af6, "1e+23"},
      {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
      {0x444b1ae4d6e2ef4e, "999999999999999700000"},
      {0x444b1ae4d6e2ef4f, "999999999999999900000"},
      {0x444b1ae4d6e2ef50, "1e+21"},
      {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
      {0x3eb0c6f7a0b5ed8d, "0.000001"},
      {0x41b3de4355555553, "333333333.3333332"},
      {0x41b3de4355555554, "333333333.33333325"},
      {0x41b3de4355555555, "333333333.3333333"},
      {0x41b3de4355555556, "333333333.3333334"},
      {0x41b3de4355555557, "333333333.33333343"},
      {0xbecbf647612f3696, "-0.0000033333333333333333"},
      {0x43143ff3c1cb0959, "1424953923781206.2"},
  };
  for (const auto& [bits, text] : table) CHECK(JsonNumberText(FromBits(bits)) == text);
}

TEST_CASE("numbers are written as ECMAScript writes them") {
  const std::vector<std::pair<double, std::string>> table = {
      {1, "1"},
      {-1, "-1"},
      {10, "10"},
      {100, "100"},
      {0.1, "0.1"},
      {1.5, "1.5"},
      {123.456, "123.456"},
      {0.1 + 0.2, "0.30000000000000004"},
      {1e20, "100000000000000000000"},
      {123456789012345680000.0, "123456789012345680000"},
      {1e21, "1e+21"},
      {1.5e21, "1.5e+21"},
      {1e-6, "0.000001"},
      {1.25e-6, "0.00000125"},
      {1e-7, "1e-7"},
      {1.25e-7, "1.25e-7"},
      {-1e-7, "-1e-7"},
      {1e100, "1e+100"},
      {1e-100, "1e-100"},
      {4.5, "4.5"},
      {2e-3, "0.002"},
      {9007199254740991.0, "9007199254740991"},
      {2.2250738585072014e-308, "2.2250738585072014e-308"},
      {4294967296.0, "4294967296"},
      {1.7976931348623157e308, "1.7976931348623157e+308"},
  };
  for (const auto& [value, text] : table) CHECK(JsonNumberText(value) == text);
}

TEST_CASE("a number's text reads back as the same number and has no digit too many") {
  std::mt19937_64 random(8785);
  int wrong = 0;
  int too_long = 0;
  for (int i = 0; i < 100'000; ++i) {
    double value = FromBits(random());
    if (i % 2 == 1) value = static_cast<double>(static_cast<std::int64_t>(random())) / 1024.0;
    if (!std::isfinite(value)) continue;
    const std::string text = JsonNumberText(value);
    if (std::strtod(text.c_str(), nullptr) != value) ++wrong;
    int digits = 0;
    bool leading = true;
    int zeros_at_end = 0;
    for (const char c : text) {
      if (c == 'e') break;
      if (c < '0' || c > '9') continue;
      leading = leading && c == '0';
      if (leading) continue;
      ++digits;
      zeros_at_end = c == '0' ? zeros_at_end + 1 : 0;
    }
    digits -= zeros_at_end;
    if (digits > 1) {
      char shorter[64];
      std::snprintf(shorter, sizeof shorter, "%.*e", digits - 2, value);
      if (std::strtod(shorter, nullptr) == value) ++too_long;
    }
  }
  CHECK(wrong == 0);
  CHECK(too_long == 0);
}

TEST_CASE("the sample of RFC 8785 is written byte for byte") {
  const JsonObject sample = {
      {"numbers", JsonArray{333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001}},
      {"string", "\u20ac$\x0F\nA'B\"\\\\\"/"},
      {"literals", JsonArray{nullptr, true, false}},
  };
  CHECK(CanonicalJson(sample) == R"({"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],)"
                                 "\"string\":\"\u20ac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
}

TEST_CASE("members are sorted as the sorting sample of RFC 8785 has them") {
  const JsonObject sample = {
      {"\u20ac", "Euro Sign"},
      {"\r", "Carriage Return"},
      {"\ufb33", "Hebrew Letter Dalet With Dagesh"},
      {"1", "One"},
      {"\U0001f600", "Emoji: Grinning Face"},
      {"\u0080", "Control"},
      {"\u00f6", "Latin Small Letter O With Diaeresis"},
  };
  CHECK(CanonicalJson(sample) ==
        "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\","
        "\"\u00f6\":\"Latin Small Letter O With Diaeresis\",\"\u20ac\":\"Euro Sign\","
        "\"\U0001f600\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}");
}

TEST_CASE("members are sorted by UTF-16 code units whatever characters their names share") {
  const std::vector<char32_t> alphabet = {U'a',    U'b',    0x7F,    0x80,    0x7FF,   0x800,    0x20AC,
                                          0xD7FF,  0xE000,  0xE001,  0xF8FF,  0xFB33,  0xFFFD,   0xFFFF,
                                          0x10000, 0x103FF, 0x1F600, 0x1F601, 0xFFFFF, 0x100000, 0x10FFFF};
  std::mt19937_64 random(16);
  for (int round = 0; round < 2'000; ++round) {
    std::u32string names[2];
    for (auto& name : names) {
      for (auto length = random() % 4; length > 0; --length) name.push_back(alphabet[random() % alphabet.size()]);
    }
    if (names[0] == names[1]) continue;
    JsonObject object;
    for (int i = 0; i < 2; ++i) {
      std::string utf8;
      for (const char32_t c : names[i]) utf8 += Utf8(c);
      object.emplace(utf8, i);
    }
    const bool first_goes_first = Utf16(names[0]) < Utf16(names[1]);
    const std::string text = CanonicalJson(object);
    CHECK((text.find(":0") < text.find(":1")) == first_goes_first);
  }
}

TEST_CASE("strings carry the fewest escapes") {
  std::string out;
  AppendJsonString(out, std::string_view("\0\x01\b\t\n\x0b\f\r\x1f \"\\/\x7f", 14));
  CHECK(out == "\"\\u0000\\u0001\\b\\t\\n\\u000b\\f\\r\\u001f \\\"\\\\/\x7f\"");
}

TEST_CASE("empty values have no white space and nesting is kept") {
  CHECK(CanonicalJson(JsonObject{}) == "{}");
  CHECK(CanonicalJson(JsonArray{}) == "[]");
  CHECK(CanonicalJson("") == "\"\"");
  CHECK(CanonicalJson(nullptr) == "null");
  CHECK(CanonicalJson(JsonObject{{"b", JsonArray{JsonObject{{"y", 1}, {"x", JsonArray{}}}}}, {"a", true}}) ==
        R"({"a":true,"b":[{"x":[],"y":1}]})");
}

TEST_CASE("values are equal by content and numbers by value") {
  CHECK(JsonValue(1) == JsonValue(1.0));
  CHECK(JsonValue(0.0) == JsonValue(-0.0));
  CHECK_FALSE(JsonValue(1) == JsonValue("1"));
  CHECK_FALSE(JsonValue(0) == JsonValue(false));
  CHECK(JsonValue(JsonObject{{"a", JsonArray{1, "x"}}}) == JsonValue(JsonObject{{"a", JsonArray{1.0, "x"}}}));
  CHECK_FALSE(JsonValue(JsonObject{{"a", 1}}) == JsonValue(JsonObject{{"b", 1}}));
}

TEST_CASE("what the service does not tell from an absent field is empty") {
  for (const JsonValue& value : {JsonValue(), JsonValue(""), JsonValue(JsonArray{}), JsonValue(JsonObject{})}) {
    CHECK(value.IsEmpty());
  }
  for (const JsonValue& value : {JsonValue(0), JsonValue(false), JsonValue(" "), JsonValue(JsonArray{nullptr})}) {
    CHECK_FALSE(value.IsEmpty());
  }
}

TEST_CASE("a member is found by its name, and nothing in what is no object") {
  const JsonValue object = JsonObject{{"a", 1}};
  REQUIRE(object.Find("a") != nullptr);
  CHECK(*object.Find("a") == JsonValue(1));
  CHECK(object.Find("b") == nullptr);
  CHECK(JsonValue(JsonArray{1}).Find("a") == nullptr);
}
