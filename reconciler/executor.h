/// Which calls may leave now, and what each answer makes true. A state machine without threads, clock or sockets: it is
/// asked, and told; somebody else carries the calls out and records what it says.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "pacing.h"
#include "planner.h"
#include "ports.h"
#include "rate_control.h"

namespace tokensync {

struct ExecutorPolicy {
  RatePolicy rate{};
  /// Longer than a lost call can still be applied: at least twice the call's time-out.
  Duration settling{60'000};
  Backoff::Limits backoff{};
  std::uint32_t bounded_tries_max = 4;  ///< creates refused in a way that may be the service's fault
  std::uint32_t failures_max = 16;      ///< failed calls in a row that end the pass
  Duration failing_max{10'000};         ///< three or more in a row for so long do as well
  Duration throttled_default{60'000};   ///< when the service does not say how long
  Duration throttled_max{15 * 60'000};  ///< and when it says something absurd
  /// A call that left before that long is seen by a reading, or was never applied: the age of a lost call at its second
  /// settled reading.
  Duration SeenAfter() const { return settling * 3 / 2; }
  /// No entry waits longer than this for its turn, unless the clock was set back.
  Duration WaitMax() const { return std::max({settling, backoff.cap, throttled_max}); }
  bool read_back = true;            ///< whether the service can be read, as far as is known
  bool read_back_required = false;  ///< a service that cannot be read ends the pass
  bool survey = true;               ///< whether collections can be listed, as far as is known
  bool survey_required = false;     ///< a service that cannot list them ends the pass
};

/// What the answer to a reading of a page makes of a survey.
enum class PageVerdict {
  kRead,         ///< the page is there
  kAgain,        ///< to be asked for again, when it is due
  kRefused,      ///< the service does not list this collection
  kUnsupported,  ///< the service lists no collection
};
struct PageJudgement {
  PageVerdict verdict = PageVerdict::kAgain;
  TimePoint due{};  ///< with kAgain
};

/// Why no further call leaves in this pass.
enum class StopReason { kUnreachable, kFailing, kCredential, kEndpoint, kQuota };

/// An action that calls the service, with its place in the order: smaller ranks first, then by key.
struct Work {
  Action action;
  std::uint32_t rank = 0;
};

/// Whether the service has a call: "there is no such call" is believed of a service that never answered one, and only
/// when it is said again. A proxy on the way says so too, for a moment, and a garbled request is answered like that.
class CallSupport {
 public:
  /// `usable`: as far as is known. `required`: it is used whatever the service says.
  CallSupport(bool usable, bool required) : usable_(usable), required_(required) {}

  bool usable() const { return usable_; }
  bool required() const { return required_; }
  void Require() { usable_ = required_ = true; }

  void Answered() { seen_ = true; }
  /// "There is no such call." Whether that is to be believed now: then it is not usable any more, unless required.
  bool Denied() {
    if (seen_ || ++denials_ < kDenialsNeeded) return false;
    usable_ = required_;
    return true;
  }

 private:
  static constexpr std::uint32_t kDenialsNeeded = 3;
  bool usable_;
  bool required_;
  bool seen_ = false;
  std::uint32_t denials_ = 0;
};

class Executor {
 public:
  Executor(const ExecutorPolicy& policy, std::uint64_t seed);

  /// A new pass: nothing is to be done, and nothing holds calls back but the rate and what the service asked for. After
  /// a pass that was stopped, one call goes ahead of all others until the service has answered.
  void Begin(TimePoint now);

  /// The service failed when it was called last: one call goes ahead.
  void ProbeFirst() { probing_ = true; }

  /// Nothing is to be created in a collection that was not listed, whatever the policy says.
  void RequireSurvey() { listing_.Require(); }

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

  /// What the completion of a page means; `tries`: refusals of this page before. Frees its place and learns from the
  /// answer.
  PageJudgement JudgePage(const Completion& completion, std::uint32_t tries, TimePoint now);

  /// When Take would give something again, as far as is known now; nothing where there is nothing left to take, all
  /// places are taken, or the executor is stopped.
  std::optional<TimePoint> NextDue(TimePoint now) const;

  bool InFlight(const TokenKey& key) const { return in_flight_.contains(key); }
  std::size_t InFlightCount() const { return in_flight_.size(); }
  std::size_t WaitingCount() const { return waiting_.size() + ready_.size(); }
  std::optional<StopReason> stopped() const { return stopped_; }
  /// What the answer that stopped the executor said.
  const ServiceAnswer& stop_answer() const { return stop_answer_; }
  bool can_read() const { return reading_.usable(); }
  bool can_list() const { return listing_.usable(); }
  bool survey_required() const { return listing_.required(); }
  const RateControl& rate() const { return rate_; }
  /// Without what is cleared.
  PlanContext Context() const {
    return {.can_read = can_read(), .settling = policy_.settling, .running_since = running_since_};
  }

 private:
  struct Order {
    std::uint32_t rank;
    TokenKey key;
    auto operator<=>(const Order&) const = default;
  };

  Event JudgeCreate(const Completion& completion, const EntryState& state, TimePoint now);
  std::optional<Event> JudgeRead(const Completion& completion, const EntryState& state, TimePoint now);
  TimePoint SettledAt(const Uncertain& state) const;
  TimePoint Pause(const Throttled& throttled, const Completion& completion, TimePoint now);
  TimePoint CountFailure(StopReason reason, const ServiceAnswer& answer, TimePoint now);
  void Succeed(const Completion& completion, TimePoint now);
  void ForgetFailures();
  void Stop(StopReason reason, const ServiceAnswer& answer);
  void Deny(Denial denial, const ServiceAnswer& answer);
  void Land(const Completion& completion, TimePoint now);
  void NoticeClock(TimePoint now);
  std::size_t Places() const { return probing_ ? 1 : rate_.Window(); }

  ExecutorPolicy policy_;
  Backoff backoff_;
  RateControl rate_;
  std::map<Order, Action> ready_;
  std::multimap<TimePoint, Work> waiting_;
  std::set<TokenKey> in_flight_;
  TimePoint latest_{};             ///< the newest time that was told
  TimePoint paused_until_{};       ///< what the service asked for
  TimePoint backing_off_until_{};  ///< our own, after failures of this pass
  std::uint32_t failures_in_a_row_ = 0;
  TimePoint first_failure_{};  // of those in a row
  /// Calls that fail together are one round: only what fails after the pause of a round makes the next one longer.
  std::uint32_t failed_rounds_ = 0;
  TimePoint round_until_{};
  std::optional<StopReason> stopped_;
  ServiceAnswer stop_answer_;
  /// The circuit is half open: the service failed last, and one call at a time finds out whether it still does.
  bool probing_ = false;
  /// A doubt from before is as old as this at most: the clock may have been set forward since.
  TimePoint running_since_{};
  CallSupport reading_;
  CallSupport listing_;
};

}  // namespace tokensync
