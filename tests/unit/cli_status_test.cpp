/// Status, pass summaries and progress.
#include <catch2/catch.hpp>
#include <string>

#include "json_text.h"
#include "pass_text.h"
#include "progress_text.h"
#include "samples.h"
#include "status_text.h"
#include "text.h"

using namespace tokensync;

namespace {

constexpr Terminal kPipe{};
constexpr Terminal kScreen{.colour = false, .columns = 80};

PassRecord SamplePass() {
  return {.pass = 12,
          .cause = "poll",
          .started = At(0),
          .ended = At(1'200),
          .commit = {std::string(40, 'a')},
          .result = PassResult::kIncomplete,
          .created = 3,
          .rejected = 1};
}

StatusView SampleView() {
  StatusView view;
  view.source_url = "https://git.example.com/acme/tokens.git";
  view.ref = {.kind = SourceRef::Kind::kBranch, .text = "main"};
  view.endpoint = "https://metadata.sequence.app";
  view.checkpoint = {.head_seen = CommitId{std::string(40, 'a')}, .head_applied = CommitId{std::string(40, 'b')}};
  view.entries = {{"confirmed", 120}, {"pending", 1}, {"rejected", 1}};
  view.last_pass = SamplePass();
  view.waiting = {{.key = SampleKey(7), .state = "pending", .reason = "HTTP 503", .due = At(241'200)},
                  {.key = SampleKey(200), .state = "rejected", .reason = "the name is too long"},
                  {.key = SampleKey(9), .state = "uncertain", .due = At(0)}};
  view.waiting_count = 5;
  return view;
}

PassSummary SampleSummary() {
  PassSummary summary;
  summary.record = SamplePass();
  summary.counts.in_sync = 120;
  summary.counts.rejected = 1;
  summary.waiting = 2;
  summary.next_due = At(41'200);
  summary.record.bad_manifests = 1;
  return summary;
}

}  // namespace

TEST_CASE("status tells source, heads, entries, the last pass, the daemon and what waits") {
  CHECK(StatusText(SampleView(), At(201'200), kPipe) ==
        "Source     https://git.example.com/acme/tokens.git, branch main\n"
        "Endpoint   https://metadata.sequence.app\n"
        "Head seen  aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
        "applied    bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb\n"
        "Entries    120 confirmed, 1 pending, 1 rejected\n"
        "Last pass  12 (poll), incomplete, 3 min 20 s ago: 3 created, 1 rejected\n"
        "Daemon     does not run\n"
        "Waiting    5\n"
        "  pending      30957/888/7    due in 40 s: HTTP 503\n"
        "  rejected     30957/888/200  the name is too long\n"
        "  uncertain    30957/888/9    due now\n"
        "  … and 2 more\n");
}

TEST_CASE("status of a new ledger is short") {
  StatusView view = SampleView();
  view.checkpoint = {};
  view.entries.clear();
  view.last_pass.reset();
  view.waiting.clear();
  view.waiting_count = 0;
  CHECK(StatusText(view, At(0), kPipe) ==
        "Source     https://git.example.com/acme/tokens.git, branch main\n"
        "Endpoint   https://metadata.sequence.app\n"
        "Head seen  none yet\n"
        "applied    none yet\n"
        "Entries    none\n"
        "Last pass  none yet\n"
        "Daemon     does not run\n");
}

TEST_CASE("status tells failures, an applied head and what the daemon says") {
  StatusView view = SampleView();
  view.checkpoint.head_applied = view.checkpoint.head_seen;
  view.checkpoint.failures_in_a_row = 3;
  view.last_error = "git \x1b[1mdoes not answer";
  view.live = JsonObject{{"pid", 17}, {"state", "waiting\n"}, {"none", nullptr}};
  const std::string text = StatusText(view, At(201'200), kPipe);
  CHECK_THAT(text, Catch::Contains("Head       aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa (applied)\n"));
  CHECK_THAT(text, Catch::Contains("Failures   3 in a row: git \\u001b[1mdoes not answer\n"));
  CHECK_THAT(text, Catch::Contains("Daemon     runs: pid 17, state waiting\\n\n"));
  view.live.reset();
  view.daemon_unknown = "permission denied";
  CHECK_THAT(StatusText(view, At(0), kPipe), Catch::Contains("Daemon     not known: permission denied\n"));
}

TEST_CASE("status is coloured by state where colours are shown") {
  CHECK_THAT(StatusText(SampleView(), At(0), {.colour = true, .columns = 80}),
             Catch::Contains("\x1b[1mEntries    \x1b[0m\x1b[32m120 confirmed\x1b[0m, \x1b[33m1 pending\x1b[0m, "
                             "\x1b[31m1 rejected\x1b[0m\n"));
}

TEST_CASE("status as JSON has all of it") {
  const JsonValue json = StatusJson(SampleView());
  CHECK(*json.Find("source")->Find("branch")->AsString() == "main");
  CHECK(*json.Find("entries")->Find("confirmed")->AsNumber() == 120);
  CHECK(*json.Find("last_pass")->Find("result")->AsString() == "incomplete");
  CHECK(*json.Find("waiting")->AsArray()->at(0).Find("due")->AsString() == "2024-10-04T00:04:01.200Z");
  CHECK(json.Find("waiting")->AsArray()->at(1).Find("due")->IsNull());
  CHECK(*json.Find("waiting_count")->AsNumber() == 5);
  CHECK(!*json.Find("daemon_runs")->AsBool());
  CHECK(json.Find("daemon")->IsNull());
  CHECK(ParseJson(CanonicalJson(json)) == json);
  StatusView view = SampleView();
  view.daemon_unknown = "permission denied";
  CHECK(StatusJson(view).Find("daemon_runs")->IsNull());
  view.live = JsonObject{{"pid", 17}};
  CHECK(*StatusJson(view).Find("daemon")->Find("pid")->AsNumber() == 17);
}

TEST_CASE("a pass is summed up in a line, and what it left over in a second one") {
  PassSummary summary = SampleSummary();
  CHECK(PassSummaryText(summary, kPipe) ==
        "Pass 12 at aaaaaaaa: 3 created, 1 rejected; 120 in sync (1.2 s).\n"
        "Incomplete: 2 to be tried again (next in 40 s), 1 rejected, 1 bad manifest.\n");
  summary.record.result = PassResult::kStopped;
  CHECK_THAT(PassSummaryText(summary, kPipe), Catch::Contains("\nStopped when asked to: 2 to be tried again"));
  summary.record.result = PassResult::kDenied;
  summary.record.error = "the service refuses our credential\x1b";
  CHECK_THAT(PassSummaryText(summary, kPipe),
             Catch::Contains("\nEnded early: the service refuses our credential\\u001b; 2 to be tried again"));
  CHECK_THAT(PassSummaryText(summary, {.colour = true, .columns = 80}),
             Catch::Contains("\n\x1b[31mEnded early:\x1b[0m the service"));
}

TEST_CASE("a pass that found nothing to do is one line") {
  PassSummary summary;
  summary.record = {.pass = 13, .started = At(0), .ended = At(200)};
  summary.counts.in_sync = 7;
  CHECK(PassSummaryText(summary, kPipe) == "Pass 13: nothing changed; 7 in sync (200 ms).\n");
}

TEST_CASE("a summary as JSON has the record, the counts and what waits") {
  PassSummary summary = SampleSummary();
  summary.stop_reason = StopReason::kQuota;
  const JsonValue json = PassSummaryJson(summary);
  CHECK(*json.Find("pass")->AsNumber() == 12);
  CHECK(*json.Find("result")->AsString() == "incomplete");
  CHECK(*json.Find("counts")->Find("rejected")->AsNumber() == 1);
  CHECK(*json.Find("waiting")->AsNumber() == 2);
  CHECK(*json.Find("next_due")->AsString() == "2024-10-04T00:00:41.200Z");
  CHECK(*json.Find("stop_reason")->AsString() == "quota");
  CHECK(json.Find("error")->IsNull());
}

TEST_CASE("a bar fills one line of the terminal, at most ten times a second") {
  ProgressBar bar(kScreen);
  CHECK(bar.Clear().empty());
  const Progress half{.pass = 1, .done = 1'000, .total = 2'000, .in_flight = 16, .failed = 2, .started = At(0)};
  const std::string drawn = bar.Update(half, At(25'000));
  CHECK(drawn == "\r[=================>                 ] 1000/2000  50%  40/s, 25 s left, 2 failed");
  CHECK(bar.Update(half, At(25'050)).empty());
  CHECK(!bar.Update(half, At(25'100)).empty());
  CHECK(bar.Clear() == "\r" + std::string(79, ' ') + "\r");
  CHECK(bar.Clear().empty());
}

TEST_CASE("a bar never exceeds its line") {
  for (int columns = 20; columns < 130; ++columns) {
    for (const std::size_t done : {0UL, 1UL, 999'999UL, 1'000'000UL}) {
      ProgressBar bar({.colour = false, .columns = columns});
      const std::string drawn =
          bar.Update({.pass = 1, .done = done, .total = 1'000'000, .failed = done, .started = At(0)}, At(1'000));
      CHECK(ColumnsOf(std::string_view(drawn).substr(1)) == static_cast<std::size_t>(columns) - 1);
    }
  }
}

TEST_CASE("nothing to do and no terminal draw no bar") {
  ProgressBar bar(kScreen);
  CHECK(bar.Update({.pass = 1, .total = 0}, At(0)).empty());
  ProgressBar nowhere(kPipe);
  CHECK(nowhere.Update({.pass = 1, .total = 10}, At(0)).empty());
}

TEST_CASE("a log gets a line every five seconds of a pass") {
  ProgressLines lines;
  Progress progress{.pass = 1, .done = 0, .total = 2'000, .started = At(0)};
  CHECK(!lines.Update(progress, At(0)));
  progress.done = 100;
  CHECK(!lines.Update(progress, At(4'999)));
  CHECK(lines.Update(progress, At(5'000)) == "100 of 2000 calls done, 20/s, 1 min 35 s left");
  CHECK(!lines.Update(progress, At(9'000)));
  CHECK(lines.Update(progress, At(10'000)));
  progress = {.pass = 2, .done = 1, .total = 2, .started = At(20'000)};
  CHECK(!lines.Update(progress, At(21'000)));
}

TEST_CASE("the rate is that of the last seconds") {
  ProgressRate rate;
  Progress progress{.pass = 1, .done = 0, .total = 100'000, .started = At(0)};
  for (std::int64_t ms = 0; ms <= 60'000; ms += 100) {
    progress.done = static_cast<std::size_t>(ms <= 30'000 ? ms : 30'000 + (ms - 30'000) / 100);
    rate.Update(progress, At(ms));
  }
  CHECK(rate.Update(progress, At(60'000)) == Approx(10).epsilon(0.05));
  progress = {.pass = 2, .done = 50, .total = 100, .started = At(60'000)};
  CHECK(rate.Update(progress, At(61'000)) == Approx(50));
}

TEST_CASE("status tells why the head is not applied") {
  StatusView view = SampleView();
  view.checkpoint.held = HeldPlan{.fingerprint = std::string(64, 'f'),
                                  .commit = {std::string(40, 'a')},
                                  .since = At(0),
                                  .why = "the history was rewritten"};
  CHECK_THAT(
      StatusText(view, At(0), kPipe),
      Catch::Contains("\nHeld       the history was rewritten; it waits for: tokensyncd approve ffffffffffff\n"));
  CHECK(*StatusJson(view).Find("held")->Find("fingerprint")->AsString() == std::string(64, 'f'));
  view.checkpoint.held->approved = true;
  CHECK_THAT(StatusText(view, At(0), kPipe), Catch::Contains("plan ffffffffffff is approved"));
  view.checkpoint.refused = RefusedHead{.commit = {std::string(40, 'a')}, .why = "it is not signed"};
  CHECK_THAT(StatusText(view, At(0), kPipe), Catch::Contains("\nRefused    " + std::string(40, 'a') + ": it is not"));
  CHECK(*StatusJson(view).Find("refused")->Find("why")->AsString() == "it is not signed");
}

TEST_CASE("a pass that was held back says what it waits for") {
  PassSummary summary;
  summary.record = SamplePass();
  summary.record.result = PassResult::kHeld;
  summary.record.error = "the history was rewritten";
  CHECK_THAT(PassSummaryText(summary, kPipe), Catch::EndsWith("Held: the history was rewritten\n"));
  CHECK(PassResultName(summary.record.result) == "held");
}
