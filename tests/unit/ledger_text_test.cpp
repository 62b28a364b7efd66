/// Texts from outside, made fit for the ledger.
#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "text_limits.h"

namespace tokensync {
namespace {

TEST_CASE("a text that fits is kept as it is", "[ledger]") {
  CHECK(FitText("", 3).empty());
  CHECK(FitText("abc", 3) == "abc");
  CHECK(FitText("Drache \xE2\x82\xAC \xF0\x9F\x90\x89\n\t\x01", 100) == "Drache \xE2\x82\xAC \xF0\x9F\x90\x89\n\t\x01");
}

TEST_CASE("a longer text ends with an ellipsis and within the limit, never inside a character", "[ledger]") {
  CHECK(FitText("abcd", 3) == "\xE2\x80\xA6");
  CHECK(FitText("abcdefgh", 7) == "abcd\xE2\x80\xA6");
  CHECK(FitText("ab\xF0\x9F\x90\x89\xF0\x9F\x90\x89", 9) == "ab\xF0\x9F\x90\x89\xE2\x80\xA6");
  CHECK(FitText("ab\xF0\x9F\x90\x89\xF0\x9F\x90\x89", 8) == "ab\xE2\x80\xA6");
  CHECK(FitText(std::string(5'000'000, 'x'), kNoteBytesMax).size() == kNoteBytesMax);
}

TEST_CASE("what is no UTF-8, and NUL, is replaced", "[ledger]") {
  const std::string bad = "\xEF\xBF\xBD";
  CHECK(FitText("a\xFF"
                "b",
                100) == "a" + bad + "b");
  CHECK(FitText("\xC0\xAF", 100) == bad + bad);                      // overlong
  CHECK(FitText("\xE0\x80\xAF", 100) == bad + bad + bad);            // overlong
  CHECK(FitText("\xED\xA0\x80", 100) == bad + bad + bad);            // surrogate
  CHECK(FitText("\xF4\x90\x80\x80", 100) == bad + bad + bad + bad);  // beyond U+10FFFF
  CHECK(FitText("\xE2\x82", 100) == bad + bad);                      // cut off
  CHECK(FitText(std::string("a\0b", 3), 100) == "a" + bad + "b");
}

TEST_CASE("whatever the bytes, the result is UTF-8 within the limit, and fit already", "[ledger]") {
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string text(random() % 24, '\0');
    for (char& c : text) c = static_cast<char>(random() % 3 == 0 ? random() % 128 : 0x80 + random() % 128);
    const std::size_t limit = 3 + random() % 40;
    const std::string fit = FitText(text, limit);
    REQUIRE(IsValidUtf8(fit));
    REQUIRE(fit.size() <= limit);
    REQUIRE(fit.find('\0') == std::string::npos);
    REQUIRE(FitText(fit, limit) == fit);
    if (IsValidUtf8(text) && text.size() <= limit && text.find('\0') == std::string::npos) REQUIRE(fit == text);
  }
}

}  // namespace
}  // namespace tokensync
