#include "ledger_reader.h"

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>

#include <map>
#include <utility>

#include "chain_audit.h"
#include "columns.h"
#include "entries_sum.h"
#include "entry_row.h"
#include "ledger_connection.h"
#include "ledger_file.h"
#include "log_row.h"
#include "pass_row.h"

namespace tokensync {

namespace {

/// Commits that are shared between records.
constexpr std::size_t kCommitsShared = 4'096;

constexpr const char* kNeedsAttention = "(state <> 'confirmed' OR drift IS NOT NULL)";

std::int64_t ClampedLimit(std::uint64_t limit) {
  return limit > kSafeIntegerMax ? static_cast<std::int64_t>(kSafeIntegerMax) : static_cast<std::int64_t>(limit);
}

/// Rows to records and notices, with one Commit for all rows of a commit.
class RowTeller {
 public:
  StoredRow Tell(const LogRow& row) { return IsNotice(row) ? StoredRow(TellNotice(row)) : StoredRow(TellRecord(row)); }

  StoredRecord TellRecord(const LogRow& row) {
    StoredRecord stored{.seq = ToUint64(row.seq, "seq"),
                        .record = ToLogRecord(row),
                        .event = row.event.event,
                        .state_after = *row.state_after,
                        .hash = row.hash};
    stored.record.commit = Share(row);
    return stored;
  }

 private:
  StoredNotice TellNotice(const LogRow& row) {
    StoredNotice stored{
        .seq = ToUint64(row.seq, "seq"), .notice = ToNotice(row), .action = row.action, .hash = row.hash};
    stored.notice.commit = Share(row);
    return stored;
  }

  std::shared_ptr<const Commit> Share(const LogRow& row) {
    if (!row.commit) return nullptr;
    if (const auto it = commits_.find(*row.commit_no); it != commits_.end()) return it->second;
    if (commits_.size() >= kCommitsShared) commits_.clear();
    auto commit = std::make_shared<const Commit>(Commit{.id = {row.commit->id},
                                                        .author = row.commit->author,
                                                        .subject = row.commit->subject,
                                                        .time = FromMs(row.commit->time_ms)});
    return commits_.emplace(*row.commit_no, std::move(commit)).first->second;
  }

  std::map<std::int64_t, std::shared_ptr<const Commit>> commits_;
};

/// A query's conditions as SQL, and its values.
class Conditions {
 public:
  explicit Conditions(const HistoryQuery& query) : query_(query) {
    if (query.token) Add("log.project = :project AND log.collection = :collection AND log.token_id = :token_id");
    if (query.commit_prefix) {
      Add("log.commit_no IN (SELECT commit_no FROM git_commit WHERE id >= :commit AND id < :commit || 'g')");
    }
    if (query.since) Add("log.time_ms >= :since");
  }

  const std::string& sql() const { return sql_; }
  void Add(const char* condition) { sql_ += (sql_.empty() ? " WHERE " : " AND ") + std::string(condition); }

  void Bind(SQLite::Statement& statement) const {
    if (query_.token) {
      statement.bind(":project", FromUint64(query_.token->project.value));
      statement.bind(":collection", FromUint64(query_.token->collection.value));
      statement.bind(":token_id", query_.token->token.text());
    }
    if (query_.commit_prefix) statement.bind(":commit", *query_.commit_prefix);
    if (query_.since) statement.bind(":since", ToMs(*query_.since));
  }

 private:
  const HistoryQuery& query_;
  std::string sql_;
};

}  // namespace

class LedgerReader::Source {
 public:
  explicit Source(const std::filesystem::path& path) : connection_(path, LedgerConnection::Access::kRead) {
    CheckLedgerFile(connection_);
    connection_.Settle();
  }

  /// A step that sees one moment of the ledger.
  template <class Step>
  auto Read(std::string_view doing, Step&& step) {
    auto result = connection_.Run(doing, [&] {
      const SQLite::Transaction moment(connection_.database());
      return step(connection_.database());
    });
    connection_.Settle();
    return result;
  }

  [[noreturn]] void Refuse(std::string_view doing, std::string_view why) const { connection_.Refuse(doing, why); }

