// The state table of DESIGN.md as a test: each state against each thing that git can say of its key.
#include "planner.h"

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>
#include <string>
#include <vector>

#include "samples.h"

using namespace tokensync;

namespace {

const TokenKey kKey = SampleKey(5);
const Digest kOld = SampleDigest(1);
const Digest kNew = SampleDigest(2);
constexpr Duration kSettling{1'000};

enum class Git { kSame, kNewDigest, kAbsent, kUnreadable, kAmbiguous };
constexpr Git kColumns[] = {Git::kSame, Git::kNewDigest, Git::kAbsent, Git::kUnreadable, Git::kAmbiguous};

std::shared_ptr<const DesiredState> Declaring(Git git) {
  auto desired = std::make_shared<DesiredState>();
  if (git == Git::kSame) desired->entries.push_back(SampleEntry(kKey, kOld));
  if (git == Git::kNewDigest) desired->entries.push_back(SampleEntry(kKey, kNew));
  if (git == Git::kUnreadable) desired->unreadable.emplace_back("broken.yaml");
  if (git == Git::kAmbiguous) desired->ambiguous.push_back(kKey);
  return desired;
}

/// An action as a short text, so that a table of them can be read.
std::string Text(const std::optional<Action>& action) {
  if (!action) return "-";
  if (const auto* create = std::get_if<Create>(&*action)) {
    return "create #" + std::to_string(create->attempt) + " @" + std::to_string((create->due - At(0)).count());
  }
  if (const auto* resolve = std::get_if<Resolve>(&*action)) {
    const char* by = resolve->by == ResolveBy::kReading     ? "read"
                     : resolve->by == ResolveBy::kResending ? "resend"
                                                            : "conclude";
    return std::string(resolve->reopen ? "reopen " : "") + by + (resolve->digest == kOld ? " old" : " new") + " #" +
           std::to_string(resolve->attempt) + " @" + std::to_string((resolve->due - At(0)).count());
  }
  return std::string(ReportName(std::get<Report>(*action).kind));
}

std::string Plan1(const EntryState& state, Git git, bool can_read) {
  const auto desired = Declaring(git);
  const auto action = PlanKey(kKey, *desired, state, {.can_read = can_read, .settling = kSettling});
  if (action) {
    CHECK(KeyOf(*action) == kKey);
    CHECK(EntryOf(*action) == desired->Find(kKey));
    if (const auto* report = std::get_if<Report>(&*action)) CHECK(report->recorded == kOld);
  }
  return Text(action);
}

struct Row {
  const char* name;
  EntryState state;
  /// For a readable service: same digest, new digest, absent, in an unreadable file, ambiguous.
  std::vector<std::string> readable;
  /// The same for one that cannot be read.
  std::vector<std::string> unreadable;
};

// Due times are milliseconds after At(0); "long ago" for a time that is not set.
const std::string kAtOnce = "@" + std::to_string((TimePoint{} - At(0)).count());
const std::string kFresh = "create #1 " + kAtOnce;

Drift ChangedTo(const Digest& digest) {
  return {.declared = digest};
}

const std::vector<Row>& Table() {
  static const std::vector<Row> rows = {
      {"none", None{}, {kFresh, kFresh, "-", "-", "-"}, {kFresh, kFresh, "-", "-", "-"}},
      {"pending",
       Pending{.digest = kOld, .attempts = 2, .due = At(70)},
       {"create #3 @70", kFresh, "withdrawn", "-", "-"},
       {"create #3 @70", kFresh, "withdrawn", "-", "-"}},
      {"submitting", Submitting{.digest = kOld, .attempt = 2, .since = At(10)},
       std::vector<std::string>(5, "read old #2 " + kAtOnce), std::vector<std::string>(5, "resend old #2 " + kAtOnce)},
      {"uncertain", Uncertain{.digest = kOld, .attempt = 2, .since = At(10), .due = At(70)},
       std::vector<std::string>(5, "read old #2 @70"), std::vector<std::string>(5, "resend old #2 @1010")},
      {"uncertain and due after it has settled",
       Uncertain{.digest = kOld, .attempt = 2, .since = At(10), .due = At(5'000)},
       std::vector<std::string>(5, "read old #2 @5000"), std::vector<std::string>(5, "resend old #2 @5000")},
      {"uncertain and known to exist",
       Uncertain{.digest = kOld, .attempt = 2, .since = At(10), .due = At(70), .exists = true},
       std::vector<std::string>(5, "read old #2 @70"), std::vector<std::string>(5, "conclude old #2 @70")},
      {"confirmed",
       Confirmed{.digest = kOld},
       {"-", "changed", "removed", "-", "-"},
       {"-", "changed", "removed", "-", "-"}},
      {"confirmed, the change reported",
       Confirmed{.digest = kOld, .drift = ChangedTo(kNew)},
       {"settled", "-", "removed", "-", "-"},
       {"settled", "-", "removed", "-", "-"}},
      {"confirmed, another change reported",
       Confirmed{.digest = kOld, .drift = ChangedTo(SampleDigest(9))},
       {"settled", "changed", "removed", "-", "-"},
       {"settled", "changed", "removed", "-", "-"}},
      {"confirmed, the removal reported",
       Confirmed{.digest = kOld, .drift = Drift{}},
       {"settled", "changed", "-", "-", "-"},
       {"settled", "changed", "-", "-", "-"}},
      {"rejected",
       Rejected{.digest = kOld, .attempts = 4},
       {"-", kFresh, "withdrawn", "-", "-"},
       {"-", kFresh, "withdrawn", "-", "-"}},
      {"conflicting",
       Conflicting{.digest = kOld, .remote = SampleDigest(9)},
       {"-", "reopen read new #0 " + kAtOnce, "removed", "-", "-"},
       {"-", "changed", "removed", "-", "-"}},
      {"conflicting, never read",
       Conflicting{.digest = kOld},
       {"-", "reopen read new #0 " + kAtOnce, "removed", "-", "-"},
       {"-", "changed", "removed", "-", "-"}},
      {"conflicting, the change reported",
       Conflicting{.digest = kOld, .remote = SampleDigest(9), .drift = ChangedTo(kNew)},
       {"settled", "reopen read new #0 " + kAtOnce, "removed", "-", "-"},
       {"settled", "-", "removed", "-", "-"}},
      {"conflicting, the removal reported",
       Conflicting{.digest = kOld, .remote = SampleDigest(9), .drift = Drift{}},
       {"settled", "reopen read new #0 " + kAtOnce, "-", "-", "-"},
       {"settled", "changed", "-", "-", "-"}},
  };
  return rows;
}

/// A world in which every state of the table meets every column, and more besides.
struct MixedWorld {
  std::shared_ptr<DesiredState> desired = std::make_shared<DesiredState>();
  LedgerView ledger;
};

MixedWorld MakeWorld(std::mt19937_64& random) {
  MixedWorld world;
  const bool unreadable = random() % 4 == 0;
  if (unreadable) world.desired->unreadable.emplace_back("broken.yaml");
  for (std::uint64_t number = 0; number < 40; ++number) {
    const TokenKey key = SampleKey(number);
    const auto git = random() % 4;
    if (git == 0) world.desired->entries.push_back(SampleEntry(key, kOld));
    if (git == 1) world.desired->entries.push_back(SampleEntry(key, kNew));
    if (git == 2 && random() % 3 == 0) world.desired->ambiguous.push_back(key);
    if (random() % 3 > 0) world.ledger.Set(key, Table()[random() % Table().size()].state);
  }
  return world;
}

}  // namespace

TEST_CASE("each state meets each column of the state table with the action that the table says") {
  for (const Row& row : Table()) {
    for (std::size_t column = 0; column < std::size(kColumns); ++column) {
      INFO(row.name << ", column " << column);
      CHECK(Plan1(row.state, kColumns[column], true) == row.readable[column]);
      CHECK(Plan1(row.state, kColumns[column], false) == row.unreadable[column]);
    }
  }
}

TEST_CASE("a key that is declared is not held by an unreadable file elsewhere") {
  auto desired = *Declaring(Git::kNewDigest);
  desired.unreadable.emplace_back("broken.yaml");
  CHECK(Text(PlanKey(kKey, desired, None{}, {})) == kFresh);
  CHECK(Text(PlanKey(kKey, desired, Confirmed{.digest = kOld}, {})) == "changed");
}

TEST_CASE("an ambiguous key holds only itself") {
  auto desired = *Declaring(Git::kAmbiguous);
  CHECK(Text(PlanKey(SampleKey(6), desired, Confirmed{.digest = kOld}, {})) == "removed");
  CHECK(Text(PlanKey(kKey, desired, Confirmed{.digest = kOld}, {})) == "-");
}

TEST_CASE("a plan is sorted, holds each key once, and equals what each key needs alone") {
  std::mt19937_64 random(7);
  for (int round = 0; round < 300; ++round) {
    const MixedWorld world = MakeWorld(random);
    const PlanContext context{.can_read = random() % 2 == 0, .settling = kSettling};
    const Plan plan = MakePlan(world.desired, world.ledger, context);
    REQUIRE(plan.desired == world.desired);
    auto action = plan.actions.begin();
    PlanCounts counts;
    for (std::uint64_t number = 0; number < 40; ++number) {
      const TokenKey key = SampleKey(number);
      const auto alone = PlanKey(key, *world.desired, world.ledger.StateOf(key), context);
      if (!alone) continue;
      REQUIRE(action != plan.actions.end());
      CHECK(KeyOf(*action) == key);
      CHECK(EntryOf(*action) == EntryOf(*alone));
      CHECK(Text(*action) == Text(alone));
      ++action;
      if (std::holds_alternative<Create>(*alone)) ++counts.create;
      if (std::holds_alternative<Resolve>(*alone)) ++counts.resolve;
    }
    CHECK(action == plan.actions.end());
    CHECK(plan.counts.create == counts.create);
    CHECK(plan.counts.resolve == counts.resolve);
    CHECK(plan.CallsService() == (counts.create + counts.resolve > 0));
    CHECK(std::is_sorted(plan.actions.begin(), plan.actions.end(),
                         [](const Action& a, const Action& b) { return KeyOf(a) < KeyOf(b); }));
  }
}

TEST_CASE("the counts of a plan tell every entry's place") {
  std::mt19937_64 random(11);
  for (int round = 0; round < 300; ++round) {
    const MixedWorld world = MakeWorld(random);
    const PlanContext context{.can_read = random() % 2 == 0, .settling = kSettling};
    const PlanCounts counts = MakePlan(world.desired, world.ledger, context).counts;
    std::size_t in_sync = 0, drifting = 0, rejected = 0, conflicting = 0, held = 0;
    std::size_t changed = 0, removed = 0, settled = 0, withdrawn = 0;
    for (std::uint64_t number = 0; number < 40; ++number) {
      const TokenKey key = SampleKey(number);
      const EntryState& state = world.ledger.StateOf(key);
      const Entry* entry = world.desired->Find(key);
      const std::string action = Text(PlanKey(key, *world.desired, state, context));
      changed += action == "changed";
      removed += action == "removed";
      settled += action == "settled";
      withdrawn += action == "withdrawn";
      if (std::holds_alternative<None>(state)) continue;
      const bool is_held = entry == nullptr && (!world.desired->unreadable.empty() || world.desired->IsAmbiguous(key));
      const bool calls = std::holds_alternative<Submitting>(state) || std::holds_alternative<Uncertain>(state);
      if (is_held) {
        held += !calls;
        continue;
      }
      if (const auto* confirmed = std::get_if<Confirmed>(&state)) {
        const bool same = entry != nullptr && entry->digest == confirmed->digest;
        in_sync += same;
        drifting += !same;
      }
      const bool waits = entry != nullptr && (entry->digest == kOld || !context.can_read);
      rejected += entry != nullptr && entry->digest == kOld && std::holds_alternative<Rejected>(state);
      conflicting += waits && std::holds_alternative<Conflicting>(state);
    }
    CHECK(counts.in_sync == in_sync);
    CHECK(counts.drifting == drifting);
    CHECK(counts.rejected == rejected);
    CHECK(counts.conflicting == conflicting);
    CHECK(counts.held == held);
    CHECK(counts.changed == changed);
    CHECK(counts.removed == removed);
    CHECK(counts.settled == settled);
    CHECK(counts.withdrawn == withdrawn);
  }
}

TEST_CASE("the plan of an unchanged world is empty") {
  auto desired = std::make_shared<DesiredState>();
  LedgerView ledger;
  for (std::uint64_t number = 0; number < 10; ++number) {
    desired->entries.push_back(SampleEntry(SampleKey(number), kOld));
    ledger.Set(SampleKey(number), Confirmed{.digest = kOld});
  }
  const Plan plan = MakePlan(desired, ledger, {});
  CHECK(plan.actions.empty());
  CHECK(plan.counts.in_sync == 10);
  CHECK_FALSE(plan.CallsService());
}

TEST_CASE("reports alone do not call the service") {
  const auto desired = Declaring(Git::kNewDigest);
  LedgerView ledger;
  ledger.Set(kKey, Confirmed{.digest = kOld});
  ledger.Set(SampleKey(1), Confirmed{.digest = kOld});
  const Plan plan = MakePlan(desired, ledger, {});
  CHECK(plan.actions.size() == 2);
  CHECK_FALSE(plan.CallsService());
}

TEST_CASE("a ledger view forgets an entry that is set to none") {
  LedgerView ledger;
  CHECK(std::holds_alternative<None>(ledger.StateOf(kKey)));
  ledger.Set(kKey, Confirmed{.digest = kOld});
  CHECK(ledger.StateOf(kKey) == EntryState(Confirmed{.digest = kOld}));
  ledger.Set(kKey, None{});
  CHECK(ledger.entries().empty());
}

TEST_CASE("a collection that is not cleared is surveyed ahead of its calls, and only where there is a call") {
  std::mt19937_64 random(13);
  for (int round = 0; round < 200; ++round) {
    const MixedWorld world = MakeWorld(random);
    const std::set<CollectionKey> none;
    const std::set<CollectionKey> all{SampleKey(0).Collection()};
    const Plan plain = MakePlan(world.desired, world.ledger, {.settling = kSettling});
    const Plan cleared = MakePlan(world.desired, world.ledger, {.settling = kSettling, .cleared = &all});
    const Plan plan = MakePlan(world.desired, world.ledger, {.settling = kSettling, .cleared = &none});
    CHECK(cleared.actions.size() == plain.actions.size());
    CHECK(cleared.counts.survey == 0);
    CHECK(plan.counts.survey == (plain.CallsService() ? 1 : 0));
    REQUIRE(plan.actions.size() == plain.actions.size() + plan.counts.survey);
    if (plan.counts.survey == 0) continue;
    const auto* survey = std::get_if<SurveyCollection>(&plan.actions.front());
    REQUIRE(survey != nullptr);
    CHECK(survey->key == TokenKey::OfCollection(SampleKey(0).Collection()));
    CHECK(survey->key.Text() == "30957/888");
    for (std::size_t i = 0; i < plain.actions.size(); ++i) CHECK(KeyOf(plan.actions[i + 1]) == KeyOf(plain.actions[i]));
  }
}

TEST_CASE("each collection has a survey of its own, in its place") {
  auto desired = std::make_shared<DesiredState>();
  for (const std::uint64_t collection : {1U, 2U, 3U}) {
    TokenKey key = SampleKey(5);
    key.collection.value = collection;
    desired->entries.push_back(SampleEntry(key, kNew));
  }
  const std::set<CollectionKey> cleared{{{30957}, {2}}};
  const Plan plan = MakePlan(desired, {}, {.cleared = &cleared});
  std::vector<std::string> keys;
  for (const Action& action : plan.actions) keys.push_back(KeyOf(action).Text());
  CHECK(keys == std::vector<std::string>{"30957/1", "30957/1/5", "30957/2/5", "30957/3", "30957/3/5"});
}

TEST_CASE("a token that is known to exist is compared where it would be created, and otherwise left as it is") {
  const std::map<CollectionKey, std::set<TokenId>> unclaimed{{kKey.Collection(), {kKey.token}}};
  const PlanContext context{.settling = kSettling, .unclaimed = &unclaimed};
  const std::vector<EntryState> states = {
      None{},
      Pending{.digest = kOld, .attempts = 2, .due = At(0)},
      Rejected{.digest = kOld},
      Confirmed{.digest = kOld},
      Conflicting{.digest = kOld},
      Uncertain{.digest = kOld, .attempt = 1, .since = At(0), .due = At(0)},
  };
  for (const EntryState& state : states) {
    for (const Git git : {Git::kSame, Git::kNewDigest, Git::kAbsent}) {
      const auto desired = Declaring(git);
      const auto usual = PlanKey(kKey, *desired, state, {.settling = kSettling});
      const auto action = PlanKey(kKey, *desired, state, context);
      INFO(StateName(state) << ": " << Text(usual));
      if (!usual || !std::holds_alternative<Create>(*usual)) {
        CHECK(Text(action) == Text(usual));
        continue;
      }
      REQUIRE(action);
      const auto* resolve = std::get_if<Resolve>(&*action);
      REQUIRE(resolve != nullptr);
      CHECK(resolve->reopen);
      CHECK(resolve->digest == desired->Find(kKey)->digest);
    }
  }
}
