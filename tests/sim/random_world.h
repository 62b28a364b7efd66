/// A world that chance made from a seed, and what became of it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>
#include <variant>

#include "state.h"

namespace tokensync {

struct WorldReport {
  std::string broken{};  ///< the promise that was not kept; empty where all were
  std::uint64_t passes = 0;
  std::uint64_t calls = 0;
  std::uint64_t crashes = 0;
  std::array<std::uint64_t, std::variant_size_v<Event>> events{};  ///< how often each was recorded
};

/// Lives through the world of that seed: a storm of commits, faults and crashes, then a calm in which everything must
/// come to rest. The same seed gives the same report. `trace`, where there is one, is told what happens.
WorldReport LiveThrough(std::uint64_t seed, std::function<void(const std::string&)> trace = {});

}  // namespace tokensync
