/// The wishes that reach the daemon from outside, merged: make a pass, look for a newer head, let a plan run, read the
/// configuration again, stop.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "follow_ups.h"
#include "json.h"
#include "pass.h"

namespace tokensync {

/// A ticket is a place in the row of triggers; a pass that looks at the repository serves every ticket given before it.
using TriggerTicket = std::uint64_t;

/// Somebody's word for a plan that waits.
struct Approval {
  std::string fingerprint;
  std::string actor;
};

class Triggers : public PassControl {
 public:
  /// What carries out the passes.
  struct Hooks {
    std::function<void()> wake;  ///< ends the wait of the pass under way; any thread
    // On the loop's thread:
    /// When to look at the repository again, after a look at this time; nothing: never.
    std::function<std::optional<TimePoint>(TimePoint)> next_poll;
    std::function<bool(const CommitId&)> has;      ///< the commit is in the history of the newest head
    std::function<void(const CommitId&)> missing;  ///< the announced commit did not come
  };

  /// `beat`: the loop is alive; called on its thread.
  Triggers(Clock& clock, std::function<void()> beat) : clock_(clock), beat_(std::move(beat)) {}

  /// Between passes, by the loop's thread. Nothing is woken in between.
  void Attach(Hooks hooks);
  void Detach();

  // ---- from any thread ----

  /// Asks for a pass; one that is under way looks for a newer head at its next safe point instead.
  TriggerTicket Request(const std::string& cause);
  /// The same, and again for some time until this commit is there.
  TriggerTicket RequestFor(const CommitId& commit, const std::string& cause);
  /// Asks for a pass that heeds the approval.
  TriggerTicket Approve(Approval approval);
  /// Asks for a pass by the configuration as it is then.
  void RequestReload();
  void RequestStop();
  /// The summary of the newest pass that has ended, once one has that served the ticket; nothing until then.
  std::optional<JsonValue> ResultOf(TriggerTicket ticket);
  /// How long ago the loop showed that it is alive.
  Duration SilentFor() const;

  // ---- from the loop ----

  /// Waits for a request or for `until`. Gives what asked ("poll" for the time), or nothing for a stop. From here to
  /// PassEnded a pass is under way.
  std::optional<std::string> WaitForPass(std::optional<TimePoint> until);
  /// The approvals that the pass has to heed. Each once.
  std::vector<Approval> TakeApprovals();
  /// Whether the configuration is to be read again first. True once for each wish.
  bool TakeReload();
  /// The pass has ended: those who wait for their ticket get `summary`.
  void PassEnded(const JsonValue& summary);

  /// The clock was set to another time: the next look at the repository is counted from it.
  void ClockWasSet();

  // ---- PassControl ----

  bool StopRequested() override;
  bool TakeRefreshRequest() override;
  void RefreshFailed() override;
  void Beat() override;

 private:
  /// A look is due for an announced commit. Asks git, so without the lock.
  bool FollowUpIsDue();

  Clock& clock_;
  const std::function<void()> beat_;
  std::atomic<std::chrono::steady_clock::time_point> alive_{std::chrono::steady_clock::now()};

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  Hooks hooks_;
  bool stop_ = false;
  bool reload_ = false;
  std::vector<Approval> approvals_;
  FollowUps follow_ups_;
  TriggerTicket given_ = 0;   // the last ticket
  TriggerTicket looked_ = 0;  // the last ticket at the last look for a newer head
  TriggerTicket taken_ = 0;   // the last ticket that the pass under way serves
  TriggerTicket sure_ = 0;    // taken_ before the last look
  TriggerTicket served_ = 0;  // the last ticket whose pass has ended
  std::string cause_;
  JsonValue summary_;
  std::optional<TimePoint> next_poll_;
};

}  // namespace tokensync
