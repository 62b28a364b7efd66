/// Scalars by YAML 1.2's core schema, the numbers that JSON keeps, names that are near, and problems as text.
#include <catch2/catch.hpp>
#include <string>
#include <variant>

#include "core_schema.h"
#include "nearest_name.h"
#include "problem_text.h"
#include "yaml_test_support.h"

using namespace tokensync;  // NOLINT(google-build-using-namespace)

TEST_CASE("plain scalars mean what YAML 1.2's core schema says, not what yaml-cpp's as<> gives") {
  struct Case {
    const char* text;
    const char* json;
  };
  const Case cases[] = {
      {"~", "null"},
      {"null", "null"},
      {"Null", "null"},
      {"NULL", "null"},
      {"nULL", "\"nULL\""},
      {"true", "true"},
      {"True", "true"},
      {"TRUE", "true"},
      {"false", "false"},
      {"tRue", "\"tRue\""},
      {"yes", "\"yes\""},
      {"no", "\"no\""},
      {"on", "\"on\""},
      {"Off", "\"Off\""},
      {"y", "\"y\""},
      {"0", "0"},
      {"010", "10"},
      {"017", "17"},
      {"0o17", "15"},
      {"0xfF", "255"},
      {"-5", "-5"},
      {"+5", "5"},
      {"-0", "0"},
      {"1_000", "\"1_000\""},
      {"0b11", "\"0b11\""},
      {"-0x1", "\"-0x1\""},
      {"0o8", "\"0o8\""},
      {"12:30:45", "\"12:30:45\""},
      {"1.5", "1.5"},
      {"1.", "1"},
      {".5", "0.5"},
      {"-.5e1", "-5"},
      {"1e3", "1000"},
      {"1E+2", "100"},
      {"1e-2", "0.01"},
      {"+1.0", "1"},
      {"1.10", "1.1"},
      {"00.50", "0.5"},
      {"-0.0", "0"},
      {"0.1", "0.1"},
      {"1e22", "1e+22"},
      {".", "\".\""},
      {"e3", "\"e3\""},
      {"1e", "\"1e\""},
      {"+", "\"+\""},
      {"2001-01-01", "\"2001-01-01\""},
      {"=", "\"=\""},
      {"9007199254740992", "9007199254740992"},
      {"-9007199254740992", "-9007199254740992"},
      {"\"12\"", "\"12\""},
      {"'~'", "\"~\""},
      {"\"\"", "\"\""},
      {"\"true\"", "\"true\""},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const ReadText read = ReadDocuments(std::string("- ") + c.text + "\n");
    CHECK(read.First().empty());
    CHECK(read.json == std::string("[") + c.json + "]");
  }
}

