#include "simulated_service.h"

#include <algorithm>
#include <utility>

#include "broken_promise.h"
#include "sha256.h"

namespace tokensync {

namespace {

constexpr std::uint32_t kAwaitsAtOnceMax = 1'000;
constexpr std::size_t kCallsMax = 20'000;

ServiceAnswer Answer(int status, const char* name, int code, const char* message) {
  return {.http_status = status, .error_name = name, .error_code = code, .message = message};
}

/// Sets the outcome that says the same of every kind of call.
template <class Outcome>
void SetOutcome(Completion& completion, Outcome outcome, ServiceAnswer answer) {
  completion.created = outcome;
  completion.read = outcome;
  completion.listed = outcome;
  completion.answer = std::move(answer);
}

}  // namespace

void SimulatedService::Script(const TokenKey& key, std::initializer_list<Fate> fates) {
  scripts_[key].insert(scripts_[key].end(), fates);
}

void SimulatedService::CreateForeign(const TokenKey& key, std::string payload, Duration ago) {
  held_.try_emplace(key, HeldToken{.payload = std::move(payload), .foreign = true, .since = clock_.WorldNow() - ago});
}

Fate SimulatedService::Choose(const Call& call) {
  const auto script = scripts_.find(call.key);
  if (script != scripts_.end() && !script->second.empty()) {
    const Fate fate = script->second.front();
    script->second.pop_front();
    return fate;
  }
  return fate_of ? fate_of(call) : Fate::kAnswered;
}

void SimulatedService::Start(Call call) {
  end_.Step();
  Demand(!flights_.contains(call.key), "two calls for one key are in flight");
  Demand(calls_.size() < kCallsMax, "there is no end of calls");
  if (on_start) on_start(call);
  calls_.push_back(call);
  const TimePoint now = clock_.WorldNow();
  const Fate fate = Choose(call);
  const FlightPtr flight(new Flight{
      .completion = {.kind = call.kind, .key = call.key}, .call = std::move(call), .fate = fate, .started = now});
  flights_.emplace(flight->call.key, flight);

  const Duration latency = dice_.Between(rules.latency_min, rules.latency_max);
  const TimePoint cut = dice_.Percent(50) ? now + rules.timeout : now + latency;
  switch (flight->fate) {
    case Fate::kUnreachable:
      PlanEnd(flight, now + latency / 2);
      break;
    case Fate::kRequestLost:
      PlanEnd(flight, cut);
      break;
    case Fate::kReplyLost:
      PlanArrival(flight, now + latency / 2);
      PlanEnd(flight, cut);
      break;
    case Fate::kAppliedLate:
      PlanEnd(flight, cut);
      PlanArrival(flight, cut + dice_.Between(rules.late_least, rules.late_for));
      break;
    case Fate::kSlow:
      PlanArrival(flight, now + dice_.Between(Duration(1), rules.timeout - Duration(2)));
      PlanEnd(flight, now + rules.timeout - Duration(1));
      break;
    default:
      PlanArrival(flight, now + latency / 2);
      PlanEnd(flight, now + latency);
  }
  end_.Step();
}

void SimulatedService::PlanArrival(const FlightPtr& flight, TimePoint when) {
  const std::uint32_t route = ++flight->route;
  clock_.At(when, [this, flight, route] {
    if (flight->arrived || flight->route != route) return;
    flight->arrived = true;
    Arrive(*flight);
  });
}

void SimulatedService::PlanEnd(const FlightPtr& flight, TimePoint when) {
  clock_.At(when, [this, flight] {
    if (flight->answered) return;
    flight->answered = true;
    switch (flight->fate) {
      case Fate::kUnreachable:
        LoseAnswer(*flight, "connection refused");
        if (flight->call.kind == CallKind::kCreate) flight->completion.created = NotSent{};
        break;
      case Fate::kRequestLost:
      case Fate::kReplyLost:
      case Fate::kAppliedLate:
        LoseAnswer(*flight, "no message received");
        break;
      default:
        break;
    }
    flight->completion.duration = clock_.WorldNow() - flight->started;
    ended_.push_back(flight->completion);
  });
}

void SimulatedService::LoseAnswer(Flight& flight, const char* why) const {
  flight.completion.created = Unknown{};
  flight.completion.read = ReadingFailed{};
  flight.completion.listed = ReadingFailed{};
  flight.completion.answer = {.message = why};
}

void SimulatedService::Arrive(Flight& flight) {
  Completion& completion = flight.completion;
  if (flight.fate == Fate::kThrottled) {
    SetOutcome(completion, Throttled{.retry_after = rules.retry_after}, Answer(429, "RateLimited", 1007, "slow down"));
  } else if (flight.fate == Fate::kDenied) {
    SetOutcome(completion, Unauthorized{}, Answer(401, "Unauthorized", 1000, "unauthorized"));
  } else if (flight.fate == Fate::kMisrouted) {
    completion.created = Unauthorized{.denial = Denial::kEndpoint};
    completion.read = Unsupported{};
    completion.listed = Unsupported{};
    completion.answer = {.http_status = 404, .message = "no such route"};
  } else if (flight.call.kind == CallKind::kCreate) {
    Create(flight);
  } else if (flight.call.kind == CallKind::kRead) {
    Read(flight);
  } else {
    List(flight);
  }
}

void SimulatedService::Create(Flight& flight) {
  Completion& completion = flight.completion;
  if (flight.fate == Fate::kRefused || (refuses && refuses(flight.call))) {
    completion.created = Refused{};
    completion.answer = Answer(400, "ValidationFailed", 2004, "not valid");
  } else if (flight.fate == Fate::kUntypedFault) {
    completion.created = Refused{.bounded_tries = true};
    completion.answer = Answer(400, "WebrpcEndpoint", 0, "endpoint error");
  } else if (rules.unique && held_.contains(flight.call.key)) {
    completion.created = AlreadyThere{};
    completion.answer = Answer(409, "RequestConflict", 1004, "exists");
  } else {
    Accept(flight.call);
    completion.created = Created{};
    completion.answer = {.http_status = 200};
  }
}

void SimulatedService::Accept(const Call& call) {
  ++accepted_[call.key];
  const HeldToken* held = Held(call.key);
  if (held != nullptr && held->foreign && on_overwritten) on_overwritten(call, *held);
  held_.insert_or_assign(call.key,
                         HeldToken{.payload = call.payload, .is_private = call.is_private, .since = clock_.WorldNow()});
  if (on_create_accepted) on_create_accepted(call);
}

void SimulatedService::Read(Flight& flight) const {
  Completion& completion = flight.completion;
  if (!rules.readable) {
    completion.read = Unsupported{};
    completion.answer = {.http_status = 404, .message = "no such route"};
    return;
  }
  const HeldToken* token = Held(flight.call.key);
  if (token == nullptr || !IsSeen(*token, flight)) {
    completion.read = Absent{};
    completion.answer = Answer(400, "NotFound", 3000, "no such token");
    return;
  }
  Found found{.differences = {}, .remote_digest = PayloadDigest(token->payload, flight.call.is_private)};
  if (token->payload != flight.call.payload) found.differences.push_back({"name", flight.call.payload, token->payload});
  completion.read = std::move(found);
  completion.answer = {.http_status = 200};
}

bool SimulatedService::IsSeen(const HeldToken& token, const Flight& flight) const {
  return flight.fate != Fate::kStale || clock_.WorldNow() >= token.since + rules.stale_for;
}

void SimulatedService::List(Flight& flight) const {
  Completion& completion = flight.completion;
  if (!rules.listable) {
    completion.listed = Unsupported{};
    completion.answer = {.http_status = 404, .message = "no such route"};
    return;
  }
  if (rules.closed || flight.fate == Fate::kRefused || flight.fate == Fate::kUntypedFault) {
    completion.listed = Refused{.bounded_tries = !rules.closed};
    completion.answer = Answer(400, "WebrpcEndpoint", 0, "endpoint error");
    return;
  }
  // What is not seen yet leaves its place empty: pages that shift hide tokens from everybody, and the README says so.
  std::vector<std::pair<TokenId, const HeldToken*>> tokens;
  for (const auto& [key, token] : held_) {
    if (key.Collection() == flight.call.key.Collection()) tokens.emplace_back(key.token, &token);
  }
  const std::size_t page = flight.call.page > rules.first_page ? flight.call.page - rules.first_page : 0;
  const std::size_t begin = std::min(page * rules.page_size, tokens.size());
  const std::size_t end = std::min(begin + rules.page_size, tokens.size());
  Listed listed{.tokens = {}, .more = end < tokens.size()};
  for (std::size_t i = begin; i < end; ++i) {
    const auto& [id, token] = tokens[i];
    if (!IsSeen(*token, flight)) continue;
    listed.tokens.push_back({id, PayloadDigest(token->payload, false), PayloadDigest(token->payload, true)});
  }
  completion.listed = std::move(listed);
  completion.answer = {.http_status = 200};
}

std::vector<Completion> SimulatedService::Await(TimePoint deadline) {
  end_.Step();
  awaits_at_once_ = clock_.WorldNow() == last_await_ ? awaits_at_once_ + 1 : 0;
  last_await_ = clock_.WorldNow();
  Demand(awaits_at_once_ < kAwaitsAtOnceMax, "the pass turns round and round without any time passing");
  clock_.PassUntil(clock_.WorldTime(deadline), [this] { return !ended_.empty() || woken_; });
  woken_ = false;
  std::vector<Completion> ended = std::exchange(ended_, {});
  for (const Completion& completion : ended) {
    flights_.erase(completion.key);
    if (on_answer) on_answer(completion);
  }
  return ended;
}

void SimulatedService::CutAll() {
  for (const auto& [key, flight] : flights_) {
    flight->answered = true;
    if (flight->arrived) continue;
    const bool may_arrive = flight->fate != Fate::kUnreachable && flight->fate != Fate::kRequestLost;
    ++flight->route;
    const std::optional<Duration> late = ArrivesAfterCut();
    if (may_arrive && late) PlanArrival(flight, clock_.WorldNow() + *late);
  }
  flights_.clear();
  ended_.clear();
  woken_ = false;
}

std::optional<Duration> SimulatedService::ArrivesAfterCut() {
  switch (after_cut) {
    case AfterCut::kByChance:
      if (!dice_.Percent(50)) return std::nullopt;
      return dice_.Between(Duration(1), rules.late_for);
    case AfterCut::kNever:
      return std::nullopt;
    case AfterCut::kAtOnce:
      return Duration(1);
    case AfterCut::kAtLast:
      return rules.late_for;
  }
  return std::nullopt;
}

std::size_t SimulatedService::HeldCount(const CollectionKey& collection) const {
  return static_cast<std::size_t>(std::count_if(
      held_.begin(), held_.end(), [&](const auto& held) { return held.first.Collection() == collection; }));
}

const HeldToken* SimulatedService::Held(const TokenKey& key) const {
  const auto found = held_.find(key);
  return found == held_.end() ? nullptr : &found->second;
}

std::uint32_t SimulatedService::Accepted(const TokenKey& key) const {
  const auto found = accepted_.find(key);
  return found == accepted_.end() ? 0 : found->second;
}

std::size_t SimulatedService::CallCount(CallKind kind) const {
  return static_cast<std::size_t>(
      std::count_if(calls_.begin(), calls_.end(), [&](const Call& call) { return call.kind == kind; }));
}

}  // namespace tokensync
