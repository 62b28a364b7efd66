/// An entry's state as the columns of the table `entry`. For this folder only.
#pragma once

#include <string>

#include "columns.h"
#include "ports.h"

namespace tokensync {

/// The columns, in the order in which the two functions below take them: 16 of them.
inline constexpr const char* kEntryColumns =
    "project, collection, token_len, token_id, state, digest, attempt, due_ms, since_ms, unknown_since_ms, readings, "
    "absent_readings, known_to_exist, remote_digest, drift, drift_digest";

/// "INSERT … ON CONFLICT DO UPDATE" with a parameter for each column. Not REPLACE: that would take the payload along.
inline constexpr const char* kUpsertEntry =
    "INSERT INTO entry VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16) "
    "ON CONFLICT DO UPDATE SET state = excluded.state, digest = excluded.digest, attempt = excluded.attempt, "
    "due_ms = excluded.due_ms, since_ms = excluded.since_ms, unknown_since_ms = excluded.unknown_since_ms, "
    "readings = excluded.readings, absent_readings = excluded.absent_readings, "
    "known_to_exist = excluded.known_to_exist, remote_digest = excluded.remote_digest, drift = excluded.drift, "
    "drift_digest = excluded.drift_digest";

/// Binds a key to the four parameters from `first` on: project, collection, token_len, token_id. The key outlives the
/// execution.
void BindKey(SQLite::Statement& statement, int first, const TokenKey& key);
void BindKey(SQLite::Statement& statement, int first, TokenKey&& key) = delete;

/// Executes kUpsertEntry. A programmer's error for None, which has no row.
void WriteEntry(SQLite::Statement& upsert, const TokenKey& key, const EntryState& state);

/// The row of an entry as bytes: equal exactly where all columns are. A programmer's error for None.
std::string EntryBytes(const TokenKey& key, const EntryState& state);

/// The entry of the present row, whose columns begin with kEntryColumns. Throws RowError.
LedgerEntry ReadEntry(SQLite::Statement& query);

}  // namespace tokensync
