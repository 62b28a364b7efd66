/// From a path to a ledger of ours: made, or recognised, or refused. For this folder only.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "ledger_connection.h"
#include "sqlite_ledger.h"

namespace tokensync {

/// Makes the file, empty and for its owner only, where there is none. Throws LedgerError.
void MakeLedgerFile(const std::filesystem::path& path);

/// Makes the connection's file a ledger of this program's layout and this identity: an empty one gets all, an older one
/// the steps that it lacks, both in one transaction each. Throws LedgerError where it is not ours, newer, altered,
/// damaged as far as a quick look shows, or another service's.
/// Gives the source URL of the runs before, where the identity has another one.
std::optional<std::string> AdoptLedgerFile(LedgerConnection& connection, const LedgerIdentity& identity);

/// For reading: throws LedgerError where the file is not a ledger of exactly this program's layout.
void CheckLedgerFile(LedgerConnection& connection);

}  // namespace tokensync
