/// All that a ledger holds, as a text: two ledgers with one text are equal in every field.
#pragma once

#include <string>
#include <string_view>

#include "memory_ledger.h"

namespace tokensync {

/// A row of the log, but for its number and hash.
std::string RecordText(const LogRecord& record, std::string_view event, std::string_view state_after);

/// Log with the states that it leads to, entries, payloads, checkpoint, passes; a line each.
std::string LedgerText(const MemoryLedgerStore& store);

/// A notice, likewise.
std::string NoticeText(const Notice& notice);

}  // namespace tokensync
