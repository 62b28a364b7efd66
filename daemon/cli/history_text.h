/// Records of the log as people and scripts read them, one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "json.h"
#include "ports.h"
#include "terminal.h"

namespace tokensync {

/// A stored record. Refers to its parts: for a call's time only.
struct HistoryRow {
  std::uint64_t seq = 0;
  const LogRecord& record;
  std::string_view event{};  ///< EventName
  std::string_view state{};  ///< StateName of what was true after it
  std::string_view hash{};   ///< of the chain, hexadecimal
};

/// The names of the columns of HistoryLine. Ends in a newline.
std::string HistoryHeader(const Terminal& terminal);

/// The record on one line of fixed columns; on a terminal that is narrower, on as many lines as it takes. Ends in a
/// newline.
std::string HistoryLine(const HistoryRow& row, const Terminal& terminal);

/// The record as an object with all its members, named as the columns of the log; what is not there is null.
JsonValue HistoryJson(const HistoryRow& row);

}  // namespace tokensync
