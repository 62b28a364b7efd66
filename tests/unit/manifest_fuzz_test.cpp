/// Random changes of valid manifests: whatever comes out, the reader ends, crashes never, and gives no text that is not
/// UTF-8. Bounded, with a seed that is printed and can be given by TOKENSYNC_SEED.
#include <catch2/catch.hpp>
#include <cstdlib>
#include <random>
#include <string>

#include "manifest_file.h"
#include "problem_text.h"
#include "text.h"
#include "yaml_reader.h"

using namespace tokensync;  // NOLINT(google-build-using-namespace)

namespace {

const std::string_view kSeeds[] = {
    "projectId: 30957\ncollectionId: 888\nprivate: false\ntoken:  # one\n  tokenId: \"200\"\n  name: 'Eclipse "
    "''Dragon'\n"
    "  description: >-\n    Forged from\n    starlight.\n\n  image: https://example.com/200.png?a=b\n"
    "  properties: {element: Shadow, n: [1, -2.5, ~, {a: true}]}\n  attributes: [{trait_type: Rarity, value: "
    "\"\\u00e9\\n\"}]\n",
    "%YAML 1.2\n---\n&a projectId: &p 1\ncollectionId: !!int 2\ntokens:\n- {tokenId: 1, name: &n x}\n- tokenId: 2\n  "
    "name: *n\n...\n"
    "---\nprojectId: 1\ncollectionId: 2\ntoken: {tokenId: 3, name: |\n  y\n }\n",
    "{\"projectId\": 1, \"collectionId\": 2,\n\t\"token\": {\"tokenId\": \"3\", \"name\": \"\\uD83D\\uDE00\", "
    "\"properties\": {\"a\": [1, 2.0e3, null]}}}\n",
    "\xEF\xBB\xBFprojectId: 1\r\ncollectionId: 2\r\ntoken:\r\n  tokenId: 9\r\n  name: "
    "\xC3\xA9\xE4\xB8\xAD\xF0\x9F\x98\x80\r\n",
};

const std::string_view kPieces[] = {"\n",    "- ",    ": ",          "? ",
                                    "[",     "]",     "{",           "}",
                                    ",",     "\"",    "'",           "|\n",
                                    ">+\n",  "&a ",   "*a ",         "!!str ",
                                    "---\n", "...\n", "%YAML 1.2\n", "#",
                                    " #",    "\\",    "\\uD83D",     "\\uDE00",
                                    "\t",    "  ",    "<<: ",        "\r\n",
                                    "~",     "0x1",   "1e999",       "\xEF\xBB\xBF",
                                    "\xFF",  "@",     "`",           "tokenId: 1\n",
                                    "\\N",   "null"};

std::string Mutated(std::mt19937_64& random) {
  const auto below = [&](std::size_t n) { return static_cast<std::size_t>(random() % n); };
  std::string text(kSeeds[below(std::size(kSeeds))]);
  const std::size_t changes = 1 + below(6);
  for (std::size_t i = 0; i < changes; ++i) {
    const std::size_t at = below(text.size() + 1);
    const std::size_t length = std::min(below(12), text.size() - at);
    switch (below(6)) {
      case 0:
        text.erase(at, length);
        break;
      case 1:
        text.insert(at, kPieces[below(std::size(kPieces))]);
        break;
      case 2:
        text.insert(at, text.substr(below(text.size() + 1), below(40)));
        break;
      case 3:
        if (at < text.size()) text[at] = static_cast<char>(below(256));
        break;
      case 4:
        if (at < text.size()) text[at] = static_cast<char>(text[at] ^ static_cast<char>(1U << below(7)));
        break;
      default:
        text.replace(at, length, kPieces[below(std::size(kPieces))]);
        break;
    }
  }
  return text;
}

}  // namespace

TEST_CASE("no change of a manifest's bytes crashes or hangs the reader, or brings out what is no text") {
  const char* given = std::getenv("TOKENSYNC_SEED");
  const std::uint64_t seed = given != nullptr ? std::strtoull(given, nullptr, 10) : 20'240'901;
  std::mt19937_64 random(seed);
  std::size_t good = 0;
  for (int i = 0; i < 20'000; ++i) {
    const std::string bytes = Mutated(random);
    CAPTURE(seed, i, bytes);
    const SourceText source(i % 8 == 0 ? "m.json" : "m.yaml", bytes);
    const ManifestContent content = ReadManifest(source, {});
    if (content.problems.empty()) ++good;
    for (const DeclaredToken& token : content.tokens) REQUIRE(ValidText(token.payload) == token.payload);
    for (const Problem& problem : content.problems) {
      REQUIRE_FALSE(problem.what.empty());
      REQUIRE(ValidText(problem.what + problem.advice + problem.text) == problem.what + problem.advice + problem.text);
      REQUIRE_FALSE(ProblemText(problem, false).empty());
    }
    REQUIRE((content.problems.empty() || content.tokens.empty()));
  }
  CHECK(good > 200);
  CHECK(good < 19'000);
}
