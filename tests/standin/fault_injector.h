/// Decides which fault strikes which call, and how the service behaves now.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "faults_json.h"
#include "standin_faults.h"
#include "token_store.h"

namespace tokensync::standin {

/// What the rate limit says about one call of a project, now.
struct RateVerdict {
  bool refused = false;
  std::uint64_t limit = 0;
  std::uint64_t remaining = 0;
  std::uint64_t reset_unix_seconds = 0;   ///< when the oldest call leaves the window
  std::uint64_t retry_after_seconds = 0;  ///< the window, as the vendor's limiter says
};

/// Used from any thread.
class FaultInjector {
 public:
  std::shared_ptr<const Behaviour> behaviour() const;
  void SetBehaviour(const Behaviour& behaviour);
  void AddRule(FaultRule rule);
  void ClearRules();
  /// Throws std::runtime_error.
  void Set(std::string_view json);
  void Reset();

  /// The rule that strikes this call, if any.
  std::optional<FaultRule> Strike(std::string_view method, const std::string& token_id);

  /// Counts a call for a project; nothing where there is no limit. A refused call does not count.
  std::optional<RateVerdict> CountCall(const Behaviour& behaviour, std::uint64_t project);

  /// Latency of a call with this number.
  static Milliseconds Latency(const Behaviour& behaviour, std::uint64_t number);

 private:
  struct ActiveRule {
    FaultRule rule;
    std::uint64_t place = 0;
    std::uint64_t matched = 0;
    std::uint64_t struck = 0;
  };
  using Occasion = std::tuple<std::uint64_t, std::string, std::string>;  ///< rule's place, method, token

  void AddLocked(FaultRule rule);

  mutable std::mutex mutex_;
  std::shared_ptr<const Behaviour> behaviour_ = std::make_shared<const Behaviour>();
  std::atomic<bool> has_rules_ = false;
  std::vector<ActiveRule> rules_;
  std::uint64_t next_place_ = 0;
  std::map<Occasion, std::uint64_t> occasions_;  ///< of rules with a probability: how often asked

  std::mutex rate_mutex_;
  std::map<std::uint64_t, std::deque<SteadyTime>> counted_;  ///< by project
};

}  // namespace tokensync::standin
