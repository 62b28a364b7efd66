/// The strict reader: each trap of yaml-cpp, and the YAML and JSON that must be taken.
#include "yaml_reader.h"

#include <catch2/catch.hpp>
#include <string>

#include "yaml_test_support.h"

using namespace tokensync;  // NOLINT(google-build-using-namespace)

namespace {

struct Taken {
  const char* text;
  const char* json;
};

struct Refused {
  std::string text;
  const char* first;  ///< line:column and the beginning of what
};

void CheckTaken(const Taken& taken) {
  CAPTURE(taken.text);
  const ReadText read = ReadDocuments(taken.text);
  CHECK(read.First().empty());
  CHECK(read.json == taken.json);
}

void CheckRefused(const Refused& refused) {
  CAPTURE(refused.text);
  const ReadText read = ReadDocuments(refused.text);
  REQUIRE_FALSE(read.problems.empty());
  CHECK_THAT(read.First(), Catch::StartsWith(refused.first));
}

std::string Repeated(std::string_view text, std::size_t times) {
  std::string out;
  for (std::size_t i = 0; i < times; ++i) out += text;
  return out;
}

}  // namespace

TEST_CASE("a one-byte text on which yaml-cpp's LoadAll never ends is one problem") {
  CheckRefused({",", "1:1 ',' where the end of the document"});
  CheckRefused({"[1],", "1:4 ',' where the end of the document"});
  CheckRefused({"a: 1\n---\n,", "3:1 ','"});
  CheckRefused({"]", "1:1 a closing bracket"});
}

TEST_CASE("what follows the first document in one piece is a problem, not ignored") {
  CheckRefused({"{a: 1} {b: 2}", "1:8 '{' where the end of the document"});
  CheckRefused({"\"a\" b", "1:5 'b'"});
  CheckRefused({"[1]\n[2]\n", "2:1 '['"});
  CheckRefused({"a: 1\n...\nb: 2\n... c\n", "4:4 text after the '...'"});
}

TEST_CASE("documents are divided at lines that begin with three dashes") {
  CheckTaken({"a: 1\n---\na: 2\n", "{\"a\":1}\n{\"a\":2}"});
  CheckTaken({"---\na: 1\n--- # next\na: 2\n...\n", "{\"a\":1}\n{\"a\":2}"});
  CheckTaken({"--- {a: 1}\n--- [2]\n--- text", "{\"a\":1}\n[2]\n\"text\""});
  CheckTaken({"---\r\na: 1\r\n---\r\na: 2\r\n", "{\"a\":1}\n{\"a\":2}"});
  CheckTaken({"---a: 1\n", "{\"---a\":1}"});
  CheckTaken({"a: |\n  ---\n  x\n", R"({"a":"---\nx\n"})"});
  CheckTaken({"# only a comment\n", ""});
  CheckTaken({"", ""});
  CheckTaken({"---\n---\n", "null\nnull"});
  CheckTaken({"a: 1\n...\n# between\n%YAML 1.2\n---\nb: 2\n", "{\"a\":1}\n{\"b\":2}"});
  CheckTaken({"a: 1\n...\nb: 2\n", "{\"a\":1}\n{\"b\":2}"});
}

TEST_CASE("a fault of one document does not hide the next one") {
  const ReadText read = ReadDocuments("a: [1\n---\nb: 2\n---\nc: }\n---\nd: 4\n");
  CHECK(read.json == "{\"b\":2}\n{\"d\":4}");
  REQUIRE(read.problems.size() == 2);
  CHECK(read.problems[0].place.line <= 2);
  CHECK(read.problems[1].place.line == 5);
}

TEST_CASE("an unclosed quote is found where it opens, also before the final newline") {
  CheckRefused({"a: \"b\n", "1:4 a quoted text that does not end"});
  CheckRefused({"a: 1\nb: 'it\n", "2:4 a quoted text that does not end"});
  CheckRefused({"a: \"b", "1:4 a quoted text that does not end"});
  CheckRefused({"{\"a\": \"b}\n", "1:7 a quoted text that does not end"});
  CheckRefused({"a: \"b\nc: \"d\"\n", "1:4 a quoted text that goes on in a line which is indented less"});
  CheckRefused({"a: \"b\n---\nc: 1\n", "1:4 a quoted text"});
}

