/// Everything that a run needs, as doubles in virtual time, watched by Promises.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pass.h"
#include "promises.h"
#include "recording_ledger.h"
#include "scripted_source.h"
#include "simulated_service.h"
#include "sudden_end.h"
#include "virtual_clock.h"

namespace tokensync {

class World : private PassObserver, private PassControl {
 public:
  explicit World(std::uint64_t seed = 1);
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  VirtualClock clock;
  SuddenEnd end;
  ScriptedSource source;
  SimulatedService service;
  RecordingLedger ledger;
  PassPolicy policy;
  Promises promises;

  /// What the world wants of the pass.
  bool stop = false;
  bool refresh = false;
  /// Where what happens is told, a line each; nowhere where this is empty.
  std::function<void(const std::string&)> trace{};

  /// One pass of the process that runs, or of a new one. After an exception the process is dead.
  PassSummary Pass(const std::string& cause = "poll", const std::optional<CommitId>& revision = std::nullopt);
  /// A person approves of the plan that waits. After an exception the process is dead.
  bool Approve(const std::string& fingerprint);
  /// The process ends, whatever it was doing. Ledger, repository and service stay.
  void Kill();
  /// Another ledger is put in the place of this one while no process runs.
  void ReplaceLedger(LedgerCopy copy);
  /// Throws BrokenPromise where something is left that should not be. No faults any more, and nothing waits.
  void CheckAtRest() const;
  /// Whether there is a process.
  bool runs() const { return reconciler_ != nullptr; }
  const Checkpoint& checkpoint() const { return reconciler_->checkpoint(); }

  // What a test wants to know.
  const std::vector<SurveyReport>& surveys() const { return surveys_; }
  std::size_t plans() const { return plans_; }
  std::size_t refresh_failures() const { return refresh_failures_; }
  const PlanCounts& last_counts() const { return last_counts_; }

 private:
  void OnPlan(std::uint64_t pass, const Plan& plan) override;
  void OnRecorded(std::span<const Change> changes) override;
  void OnNotice(const Notice& notice) override;
  void OnSurveyEnded(const SurveyReport& report) override;
  void OnProgress(const Progress& progress) override;
  void OnRefreshFailed(const std::string& why) override;
  bool StopRequested() override;
  bool TakeRefreshRequest() override;
  void RefreshFailed() override {}
  void Beat() override {}
  void Tell(const std::string& line);
  /// There is a process afterwards.
  void Start();

  Dice dice_;
  std::unique_ptr<Reconciler> reconciler_;
  std::size_t plans_ = 0;
  std::size_t refresh_failures_ = 0;
  PlanCounts last_counts_;
  std::vector<SurveyReport> surveys_;
};

}  // namespace tokensync
