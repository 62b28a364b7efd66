/// Whether a ledger is the one that ran last, and what is done where it is not. For this folder only.
#pragma once

#include "ledger_connection.h"
#include "ledger_mark.h"
#include "sqlite_ledger.h"

namespace tokensync {

/// Compares the ledger with its mark. Where it does not go on where the last run ended, it is checked as a whole by
/// SQLite, forgets its surveys and notes since when it is distrusted: durable before the mark is written, so that a
/// process that is killed in between leaves no trust. The mark is durable then, and says what the ledger is now.
/// For a ledger that was adopted (see AdoptLedgerFile). Throws LedgerError, SQLite::Exception.
LedgerStanding SettleStanding(LedgerConnection& connection, LedgerMark& mark, TimePoint now);

/// What the mark of the ledger as it is now has to say.
MarkedEnd MarkedEndOf(LedgerConnection& connection);

}  // namespace tokensync