TEST_CASE("duplicate keys are problems in block and flow maps, however large") {
  CheckRefused({"a: 1\nb: 2\na: 3\n", "3:1 duplicate key 'a', first in line 1"});
  CheckRefused({"{a: 1, \"a\": 2}", "1:8 duplicate key 'a', first in line 1"});
  CheckRefused({"x:\n  a: 1\n  a: 1\n", "3:3 duplicate key 'a', first in line 2"});
  CheckRefused({"\"\\u0061\": 1\na: 1\n", "2:1 duplicate key 'a'"});
  std::string large;
  for (int i = 0; i < 100; ++i) large += "k" + std::to_string(i) + ": 1\n";
  CheckRefused({large + "k3: 1\n", "101:1 duplicate key 'k3', first in line 4"});
  CHECK(ReadDocuments(large).problems.empty());
}

TEST_CASE("merge keys are refused, a quoted '<<' is a key") {
  CheckRefused({"a: &a {x: 1}\nb:\n  <<: *a\n", "3:3 a merge key"});
  CheckTaken({"\"<<\": 1\n", R"({"<<":1})"});
}

TEST_CASE("structure that yaml-cpp takes wrongly is refused") {
  CheckRefused({"[1,,2]", "1:4 ',' where a value is expected"});
  CheckRefused({"[,1]", "1:2 ','"});
  CheckRefused({"[1,2,,]", "1:6 ','"});
  CheckRefused({"{a: 1,, b: 2}", "1:7 ','"});
  CheckRefused({"{,a: 1}", "1:2 ','"});
  CheckRefused({"a: 1\nb", "2:1 'b' is neither a value nor a key"});
  CheckRefused({"a: 1\nb\nc: 2\n", "3:2 a ':' that does not belong here"});
  CheckRefused({"a:\n  b: 1\n  c\n", "3:3 'c' is neither a value nor a key"});
  CheckRefused({"{a, b: 1}", "1:2 the key 'a' has no value"});
  CheckRefused({"{a:1}", "1:2 the key 'a:1' has no value"});
  CheckRefused({"[a: 1]", "1:2 a map without braces"});
  CheckRefused({"? a\n: 1\n", "1:1 a key written with '?'"});
  CheckRefused({"{? a : 1}", "1:2 a key written with '?'"});
  CheckRefused({": 1\n", "1:1 a ':' without a key"});
  CheckRefused({"{: 1}", "1:2 a ':' without a key"});
  CheckRefused({"[1, 2]: x\n", "1:7 a ':' that does not belong here"});
  CheckRefused({"{a: 1}: x\n", "1:7 "});
  CheckRefused({"x:\n  [1, 2]: y\n", "2:3 a key that is a list or a map"});
  CheckRefused({"\"a\"#b\n", "1:4 a '#' right after a value"});
  CheckRefused({"a: [1]#b\n", "1:7 "});
  CheckRefused({"a: |x\n  b\n", "1:5 text after '|'"});
  CheckRefused({"a: >#x\n  b\n", "1:5 text after '|'"});
  CheckRefused({"[-, 1]", "1:2 a '-' within brackets"});
  CheckRefused({"a:\n&x\n- 1\n", "2:1 '&' where a value with more indentation"});
  CheckRefused({"a: b: c\n", "1:5 a ':' that does not belong here"});
  CheckRefused({"a: - b\n", "1:4 a '-' that does not belong here"});
  CheckRefused({"a:\n\t- b\n", "2:"});
  CheckRefused({"a:\n    b: 1\n  c: 2\n", "3:3 "});
  CheckRefused({"a: [1, 2\nb: 3\n", "2:"});
  CheckRefused({"a: @b\n", "1:4 a value that begins with '@'"});
  CheckRefused({"a: \"\\'\"\n", "1:5 an escape that does not exist"});
  CheckRefused({"{\"a\"\n: 1}", "1:2 a key without a ':' in its line"});
}

