/// Which branch or tag is followed.
#include <catch2/catch.hpp>
#include <vector>

#include "source_ref.h"

namespace tokensync::test {

namespace {

using Kind = SourceRef::Kind;
using Names = std::vector<std::string>;

std::string Newest(Kind kind, const std::string& text, const Names& tags) {
  return SourceRef{kind, text}.NewestOf(tags).value_or("none");
}

}  // namespace

TEST_CASE("of the tags that match a pattern the last by version order is followed") {
  CHECK(Newest(Kind::kTag, "release-*", {"release-9", "release-10", "release-2", "v99"}) == "release-10");
  CHECK(Newest(Kind::kTag, "*", {"a/1", "a/10", "a/9"}) == "a/10");
  CHECK(Newest(Kind::kTag, "2024-[01][0-9]-??", {"2024-12-31", "2024-01-01", "2025-01-01", "2024-12-3"}) ==
        "2024-12-31");
  CHECK(Newest(Kind::kTag, "live", {"live", "live-2"}) == "live");
  CHECK(Newest(Kind::kTag, "v\\*", {"v1", "v\\"}) == "none");
  CHECK(Newest(Kind::kTag, "x*", {"v1"}) == "none");
  CHECK(Newest(Kind::kTag, "*", {}) == "none");
  CHECK(Newest(Kind::kTag, "*", {std::string(257, 'z'), "a"}) == "a");
  CHECK(Newest(Kind::kTag, "[a", {"[a", "a"}) == "none");
}

TEST_CASE("of the tags that are versions within a range the highest is followed") {
  const Names tags{"v1.9.0", "1.10.0", "v1.10.0-rc.1", "v2.0.0", "v2.1.0-rc.1", "1.2", "latest", "release-3.0.0"};
  CHECK(Newest(Kind::kSemver, "1.x", tags) == "1.10.0");
  CHECK(Newest(Kind::kSemver, "*", tags) == "v2.0.0");
  CHECK(Newest(Kind::kSemver, ">=2.1.0-0", tags) == "v2.1.0-rc.1");
  CHECK(Newest(Kind::kSemver, "^3", tags) == "none");
  CHECK(Newest(Kind::kSemver, "nonsense", tags) == "none");
  // Of equal versions the choice does not depend on the order in which they are told.
  CHECK(Newest(Kind::kSemver, "1", {"1.0.0+2", "1.0.0+10", "1.0.0+9"}) == "1.0.0+10");
  CHECK(Newest(Kind::kSemver, "1", {"v1.0.0", "1.0.0"}) == Newest(Kind::kSemver, "1", {"1.0.0", "v1.0.0"}));
}

TEST_CASE("a push to a reference that can move what is followed is told from one that cannot") {
  const SourceRef branch{Kind::kBranch, "main"};
  CHECK(branch.Follows("refs/heads/main"));
  for (const char* other : {"", "main", "refs/heads/main2", "refs/heads/", "refs/tags/main", "refs/heads/x/main"}) {
    CHECK_FALSE(branch.Follows(other));
  }
  const SourceRef tags{Kind::kTag, "v*"};
  CHECK(tags.Follows("refs/tags/v1"));
  for (const char* other : {"v1", "refs/tags/", "refs/tags/w1", "refs/heads/v1"}) CHECK_FALSE(tags.Follows(other));
  const SourceRef versions{Kind::kSemver, "^1.2"};
  CHECK(versions.Follows("refs/tags/v1.2.0"));
  for (const char* other : {"refs/tags/v2.0.0", "refs/tags/1.2", "refs/heads/1.2.0"})
    CHECK_FALSE(versions.Follows(other));
}

TEST_CASE("what is followed is said in two words") {
  CHECK(SourceRef{}.Text() == "branch main");
  CHECK(SourceRef{Kind::kTag, "release-*"}.Text() == "tags release-*");
  CHECK(SourceRef{Kind::kSemver, ">=1.2.0 <2.0.0"}.Text() == "versions >=1.2.0 <2.0.0");
}

TEST_CASE("a name, pattern or range that cannot be used is told") {
  for (const char* name : {"main", "release/1.x", "a-b_c", "\xc3\xa4"}) CHECK_FALSE(FaultOf({Kind::kBranch, name}));
  for (const char* name : {"",   "-x",       "/x",  "x/",  "x.",  "x.lock", "@",   "a..b", "a//b", "a@{b", "a/.b",
                           ".a", "a.lock/b", "a b", "a~b", "a^b", "a:b",    "a?b", "a*b",  "a[b",  "a\\b", "a\x7f"}) {
    CAPTURE(name);
    CHECK(FaultOf({Kind::kBranch, name}));
  }
  for (const char* pattern : {"*", "v[0-9]*", "[]a]", "[!]]", "[[:digit:]]*", "[[.-.]]", "a\\[b", "a\\\\", "[\\]]"}) {
    CAPTURE(pattern);
    CHECK_FALSE(FaultOf({Kind::kTag, pattern}));
  }
  for (const char* pattern :
       {"", "a b", "a\x01", "refs/tags/v*", "[", "v[0-9", "[]", "[[:digit:]", "[[:digit", "[a\\]", "a\\"}) {
    CAPTURE(pattern);
    CHECK(FaultOf({Kind::kTag, pattern}));
  }
  CHECK(FaultOf({Kind::kTag, std::string(257, 'a')}));
  CHECK_FALSE(FaultOf({Kind::kSemver, "^1.2"}));
  CHECK_THAT(FaultOf({Kind::kSemver, "^1.2, <2"}).value(), Catch::Contains("'1.2,' is no version"));
}

TEST_CASE("the longest pattern against the longest tag takes no time") {
  std::string pattern;
  while (pattern.size() < 254) pattern += "*a";
  CHECK(Newest(Kind::kTag, pattern + "b", {std::string(256, 'a')}) == "none");
  pattern.clear();
  while (pattern.size() < 250) pattern += "*[a]";
  CHECK(Newest(Kind::kTag, pattern + "b", {std::string(256, 'a')}) == "none");
}

}  // namespace tokensync::test
