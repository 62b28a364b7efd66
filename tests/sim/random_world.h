/// A world that chance made from a seed, and what became of it.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <variant>

#include "ledger_disk.h"
#include "state.h"

namespace tokensync {

struct WorldReport {
  std::string broken{};  ///< the promise that was not kept; empty where all were
  std::uint64_t passes = 0;
  std::uint64_t calls = 0;
  std::uint64_t crashes = 0;
  std::uint64_t ledgers_lost = 0;                                  ///< or put back to an older copy
  std::array<std::uint64_t, std::variant_size_v<Event>> events{};  ///< how often each was recorded
  std::string ledger{};                                            ///< LedgerText() in the end, where it is asked for
};

struct WorldOptions {
  /// Told what happens, a line each.
  std::function<void(const std::string&)> trace{};
  /// Makes what the ledger is kept on beside memory; only in memory where this is empty.
  std::function<std::unique_ptr<LedgerDisk>(std::uint64_t seed)> make_disk{};
  bool with_ledger = false;
};

/// Lives through the world of that seed: a storm of commits, faults and crashes, then a calm in which everything must
/// come to rest. The same seed gives the same report, whatever the options are.
WorldReport LiveThrough(std::uint64_t seed, const WorldOptions& options = {});

}  // namespace tokensync
