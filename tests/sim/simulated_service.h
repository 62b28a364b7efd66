/// The metadata service and the network to it, in virtual time, with every way to fail that a call can meet.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dice.h"
#include "ports.h"
#include "sudden_end.h"
#include "virtual_clock.h"

namespace tokensync {

/// What becomes of one call.
enum class Fate {
  kAnswered,      ///< in its turn
  kSlow,          ///< answered just within the time-out
  kUnreachable,   ///< refused connection: never left
  kRequestLost,   ///< never applied; times out
  kReplyLost,     ///< applied; cut or timed out
  kAppliedLate,   ///< cut or timed out, and applied after that
  kThrottled,     ///< 429
  kDenied,        ///< 401
  kRefused,       ///< 400 for good
  kUntypedFault,  ///< 400 code 0
  kMisrouted,     ///< something on the way answers that there is no such call
  kStale,         ///< a reading that does not see a token that is not older than ServiceRules::stale_for
};

/// What becomes of a call that is on its way to the service when the client goes away.
enum class AfterCut { kByChance, kNever, kAtOnce, kAtLast };

struct ServiceRules {
  bool readable = true;  ///< there is a GetToken
  bool listable = true;  ///< there is a ListTokens
  bool closed = false;   ///< ListTokens is refused, though there is one
  std::size_t page_size = 3;
  std::uint32_t first_page = 0;  ///< 1: the pages 0 and 1 are the same
  bool unique = true;            ///< a second create is refused; otherwise it overwrites
  Duration timeout{20'000};
  Duration latency_min{5};
  Duration latency_max{300};
  Duration late_least{1};      ///< after the cut, how soon a request can be applied
  Duration late_for{20'000};   ///< and how long it may be
  Duration stale_for{30'000};  ///< after a create, how long a reading may miss it
  Duration retry_after{30'000};
};

/// A token as the service holds it.
struct HeldToken {
  std::string payload{};
  bool is_private = false;
  bool foreign = false;  ///< somebody else made it
  TimePoint since{};
};

class SimulatedService final : public CallRunner {
 public:
  SimulatedService(VirtualClock& clock, SuddenEnd& end, std::uint64_t seed) : clock_(clock), end_(end), dice_(seed) {}

  ServiceRules rules{};
  AfterCut after_cut = AfterCut::kByChance;
  /// The fate of a call that Script says nothing about; kAnswered where this is empty.
  std::function<Fate(const Call&)> fate_of{};
  /// Which creates the service refuses for what they say.
  std::function<bool(const Call&)> refuses{};
  std::function<void(const Call&)> on_start{};
  std::function<void(const Call&)> on_create_accepted{};
  /// Told before a create of ours takes the place of somebody else's token.
  std::function<void(const Call&, const HeldToken&)> on_overwritten{};
  std::function<void(const Completion&)> on_answer{};

  /// The fates of the next calls for this key, in order.
  void Script(const TokenKey& key, std::initializer_list<Fate> fates);
  /// Somebody else creates a token, or did so that long ago. Nothing where there is one.
  void CreateForeign(const TokenKey& key, std::string payload, Duration ago = Duration(0));
  /// Somebody removes a token.
  void Remove(const TokenKey& key) { held_.erase(key); }

  /// The client is gone: nothing is answered any more, and what has not arrived yet arrives soon or never.
  void CutAll();

  void Start(Call call) override;
  std::vector<Completion> Await(TimePoint deadline) override;
  void Wake() override { woken_ = true; }

  // What a test wants to know.
  const HeldToken* Held(const TokenKey& key) const;
  std::size_t HeldCount(const CollectionKey& collection) const;
  std::uint32_t Accepted(const TokenKey& key) const;
  std::size_t InFlight() const { return flights_.size(); }
  /// Every call that was started, oldest first.
  const std::vector<Call>& calls() const { return calls_; }
  std::size_t CallCount(CallKind kind) const;

 private:
  struct Flight {
    Completion completion;  // as it stands by now
    Call call;
    Fate fate = Fate::kAnswered;
    TimePoint started{};
    bool arrived = false;
    bool answered = false;
    std::uint32_t route = 0;  // changes when another arrival is planned
  };
  using FlightPtr = std::shared_ptr<Flight>;

  Fate Choose(const Call& call);
  void PlanArrival(const FlightPtr& flight, TimePoint when);
  void PlanEnd(const FlightPtr& flight, TimePoint when);
  void Arrive(Flight& flight);
  void Create(Flight& flight);
  void Read(Flight& flight) const;
  void List(Flight& flight) const;
  bool IsSeen(const HeldToken& token, const Flight& flight) const;
  void LoseAnswer(Flight& flight, const char* why) const;
  void Accept(const Call& call);
  std::optional<Duration> ArrivesAfterCut();

  VirtualClock& clock_;
  SuddenEnd& end_;
  Dice dice_;
  std::map<TokenKey, std::deque<Fate>> scripts_;
  std::map<TokenKey, HeldToken> held_;
  std::map<TokenKey, std::uint32_t> accepted_;
  std::map<TokenKey, FlightPtr> flights_;
  std::vector<Completion> ended_;
  std::vector<Call> calls_;
  TimePoint last_await_{};
  std::uint32_t awaits_at_once_ = 0;  // one after the other without any time between them
  bool woken_ = false;
};

}  // namespace tokensync
