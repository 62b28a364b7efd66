/// A pass: read a commit, plan, execute, summarise. And what is remembered from one pass to the next.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>

#include "executor.h"
#include "planner.h"
#include "ports.h"
#include "survey.h"

namespace tokensync {

/// How far a pass has come.
struct Progress {
  std::uint64_t pass = 0;
  std::size_t done = 0;   ///< calls that ended with something decided
  std::size_t total = 0;  ///< done, in flight and waiting
  std::size_t in_flight = 0;
  std::size_t failed = 0;  ///< calls that ended with nothing decided
  TimePoint started{};
};

/// How the survey of a collection ended.
enum class SurveyEnd {
  kRead,        ///< all of it was read
  kRefused,     ///< the service does not list this collection
  kUnsupported  ///< the service lists no collection
};

struct SurveyReport {
  std::uint64_t pass = 0;
  CollectionKey collection{};
  SurveyEnd end = SurveyEnd::kRead;
  std::size_t pages = 0, tokens = 0;
  std::size_t adopted = 0;     ///< tokens that the ledger did not know, and that are as git declares them
  std::size_t different = 0;   ///< tokens that the ledger did not know, and that are not
  std::size_t undeclared = 0;  ///< tokens that the commit does not declare
  std::string why{};           ///< what the service said where it was not read
  bool held = false;           ///< nothing is created in it until it can be read
};

/// Is told what a pass does, on the pass's thread, and returns soon. Throws nothing.
class PassObserver {
 public:
  virtual ~PassObserver() = default;
  /// A plan was made: the pass's first, or a new one at a newer head.
  virtual void OnPlan(std::uint64_t pass, const Plan& plan) = 0;
  /// The changes are durable.
  virtual void OnRecorded(std::span<const Change> changes) = 0;
  /// The notice is durable.
  virtual void OnNotice(const Notice& notice) = 0;
  /// After each step.
  virtual void OnProgress(const Progress& progress) = 0;
  /// A collection was read before anything is created in it, or could not be.
  virtual void OnSurveyEnded(const SurveyReport& report) = 0;
  /// Looking for a newer head in the middle of a pass failed; the pass goes on with the head that it has.
  virtual void OnRefreshFailed(const std::string& why) = 0;
};

/// What the world wants of a pass. Asked on the pass's thread; whoever changes an answer wakes the CallRunner.
class PassControl {
 public:
  virtual ~PassControl() = default;
  /// End in order: no further call leaves.
  virtual bool StopRequested() = 0;
  /// Look for a newer head now. True once for each wish.
  virtual bool TakeRefreshRequest() = 0;
  /// That look failed: whoever wished for it is not served by this pass.
  virtual void RefreshFailed() = 0;
  /// The pass is alive. At least every second, but for the time of one step of a port.
  virtual void Beat() = 0;
};

struct PassPolicy {
  ExecutorPolicy executor{};
  /// The pass ends when nothing is in flight and nothing is due for longer than this.
  Duration patience{5'000};
  /// How long calls in flight are awaited once the pass is asked to stop; what is not back then is resolved later.
  Duration stop_grace{45'000};
  /// Changes that are recorded in one transaction at most.
  std::size_t batch_max = 512;
  /// A head that does not continue the one accepted before waits for an approval of its plan.
  bool hold_rewrites = false;
  /// SHA-256: makes a fingerprint of PlanIdentity().
  Digest (*sha256)(std::string_view bytes) = nullptr;
};

/// What became of a pass.
struct PassSummary {
  PassRecord record{};
  PlanCounts counts{};  ///< entries as they are after the pass
  std::optional<StopReason> stop_reason{};
  std::optional<TimePoint> next_due{};  ///< when something that waits is due
  std::size_t waiting = 0;              ///< entries that still need a call
  bool changed = false;                 ///< whether anything was recorded
};

class Reconciler {
 public:
  struct Ports {
    ManifestSource& source;
    CallRunner& runner;
    Ledger& ledger;
    Clock& clock;
    PassObserver& observer;
    PassControl& control;
  };

  /// `seed` feeds the jitter. The ports outlive the reconciler.
  Reconciler(Ports ports, PassPolicy policy, std::uint64_t seed);

  /// One pass over the branch's head, or over `revision` where one is given. `cause`: who asked, for the record.
  /// Trouble with git or the service is in the summary, and recorded. Throws LedgerError only: then nothing may go on.
  PassSummary Run(const std::string& cause, const std::optional<CommitId>& revision = std::nullopt);

  /// Approve() in the ledger. Whether there was such a plan. Throws LedgerError.
  bool Approve(const std::string& fingerprint, const std::string& actor);

  const Checkpoint& checkpoint() const { return checkpoint_; }

 private:
  friend class PassRun;

  /// What the ledger holds is in memory from here on.
  void Load();

  Ports ports_;
  PassPolicy policy_;
  Executor executor_;
  bool loaded_ = false;
  LedgerView view_;
  Checkpoint checkpoint_;
  std::map<CollectionKey, Survey> surveys_;  ///< under way
  std::set<CollectionKey> cleared_;          ///< in which tokens may be created
};

}  // namespace tokensync
