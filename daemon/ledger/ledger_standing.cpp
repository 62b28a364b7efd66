#include "ledger_standing.h"

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "columns.h"
#include "ledger_file.h"
#include "log_row.h"
#include "survey_rows.h"

namespace tokensync {

namespace {

/// The hash of a record, of the chain's beginning for 0; nothing where there is no such record.
std::optional<Digest> HashAt(SQLite::Database& database, std::int64_t seq) {
  if (seq == 0) {
    SQLite::Statement runner(database, "SELECT endpoint, created_ms FROM runner");
    if (!runner.executeStep()) return std::nullopt;
    return LogBeginning(ColumnAs<std::string>(runner, 0), ColumnAs<std::int64_t>(runner, 1));
  }
  SQLite::Statement record(database, "SELECT hash FROM log WHERE seq = ?");
  BindColumn(record, 1, seq);
  return record.executeStep() ? std::optional(ColumnAs<Digest>(record, 0)) : std::nullopt;
}

LedgerStanding Judge(SQLite::Database& database, const MarkedEnd& now, const std::optional<MarkedEnd>& marked) {
  if (!marked) return now.seq == 0 ? LedgerStanding::kNew : LedgerStanding::kUnmarked;
  const std::optional<Digest> hash = HashAt(database, marked->seq);
  if (now.seq == 0 && hash != marked->hash) return LedgerStanding::kLost;
  if (!hash) return LedgerStanding::kOlderCopy;
  if (*hash != marked->hash) return LedgerStanding::kOtherBranch;
  const bool same = now.incarnation == marked->incarnation && now.file == marked->file;
  return same ? LedgerStanding::kContinued : LedgerStanding::kCopied;
}

void Distrust(LedgerConnection& connection, std::int64_t incarnation, TimePoint now) {
  SQLite::Transaction transaction(connection.database(), SQLite::TransactionBehavior::IMMEDIATE);
  DeleteSurveyRows(connection.database());
  SQLite::Statement note(connection.database(), "UPDATE runner SET distrusted_since_ms = ?, incarnation = ?");
  BindColumn(note, 1, ToMs(now));
  BindColumn(note, 2, incarnation);
  note.exec();
  transaction.commit();
}

}  // namespace

MarkedEnd MarkedEndOf(LedgerConnection& connection) {
  SQLite::Statement query(connection.database(), "SELECT seq, hash, incarnation FROM log_head, runner");
  if (!query.executeStep()) throw RowError("id, 1, is missing from the table runner or log_head");
  MarkedEnd end;
  ReadColumn(query, 0, end.seq);
  ReadColumn(query, 1, end.hash);
  ReadColumn(query, 2, end.incarnation);
  end.file = IdentityOf(connection.path());
  return end;
}

LedgerStanding SettleStanding(LedgerConnection& connection, LedgerMark& mark, TimePoint now) {
  MarkedEnd end = MarkedEndOf(connection);
  const std::optional<MarkedEnd> marked = mark.Read();
  const LedgerStanding standing = Judge(connection.database(), end, marked);
  if (IsDistrusted(standing)) {
    // Somebody handled the file: whatever a copy can suffer, it is checked for now and not at the next surprise.
    if (const auto fault = StructureFault(connection.database())) {
      connection.Refuse("opening",
                        fmt::format("the file is damaged ({}); keep it, and put a backup in its place", *fault));
    }
    // Two restores of one copy differ, even where nothing was logged in between.
    end.incarnation = std::max(end.incarnation + 1, ToMs(now));
    Distrust(connection, end.incarnation, now);
  }
  if (end != marked) mark.Write(end);
  mark.Flush();
  return standing;
}

}  // namespace tokensync
