/// All that a pass needs, put together from the configuration: the one place that knows every adapter.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "config.h"
#include "git_manifest_source.h"
#include "http_metadata_api.h"
#include "log.h"
#include "pass.h"
#include "pass_reporter.h"
#include "schedule.h"
#include "source_continuity.h"
#include "sqlite_ledger.h"
#include "system_clock.h"
#include "token_file.h"
#include "triggers.h"
#include "worker_pool.h"

namespace tokensync {

/// What the configuration means to the reconciler. `patience`: see PassPolicy.
PassPolicy PassPolicyOf(const Config& config, Duration patience);

class Engine {
 public:
  struct Options {
    Duration patience{0};
    Terminal terminal{};  ///< where a progress bar may be drawn
  };

  /// Opens the ledger and reads the service token; connects to nothing. What the triggers ask for while it lives, its
  /// passes heed. All but the configuration outlives it. Throws ConfigError, EnvironmentError, LedgerError.
  Engine(const Config& config, Log& log, SystemClock& clock, Triggers& triggers, Options options);
  ~Engine();

  /// One pass; see Reconciler::Run. The service token is read anew. Its summary is logged.
  PassSummary Pass(const std::string& cause, const std::optional<std::string>& revision = std::nullopt);

  /// Before the first pass as well.
  std::optional<HeldPlan> HeldPlanInLedger() { return ledger_->LoadCheckpoint().held; }

  /// There is nothing to do for now: what the next pass needs first is made ready.
  void Rest() { source_.PrepareFetch(); }

  /// Somebody approves a plan that waits; where it does not wait any more, that is logged.
  void Approve(const Approval& approval);

  Schedule& schedule() { return schedule_; }
  const PassReporter& reporter() const { return reporter_; }
  const Checkpoint& checkpoint() const { return reconciler_.checkpoint(); }

 private:
  /// Between passes, and only while nothing in the ledger waits for a time.
  void FollowWallClock();
  void RefreshToken();
  /// Called by what takes long with the repository. Throws EnvironmentError where somebody wants the program to stop.
  void BeatUnlessStopped();
  /// Whether the commit is in the history of the newest head.
  bool Has(const CommitId& commit);
  /// Warns, once for each token, of what the token says of itself.
  void HeedClaims();

  const Config config_;
  std::optional<TimePoint> warned_of_expiry_;
  Log& log_;
  SystemClock& clock_;
  Schedule schedule_;
  PassReporter reporter_;
  Triggers& triggers_;
  std::unique_ptr<SqliteLedger> ledger_;
  GitManifestSource source_;
  ContinuousSource continuous_;
  TokenFile token_;
  HttpMetadataApi api_;
  WorkerPool pool_;
  Reconciler reconciler_;
  bool waits_ = false;  // something in the ledger may wait for a time, after the last pass
};

}  // namespace tokensync
