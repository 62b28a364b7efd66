/// Versions and ranges, as semver.org and npm have them.
#include <catch2/catch.hpp>

#include "version_range.h"

namespace tokensync::test {

namespace {

bool Within(const std::string& range, const std::string& version) {
  const auto read = VersionRange::Parse(range);
  REQUIRE(std::holds_alternative<VersionRange>(read));
  const auto parsed = Version::Parse(version);
  REQUIRE(parsed);
  return std::get<VersionRange>(read).Contains(*parsed);
}

}  // namespace

TEST_CASE("a version is three numbers, with or without a v before and a pre-release or build after them") {
  for (const char* text : {"1.2.3", "v1.2.3", "0.0.0", "1.2.3-rc.1", "1.2.3-0", "1.2.3-x", "1.2.3--", "1.2.3-a.01b",
                           "1.2.3+001", "v1.2.3-rc.1+b-1", "9007199254740991.0.0"}) {
    CAPTURE(text);
    CHECK(Version::Parse(text));
  }
  for (const char* text : {"",
                           "v",
                           "1",
                           "1.2",
                           "1.2.x",
                           "1.2.3.4",
                           "01.2.3",
                           "1.02.3",
                           "1.2.3-",
                           "1.2.3-a..b",
                           "1.2.3-01",
                           "1.2.3+",
                           "1.2.3-a_b",
                           "1.2.3 ",
                           " 1.2.3",
                           "vv1.2.3",
                           "V1.2.3",
                           "=1.2.3",
                           "1.2.3-\xc3\xa4",
                           "-1.2.3",
                           "9007199254740992.0.0",
                           "99999999999999999999.0.0",
                           "release-1.2.3"}) {
    CAPTURE(text);
    CHECK_FALSE(Version::Parse(text));
  }
  CHECK_FALSE(Version::Parse("1.2.3-" + std::string(kVersionBytesMax, 'a')));
}

TEST_CASE("versions stand in the order of semver.org") {
  const char* ascending[] = {"0.0.1",         "0.9.9",
                             "1.0.0-0",       "1.0.0-9",
                             "1.0.0-10",      "1.0.0-99999999999999999999999",
                             "1.0.0--",       "1.0.0-alpha",
                             "1.0.0-alpha.1", "1.0.0-alpha.beta",
                             "1.0.0-beta",    "1.0.0-beta.2",
                             "1.0.0-beta.11", "1.0.0-rc.1",
                             "1.0.0",         "1.0.1-rc.1",
                             "1.0.10",        "1.10.0",
                             "2.0.0"};
  for (std::size_t i = 0; i < std::size(ascending); ++i) {
    for (std::size_t j = 0; j < std::size(ascending); ++j) {
      CAPTURE(ascending[i], ascending[j]);
      CHECK((*Version::Parse(ascending[i]) <=> *Version::Parse(ascending[j])) == (i <=> j));
    }
  }
  CHECK(*Version::Parse("1.0.0+a") == *Version::Parse("v1.0.0+b"));
}

TEST_CASE("a range holds what npm's holds") {
  struct Row {
    const char* range;
    std::vector<const char*> within;
    std::vector<const char*> beyond;
  };
  const Row row = GENERATE(
      Row{"1.2.3", {"1.2.3", "1.2.3+b"}, {"1.2.4", "1.2.3-rc.1"}}, Row{"=v1.2.3", {"1.2.3"}, {"1.2.2"}},
      Row{">1.2.3", {"1.2.4", "2.0.0"}, {"1.2.3", "1.2.4-rc.1"}}, Row{">1.2", {"1.3.0"}, {"1.2.9", "1.3.0-0"}},
      Row{">1", {"2.0.0"}, {"1.9.9"}}, Row{">=1.2", {"1.2.0"}, {"1.1.9", "1.2.0-rc.1"}},
      Row{"<1.2", {"1.1.9"}, {"1.2.0", "1.2.0-rc.1"}}, Row{"<=1.2", {"1.2.9"}, {"1.3.0"}},
      Row{"<=1", {"1.9.9"}, {"2.0.0", "2.0.0-rc.1"}}, Row{">= 1.2.0 < 2.0.0", {"1.2.0", "1.9.9"}, {"2.0.0", "1.1.0"}},
      Row{"1.2 - 2.3.4", {"1.2.0", "2.3.4"}, {"1.1.9", "2.3.5"}}, Row{"1.2.3 - 2", {"1.2.3", "2.9.9"}, {"3.0.0"}},
      Row{"  1.2.3   -   2.3  ", {"2.3.9"}, {"2.4.0"}}, Row{"* - 2", {"0.0.1"}, {"3.0.0"}},
      Row{"*", {"0.0.0", "9.9.9"}, {"1.0.0-rc.1"}}, Row{"x", {"1.0.0"}, {}}, Row{"1.x", {"1.0.0", "1.9.9"}, {"2.0.0"}},
      Row{"1.2.X", {"1.2.9"}, {"1.3.0"}}, Row{"1.*.*", {"1.2.9"}, {"2.0.0"}}, Row{"<*", {}, {"0.0.0"}},
      Row{">=*", {"0.0.0"}, {}}, Row{"~1.2.3", {"1.2.3", "1.2.9"}, {"1.3.0", "1.2.2"}},
      Row{"~> 1.2", {"1.2.0", "1.2.9"}, {"1.3.0"}}, Row{"~1", {"1.9.9"}, {"2.0.0"}},
      Row{"~1.2.3-beta.2", {"1.2.3-beta.4", "1.2.3", "1.2.4"}, {"1.2.4-beta.2", "1.2.3-beta.1"}},
      Row{"^1.2.3", {"1.2.3", "1.9.0"}, {"2.0.0", "2.0.0-0", "1.2.2", "1.3.0-rc.1"}},
      Row{"^0.2.3", {"0.2.9"}, {"0.3.0"}}, Row{"^0.0.3", {"0.0.3"}, {"0.0.4"}}, Row{"^0.0", {"0.0.9"}, {"0.1.0"}},
      Row{"^0.x", {"0.9.9"}, {"1.0.0"}}, Row{"^1.x", {"1.9.9"}, {"2.0.0"}},
      Row{"^1.2.3-beta.2", {"1.2.3-beta.2", "1.9.9"}, {"1.2.4-beta.2"}},
      Row{"<1.0.0 || >=2.3.1 <2.4.5||^3", {"0.9.0", "2.4.4", "3.1.0"}, {"1.0.0", "2.3.0", "2.4.5", "4.0.0"}},
      Row{">=1.2.3-rc.1 <1.2.3", {"1.2.3-rc.2"}, {"1.2.3", "1.2.4-rc.1"}}, Row{">1.0.0 <0.9.0", {}, {"1.0.0"}});
  CAPTURE(row.range);
  for (const char* version : row.within) {
    CAPTURE(version);
    CHECK(Within(row.range, version));
  }
  for (const char* version : row.beyond) {
    CAPTURE(version);
    CHECK_FALSE(Within(row.range, version));
  }
}

TEST_CASE("what is no range is told with what to write instead") {
  for (const char* text : {"",          " ",
                           "||",        "1.2.3 ||",
                           "|| 1",      "1.2.3 | 1",
                           "1.2.3, <2", ">=",
                           "> =1",      "^^1",
                           "1.x.3",     "1.2.x-rc.1",
                           "1.2-rc.1",  "01",
                           "1.2.3.4",   "latest",
                           ">=1.2.3<2", "1.2.3 - ",
                           "- 2",       "1 - 2 - 3",
                           "1 - 2 <3",  "9007199254740992",
                           "!1",        "1.2.3-\x1b[31m"}) {
    CAPTURE(text);
    const auto read = VersionRange::Parse(text);
    REQUIRE(std::holds_alternative<RangeFault>(read));
    const std::string& fault = std::get<RangeFault>(read).text;
    CHECK_THAT(fault, Catch::Contains("write"));
    CHECK(fault.find('\x1b') == std::string::npos);
  }
  CHECK(std::holds_alternative<RangeFault>(VersionRange::Parse(std::string(kVersionBytesMax + 1, '1'))));
}

}  // namespace tokensync::test
