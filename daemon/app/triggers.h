/// The wishes that reach the daemon from outside, merged: make a pass, look for a newer head, stop.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <string>

#include "json.h"
#include "pass.h"

namespace tokensync {

/// A ticket is a place in the row of triggers; a pass that looks at the repository serves every ticket given before it.
using TriggerTicket = std::uint64_t;

class Triggers : public PassControl {
 public:
  struct Hooks {
    std::function<void()> wake;  ///< ends the wait of the pass under way; any thread
    std::function<void()> beat;  ///< the loop is alive; on the loop's thread
    /// When to look at the repository again in the middle of a pass, after a look at this time; nothing: never.
    std::function<std::optional<TimePoint>(TimePoint)> next_poll;
  };

  Triggers(Clock& clock, Hooks hooks) : clock_(clock), hooks_(std::move(hooks)) {}

  // ---- from any thread ----

  /// Asks for a pass; one that is under way looks for a newer head at its next safe point instead.
  TriggerTicket Request(const std::string& cause);
  void RequestStop();
  /// The summary of the newest pass that has ended, once one has that served the ticket; nothing until then.
  std::optional<JsonValue> ResultOf(TriggerTicket ticket);

  // ---- from the loop ----

  /// Waits for a request or for `until`. Gives what asked ("poll" for the time), or nothing for a stop. From here to
  /// PassEnded a pass is under way.
  std::optional<std::string> WaitForPass(std::optional<TimePoint> until);
  /// The pass has ended: those who wait for their ticket get `summary`.
  void PassEnded(const JsonValue& summary);

  /// The clock was set to another time: the next look at the repository is counted from it.
  void ClockWasSet();

  // ---- PassControl ----

  bool StopRequested() override;
  bool TakeRefreshRequest() override;
  void Beat() override { hooks_.beat(); }

 private:
  Clock& clock_;
  Hooks hooks_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;
  TriggerTicket given_ = 0;   // the last ticket
  TriggerTicket taken_ = 0;   // the last ticket that the pass under way serves
  TriggerTicket served_ = 0;  // the last ticket whose pass has ended
  std::string cause_;
  JsonValue summary_;
  std::optional<TimePoint> next_poll_;
};

}  // namespace tokensync
