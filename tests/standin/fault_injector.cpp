#include "fault_injector.h"

#include <utility>

namespace tokensync::standin {
namespace {

std::uint64_t Mix(std::uint64_t value) {
  value += 0x9E3779B97F4A7C15u;
  value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9u;
  value = (value ^ (value >> 27)) * 0x94D049BB133111EBu;
  return value ^ (value >> 31);
}

std::uint64_t MixText(std::uint64_t seed, std::string_view text) {
  for (const char c : text) seed = Mix(seed ^ static_cast<unsigned char>(c));
  return Mix(seed ^ text.size());
}

/// Evenly in [0, 1).
double Fraction(std::uint64_t bits) {
  return static_cast<double>(bits >> 11) * 0x1p-53;
}

}  // namespace

std::shared_ptr<const Behaviour> FaultInjector::behaviour() const {
  const std::lock_guard lock(mutex_);
  return behaviour_;
}

void FaultInjector::SetBehaviour(const Behaviour& behaviour) {
  auto fresh = std::make_shared<const Behaviour>(behaviour);
  const std::lock_guard lock(mutex_);
  behaviour_.swap(fresh);
}

void FaultInjector::AddLocked(FaultRule rule) {
  rules_.push_back({.rule = std::move(rule), .place = next_place_++});
  has_rules_.store(true);
}

void FaultInjector::AddRule(FaultRule rule) {
  const std::lock_guard lock(mutex_);
  AddLocked(std::move(rule));
}

void FaultInjector::ClearRules() {
  const std::lock_guard lock(mutex_);
  rules_.clear();
  occasions_.clear();
  next_place_ = 0;
  has_rules_.store(false);
}

void FaultInjector::Set(std::string_view json) {
  const std::lock_guard lock(mutex_);
  FaultChange change = ParseFaults(json, *behaviour_);
  behaviour_ = std::make_shared<const Behaviour>(std::move(change.behaviour));
  if (change.rules) {
    rules_.clear();
    occasions_.clear();
    next_place_ = 0;
    has_rules_.store(false);
    for (FaultRule& rule : *change.rules) AddLocked(std::move(rule));
  }
  for (FaultRule& rule : change.added) AddLocked(std::move(rule));
}

void FaultInjector::Reset() {
  ClearRules();
  SetBehaviour(Behaviour());
  const std::lock_guard lock(rate_mutex_);
  counted_.clear();
}

std::optional<FaultRule> FaultInjector::Strike(std::string_view method, const std::string& token_id) {
  if (!has_rules_.load()) return std::nullopt;
  const std::lock_guard lock(mutex_);
  for (ActiveRule& active : rules_) {
    const FaultRule& rule = active.rule;
    if (!rule.method.empty() && rule.method != method) continue;
    if (!rule.token_id.empty() && rule.token_id != token_id) continue;
    if (rule.times && active.struck >= *rule.times) continue;
    if (active.matched++ < rule.skip) continue;
    if (rule.probability < 1) {
      const std::uint64_t nth = occasions_[{active.place, std::string(method), token_id}]++;
      const std::uint64_t bits = MixText(MixText(Mix(behaviour_->seed) ^ Mix(active.place), method), token_id);
      if (Fraction(Mix(bits ^ Mix(nth))) >= rule.probability) continue;
    }
    ++active.struck;
    return rule;
  }
  return std::nullopt;
}

std::optional<RateVerdict> FaultInjector::CountCall(const Behaviour& behaviour, std::uint64_t project) {
  if (!behaviour.rate_limit) return std::nullopt;
  const RateLimit& limit = *behaviour.rate_limit;
  const auto now = std::chrono::steady_clock::now();
  const std::lock_guard lock(rate_mutex_);
  std::deque<SteadyTime>& counted = counted_[project];
  while (!counted.empty() && counted.front() + limit.window <= now) counted.pop_front();
  RateVerdict verdict{.limit = limit.calls};
  verdict.refused = counted.size() >= limit.calls;
  if (!verdict.refused) counted.push_back(now);
  verdict.remaining = limit.calls - std::min<std::uint64_t>(counted.size(), limit.calls);
  const auto left = counted.empty() ? limit.window : counted.front() + limit.window - now;
  const auto reset =
      std::chrono::system_clock::now() + std::chrono::duration_cast<std::chrono::system_clock::duration>(left);
  using std::chrono::ceil;
  using std::chrono::seconds;
  verdict.reset_unix_seconds = static_cast<std::uint64_t>(ceil<seconds>(reset.time_since_epoch()).count());
  verdict.retry_after_seconds = static_cast<std::uint64_t>(ceil<seconds>(limit.window).count());
  return verdict;
}

Milliseconds FaultInjector::Latency(const Behaviour& behaviour, std::uint64_t number) {
  const double jitter =
      Fraction(Mix(behaviour.seed ^ Mix(number))) * static_cast<double>(behaviour.latency_jitter.count());
  return behaviour.latency + Milliseconds(static_cast<std::int64_t>(jitter));
}

}  // namespace tokensync::standin
