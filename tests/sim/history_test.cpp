// However a history reaches the program, in one process or in many, in a pass for each commit or in one for all, the
// ledger says the same in the end. Histories by chance, and a service that does as it is told.
#include <catch2/catch.hpp>
#include <map>
#include <set>

#include "random_author.h"
#include "world.h"

using namespace tokensync;

namespace {

constexpr std::uint64_t kHistories = 300;
constexpr std::uint64_t kKeys = 8;

enum class Way {
  kOneProcess,        ///< a pass for each commit, in one process
  kProcessForAPass,   ///< a pass for each commit, each in a process of its own
  kAllInOnePass,      ///< every commit comes while the first pass is under way, which plans anew
  kNewestCommitOnly,  ///< one pass, when all commits are there
};

std::vector<ScriptedTree> HistoryOf(std::uint64_t seed) {
  Dice dice(seed);
  RandomAuthor author(dice, 1 + dice.Below(kKeys));
  ScriptedSource source;
  source.Push(author.First());
  std::vector<ScriptedTree> history = {source.HeadTree()};
  for (auto commits = 1 + dice.Below(6); commits > 0; --commits) {
    source.Push(author.Next(source));
    history.push_back(source.HeadTree());
  }
  return history;
}

/// Passes until nothing waits.
void PassAll(World& world, Way way) {
  for (int i = 0; i < 20; ++i) {
    world.refresh = false;
    const PassSummary summary = world.Pass();
    if (way == Way::kProcessForAPass) world.Kill();
    if (summary.waiting == 0) return;
    world.clock.PassUntil(summary.next_due.value_or(world.clock.Now() + Duration(60'000)));
  }
  throw std::logic_error("something waits for ever");
}

/// What became of the history, and what was recorded of each key, in order.
struct Outcome {
  std::map<TokenKey, EntryState> entries;
  std::map<TokenKey, std::vector<std::string>> stories;
};

Outcome Follow(std::uint64_t seed, Way way) {
  World world(seed);
  Dice dice(seed);
  world.policy.executor.survey = dice.Percent(50);
  world.policy.executor.rate.concurrency = 2;
  world.service.rules.readable = dice.Percent(80);
  world.service.rules.unique = dice.Percent(50);
  world.service.refuses = IsBad;
  const std::vector<ScriptedTree> history = HistoryOf(seed);
  world.source.Push(history.front());
  Duration after(0);
  for (auto tree = history.begin() + 1; tree != history.end(); ++tree) {
    if (way == Way::kAllInOnePass) {
      after += dice.Between(Duration(0), Duration(300));
      world.clock.At(world.clock.WorldNow() + after, [&world, tree] {
        world.source.Push(*tree);
        world.refresh = true;
        world.service.Wake();
      });
      continue;
    }
    if (way != Way::kNewestCommitOnly) PassAll(world, way);
    world.source.Push(*tree);
  }
  PassAll(world, way);
  world.clock.PassUntil(world.clock.WorldNow() + after);
  PassAll(world, way);
  world.CheckAtRest();
  Outcome outcome{.entries = world.ledger.entries(), .stories = {}};
  for (const Change& change : world.ledger.log()) {
    outcome.stories[change.record.key].emplace_back(EventName(change.event));
  }
  return outcome;
}

/// The keys that the last commit declares, and that no commit declares otherwise.
std::set<TokenKey> NeverEdited(std::uint64_t seed) {
  ScriptedSource source;
  std::map<TokenKey, std::set<Digest>> declared;
  for (ScriptedTree& tree : HistoryOf(seed)) {
    source.Push(std::move(tree));
    for (const Entry& entry : source.Declared(source.Head()).entries) declared[entry.key].insert(entry.digest);
  }
  std::set<TokenKey> keys;
  for (const Entry& entry : source.Declared(source.Head()).entries) {
    if (declared.at(entry.key).size() == 1) keys.insert(entry.key);
  }
  return keys;
}

}  // namespace

TEST_CASE("one process over a whole history and a new process for every pass reach the same ledger") {
  for (std::uint64_t seed = 1; seed <= kHistories; ++seed) {
    INFO(seed);
    const Outcome one = Follow(seed, Way::kOneProcess);
    const Outcome many = Follow(seed, Way::kProcessForAPass);
    CHECK(one.entries == many.entries);
    CHECK(one.stories == many.stories);
  }
}

TEST_CASE("what was never edited ends the same, whether each commit, some or only the last one was planned for") {
  std::size_t compared = 0;
  for (std::uint64_t seed = 1; seed <= kHistories; ++seed) {
    INFO(seed);
    const Outcome each = Follow(seed, Way::kOneProcess);
    const Outcome some = Follow(seed, Way::kAllInOnePass);
    const Outcome last = Follow(seed, Way::kNewestCommitOnly);
    for (const TokenKey& key : NeverEdited(seed)) {
      INFO(key.Text());
      ++compared;
      REQUIRE(each.entries.contains(key));
      CHECK(each.entries.at(key) == some.entries.at(key));
      CHECK(each.entries.at(key) == last.entries.at(key));
    }
  }
  CHECK(compared > 2 * kHistories);
}
