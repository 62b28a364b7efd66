/// What the ledger holds and the daemon does, as people and scripts read it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "json.h"
#include "ports.h"
#include "source_ref.h"
#include "terminal.h"

namespace tokensync {

/// An entry that is not settled.
struct WaitingEntry {
  TokenKey key;
  std::string state{};             ///< StateName
  std::string reason{};            ///< what it waits for, or why it was refused
  std::optional<TimePoint> due{};  ///< when it is tried again
};

struct StatusView {
  std::string source_url{};  ///< without a password
  SourceRef ref{};
  std::string endpoint{};
  Checkpoint checkpoint{};
  /// Number of entries by StateName, in the order in which they are to be shown.
  std::vector<std::pair<std::string, std::uint64_t>> entries{};
  std::optional<PassRecord> last_pass{};
  std::string last_error{};  ///< of the last pass that failed, while failures_in_a_row is not 0
  std::vector<WaitingEntry> waiting{};
  std::uint64_t waiting_count = 0;  ///< `waiting` may be the first of so many
  std::optional<JsonValue> live{};  ///< what the daemon says of itself; nothing: none answers
  std::string daemon_unknown{};     ///< why it is not known whether a daemon runs; else empty
};

/// Some ten lines, and one for each entry that waits. Ends in a newline.
std::string StatusText(const StatusView& view, TimePoint now, const Terminal& terminal);
JsonValue StatusJson(const StatusView& view);

}  // namespace tokensync
