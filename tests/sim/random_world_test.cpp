// A world can be lived through again: without that a seed would be worth nothing.
#include "random_world.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "sha256.h"
#include "sqlite_disk.h"

using namespace tokensync;

namespace {

/// The digest of all that the ledger holds in the end.
std::string LedgerOf(std::uint64_t seed, const WorldOptions& options = {}) {
  WorldOptions with_ledger = options;
  with_ledger.with_ledger = true;
  const WorldReport report = LiveThrough(seed, with_ledger);
  CHECK(report.broken.empty());
  CHECK(!report.ledger.empty());
  return Sha256(report.ledger).Hex();
}

}  // namespace

TEST_CASE("the same seed gives the same world, told or not") {
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    std::vector<std::string> stories[2];
    for (auto& story : stories) {
      LiveThrough(seed, {.trace = [&](const std::string& line) { story.push_back(line); }});
    }
    CHECK(stories[0] == stories[1]);
    const WorldReport told = LiveThrough(seed, {.trace = [](const std::string&) {}});
    const WorldReport untold = LiveThrough(seed);
    CHECK(told.broken.empty());
    CHECK(told.calls == untold.calls);
    CHECK(told.passes == untold.passes);
    CHECK(told.events == untold.events);
  }
}

TEST_CASE("the same seed gives the same ledger and log, byte for byte") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    INFO(seed);
    CHECK(LedgerOf(seed) == LedgerOf(seed));
  }
}

TEST_CASE("the ledger in memory and the one on a disk hold the same, byte for byte") {
  const WorldOptions on_disk{.make_disk = [](std::uint64_t seed) { return std::make_unique<SqliteDisk>(seed); }};
  for (std::uint64_t seed = 1; seed <= 30; ++seed) {
    INFO(seed);
    CHECK(LedgerOf(seed, on_disk) == LedgerOf(seed));
  }
}
