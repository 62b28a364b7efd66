// When the next pass starts by itself.
#include "schedule.h"

#include <catch2/catch.hpp>

#include "samples.h"

using namespace tokensync;

TEST_CASE("polls are an interval apart, a tenth more or less") {
  Schedule schedule({.poll_interval = Duration(60'000)}, 1);
  bool differs = false;
  for (int i = 0; i < 200; ++i) {
    const auto next = schedule.NextPass(At(0), 0, std::nullopt);
    REQUIRE(next);
    CHECK(*next >= At(54'000));
    CHECK(*next <= At(66'000));
    differs = differs || *next != At(60'000);
  }
  CHECK(differs);
}

TEST_CASE("what is due earlier than the poll starts a pass, and not in the past") {
  Schedule schedule({.poll_interval = Duration(60'000)}, 1);
  CHECK(schedule.NextPass(At(0), 0, At(10'000)) == At(10'000));
  CHECK(schedule.NextPass(At(0), 0, At(-10'000)) == At(0));
  CHECK(*schedule.NextPass(At(0), 0, At(100'000)) <= At(66'000));
}

TEST_CASE("without polling only what is due starts a pass") {
  Schedule schedule({.poll_interval = Duration(0)}, 1);
  CHECK_FALSE(schedule.NextPass(At(0), 0, std::nullopt));
  CHECK_FALSE(schedule.NextPoll(At(0)));
  CHECK(schedule.NextPass(At(0), 0, At(100'000)) == At(100'000));
}

TEST_CASE("passes that fail back off, further with each one in a row") {
  Schedule schedule({.failures = {.base = Duration(5'000), .cap = Duration(300'000)}}, 1);
  for (std::uint32_t failures = 1; failures < 20; ++failures) {
    const std::int64_t window = failures > 7 ? 300'000 : std::min<std::int64_t>(5'000LL << (failures - 1), 300'000);
    const auto next = schedule.NextPass(At(0), failures, At(1));
    REQUIRE(next);
    CHECK(*next >= At(window / 10));
    CHECK(*next <= At(window));
  }
}
