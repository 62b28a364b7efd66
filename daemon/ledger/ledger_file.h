/// From a path to a ledger of ours: made, or recognised, or refused. For this folder only.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

#include "ledger_connection.h"
#include "sqlite_ledger.h"

namespace tokensync {

/// Makes the file, empty and for its owner only, where there is none. Throws LedgerError.
void MakeLedgerFile(const std::filesystem::path& path);

/// Makes the connection's file a ledger of this program's layout and this identity: an empty one gets all, an older one
/// the steps that it lacks, both in one transaction each. Throws LedgerError where it is not ours, newer, altered,
/// damaged as far as a quick look shows, or another service's: before anything is changed, and of an older one that was
/// renewed once more before that is committed.
void AdoptLedgerFile(LedgerConnection& connection, const LedgerIdentity& identity);

/// The source URL that the ledger follows. Throws LedgerError, SQLite::Exception.
std::string RecordedSource(LedgerConnection& connection);

/// For reading: throws LedgerError where the file is not a ledger of exactly this program's layout.
void CheckLedgerFile(LedgerConnection& connection);

/// For copying: throws LedgerError where the file is not a ledger of this program's layout or an older one.
void CheckLedgerKind(LedgerConnection& connection, std::string_view doing);

/// Throws LedgerError where the log does not end as it is noted, or its last record does not fit its hash.
void CheckLogEnd(LedgerConnection& connection, std::string_view doing);

/// What SQLite finds wrong with the file's structure, nothing where it is whole. Reads all of it, but for the indexes'
/// agreement with their tables. Throws SQLite::Exception.
std::optional<std::string> StructureFault(SQLite::Database& database);

}  // namespace tokensync
