/// What a pass does, told to those who watch: the log, and a progress bar on a terminal.
#pragma once

#include <cstdint>
#include <mutex>
#include <optional>
#include <span>
#include <string>

#include "log.h"
#include "pass.h"
#include "pass_text.h"
#include "progress_text.h"
#include "terminal.h"

namespace tokensync {

class PassReporter : public PassObserver {
 public:
  /// The progress bar is drawn on standard error where `terminal` is one; else a line of progress is logged every few
  /// seconds. Both arguments outlive the reporter.
  PassReporter(Log& log, Clock& clock, Terminal terminal);

  /// The project that the service token says it is for; plans for another one are warned of.
  void ExpectProject(std::optional<std::uint64_t> project) { expected_project_ = project; }

  void OnPlan(std::uint64_t pass, const Plan& plan) override;
  void OnRecorded(std::span<const Change> changes) override;
  void OnNotice(const Notice& notice) override;
  void OnSurveyEnded(const SurveyReport& report) override;
  void OnProgress(const Progress& progress) override;
  void OnRefreshFailed(const std::string& why) override;

  /// The pass has ended: one line where it did something or failed.
  void OnEnded(const PassSummary& summary);

  /// The pass under way, for `status`. Any thread.
  Progress Latest() const;

 private:
  void ClearBar();
  void TellProblems(const DesiredState& desired);
  void WarnOfOtherProject(const DesiredState& desired);

  Log& log_;
  Clock& clock_;
  const Terminal terminal_;
  ProgressBar bar_;
  ProgressLines lines_;
  std::optional<std::uint64_t> expected_project_;
  std::string told_of_;  // the commit whose problems were logged last
  mutable std::mutex mutex_;
  Progress latest_;
};

}  // namespace tokensync
