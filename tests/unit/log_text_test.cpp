/// Foreign text, times and durations as text; and writing it.
#include "text.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "errors.h"
#include "terminal.h"
#include "time_text.h"

using namespace tokensync;

TEST_CASE("foreign text is shown, not obeyed") {
  struct Row {
    std::string foreign, shown;
  };
  const std::vector<Row> rows = {
      {"", ""},
      {"Eclipse Dragon", "Eclipse Dragon"},
      {"Grüße 龍 😀", "Grüße 龍 😀"},
      {"a\nb\r\tc", "a\\nb\\r\\tc"},
      {"\x1b]0;title\x07", "\\u001b]0;title\\u0007"},
      {"\xC2\x9B"
       "31m",
       "\\u009b31m"},
      {"\x7F", "\\u007f"},
      {"\xE2\x80\xAEgpj.exe", "\\u202egpj.exe"},
      {"\xF3\xA0\x81\x81", "\\U000e0041"},
      {std::string("nul\0here", 8), "nul\\u0000here"},
      {"bad \xFF\xC3( \xED\xA0\x80 \xC0\xAF", "bad \uFFFD\uFFFD( \uFFFD\uFFFD\uFFFD \uFFFD\uFFFD"},
      {"cut in the middle \xE2\x82", "cut in the middle \uFFFD\uFFFD"},
  };
  for (const Row& row : rows) CHECK(PrintableText(row.foreign) == row.shown);
}

TEST_CASE("foreign text is cut by characters") {
  CHECK(PrintableText("grüße", 5) == "grüße");
  CHECK(PrintableText("grüße", 4) == "grüß…");
  CHECK(PrintableText("grüße", 0) == "…");
  CHECK(PrintableText("", 0) == "");
}

TEST_CASE("JSON for a terminal holds no control character, and the same value") {
  const JsonValue value = JsonObject{{"a", "\x1b[1m\xC2\x9B \xE2\x80\xAE \xF3\xA0\x81\x81 é"}};
  CHECK(PrintableJson(value) == "{\"a\":\"\\u001b[1m\\u009b \\u202e \\udb40\\udc41 é\"}\n");
}

TEST_CASE("wide and combining characters count as a terminal shows them") {
  CHECK(ColumnsOf("abc") == 3);
  CHECK(ColumnsOf("龍") == 2);
  CHECK(ColumnsOf("e\u0301") == 1);
  CHECK(ColumnsOf("😀!") == 3);
  CHECK(CutToColumns("abcdef", 6) == "abcdef");
  CHECK(CutToColumns("abcdef", 5) == "abcd…");
  CHECK(CutToColumns("龍龍龍", 6) == "龍龍龍");
  CHECK(CutToColumns("龍龍龍", 5) == "龍龍…");
  CHECK(CutToColumns("龍龍龍", 4) == "龍…");
  CHECK(CutToColumns("abc", 1) == "…");
  CHECK(CutToColumns("abc", 0) == "");
  CHECK(FitColumns("龍", 4) == "龍  ");
  CHECK(FitColumns("龍龍龍", 4) == "龍… ");
}

