/// `.tokensyncignore`: gitignore's patterns and precedence. The expected answers are those of `git check-ignore`.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "glob.h"
#include "ignore_rules.h"

using namespace tokensync;  // NOLINT(google-build-using-namespace)

namespace {

struct IgnoreFile {
  const char* folder;
  const char* text;
};

bool Ignored(const std::vector<IgnoreFile>& files, const char* path) {
  IgnoreRules rules;
  for (const IgnoreFile& file : files) {
    const SourceText source(".tokensyncignore", file.text);
    ProblemList problems(source);
    rules.Add(file.folder, source, problems);
    CHECK(problems.empty());
  }
  return rules.Ignores(path);
}

}  // namespace

TEST_CASE("one pattern leaves out what gitignore says") {
  struct Case {
    const char* pattern;
    const char* path;
    bool ignored;
  };
  const Case cases[] = {
      {"a.yaml", "a.yaml", true},
      {"a.yaml", "x/y/a.yaml", true},
      {"a.yaml", "ba.yaml", false},
      {"/a.yaml", "a.yaml", true},
      {"/a.yaml", "x/a.yaml", false},
      {"x/a.yaml", "x/a.yaml", true},
      {"x/a.yaml", "y/x/a.yaml", false},
      {"x", "x/y/a.yaml", true},
      {"x/", "x/a.yaml", true},
      {"x/", "y/x/a.yaml", true},
      {"a.yaml/", "a.yaml", false},
      {"/x/", "y/x/a.yaml", false},
      {"*.yaml", "x/a.yaml", true},
      {"*.yml", "x/a.yaml", false},
      {"x/*.yaml", "x/y/a.yaml", false},
      {"x/*", "x/y/a.yaml", true},
      {"*", "a.yaml", true},
      {"?.yaml", "a.yaml", true},
      {"?.yaml", "ab.yaml", false},
      {"x?a.yaml", "x/a.yaml", false},
      {"*\\/a.yaml", "x/a.yaml", true},
      {"[ab].yaml", "a.yaml", true},
      {"[!ab].yaml", "a.yaml", false},
      {"[^ab].yaml", "c.yaml", true},
      {"[a-c].yaml", "b.yaml", true},
      {"[]a].yaml", "].yaml", true},
      {"[a-].yaml", "-.yaml", true},
      {"[[:digit:]]*.yaml", "7x.yaml", true},
      {"[[:digit:]]*.yaml", "x7.yaml", false},
      {"x[!a]b.yaml", "x/b.yaml", false},
      {"**/a.yaml", "a.yaml", true},
      {"**/a.yaml", "x/y/a.yaml", true},
      {"x/**", "x/y/a.yaml", true},
      {"x/**", "x.yaml", false},
      {"x/**/a.yaml", "x/a.yaml", true},
      {"x/**/a.yaml", "x/y/z/a.yaml", true},
      {"x/**/a.yaml", "y/x/a.yaml", false},
      {"x**a.yaml", "xyza.yaml", true},
      {"/**", "x/a.yaml", true},
      {"**", "a.yaml", true},
      {"x/***/a.yaml", "x/y/a.yaml", true},
      {"# a.yaml", "a.yaml", false},
      {"#a.yaml", "#a.yaml", false},
      {"\\#a.yaml", "#a.yaml", true},
      {"\\!a.yaml", "!a.yaml", true},
      {"a.yaml   ", "a.yaml", true},
      {"a\\ ", "a ", true},
      {"a\\  ", "a ", true},
      {"a.yaml\r\n", "a.yaml", true},
      {"\\a.yaml", "a.yaml", true},
      {"\\*.yaml", "a.yaml", false},
      {"\\*.yaml", "*.yaml", true},
      {"/", "a.yaml", false},
      {"", "a.yaml", false},
      {"A.yaml", "a.yaml", false},
  };
  for (const Case& c : cases) {
    CAPTURE(c.pattern, c.path);
    CHECK(Ignored({{"", c.pattern}}, c.path) == c.ignored);
  }
}

TEST_CASE("the last pattern that matches decides, and the nearest ignore file comes first") {
  CHECK_FALSE(Ignored({{"", "*.yaml\n!a.yaml\n"}}, "a.yaml"));
  CHECK(Ignored({{"", "!a.yaml\n*.yaml\n"}}, "a.yaml"));
  CHECK_FALSE(Ignored({{"", "*.yaml\n"}, {"x", "!a.yaml\n"}}, "x/a.yaml"));
  CHECK(Ignored({{"", "!a.yaml\n"}, {"x", "*.yaml\n"}}, "x/a.yaml"));
  CHECK(Ignored({{"x", "/a.yaml\n"}}, "x/a.yaml"));
  CHECK_FALSE(Ignored({{"x", "/a.yaml\n"}}, "a.yaml"));
  CHECK_FALSE(Ignored({{"x", "a.yaml\n"}}, "y/a.yaml"));
  CHECK(Ignored({{"x", "y/a.yaml\n"}}, "x/y/a.yaml"));
}

TEST_CASE("nothing within a folder that is left out can be taken in again") {
  CHECK(Ignored({{"", "x/\n!x/a.yaml\n"}}, "x/a.yaml"));
  CHECK(Ignored({{"", "x\n"}, {"x", "!a.yaml\n"}}, "x/a.yaml"));
  CHECK_FALSE(Ignored({{"", "x/*\n!x/a.yaml\n"}}, "x/a.yaml"));
  CHECK_FALSE(Ignored({{"", "/*\n!/x/\n"}}, "x/a.yaml"));
}

TEST_CASE("a pattern that can never match is a problem") {
  for (const char* pattern : {"a[b", "a\\", "[[:foo:]]", "[a\\"}) {
    CAPTURE(pattern);
    const std::string text = std::string("# first\n") + pattern + "\n";
    const SourceText source(".tokensyncignore", text);
    ProblemList problems(source);
    IgnoreRules rules;
    rules.Add("", source, problems);
    REQUIRE(problems.size() == 1);
    CHECK(problems.Take()[0].place == Place{".tokensyncignore", 2, 1});
  }
}

TEST_CASE("a pattern of many stars takes no exponential time") {
  std::string pattern;
  for (int i = 0; i < 200; ++i) pattern += "*a";
  const auto glob = Glob::Parse(pattern + "b");
  REQUIRE(glob);
  CHECK_FALSE(glob->Matches(std::string(4'000, 'a')));
}
