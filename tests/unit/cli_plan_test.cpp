/// Plans as text and JSON.
#include <catch2/catch.hpp>
#include <memory>
#include <string>

#include "json_text.h"
#include "plan_text.h"
#include "samples.h"

using namespace tokensync;

namespace {

constexpr Terminal kPipe{};
constexpr Terminal kColoured{.colour = true, .columns = 80};

Entry EntryAt(const TokenKey& key, std::uint8_t digest, const std::string& path, std::uint32_t line) {
  Entry entry = SampleEntry(key, SampleDigest(digest), path);
  entry.line = line;
  return entry;
}

/// One of everything, over two collections.
Plan SamplePlan() {
  auto desired = std::make_shared<DesiredState>();
  desired->commit = {std::string(40, 'c')};
  const TokenKey other{.project = {30957}, .collection = {889}, .token = TokenId::Parse("1").value()};
  desired->entries = {EntryAt(SampleKey(9), 1, "dragons/9.yaml", 5),
                      EntryAt(SampleKey(200), 2, "dragons/two hundred.yaml", 12),
                      EntryAt(SampleKey(201), 3, "d.yaml", 1), EntryAt(other, 4, "bows.yaml", 7)};
  desired->manifests = 4;
  const auto& entries = desired->entries;
  Plan plan;
  plan.actions = {
      Create{.key = SampleKey(9), .entry = &entries[0]},
      Create{.key = SampleKey(200), .entry = &entries[1], .attempt = 3, .due = At(40'000)},
      Report{.key = SampleKey(201), .entry = &entries[2], .kind = ReportKind::kChanged, .recorded = SampleDigest(0xAB)},
      Resolve{.key = SampleKey(202), .digest = SampleDigest(5), .attempt = 1, .due = At(5'000)},
      Report{.key = SampleKey(203), .kind = ReportKind::kRemoved, .recorded = SampleDigest(6)},
      Report{.key = SampleKey(204), .kind = ReportKind::kWithdrawn, .recorded = SampleDigest(7)},
      Report{.key = other, .entry = &entries[3], .kind = ReportKind::kSettled, .recorded = SampleDigest(4)}};
  plan.counts = {.create = 2,
                 .resolve = 1,
                 .changed = 1,
                 .removed = 1,
                 .settled = 1,
                 .withdrawn = 1,
                 .in_sync = 120,
                 .drifting = 2,
                 .rejected = 1};
  plan.desired = std::move(desired);
  return plan;
}

Plan EmptyPlan(std::size_t in_sync) {
  Plan plan;
  plan.desired = std::make_shared<DesiredState>();
  plan.counts.in_sync = in_sync;
  return plan;
}

}  // namespace

TEST_CASE("a plan shows an aligned line for each action, by collection, and its counts") {
  const Plan plan = SamplePlan();
  CHECK(PlanText(plan, At(0), kPipe) ==
        "30957/888: 2 to create, 1 to resolve, 1 changed (reported), 1 removed (reported), 1 withdrawn\n"
        "  + create     30957/888/9    dragons/9.yaml:5\n"
        "  + create     30957/888/200  dragons/two hundred.yaml:12  attempt 3, due in 40 s\n"
        "  ~ changed    30957/888/201  d.yaml:1                     recorded abababab, git 03030303\n"
        "  ? resolve    30957/888/202  (not in git)                 read back, due in 5.0 s\n"
        "  - removed    30957/888/203  (not in git)                 recorded 06060606\n"
        "  x withdrawn  30957/888/204  (not in git)                 recorded 07070707\n"
        "\n"
        "30957/889: 1 settled\n"
        "  = settled    30957/889/1  bows.yaml:7  recorded 04040404\n"
        "\n"
        "Plan: 2 to create, 1 to resolve, 1 changed (reported), 1 removed (reported), 1 settled, 1 withdrawn; "
        "120 in sync, 2 differ from git, 1 rejected.\n");
}

TEST_CASE("what is due already waits for nothing") {
  const std::string text = PlanText(SamplePlan(), At(60'000), kPipe);
  CHECK(text.find("due in") == std::string::npos);
  CHECK_THAT(text, Catch::Contains("attempt 3\n"));
}

TEST_CASE("a plan of one collection needs no heading") {
  Plan plan = SamplePlan();
  plan.actions.erase(plan.actions.begin() + 1, plan.actions.end());
  plan.counts = {.create = 1};
  CHECK(PlanText(plan, At(0), kPipe) ==
        "  + create     30957/888/9  dragons/9.yaml:5\n"
        "\n"
        "Plan: 1 to create; 0 in sync.\n");
}

TEST_CASE("an empty plan is one line") {
  CHECK(PlanText(EmptyPlan(120), At(0), kPipe) == "Plan: nothing to do; 120 in sync.\n");
}

TEST_CASE("problems and what cannot be decided are told") {
  Plan plan = EmptyPlan(7);
  auto desired = std::make_shared<DesiredState>();
  desired->problems = {{.place = {"bad.yaml", 3, 9}, .what = "unknown key 'nmae'", .advice = "did you mean 'name'?"}};
  desired->unreadable = {"bad.yaml"};
  plan.desired = desired;
  plan.counts.held = 2;
  CHECK(PlanText(plan, At(0), kPipe, {.problems = "bad.yaml:3:9: unknown key 'nmae'\n"}) ==
        "bad.yaml:3:9: unknown key 'nmae'\n"
        "\n"
        "Plan: nothing to do; 7 in sync, 2 held by a manifest that cannot be read. 1 problem in manifests.\n");
}

TEST_CASE("a differences text stands below its action") {
  Plan plan = SamplePlan();
  plan.actions.erase(plan.actions.begin() + 3, plan.actions.end());
  const std::string text = PlanText(plan, At(0), kPipe, {.diffs = {{SampleKey(201), "      ~ name: ...\n"}}});
  CHECK_THAT(text, Catch::Contains("git 03030303\n      ~ name: ...\n\nPlan:"));
}

TEST_CASE("a plan is coloured by what its lines do, where colours are shown") {
  const std::string text = PlanText(SamplePlan(), At(0), kColoured);
  CHECK_THAT(text, Catch::Contains("  \x1b[32m+ create   \x1b[0m  30957/888/9    dragons/9.yaml:5\n"));
  CHECK_THAT(text, Catch::Contains("\x1b[2mattempt 3, due in 40 s\x1b[0m\n"));
  CHECK_THAT(text, Catch::Contains("\x1b[31m- removed  \x1b[0m"));
  CHECK_THAT(text, Catch::Contains("\x1b[1mPlan: 2 to create"));
}

TEST_CASE("a path with escape sequences reaches the terminal as text") {
  auto desired = std::make_shared<DesiredState>();
  desired->entries = {EntryAt(SampleKey(1), 1, "evil\x1b[2J\xE2\x80\xAE.yaml", 1)};
  Plan plan;
  plan.actions = {Create{.key = SampleKey(1), .entry = &desired->entries[0]}};
  plan.desired = desired;
  CHECK_THAT(PlanText(plan, At(0), kColoured), Catch::Contains("evil\\u001b[2J\\u202e.yaml:1\n"));
}

TEST_CASE("a very long token id moves its own line only") {
  auto desired = std::make_shared<DesiredState>();
  const TokenKey big{.project = {30957}, .collection = {888}, .token = TokenId::Parse(std::string(70, '9')).value()};
  desired->entries = {EntryAt(SampleKey(1), 1, "a.yaml", 1), EntryAt(big, 2, "b.yaml", 1)};
  Plan plan;
  plan.actions = {Create{.key = SampleKey(1), .entry = &desired->entries[0]},
                  Create{.key = big, .entry = &desired->entries[1]}};
  plan.desired = desired;
  const std::string text = PlanText(plan, At(0), kPipe);
  CHECK_THAT(text, Catch::Contains("30957/888/1" + std::string(29, ' ') + "  a.yaml:1\n"));
  CHECK_THAT(text, Catch::Contains(big.Text() + "  b.yaml:1\n"));
}

TEST_CASE("a plan as JSON has every action, count and problem") {
  const JsonValue json = PlanJson(SamplePlan());
  CHECK(*json.Find("commit")->AsString() == std::string(40, 'c'));
  CHECK(*json.Find("calls_service")->AsBool());
  const JsonArray& actions = *json.Find("actions")->AsArray();
  REQUIRE(actions.size() == 7);
  CHECK(actions[1] == JsonValue(JsonObject{{"action", "create"},
                                           {"key", "30957/888/200"},
                                           {"path", "dragons/two hundred.yaml"},
                                           {"line", 12},
                                           {"digest", SampleDigest(2).Hex()},
                                           {"attempt", 3},
                                           {"due", "2024-10-04T00:00:40.000Z"}}));
  CHECK(*actions[2].Find("report")->AsString() == "changed");
  CHECK(*actions[2].Find("recorded_digest")->AsString() == SampleDigest(0xAB).Hex());
  CHECK(*actions[3].Find("digest")->AsString() == SampleDigest(5).Hex());
  CHECK(*json.Find("counts")->Find("in_sync")->AsNumber() == 120);
  CHECK(json.Find("problems")->AsArray()->empty());
  CHECK(ParseJson(CanonicalJson(json)) == json);
}

TEST_CASE("an empty plan is a JSON document all the same") {
  CHECK(!*PlanJson(EmptyPlan(1)).Find("calls_service")->AsBool());
  CHECK(PlanJson(Plan{}).Find("actions")->AsArray()->empty());
}

TEST_CASE("differences are told field by field, maps by path, lists as a whole") {
  const JsonValue before = ParseJson(
      R"({"name":"Dragon","image":"a","properties":{"element":"Shadow","deep":{"x":1}},"attributes":[{"a":1}]})");
  const JsonValue after = ParseJson(
      R"({"name":"Dragon","animation":"b","properties":{"element":"Light","deep":{"x":1},"new.one":true},"attributes":[{"a":2}]})");
  CHECK(DiffText(before, after, kPipe) ==
        "      + animation: \"b\"\n"
        "      ~ attributes: [{\"a\":1}] -> [{\"a\":2}]\n"
        "      - image: \"a\"\n"
        "      + properties.\"new.one\": true\n"
        "      ~ properties.element: \"Shadow\" -> \"Light\"\n");
  CHECK(DiffText(before, before, kPipe).empty());
}

TEST_CASE("differing values that do not fit on a line get a line each") {
  const JsonValue before = JsonObject{{"text", "the quick brown fox"}};
  const JsonValue after = JsonObject{{"text", "jumps over a lazy dog"}};
  CHECK(DiffText(before, after, {.colour = false, .columns = 40}) ==
        "      ~ text:\n"
        "          \"the quick brown fox\"\n"
        "       -> \"jumps over a lazy dog\"\n");
}

TEST_CASE("differences are coloured, and hold no foreign escapes") {
  const JsonValue before = JsonObject{{"a\x1b", "\x1b[31m"}};
  const JsonValue after = JsonObject{{"a\x1b", "\xC2\x9B"}};
  CHECK(DiffText(before, after, kColoured) ==
        "      \x1b[33m~ \"a\\u001b\":\x1b[0m \x1b[31m\"\\u001b[31m\"\x1b[0m -> \x1b[32m\"\\u009b\"\x1b[0m\n");
}
