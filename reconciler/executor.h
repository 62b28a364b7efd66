/// Which calls may leave now, and what each answer makes true. A state machine without threads, clock or sockets: it is
/// asked, and told; somebody else carries the calls out and records what it says.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "pacing.h"
#include "planner.h"
#include "ports.h"

namespace tokensync {

struct ExecutorPolicy {
  std::uint32_t concurrency = 16;            ///< calls in flight at most
  std::uint32_t requests_per_minute = 3000;  ///< 0: no limit
  /// Longer than a lost call can still be applied: at least twice the call's time-out.
  Duration settling{60'000};
  Backoff::Limits backoff{};
  std::uint32_t bounded_tries_max = 4;  ///< creates refused in a way that may be the service's fault
  std::uint32_t failures_max = 16;      ///< failed calls in a row that end the pass
  Duration failing_max{10'000};         ///< three or more in a row for so long do as well
  Duration throttled_default{60'000};   ///< when the service does not say how long
  Duration throttled_max{15 * 60'000};  ///< and when it says something absurd
  bool read_back = true;                ///< whether the service can be read, as far as is known
  bool read_back_required = false;      ///< a service that cannot be read ends the pass
};

/// Why no further call leaves in this pass.
enum class StopReason { kUnreachable, kFailing, kCredential, kEndpoint, kQuota };

/// An action that calls the service, with its place in the order: smaller ranks first, then by key.
struct Work {
  Action action;
  std::uint32_t rank = 0;
};

class Executor {
 public:
  Executor(const ExecutorPolicy& policy, std::uint64_t seed);

  /// A new pass: nothing is to be done, and nothing holds calls back but the rate limit and what the service asked for.
  void Begin();

  /// What is to be done from now on, instead of all that was. Keys in flight stay in flight and are left out.
  void Replace(std::vector<Work> work);

  /// One more thing to do. Ignored for a key in flight.
  void Add(Work work);

  /// The actions whose calls may leave now, in order. They count as in flight from here on, until Judge or PutBack.
  std::vector<Work> Take(TimePoint now);

  /// The action did not leave.
  void PutBack(const TokenKey& key);

  /// What the completion makes true of its entry, which is in `state`. Frees its place and learns from the answer.
  /// Nothing where only the plan changes: the key is to be planned again.
  std::optional<Event> Judge(const Completion& completion, const EntryState& state, TimePoint now);

  /// When Take would give something again, as far as is known now; nothing where there is nothing left to take, all
  /// places are taken, or the executor is stopped.
  std::optional<TimePoint> NextDue(TimePoint now) const;

  bool InFlight(const TokenKey& key) const { return in_flight_.contains(key); }
  std::size_t InFlightCount() const { return in_flight_.size(); }
  std::size_t WaitingCount() const { return waiting_.size() + ready_.size(); }
  std::optional<StopReason> stopped() const { return stopped_; }
  /// What the answer that stopped the executor said.
  const ServiceAnswer& stop_answer() const { return stop_answer_; }
  bool can_read() const { return can_read_; }
  PlanContext Context() const { return {.can_read = can_read_, .settling = policy_.settling}; }

 private:
  struct Order {
    std::uint32_t rank;
    TokenKey key;
    auto operator<=>(const Order&) const = default;
  };

  Event JudgeCreate(const Completion& completion, const EntryState& state, TimePoint now);
  std::optional<Event> JudgeRead(const Completion& completion, const EntryState& state, TimePoint now);
  TimePoint Pause(const Throttled& throttled, TimePoint now);
  TimePoint CountFailure(StopReason reason, const ServiceAnswer& answer, TimePoint now);
  void Succeed();
  void Stop(StopReason reason, const ServiceAnswer& answer);
  void Deny(Denial denial, const ServiceAnswer& answer);
  void Heed(const RateHint& hint, TimePoint now);

  ExecutorPolicy policy_;
  Backoff backoff_;
  RateLimit rate_;
  std::map<Order, Action> ready_;
  std::multimap<TimePoint, Work> waiting_;
  std::set<TokenKey> in_flight_;
  TimePoint paused_until_{};       ///< what the service asked for
  TimePoint backing_off_until_{};  ///< our own, after failures of this pass
  std::uint32_t failures_in_a_row_ = 0;
  TimePoint first_failure_{};  // of those in a row
  /// Calls that fail together are one round: only what fails after the pause of a round makes the next one longer.
  std::uint32_t failed_rounds_ = 0;
  TimePoint round_until_{};
  std::optional<StopReason> stopped_;
  ServiceAnswer stop_answer_;
  bool can_read_;
};

}  // namespace tokensync
