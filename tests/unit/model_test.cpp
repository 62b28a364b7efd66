// Names and numbers: what counts as a token id, a key and a digest, and in which order they come.
#include "model.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "samples.h"

using namespace tokensync;

namespace {
const std::string kMax = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
}

TEST_CASE("a canonical uint256 is a token id") {
  for (const std::string& text : {std::string("0"), std::string("7"), std::string("200"), kMax,
                                  std::string("99999999999999999999999999999999999999")}) {
    const auto id = TokenId::Parse(text);
    REQUIRE(id);
    CHECK(id->text() == text);
  }
}

TEST_CASE("what the service would fold onto another number is no token id") {
  const std::string beyond = kMax.substr(0, kMax.size() - 1) + "6";
  for (const std::string& text :
       {std::string(), std::string("007"), std::string("00"), std::string("+7"), std::string("-7"), std::string("0x7"),
        std::string("7 "), std::string(" 7"), std::string("7.0"), std::string("1e3"), std::string("seven"),
        std::string("7\0", 2), std::string("٧"), beyond, kMax + "0", "0" + kMax}) {
    CHECK_FALSE(TokenId::Parse(text));
  }
}

TEST_CASE("token ids are ordered by number, not by text") {
  const std::vector<std::string> ascending = {"0", "1", "9", "10", "11", "99", "100", "1000000", kMax};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      const auto a = TokenId::Parse(ascending[i]);
      const auto b = TokenId::Parse(ascending[j]);
      CHECK((*a < *b) == (i < j));
      CHECK((*a == *b) == (i == j));
    }
  }
}

TEST_CASE("a key's text reads back as the same key") {
  for (const std::string& text :
       {std::string("30957/888/200"), std::string("0/0/0"), "9007199254740992/9007199254740992/" + kMax}) {
    const auto key = TokenKey::Parse(text);
    REQUIRE(key);
    CHECK(key->Text() == text);
  }
}

TEST_CASE("what is no key is refused") {
  for (const char* text :
       {"", "/", "//", "1/2", "1/2/", "/2/3", "1//3", "1/2/3/4", "1/2/03", "01/2/3", "1/02/3", "-1/2/3", "1/2/x",
        "a/2/3", " 1/2/3", "1/2/3 ", "9007199254740993/1/1", "1/9007199254740993/1", "18446744073709551616/1/1"}) {
    INFO(text);
    CHECK_FALSE(TokenKey::Parse(text));
  }
}

TEST_CASE("keys are ordered by project, collection and number") {
  std::vector<std::string> texts = {"2/1/1", "1/10/1", "1/2/10", "1/2/9", "1/2/1", "10/1/1"};
  std::sort(texts.begin(), texts.end(),
            [](const std::string& a, const std::string& b) { return *TokenKey::Parse(a) < *TokenKey::Parse(b); });
  CHECK(texts == std::vector<std::string>{"1/2/1", "1/2/9", "1/2/10", "1/10/1", "2/1/1", "10/1/1"});
}

TEST_CASE("a digest's text reads back as the same digest") {
  Digest digest;
  for (std::size_t i = 0; i < digest.bytes.size(); ++i) digest.bytes[i] = static_cast<std::uint8_t>(i * 9 + 7);
  const std::string hex = digest.Hex();
  CHECK(hex.size() == 64);
  CHECK(hex.substr(0, 8) == "07101922");
  CHECK(Digest::FromHex(hex) == digest);
}

TEST_CASE("what is no digest is refused") {
  const std::string hex = SampleDigest(0xAB).Hex();
  CHECK(Digest::FromHex(hex));
  CHECK_FALSE(Digest::FromHex(""));
  CHECK_FALSE(Digest::FromHex(hex.substr(1)));
  CHECK_FALSE(Digest::FromHex(hex + "0"));
  CHECK_FALSE(Digest::FromHex("A" + hex.substr(1)));
  CHECK_FALSE(Digest::FromHex("g" + hex.substr(1)));
  CHECK_FALSE(Digest::FromHex(" " + hex.substr(1)));
}

TEST_CASE("an entry is found by its key, an ambiguous key is known as such") {
  DesiredState desired;
  for (const std::uint64_t number : {2U, 9U, 10U}) desired.entries.push_back(SampleEntry(SampleKey(number), {}));
  desired.ambiguous = {SampleKey(3), SampleKey(11)};
  for (std::uint64_t number = 0; number < 13; ++number) {
    const Entry* entry = desired.Find(SampleKey(number));
    CHECK((entry != nullptr) == (number == 2 || number == 9 || number == 10));
    if (entry != nullptr) CHECK(entry->key == SampleKey(number));
    CHECK(desired.IsAmbiguous(SampleKey(number)) == (number == 3 || number == 11));
  }
}