TEST_CASE("times are written in RFC 3339, UTC, to the millisecond") {
  CHECK(FormatTime(TimePoint{}) == "1970-01-01T00:00:00.000Z");
  CHECK(FormatTime(TimePoint(Duration(1'795'502'564'123))) == "2026-11-24T06:42:44.123Z");
  CHECK(FormatTime(TimePoint(Duration(951'782'400'000))) == "2000-02-29T00:00:00.000Z");
}

TEST_CASE("times are read as people write them") {
  const TimePoint now(Duration(1'795'502'564'123));
  struct Row {
    std::string text, time;  // empty: not a time
  };
  const std::vector<Row> rows = {
      {"2026-11-24T06:42:44.123Z", "2026-11-24T06:42:44.123Z"},
      {"2026-11-24t06:42:44z", "2026-11-24T06:42:44.000Z"},
      {"2026-11-24 06:42", "2026-11-24T06:42:00.000Z"},
      {"2026-11-24T06:42:44.5+02:00", "2026-11-24T04:42:44.500Z"},
      {"2026-11-24T06:42:44.123456789-0130", "2026-11-24T08:12:44.123Z"},
      {"2026-11-24", "2026-11-24T00:00:00.000Z"},
      {"2024-02-29", "2024-02-29T00:00:00.000Z"},
      {"90s", "2026-11-24T06:41:14.123Z"},
      {"30m", "2026-11-24T06:12:44.123Z"},
      {"2h", "2026-11-24T04:42:44.123Z"},
      {"3d", "2026-11-21T06:42:44.123Z"},
      {"1w", "2026-11-17T06:42:44.123Z"},
      {"0s", "2026-11-24T06:42:44.123Z"},
      {"", ""},
      {"2h30", ""},
      {"h", ""},
      {"-2h", ""},
      {"2 h", ""},
      {"999999999w", ""},
      {"9999999999999s", ""},
      {"2026-02-29", ""},
      {"2026-13-01", ""},
      {"2026-1-1", ""},
      {"1969-12-31", ""},
      {"1970-01-01T00:00:00+01:00", ""},
      {"9999-12-31T23:59:59Z", "9999-12-31T23:59:59.000Z"},
      {"9999-12-31T23:59:59-00:01", ""},
      {"2026-11-24T24:00:00Z", ""},
      {"2026-11-24T06:60:00Z", ""},
      {"2026-11-24T06:42:44.Z", ""},
      {"2026-11-24T06:42:44Zx", ""},
      {"2026-11-24T06:42:44+25:00", ""},
      {"yesterday", ""},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    const std::optional<TimePoint> time = ParseTime(row.text, now);
    CHECK((time ? FormatTime(*time) : "") == row.time);
  }
}

TEST_CASE("durations are told in at most two units") {
  const std::vector<std::pair<std::int64_t, std::string>> rows = {
      {0, "0 ms"},         {850, "850 ms"},          {999, "999 ms"},    {1'000, "1.0 s"},
      {4'249, "4.2 s"},    {9'949, "9.9 s"},         {9'950, "10 s"},    {40'000, "40 s"},
      {59'600, "1 min"},   {125'000, "2 min 5 s"},   {3'599'900, "1 h"}, {12'000'000, "3 h 20 min"},
      {86'400'000, "1 d"}, {187'200'000, "2 d 4 h"}, {-40'000, "-40 s"}};
  for (const auto& [ms, text] : rows) CHECK(FormatDuration(Duration(ms)) == text);
}

TEST_CASE("a pipe is no terminal") {
  std::array<int, 2> fds{};
  REQUIRE(pipe(fds.data()) == 0);
  const Terminal terminal = Terminal::Of(fds[1]);
  CHECK(!terminal.colour);
  CHECK(!terminal.IsTerminal());
  close(fds[0]);
  close(fds[1]);
}

TEST_CASE("a terminal is coloured unless NO_COLOR or its kind forbid it") {
  const int master = posix_openpt(O_RDWR | O_NOCTTY);
  REQUIRE(master >= 0);
  REQUIRE(grantpt(master) == 0);
  REQUIRE(unlockpt(master) == 0);
  const int fd = open(ptsname(master), O_RDWR | O_NOCTTY);
  REQUIRE(fd >= 0);
  const char* kind = std::getenv("TERM");
  const std::string kind_before = kind == nullptr ? "" : kind;
  struct Row {
    const char* term;
    const char* no_color;
    bool coloured;
  };
  unsetenv("NO_COLOR");
  for (const Row& row : {Row{"xterm", nullptr, true}, Row{"xterm", "", true}, Row{"xterm", "1", false},
                         Row{"dumb", nullptr, false}, Row{nullptr, nullptr, false}}) {
    row.term != nullptr ? setenv("TERM", row.term, 1) : unsetenv("TERM");
    row.no_color != nullptr ? setenv("NO_COLOR", row.no_color, 1) : unsetenv("NO_COLOR");
    const Terminal terminal = Terminal::Of(fd);
    CHECK(terminal.colour == row.coloured);
    CHECK(terminal.columns == 80);
  }
  unsetenv("NO_COLOR");
  setenv("TERM", kind_before.c_str(), 1);
  close(fd);
  close(master);
}

TEST_CASE("output to a reader that went away ends without a signal") {
  std::array<int, 2> fds{};
  REQUIRE(pipe(fds.data()) == 0);
  CHECK(WriteAll(fds[1], "read"));
  close(fds[0]);
  CHECK(!WriteAll(fds[1], "not read"));
  close(fds[1]);
}

TEST_CASE("output to a full disk is a failure that says so") {
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  REQUIRE(full >= 0);
  CHECK_THROWS_AS(WriteAll(full, "text"), EnvironmentError);
  CHECK_THROWS_WITH(WriteAll(full, "text"), Catch::Contains("No space left"));
  close(full);
}
