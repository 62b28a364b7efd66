#include "ledger_file.h"

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "entries_sum.h"
#include "log_row.h"
#include "schema.h"
#include "text_limits.h"

namespace tokensync {

namespace {

std::int64_t NewestVersion() {
  return static_cast<std::int64_t>(LedgerMigrations().size());
}

/// "https://host" and "https://host/" are one service.
std::string Trimmed(std::string endpoint) {
  while (endpoint.size() > 1 && endpoint.back() == '/') endpoint.pop_back();
  return endpoint;
}

/// What SQLite does not mind: a file of one byte, which it takes for an empty one, and a last page that is cut short.
void RefuseOddLength(LedgerConnection& connection) {
  std::error_code error;
  const auto size = static_cast<std::int64_t>(std::filesystem::file_size(connection.path(), error));
  if (error) connection.Refuse("opening", error.message());
  if (connection.PragmaNumber("page_count") == 0 && size > 0) {
    connection.Refuse("opening", "it is no database; set ledger.path to another file");
  }
  if (size % connection.PragmaNumber("page_size") != 0) {
    connection.Refuse("opening", "the file is damaged (its end is cut off); keep it, and put a backup in its place");
  }
}

void RefuseOtherKinds(LedgerConnection& connection, std::string_view doing) {
  if (connection.PragmaNumber("application_id") != kLedgerApplicationId) {
    connection.Refuse(doing, "it is a database, but not a ledger of tokensyncd; set ledger.path to a file of its own");
  }
  const std::int64_t version = connection.PragmaNumber("user_version");
  if (version > NewestVersion()) {
    connection.Refuse(doing,
                      fmt::format("it was made by a newer tokensyncd (layout {}, this program knows {}); upgrade the "
                                  "program",
                                  version, NewestVersion()));
  }
  if (version < 1)
    connection.Refuse(doing, "its layout has no version; the file is damaged; put a backup in its place");
}

/// All in one transaction, and before WAL: whatever cuts it off leaves an empty file, which the next run takes again.
void MakeLayout(LedgerConnection& connection, const LedgerIdentity& identity) {
  SQLite::Database& database = connection.database();
  SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
  database.exec(fmt::format("PRAGMA application_id = {}", kLedgerApplicationId));
  ApplyMigrations(database, 0, LedgerMigrations(), identity.opened_at);
  const std::string endpoint = Trimmed(identity.endpoint);
  const Digest beginning = LogBeginning(endpoint, ToMs(identity.opened_at));
  SQLite::Statement runner(database,
                           "INSERT INTO runner (id, endpoint, source_url, program_version, created_ms) "
                           "VALUES (1, ?, ?, ?, ?)");
  BindColumn(runner, 1, endpoint);
  BindColumn(runner, 2, identity.source_url);
  BindColumn(runner, 3, identity.program_version);
  BindColumn(runner, 4, ToMs(identity.opened_at));
  runner.exec();
  SQLite::Statement head(database, "INSERT INTO log_head (id, seq, hash, entries_sum) VALUES (1, 0, ?, ?)");
  const Digest no_entries = EntriesSum().Stored();
  BindColumn(head, 1, beginning);
  BindColumn(head, 2, no_entries);
  head.exec();
  transaction.commit();
}

void CheckLayout(LedgerConnection& connection) {
  if (const auto difference = LayoutDifference(connection.database(), connection.PragmaNumber("user_version"))) {
    connection.Refuse("opening", fmt::format("its layout was altered: {} is not as tokensyncd made it; put a backup in "
                                             "its place",
                                             *difference));
  }
}

void RenewLayout(LedgerConnection& connection, const LedgerIdentity& identity) {
  const std::int64_t version = connection.PragmaNumber("user_version");
  if (version == NewestVersion()) return;
  SQLite::Transaction transaction(connection.database(), SQLite::TransactionBehavior::IMMEDIATE);
  ApplyMigrations(connection.database(), version, LedgerMigrations(), identity.opened_at);
  const Digest sum = SumOfEntries(connection.database()).Stored();
  SQLite::Statement note(connection.database(), "UPDATE log_head SET entries_sum = ? WHERE entries_sum IS NULL");
  BindColumn(note, 1, sum);
  note.exec();
  CheckLayout(connection);
  CheckLogEnd(connection, "opening");
  transaction.commit();
}

void CheckEndpoint(LedgerConnection& connection, const LedgerIdentity& identity) {
  SQLite::Statement query(connection.database(), "SELECT endpoint FROM runner");
  if (!query.executeStep()) connection.Refuse("opening", "the note of its service is gone; put a backup in its place");
  const auto endpoint = ColumnAs<std::string>(query, 0);
  if (endpoint == Trimmed(identity.endpoint)) return;
  connection.Refuse("opening",
                    fmt::format("it tells what exists at {}, but api.endpoint is {}; a token that it knows need "
                                "not exist there: set ledger.path to another file for another service",
                                endpoint, identity.endpoint));
}

/// Writes only what is new: opening alone leaves a ledger as it was.
void NoteVersion(LedgerConnection& connection, const LedgerIdentity& identity) {
  SQLite::Statement update(connection.database(),
                           "UPDATE runner SET program_version = ?1 WHERE program_version IS NOT ?1");
  BindColumn(update, 1, identity.program_version);
  update.exec();
}

/// Persistent in the file, unlike the other pragmas.
void UseWal(LedgerConnection& connection) {
  SQLite::Statement mode(connection.database(), "PRAGMA journal_mode = WAL");
  if (!mode.executeStep() || mode.getColumn(0).getString() != "wal") {
    connection.Refuse("opening",
                      "its file system has no shared memory for SQLite's WAL; set ledger.path to a local one");
  }
}

}  // namespace

void MakeLedgerFile(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (fd >= 0) {
    ::close(fd);
  } else if (errno != EEXIST) {
    throw LedgerError(
        fmt::format("making the ledger {}: {}; its folder must be writable for the user that runs tokensyncd",
                    path.string(), std::strerror(errno)));
  }
}

void AdoptLedgerFile(LedgerConnection& connection, const LedgerIdentity& identity) {
  connection.Run("opening", [&] {
    RefuseOddLength(connection);
    if (connection.PragmaNumber("page_count") == 0) {
      MakeLayout(connection, identity);
    } else {
      RefuseOtherKinds(connection, "opening");
      CheckEndpoint(connection, identity);
      CheckLayout(connection);
      CheckLogEnd(connection, "opening");
      RenewLayout(connection, identity);
    }
    UseWal(connection);
    NoteVersion(connection, identity);
  });
}

std::string RecordedSource(LedgerConnection& connection) {
  SQLite::Statement query(connection.database(), "SELECT source_url FROM runner");
  if (!query.executeStep()) connection.Refuse("opening", "the note of its source is gone; put a backup in its place");
  return ColumnAs<std::string>(query, 0);
}

void CheckLogEnd(LedgerConnection& connection, std::string_view doing) {
  SQLite::Statement head(connection.database(), "SELECT seq, hash FROM log_head");
  SQLite::Statement last(connection.database(),
                         SelectLogRows(connection.PragmaNumber("user_version")) + " ORDER BY seq DESC LIMIT 1");
  const auto refuse = [&](std::string_view why) {
    connection.Refuse(doing, fmt::format("{}; it was damaged or changed by hand; `tokensyncd audit` tells more; keep "
                                         "it, and put a backup in its place",
                                         why));
  };
  if (!head.executeStep()) refuse("the note of its log's end is gone");
  const auto seq = ColumnAs<std::int64_t>(head, 0);
  const auto hash = ColumnAs<Digest>(head, 1);
  if (!last.executeStep()) {
    if (seq != 0) refuse("its log is gone");
    return;
  }
  const LogRow row = ReadLogRow(last);
  if (row.seq != seq || row.hash != hash) refuse(fmt::format("its log does not end with record {}", seq));
  if (HashOf(row) != row.hash) refuse(fmt::format("the last record of its log, {}, does not fit its hash", seq));
}

std::optional<std::string> StructureFault(SQLite::Database& database) {
  SQLite::Statement check(database, "PRAGMA quick_check(1)");
  check.executeStep();
  std::string finding = check.getColumn(0).getString();
  return finding == "ok" ? std::nullopt : std::optional(std::move(finding));
}

void CheckLedgerKind(LedgerConnection& connection, std::string_view doing) {
  if (connection.PragmaNumber("page_count") == 0) {
    connection.Refuse(doing,
                      "it is empty: nothing was recorded yet, or making it was cut off; `tokensyncd sync` or "
                      "`run` makes it");
  }
  RefuseOtherKinds(connection, doing);
}

void CheckLedgerFile(LedgerConnection& connection) {
  connection.Run("reading", [&] {
    CheckLedgerKind(connection, "reading");
    if (connection.PragmaNumber("user_version") < NewestVersion()) {
      connection.Refuse("reading",
                        "it was made by an older tokensyncd; `tokensyncd sync` or `run` of this version renews "
                        "it");
    }
  });
}

}  // namespace tokensync
