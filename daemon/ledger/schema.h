/// The ledger's layout: its SQL, and how a ledger comes from one version of it to the next. For this folder only.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "model.h"

namespace SQLite {
class Database;
}

namespace tokensync {

/// "tksd": what `file` and SQLite see in the header of a ledger of ours.
inline constexpr std::int64_t kLedgerApplicationId = 0x746B7364;

/// The first layout whose log has rows about no token, and the columns signer and actor.
inline constexpr std::int64_t kLayoutOfNotices = 3;

/// One step from a layout to the next. Names and order never change once released; steps are only added.
struct Migration {
  std::string_view name;
  const char* sql;
};

/// All steps, oldest first. The layout's version (`PRAGMA user_version`) is their number.
std::span<const Migration> LedgerMigrations();

/// Brings the database from `version` steps to all of `migrations`, and notes their names. Within the caller's
/// transaction. Throws SQLite::Exception.
void ApplyMigrations(SQLite::Database& database, std::int64_t version, std::span<const Migration> migrations,
                     TimePoint now);

/// What of the layout that `migrations` make is missing in `database` or differs, e.g. "trigger log_is_append_only";
/// nothing where all is there. What somebody added is left alone. Throws SQLite::Exception.
std::optional<std::string> LayoutDifference(SQLite::Database& database, std::span<const Migration> migrations);
/// The same for the released layout of that number, which a process makes once: it costs SQLite milliseconds. From any
/// thread.
std::optional<std::string> LayoutDifference(SQLite::Database& database, std::int64_t version);

}  // namespace tokensync
