/// A row of the log: its columns, its canonical form, and its hash. For this folder only.
///
/// The chain: `hash` is SHA-256 over the canonical JSON (RFC 8785) of an object with a member for each column of the
/// row that is not NULL, `hash` itself left out, under the column's name: integers as numbers, texts as strings,
/// SHA-256 values as lower-case hexadecimal. Where the row names a commit, the members commit_id, commit_author,
/// commit_subject and commit_time_ms tell its row of git_commit. `prev_hash` is the `hash` of the row before; that of
/// the first row is LogBeginning(). So no value of a row can change, and no row can go, come or move, without breaking
/// the chain; a column that a later layout adds is NULL in the rows before it and leaves their hashes as they are.
///
/// A row is about a token, or a notice: then it has no project, collection, token_id and state_after, its event is a
/// NoticeName(), and it has no more of an event than that.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "columns.h"
#include "event_columns.h"
#include "ports.h"
#include "schema.h"

namespace tokensync {

/// A row of git_commit.
struct CommitRow {
  std::string id;
  std::string author;
  std::string subject;
  std::int64_t time_ms = 0;
};

struct LogRow {
  std::int64_t seq = 0;
  std::int64_t time_ms = 0;
  std::int64_t pass = 0;
  std::optional<std::int64_t> project;
  std::optional<std::int64_t> collection;
  std::optional<std::string> token_id;
  std::string action;
  EventColumns event;
  std::optional<std::string> state_after;
  std::optional<Digest> digest;
  std::optional<Digest> other_digest;
  std::int64_t attempt = 0;
  std::optional<std::int64_t> commit_no;
  std::optional<std::string> signer;
  std::optional<std::string> actor;
  std::optional<std::string> path;
  std::int64_t line = 0;
  std::optional<std::int64_t> http_status;
  std::optional<std::string> error_name;
  std::optional<std::int64_t> error_code;
  std::optional<std::string> message;
  std::optional<std::string> cause;
  std::int64_t duration_ms = 0;
  std::optional<std::string> detail;
  Digest prev_hash;
  Digest hash;
  /// Of commit_no; set exactly where that is. Not a column of the log.
  std::optional<CommitRow> commit;
};

/// The prev_hash of the first row: whose log this is.
Digest LogBeginning(const std::string& endpoint, std::int64_t created_ms);

/// What `hash` has to be.
Digest HashOf(const LogRow& row);

/// The change or notice as a row, texts from outside made fit; seq, commit_no, commit and the hashes are left to the
/// caller.
LogRow ToLogRow(const Change& change);
LogRow ToLogRow(const Notice& notice);

/// Whether the row is about no token. Throws RowError where it names one by halves.
bool IsNotice(const LogRow& row);

/// The token that a row is about which is no notice. Throws RowError.
TokenKey KeyOf(const LogRow& row);

/// What a row tells, the commit excepted: the caller shares commits. Throw RowError, also where the row is of the other
/// kind.
LogRecord ToLogRecord(const LogRow& row);
Notice ToNotice(const LogRow& row);

/// "INSERT INTO log …" with a parameter for each column; to be used with BindLogRow.
std::string InsertLogRow();
/// The row outlives the execution.
void BindLogRow(SQLite::Statement& insert, const LogRow& row);

/// "SELECT … FROM log LEFT JOIN git_commit …", to be followed by conditions on log; to be used with ReadLogRow. For a
/// ledger of that layout: what its log lacks is read as NULL.
std::string SelectLogRows(std::int64_t layout = kLayoutOfNotices);
/// Throws RowError.
LogRow ReadLogRow(SQLite::Statement& query);

}  // namespace tokensync
