/// All that a pass needs, put together from the configuration: the one place that knows every adapter.
#pragma once

#include <functional>
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

/// "tokensyncd/0.1.0", and the bare version.
extern const char* const kUserAgent;
extern const char* const kVersion;

/// What the configuration means to the reconciler. `patience`: see PassPolicy.
PassPolicy PassPolicyOf(const Config& config, Duration patience);

class Engine {
 public:
  struct Options {
    Duration patience{0};
    Terminal terminal{};                 ///< where a progress bar may be drawn
    std::function<void()> beat = [] {};  ///< the loop is alive
  };

  /// Opens the ledger and reads the service token; connects to nothing. Throws ConfigError, EnvironmentError,
  /// LedgerError.
  Engine(const Config& config, Log& log, Options options);

  /// One pass; see Reconciler::Run. The service token is read anew. Its summary is logged.
  PassSummary Pass(const std::string& cause, const std::optional<std::string>& revision = std::nullopt);

  Triggers& triggers() { return triggers_; }
  SystemClock& clock() { return clock_; }
  Schedule& schedule() { return schedule_; }
  const PassReporter& reporter() const { return reporter_; }
  const Checkpoint& checkpoint() const { return reconciler_.checkpoint(); }

 private:
  /// Between passes, and only while nothing in the ledger waits for a time.
  void FollowWallClock();
  void RefreshToken();
  /// Warns, once for each token, of what the token says of itself.
  void HeedClaims();

  const Config config_;
  std::optional<TimePoint> warned_of_expiry_;
  Log& log_;
  SystemClock clock_;
  Schedule schedule_;
  PassReporter reporter_;
  Triggers triggers_;
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
