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

/// A stored notice, likewise.
struct HistoryNotice {
  std::uint64_t seq = 0;
  const Notice& notice;
  std::string_view action{};  ///< "head" or "plan"
  std::string_view hash{};
};

/// The names of the columns of HistoryLine. Ends in a newline.
std::string HistoryHeader(const Terminal& terminal);

/// The record on one line of fixed columns; on a terminal that is narrower, on as many lines as it takes. Ends in a
/// newline.
std::string HistoryLine(const HistoryRow& row, const Terminal& terminal);
std::string HistoryLine(const HistoryNotice& row, const Terminal& terminal);

/// The row as an object with all members that a row can have, named as the columns of the log; what is not there is
/// null: of a notice all that is about a token.
JsonValue HistoryJson(const HistoryRow& row);
JsonValue HistoryJson(const HistoryNotice& row);

}  // namespace tokensync