TEST_CASE("an empty value does not take the next line's word for its own") {
  CheckTaken({"a:\nb: 1\n", R"({"a":null,"b":1})"});
  CheckRefused({"a:\nnull: 1\n", "2:1 a key that is nothing (null), not a string"});
  CheckTaken({"- \n- null\n- ~\n", "[null,null,null]"});
  CheckTaken({"{a: , b: ~, c: null}", R"({"a":null,"b":null,"c":null})"});
  const ReadText read = ReadDocuments("a:\n\n\nb: 1\n");
  REQUIRE(read.documents.size() == 1);
  CHECK(read.documents[0].members[0].value.position == TextPosition{1, 3});
}

TEST_CASE("directives: %YAML 1.2 is taken, every other one refused") {
  CheckTaken({"%YAML 1.2\n---\na: 1\n", R"({"a":1})"});
  CheckTaken({"%YAML 1.2 # really\n---\na: 1\n", R"({"a":1})"});
  CheckRefused({"%YAML 1.1\n---\na: yes\n", "1:1 a YAML version other than 1.2"});
  CheckRefused({"%TAG ! tag:x,2000:\n---\na: 1\n", "1:1 a %TAG directive"});
  CheckRefused({"%FOO bar\n---\na: 1\n", "1:1 an unknown directive"});
  CheckRefused({"%YAML 1.2\na: 1\n", "1:1 a directive that no '---' follows"});
  CheckRefused({"%YAML 1.2\n", "1:1 a directive that no document follows"});
  CheckRefused({"%YAML 1.2\n%YAML 1.2\n---\na: 1\n", "2:1 a repeated %YAML directive"});
  CheckRefused({"a: 1\n%YAML 1.2\n---\nb: 1\n", "2:1 "});
}

TEST_CASE("bytes that are no text are refused before yaml-cpp sees them") {
  CheckRefused({std::string("a: 1\0b", 6), "1:5 a NUL character"});
  CheckRefused({std::string("\0a", 2), "1:1 a NUL character"});
  CheckRefused({"a: \xFF", "1:4 invalid UTF-8 (byte 0xFF)"});
  CheckRefused({"\xFE\xFF", "1:1 invalid UTF-8"});
  CheckRefused({"a: \xC0\xAF", "1:4 invalid UTF-8"});
  CheckRefused({"a: \xED\xA0\x80", "1:4 invalid UTF-8"});
  CheckRefused({"a: \xF4\x90\x80\x80", "1:4 invalid UTF-8"});
  CheckRefused({"a: \xE2\x82", "1:4 invalid UTF-8"});
  CheckRefused({"é: \x01", "1:4 a control character (U+0001)"});
  CheckRefused({"a: \x1b[31m", "1:4 a control character (U+001B)"});
  CheckRefused({"a: \x04\nb: 1\n", "1:4 a control character (U+0004)"});
  CheckRefused({"a: \x7F", "1:4 a control character (U+007F)"});
  CheckRefused({"a: \xC2\x9B", "1:4 a control character (U+009B)"});
  CheckRefused({"a: 1\rb: 2\r", "1:5 a carriage return that ends no line"});
  CheckRefused({"a: \xEF\xBB\xBF", "1:4 a byte order mark inside the text"});
  CheckTaken(
      {"\xEF\xBB\xBF"
       "a: 1\n",
       R"({"a":1})"});
  CheckTaken({"a: \"\\u0000\\x1b\\uFEFF\"\n", "{\"a\":\"\\u0000\\u001b\xEF\xBB\xBF\"}"});
}

TEST_CASE("a byte order mark does not move the columns") {
  CHECK(ReadDocuments("\xEF\xBB\xBF{a: 1, a: 2}").First() == "1:8 duplicate key 'a', first in line 1");
}