 private:
  LedgerConnection connection_;
};

bool LedgerReader::Exists(const std::filesystem::path& path) {
  std::error_code error;
  return std::filesystem::exists(path, error);
}

std::unique_ptr<LedgerReader> LedgerReader::Open(const std::filesystem::path& path) {
  const std::filesystem::path resolved = ResolveLedgerPath(path);
  std::error_code error;
  if (!std::filesystem::exists(resolved, error)) {
    throw LedgerError(
        fmt::format("reading the ledger {}: there is none; `tokensyncd sync` or `run` makes it", path.string()));
  }
  return std::unique_ptr<LedgerReader>(new LedgerReader(std::make_unique<Source>(resolved)));
}

LedgerReader::LedgerReader(std::unique_ptr<Source> source) : source_(std::move(source)) {}
LedgerReader::~LedgerReader() = default;

std::vector<LedgerEntry> LedgerReader::Entries() {
  bool whole = false;
  auto found = source_->Read("reading the entries of", [&](SQLite::Database& database) {
    SQLite::Statement query(
        database, fmt::format("SELECT {} FROM entry ORDER BY project, collection, token_len, token_id", kEntryColumns));
    std::vector<LedgerEntry> entries;
    EntriesSum sum;
    while (query.executeStep()) {
      entries.push_back(ReadEntry(query));
      sum.Add(entries.back().key, entries.back().state);
    }
    whole = sum == ReadEntriesSum(database);
    return entries;
  });
  if (!whole) source_->Refuse("reading the entries of", kEntriesDamaged);
  return found;
}

std::optional<StoredPayload> LedgerReader::Payload(const TokenKey& key) {
  return source_->Read("reading a payload of", [&](SQLite::Database& database) -> std::optional<StoredPayload> {
    SQLite::Statement query(database,
                            "SELECT payload, is_private FROM payload WHERE project = ? AND collection = ? AND "
                            "token_len = ? AND token_id = ?");
    BindKey(query, 1, key);
    if (!query.executeStep()) return std::nullopt;
    return StoredPayload{ColumnAs<std::string>(query, 0), ColumnAs<std::int64_t>(query, 1) != 0};
  });
}

Checkpoint LedgerReader::LoadCheckpoint() {
  return source_->Read("reading the checkpoint of", ReadCheckpoint);
}

std::string LedgerReader::SourceUrl() {
  return source_->Read("reading", [](SQLite::Database& database) {
    SQLite::Statement query(database, "SELECT source_url FROM runner");
    if (!query.executeStep()) throw RowError("id, 1, is missing from the table runner");
    return ColumnAs<std::string>(query, 0);
  });
}

std::optional<PassRecord> LedgerReader::LastPass() {
  return source_->Read("reading the last pass of", ReadLastPass);
}

StateCounts LedgerReader::CountByState() {
  return source_->Read("counting the entries of", [](SQLite::Database& database) {
    SQLite::Statement query(database, "SELECT state, drift IS NOT NULL, count(*) FROM entry GROUP BY 1, 2");
    StateCounts counts;
    const std::map<std::string, std::uint64_t*> by_name = {
        {"pending", &counts.pending},     {"submitting", &counts.submitting}, {"uncertain", &counts.uncertain},
        {"confirmed", &counts.confirmed}, {"rejected", &counts.rejected},     {"conflicting", &counts.conflicting}};
    while (query.executeStep()) {
      const auto name = ColumnAs<std::string>(query, 0);
      const bool drifting = ColumnAs<std::int64_t>(query, 1) != 0;
      const std::uint64_t count = ToUint64(ColumnAs<std::int64_t>(query, 2), "count");
      const auto it = by_name.find(name);
      if (it == by_name.end()) throw RowError("state is unknown");
      *it->second += count;
      if (drifting) counts.drifting += count;
      if (drifting || name != "confirmed") counts.attention += count;
    }
    return counts;
  });
}

std::vector<AttentionItem> LedgerReader::Attention(std::uint64_t limit) {
  return source_->Read("reading the entries of", [&](SQLite::Database& database) {
    SQLite::Statement entries(database, fmt::format("SELECT {} FROM entry WHERE {} "
                                                    "ORDER BY project, collection, token_len, token_id LIMIT ?",
                                                    kEntryColumns, kNeedsAttention));
    SQLite::Statement last(database, SelectLogRows() +
                                         " WHERE log.project = ? AND log.collection = ? AND log.token_id = ? "
                                         "ORDER BY log.seq DESC LIMIT 1");
    BindColumn(entries, 1, ClampedLimit(limit));
    std::vector<AttentionItem> items;
    RowTeller teller;
    while (entries.executeStep()) {
      AttentionItem item{.entry = ReadEntry(entries), .last = std::nullopt};
      const StatementUse use(last);
      BindColumn(last, 1, FromUint64(item.entry.key.project.value));
      BindColumn(last, 2, FromUint64(item.entry.key.collection.value));
      BindColumn(last, 3, item.entry.key.token.text());
      if (last.executeStep()) item.last = teller.TellRecord(ReadLogRow(last));
      items.push_back(std::move(item));
    }
    return items;
  });
}

void LedgerReader::History(const HistoryQuery& query, const std::function<void(const StoredRow&)>& visitor) {
  source_->Read("reading the history of", [&](SQLite::Database& database) {
    Conditions conditions(query);
    // The row numbers alone first, from an index; then rows in the log's own order, one at a time.
    std::optional<std::int64_t> first;
    if (query.limit) {
      SQLite::Statement oldest(database,
                               fmt::format("SELECT min(seq) FROM (SELECT seq FROM log{} ORDER BY seq DESC LIMIT "
                                           ":limit)",
                                           conditions.sql()));
      conditions.Bind(oldest);
      oldest.bind(":limit", ClampedLimit(*query.limit));
      oldest.executeStep();
      first = ColumnAs<std::optional<std::int64_t>>(oldest, 0);
      if (!first) return true;
      conditions.Add("log.seq >= :first");
    }
    SQLite::Statement rows(database, SelectLogRows() + conditions.sql() + " ORDER BY log.seq");
    conditions.Bind(rows);
    if (first) rows.bind(":first", *first);
    RowTeller teller;
    while (rows.executeStep()) visitor(teller.Tell(ReadLogRow(rows)));
    return true;
  });
}

ChainVerdict LedgerReader::VerifyChain() {
  return source_->Read("checking", [](SQLite::Database& database) { return AuditChain(database); });
}

}  // namespace tokensync