TEST_CASE("numbers that would not survive are problems with advice, not rounded") {
  struct Case {
    const char* text;
    const char* what;
  };
  const Case cases[] = {
      {"9007199254740993", "an integer beyond 2^53"},
      {"-9007199254740993", "an integer beyond 2^53"},
      {"18446744073709551616", "an integer beyond 2^53"},
      {"0xffffffffffffffffff", "an integer beyond 2^53"},
      {".inf", "a number that JSON cannot hold"},
      {"-.INF", "a number that JSON cannot hold"},
      {".nan", "a number that JSON cannot hold"},
      {"0.12345678901234567890", "a number with more digits"},
      {"1e999", "a number with more digits"},
      {"1e-999", "a number with more digits"},
      {"1e99999999999999999999", "a number with more digits"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const ReadText read = ReadDocuments(std::string("a: ") + c.text + "\n");
    REQUIRE(read.problems.size() == 1);
    CHECK_THAT(read.First(), Catch::StartsWith(std::string("1:4 ") + c.what));
    CHECK_THAT(read.problems[0].advice, Catch::StartsWith(std::string("quote it: \"") + c.text));
  }
}

TEST_CASE("a scalar keeps the text that was written, for those who want its digits") {
  const ReadText read =
      ReadDocuments("- 007\n- 115792089237316195423570985008687907853269984665640564039457584007913129639935\n");
  REQUIRE(read.documents.size() == 1);
  CHECK(read.documents[0].items[0].kind == YamlKind::kInteger);
  CHECK(read.documents[0].items[0].text == "007");
  CHECK(read.documents[0].items[1].text.size() == 78);
}

TEST_CASE("a misspelt name finds the known one that was meant") {
  const std::string_view known[] = {"attributes", "decimals", "name", "projectId", "external_url"};
  CHECK(NearestName("atributes", known) == "attributes");
  CHECK(NearestName("attribuets", known) == "attributes");
  CHECK(NearestName("nmae", known) == "name");
  CHECK(NearestName("PROJECTID", known) == "projectId");
  CHECK(NearestName("project_id", known) == "projectId");
  CHECK(NearestName("externalurl", known) == "external_url");
  CHECK(NearestName("dec", known) == "decimals");
  CHECK(NearestName("x", known).empty());
  CHECK(NearestName("", known).empty());
  CHECK(NearestName(std::string(10'000, 'a'), known).empty());
  CHECK_THAT(NameAdvice("zzzzzz", known), Catch::StartsWith("known here: attributes, decimals"));
}

TEST_CASE("a problem is shown with its line, a caret under the place, and advice") {
  const Problem problem{
      {"dragons/200.yaml", 5, 3}, "unknown key 'atributes'", "did you mean 'attributes'?", "  atributes: []"};
  CHECK(ProblemText(problem, false) ==
        "dragons/200.yaml:5:3: unknown key 'atributes'\n"
        "    5 |   atributes: []\n"
        "      |   ^\n"
        "      = did you mean 'attributes'?");
  CHECK_THAT(ProblemText(problem, true), Catch::Contains("\x1b[1;31m^\x1b[0m"));
  CHECK(ProblemText({{"a.yaml", 0, 0}, "a symbolic link", "", ""}, false) == "a.yaml: a symbolic link");
}

TEST_CASE("the caret stands under the place also after tabs, wide and combining characters") {
  CHECK_THAT(ProblemText({{"a", 1, 4}, "x", "", "\t中e\u0301b"}, false),
             Catch::EndsWith("\n    1 |  中e\u0301b\n      |     ^"));
  CHECK_THAT(ProblemText({{"a", 1, 5}, "x", "", "\t中e\u0301b"}, false), Catch::EndsWith("\n      |     ^"));
}

TEST_CASE("foreign text cannot steer the terminal") {
  const std::string text =
      ProblemText({{"a\x1b[2J\n.yaml", 1, 1}, "key '\x1b]0;x\x07'", "\xE2\x80\xAE", "\x1b[31m \xC2\x9B \xFF"}, false);
  CHECK(text.find('\x1b') == std::string::npos);
  CHECK(text.find('\x07') == std::string::npos);
  CHECK(text.find("\xC2\x9B") == std::string::npos);
  CHECK(text.find("\xE2\x80\xAE") == std::string::npos);
  CHECK_THAT(text, Catch::StartsWith("a\\u001b[2J\\n.yaml:1:1: "));
  CHECK_THAT(text, Catch::Contains("\\u009b \xEF\xBF\xBD"));
}

TEST_CASE("a problem as JSON is one line, as a GitHub command it is escaped") {
  const Problem problem{{"a,b:c\n.yaml", 2, 3}, "100% \"bad\"\n", "mend\tit", "x"};
  CHECK(ProblemJson(problem) ==
        R"({"path":"a,b:c\n.yaml","line":2,"column":3,"what":"100% \"bad\"\n","advice":"mend\tit"})");
  CHECK(ProblemGithub(problem) == "::error file=a%2Cb%3Ac%0A.yaml,line=2,col=3::100%25 \"bad\"\\n (mend\\tit)");
  CHECK(ProblemGithub({{"a", 0, 0}, "x", "", ""}) == "::error file=a::x");
  CHECK(ProblemGithub({{"\x1b[2Jé\xff", 0, 0}, "x", "", ""}) == "::error file=\\u001b[2Jé\uFFFD::x");
}

TEST_CASE("a long line is quoted up to 200 characters, and not at all where the place lies beyond") {
  const std::string line = "a: [" + std::string(300, 'x') + ", {b: 1, b: 2}]";
  const ReadText read = ReadDocuments(line);
  REQUIRE(read.problems.size() == 1);
  CHECK(read.problems[0].text.empty());
  CHECK(ReadDocuments("{a: 1, a: 2} # " + std::string(300, 'x')).problems[0].text.size() == 200);
}
