/// Whether a ledger is what its log says, and its log what was written. For this folder only.
#pragma once

#include "ledger_reader.h"

namespace SQLite {
class Database;
}

namespace tokensync {

/// See LedgerReader::VerifyChain. Within the caller's transaction. Throws SQLite::Exception.
ChainVerdict AuditChain(SQLite::Database& database);

}  // namespace tokensync