TEST_CASE("aliases are copies, never cycles, and are counted") {
  CheckTaken({"a: &x [1, {b: 2}]\nc: *x\nd: [*x, *x]\n",
              R"({"a":[1,{"b":2}],"c":[1,{"b":2}],"d":[[1,{"b":2}],[1,{"b":2}]]})"});
  CheckTaken({"a: &x 1\nb: &x 2\nc: *x\n", R"({"a":1,"b":2,"c":2})"});
  CheckRefused({"&a [*a]", "1:5 an alias within the value that it names"});
  CheckRefused({"a: &x\n  b: *x\n", "2:6 an alias within the value that it names"});
  CheckRefused({"a: *x\n", "1:4 an alias of an anchor that does not exist"});
  CheckRefused({"a: &x 1\n---\nb: *x\n", "3:4 an alias of an anchor that does not exist"});
  CheckRefused({"a: &x b\n*x : c\n", "2:1 an alias as a key"});
  std::string bomb = "a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n";
  for (int i = 1; i < 10; ++i) {
    bomb += fmt::format("a{0}: &a{0} [{1}]\n", i, Repeated(fmt::format("*a{},", i - 1), 10));
  }
  const ReadText read = ReadDocuments(bomb);
  CHECK_THAT(read.First(), Catch::Contains("more than 1000000 values"));
  const ReadText text =
      ReadDocuments("a: &a \"" + std::string(1'000'000, 'x') + "\"\nb: [" + Repeated("*a,", 20) + "]\n");
  CHECK_THAT(text.First(), Catch::Contains("aliases that repeat more than 8 MiB"));
}

TEST_CASE("nesting beyond 64 levels is refused, up to 64 it is taken") {
  CHECK(ReadDocuments(Repeated("[", 64) + Repeated("]", 64)).problems.empty());
  CheckRefused({Repeated("[", 65) + Repeated("]", 65), "1:65 nesting beyond 64 levels"});
  CheckRefused({Repeated("- ", 65) + "a", "1:129 nesting beyond 64 levels"});
  CheckRefused({Repeated("{a: ", 100000), "1:257 nesting beyond 64 levels"});
  CheckRefused(
      {"a: &a " + Repeated("[", 40) + Repeated("]", 40) + "\nb: " + Repeated("[", 40) + "*a" + Repeated("]", 40),
       "2:44 nesting beyond 64 levels"});
}

