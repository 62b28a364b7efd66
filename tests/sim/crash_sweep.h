/// Ends of the process at every step of a small world's whole story, once and twice.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "ledger_disk.h"

namespace tokensync {

struct SweepOptions {
  bool in_pairs = true;
  /// Whether each end is tried with all that can become of calls on their way, or with what chance makes of them.
  bool every_aftermath = true;
  std::function<std::unique_ptr<LedgerDisk>(std::uint64_t seed)> make_disk{};
  /// Told before each life of a world, to say which one it was should the program abort.
  std::function<void(const std::string& life)> on_life{};
};

struct SweepReport {
  std::string broken{};  ///< the promise that was not kept, and in which life; empty where all were
  std::uint64_t worlds = 0, lives = 0;
  std::uint64_t points = 0;  ///< steps at which a life ended once
  std::uint64_t pairs = 0;   ///< pairs of steps at which one ended twice
};

/// A life ends before and after every effect that the program has on a port; then a new process goes on, nothing fails
/// any more than the story says, and the world must come to rest with every promise kept.
SweepReport SweepCrashes(const SweepOptions& options);

}  // namespace tokensync
