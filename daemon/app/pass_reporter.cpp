#include "pass_reporter.h"

#include <unistd.h>

#include <algorithm>
#include <vector>

#include "change_log.h"
#include "plan_text.h"
#include "time_text.h"

namespace tokensync {

namespace {

// A repository where everything is wrong is told of by its first problems; `validate` shows them all.
constexpr std::size_t kProblemsLoggedMax = 50;

}  // namespace

PassReporter::PassReporter(Log& log, Clock& clock, Terminal terminal)
    : log_(log), clock_(clock), terminal_(terminal), bar_(terminal) {}

void PassReporter::OnPlan(std::uint64_t pass, const Plan& plan) {
  ClearBar();
  const DesiredState& desired = *plan.desired;
  if (desired.commit.hex != told_of_) {
    told_of_ = desired.commit.hex;
    TellProblems(desired);
    WarnOfOtherProject(desired);
  }
  if (plan.actions.empty()) return;
  log_.Write(LogLevel::kInfo, PlanSummaryLine(plan), {{"pass", pass}, {"commit", desired.commit.hex}});
}

void PassReporter::TellProblems(const DesiredState& desired) {
  std::size_t told = 0;
  for (const Problem& problem : desired.problems) {
    if (++told > kProblemsLoggedMax) break;
    const std::string place =
        problem.place.path + ":" + std::to_string(problem.place.line) + ":" + std::to_string(problem.place.column);
    log_.Write(LogLevel::kWarning, place + ": " + problem.what,
               {{"commit", desired.commit.hex},
                {"path", problem.place.path},
                {"line", problem.place.line},
                {"column", problem.place.column},
                {"advice", problem.advice}});
  }
  if (desired.problems.size() > kProblemsLoggedMax) {
    log_.Write(LogLevel::kWarning, "more problems in manifests: `tokensyncd validate` shows all of them",
               {{"problems", desired.problems.size()}, {"commit", desired.commit.hex}});
  }
}

void PassReporter::WarnOfOtherProject(const DesiredState& desired) {
  if (!expected_project_) return;
  const auto other = std::find_if(desired.entries.begin(), desired.entries.end(),
                                  [&](const Entry& entry) { return entry.key.project.value != *expected_project_; });
  if (other == desired.entries.end()) return;
  log_.Write(LogLevel::kWarning, "the service token says that it is for another project than a manifest declares",
             {{"token_project", *expected_project_},
              {"key", other->key.Text()},
              {"path", other->manifest->path},
              {"line", other->line}});
}

void PassReporter::OnRecorded(std::span<const Change> changes) {
  for (const Change& change : changes) {
    const LogLevel level = LevelOf(change);
    if (!log_.Takes(level)) continue;
    ClearBar();
    const std::vector<LogField> fields = FieldsOf(change);
    log_.Write(level, MessageOf(change), fields);
  }
}

void PassReporter::OnNotice(const Notice& notice) {
  ClearBar();
  const std::vector<LogField> fields = FieldsOf(notice);
  log_.Write(LevelOf(notice), MessageOf(notice), fields);
}

void PassReporter::OnSurveyEnded(const SurveyReport& report) {
  ClearBar();
  const std::string collection = report.collection.Text();
  if (report.end == SurveyEnd::kRead) {
    log_.Write(report.different > 0 ? LogLevel::kWarning : LogLevel::kInfo,
               "collection " + collection + " was listed before anything is created in it",
               {{"pass", report.pass},
                {"collection", collection},
                {"pages", report.pages},
                {"tokens", report.tokens},
                {"adopted", report.adopted},
                {"different", report.different},
                {"undeclared", report.undeclared}});
    return;
  }
  const std::string what = report.end == SurveyEnd::kRefused ? "the service does not list collection " + collection
                                                             : std::string("the service lists no collections");
  log_.Write(LogLevel::kWarning,
             what + " (" + report.why + "); " +
                 (report.held ? "nothing is created in it until it does, or api.survey is set to never"
                              : "its tokens are created without looking first"),
             {{"pass", report.pass}, {"collection", collection}});
}

void PassReporter::OnProgress(const Progress& progress) {
  {
    const std::lock_guard lock(mutex_);
    latest_ = progress;
  }
  if (progress.total == 0) return;
  if (terminal_.IsTerminal()) {
    WriteAll(STDERR_FILENO, bar_.Update(progress, clock_.Now()));
  } else if (const auto line = lines_.Update(progress, clock_.Now())) {
    log_.Write(LogLevel::kInfo, *line, {{"pass", progress.pass}});
  }
}

void PassReporter::OnRefreshFailed(const std::string& why) {
  ClearBar();
  log_.Write(LogLevel::kWarning, why + "; the pass goes on with the commit that it has");
}

void PassReporter::OnEnded(const PassSummary& summary) {
  ClearBar();
  const PassRecord& record = summary.record;
  // Why a pass is held back was told when it was noticed.
  if (!record.error.empty() && record.result != PassResult::kHeld) {
    log_.Write(LogLevel::kError, record.error, {{"pass", record.pass}, {"result", PassResultName(record.result)}});
  }
  if (!summary.changed) {
    log_.Write(LogLevel::kDebug, "nothing new", {{"pass", record.pass}, {"commit", record.commit.hex}});
    return;
  }
  log_.Write(record.result == PassResult::kComplete ? LogLevel::kInfo : LogLevel::kWarning,
             "pass ended: " + std::string(PassResultName(record.result)),
             {{"pass", record.pass},
              {"cause", record.cause},
              {"commit", record.commit.hex},
              {"created", record.created},
              {"confirmed", record.confirmed},
              {"adopted", record.adopted},
              {"reported", record.reported},
              {"rejected", record.rejected},
              {"conflicting", record.conflicting},
              {"unresolved", record.unresolved},
              {"bad_manifests", record.bad_manifests},
              {"duration_ms", (record.ended - record.started).count()}});
}

Progress PassReporter::Latest() const {
  const std::lock_guard lock(mutex_);
  return latest_;
}

void PassReporter::ClearBar() {
  if (terminal_.IsTerminal()) WriteAll(STDERR_FILENO, bar_.Clear());
}

}  // namespace tokensync
