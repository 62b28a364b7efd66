// A world can be lived through again: without that a seed would be worth nothing.
#include "random_world.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

using namespace tokensync;

TEST_CASE("the same seed gives the same world, told or not") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    std::vector<std::string> stories[2];
    for (auto& story : stories) {
      LiveThrough(seed, [&](const std::string& line) { story.push_back(line); });
    }
    CHECK(stories[0] == stories[1]);
    const WorldReport told = LiveThrough(seed, [](const std::string&) {});
    const WorldReport untold = LiveThrough(seed);
    CHECK(told.broken.empty());
    CHECK(told.calls == untold.calls);
    CHECK(told.passes == untold.passes);
    CHECK(told.events == untold.events);
  }
}