TEST_CASE("a text that would make the scanner hoard tokens ends early") {
  for (const char* text : {"[", "{", "[{", ",", "\"\" ", "- ", "? ", "a: ", "! ", "&a ", "[a ", "*a ", "[\"\","}) {
    CAPTURE(text);
    const std::string bytes = "x: [" + Repeated(text, 600'000);
    CHECK_FALSE(ReadDocuments(bytes).problems.empty());
    CHECK_FALSE(ReadDocuments(Repeated(text, 600'000)).problems.empty());
  }
}

TEST_CASE("tags of the core schema are honoured, all others refused") {
  CheckTaken({"a: !!str 12\nb: !!int \"7\"\nc: !!float 1\nd: !!bool true\ne: !!null ~\nf: !!seq [1]\ng: !!map {h: 1}\n",
              R"({"a":"12","b":7,"c":1,"d":true,"e":null,"f":[1],"g":{"h":1}})"});
  CheckTaken({"a: !<tag:yaml.org,2002:str> 12\n", R"({"a":"12"})"});
  CheckTaken({"!!map\na: !!str\n  x\n", R"({"a":"x"})"});
  CheckTaken({"!!str a: &b !!str 1\n", R"({"a":"1"})"});
  CheckRefused({"a: !foo 1\n", "1:4 the tag '!foo' is not known"});
  CheckRefused({"a: !foo {b: 1}\n", "1:4 the tag '!foo' is not known"});
  CheckRefused({"a: !!binary aGk=\n", "1:4 the tag '!!binary' is not known"});
  CheckRefused({"a: ! x\n", "1:4 the tag '!' is not known"});
  CheckRefused({"a: !!int x\n", "1:4 the tag !!int on a value that is none"});
  CheckRefused({"a: !!bool yes\n", "1:4 the tag !!bool on a value that is none"});
  CheckRefused({"a: !!seq {b: 1}\n", "1:4 the tag"});
  CheckRefused({"a: !!str\nb: 1\n", "2:1 "});
  CheckRefused({"[!!str , a]", "1:2 a tag without a value"});
}

TEST_CASE("keys are strings") {
  CheckRefused({"1: a\n", "1:1 a key that is an integer, not a string"});
  CheckRefused({"true: a\n", "1:1 a key that is true or false, not a string"});
  CheckRefused({"{1.5: a}", "1:2 a key that is a number with a fraction, not a string"});
  CheckTaken({"\"1\": a\nyes: b\n!!str 2: c\n", R"({"1":"a","2":"c","yes":"b"})"});
}

TEST_CASE("JSON is read as JSON") {
  CheckTaken({R"({"a":"\uD83D\uDE00 \ud83d\ude00","b":"\/\b\f\n\r\t\"\\"})",
              "{\"a\":\"😀 😀\",\"b\":\"/\\b\\f\\n\\r\\t\\\"\\\\\"}"});
  CheckTaken({"{\n\t\"a\":\t1,\n\t\"b\":\t[\n\t\t1,\t2\n\t]\n}\n", R"({"a":1,"b":[1,2]})"});
  CheckTaken(
      {R"({"a":{"b":[1,-2,3.5,1e3,true,false,null,"x"]}})", R"({"a":{"b":[1,-2,3.5,1000,true,false,null,"x"]}})"});
  CheckTaken({R"(["a","\\uD83D\\uDE00"])", R"(["a","\\uD83D\\uDE00"])"});
  CheckRefused({R"({"a":"\uD83D"})", "1:7 half of a surrogate pair"});
  CheckRefused({R"({"a":"\uDE00\uD83D"})", "1:7 half of a surrogate pair"});
  CheckRefused({R"({"a":"x\uD83D\u0041"})", "1:8 half of a surrogate pair"});
  CheckRefused({R"({"a":1 "b":2})", "1:"});
  CheckRefused({R"({"a" 1})", "1:"});
}

TEST_CASE("a missing comma in JSON does not make one text of two members") {
  CheckRefused({R"({"a":1 "b":2})", "1:6 a text that holds a quoted key"});
  const std::string_view bytes = R"({"a": 1 2, b: x})";
  const SourceText source("test.json", bytes);
  ProblemList problems(source);
  ReadYaml(source, problems);
  REQUIRE(problems.size() == 3);
  const std::vector<Problem> found = problems.Take();
  CHECK(found[0].what == "a text without quotes in a JSON file: 1 2");
  CHECK(found[1].place.column == 12);
}

TEST_CASE("surrogate escapes keep the positions after them right, and stay text outside of double quotes") {
  const ReadText read = ReadDocuments("{\"\\uD83D\\uDE00\": 1, b: 2}");
  REQUIRE(read.problems.empty());
  CHECK(read.documents[0].members[0].key == "😀");
  CHECK(read.documents[0].members[1].position == TextPosition{1, 21});
  CheckTaken({R"(a: x\uD83D\uDE00 y)", R"({"a":"x\\uD83D\\uDE00 y"})"});
  CheckTaken({R"(a: '\uD83D\uDE00')", R"({"a":"\\uD83D\\uDE00"})"});
  CheckTaken({"a: |\n  \\uD83D\\uDE00\n", R"({"a":"\\uD83D\\uDE00\n"})"});
  CheckTaken({"# \\uD83D\\uDE00\na: 1\n", R"({"a":1})"});
}

TEST_CASE("escapes for which yaml-cpp gives invalid UTF-8 give characters") {
  CheckTaken(
      {R"(a: "\N\_\L\P\e\a\v\0")", "{\"a\":\"\xC2\x85\xC2\xA0\xE2\x80\xA8\xE2\x80\xA9\\u001b\\u0007\\u000b\\u0000\"}"});
  CheckTaken({R"(a: "\x41\u00e9\U0001F600")", "{\"a\":\"Aé😀\"}"});
  CheckRefused({R"(a: "\U00110000")", "1:5 half of a surrogate pair, or an escape beyond Unicode"});
  CheckRefused({R"(a: "\u12")", "1:"});
  CheckRefused({R"(a: "\q")", "1:"});
}

TEST_CASE("a '?' within a text in brackets is text") {
  CheckTaken({"[https://x.example/?a=b, what?, a ? b, {c: d??}]",
              R"(["https://x.example/?a=b","what?","a ? b",{"c":"d??"}])"});
  CheckTaken({"a: why?\nb?: c ?\n", R"({"a":"why?","b?":"c ?"})"});
}

TEST_CASE("scalars over several lines are folded as YAML says") {
  CheckTaken({"a: b\n  c\n\n  d\n", R"({"a":"b c\nd"})"});
  CheckTaken({"a: \"b \n  c\\\n  d\n\n  e\\  \"\n", R"({"a":"b cd\ne  "})"});
  CheckTaken({"a: 'b\n  it''s\n\n\n  d'\n", R"({"a":"b it's\n\nd"})"});
  CheckTaken({"a: |\n  b\n   c\n\n  d\n\n\ne: 1\n", R"({"a":"b\n c\n\nd\n","e":1})"});
  CheckTaken({"a: |-\n  b\n\n", R"({"a":"b"})"});
  CheckTaken({"a: |+\n  b\n\n", R"({"a":"b\n\n"})"});
  CheckTaken({"a: >\n  b\n  c\n\n  d\n   e\n  f\n", R"({"a":"b c\nd\n e\nf\n"})"});
  CheckTaken({"a: >-\n  b\n  c\n", R"({"a":"b c"})"});
  CheckTaken({"a: |2\n   b\n  c\n", R"({"a":" b\nc\n"})"});
  CheckTaken({"a: |\n\nb: 1\n", R"({"a":"","b":1})"});
  CheckTaken({"a: |\n  b # no comment\n# comment\nc: 1\n", R"({"a":"b # no comment\n","c":1})"});
  CheckTaken({"- |\n b\n- >\n c\n", R"(["b\n","c\n"])"});
  CheckTaken({"a: |\n  b\r\n  c\r\n", R"({"a":"b\nc\n"})"});
}

TEST_CASE("a folded text that keeps its line ends keeps all of them") {
  CheckTaken({"a: >+\n  b\n\n", R"({"a":"b\n\n"})"});
  CheckTaken({"a: >+\n  b\n\n\nc: 1\n", R"({"a":"b\n\n\n","c":1})"});
}

TEST_CASE("a list may stand beside its key, as yaml-cpp and people write it") {
  CheckTaken({"a:\n- 1\n- b: 2\n  c: 3\nd: 4\n", R"({"a":[1,{"b":2,"c":3}],"d":4})"});
  CheckTaken({"a: [\n  1,\n  2,\n]\nb: {\n  c: 1,\n}\n", R"({"a":[1,2],"b":{"c":1}})"});
}

TEST_CASE("positions are lines and columns in code points, both from 1") {
  const ReadText read = ReadDocuments("é: {ü: 1, 中文: [2, 😀]}\n# c\nb:\n  - c: 1\n");
  REQUIRE(read.problems.empty());
  const YamlNode& root = read.documents[0];
  CHECK(root.position == TextPosition{1, 1});
  const YamlNode& map = root.members[0].value;
  CHECK(map.position == TextPosition{1, 4});
  CHECK(map.members[1].position == TextPosition{1, 11});
  CHECK(map.members[1].value.items[1].position == TextPosition{1, 19});
  CHECK(root.members[1].value.items[0].position == TextPosition{4, 5});
  CHECK(root.members[1].value.items[0].members[0].value.position == TextPosition{4, 8});
}

TEST_CASE("a file tells at most 50 problems and that there are more") {
  const ReadText read = ReadDocuments(Repeated("a: 1\n", 200));
  REQUIRE(read.problems.size() == ProblemList::kProblemsPerFileMax + 1);
  CHECK_THAT(read.problems.back().what, Catch::Contains("more problems"));
}

TEST_CASE("a file of too many documents or values is refused") {
  CHECK_THAT(ReadDocuments(Repeated("---\n", 100'002)).First(), Catch::Contains("more than 100000 documents"));
  CHECK_THAT(ReadDocuments("[" + Repeated("1,", 1'000'001) + "]").First(), Catch::Contains("more than 1000000 values"));
}
