/// The checkpoint and the passes as the columns of `runner` and `pass`. For this folder only.
#pragma once

#include <cstdint>
#include <optional>

#include "columns.h"
#include "ports.h"

namespace SQLite {
class Database;
}

namespace tokensync {

inline constexpr const char* kUpdateCheckpoint =
    "UPDATE runner SET head_seen = ?, head_applied = ?, last_pass = ?, failures_in_a_row = ?, distrusted_since_ms = ?, "
    "head_accepted = ?, head_vouched = ?, held_fingerprint = ?, held_commit = ?, held_since_ms = ?, held_why = ?, "
    "held_approved = ?, refused_commit = ?, refused_why = ?";

inline constexpr const char* kUpsertPass =
    "INSERT INTO pass (pass, cause, started_ms, ended_ms, commit_id, result, created, confirmed, reported, rejected, "
    "conflicting, unresolved, bad_manifests, error, adopted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
    "ON CONFLICT DO UPDATE SET cause = excluded.cause, started_ms = excluded.started_ms, "
    "ended_ms = excluded.ended_ms, commit_id = excluded.commit_id, result = excluded.result, "
    "created = excluded.created, confirmed = excluded.confirmed, reported = excluded.reported, "
    "rejected = excluded.rejected, conflicting = excluded.conflicting, unresolved = excluded.unresolved, "
    "bad_manifests = excluded.bad_manifests, error = excluded.error, adopted = excluded.adopted";

inline constexpr const char* kDeleteOldPasses = "DELETE FROM pass WHERE pass <= ?";

/// Passes that are kept: a week of one every minute.
inline constexpr std::int64_t kPassesKept = 10'000;

/// Executes kUpdateCheckpoint: all but what surveys found (survey_rows.h). Reasons are made fit.
void WriteCheckpoint(SQLite::Statement& update, const Checkpoint& checkpoint);
/// Executes kUpsertPass.
void WritePass(SQLite::Statement& upsert, const PassRecord& pass);
/// Executes kDeleteOldPasses: the newest kPassesKept up to `newest` stay.
void ForgetPasses(SQLite::Statement& remove, std::uint64_t newest);

/// Throw RowError.
Checkpoint ReadCheckpoint(SQLite::Database& database);
std::optional<PassRecord> ReadLastPass(SQLite::Database& database);

}  // namespace tokensync
