/// An event as the columns of the table `log` whose names begin with `event`. For this folder only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "columns.h"
#include "state.h"

namespace tokensync {

/// What an event carries. Which of it an event has is told by its name.
struct EventColumns {
  std::string event;
  std::optional<Digest> digest;  ///< what is intended, declared anew, or found at the service
  std::optional<std::int64_t> attempt;
  std::optional<std::int64_t> at_ms;
  std::optional<std::int64_t> due_ms;
  std::optional<std::int64_t> settled;
  std::optional<std::int64_t> spent;
  std::optional<std::string> drift;  ///< "changed" (to the digest) or "removed"
  bool operator==(const EventColumns&) const = default;
};

EventColumns ToColumns(const Event& event);

/// The inverse. Throws RowError where that is no event of this version: an unknown name, a value too few or too many.
Event FromColumns(const EventColumns& columns);

}  // namespace tokensync
