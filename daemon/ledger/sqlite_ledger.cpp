#include "sqlite_ledger.h"

#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>

#include <map>
#include <string_view>
#include <utility>
#include <variant>

#include "columns.h"
#include "entries_sum.h"
#include "entry_row.h"
#include "ledger_connection.h"
#include "ledger_file.h"
#include "ledger_mark.h"
#include "ledger_standing.h"
#include "log_row.h"
#include "pass_row.h"
#include "runner_lock.h"
#include "sha256.h"
#include "survey_rows.h"
#include "text_limits.h"

namespace tokensync {

namespace {

/// Commits whose row numbers are remembered.
constexpr std::size_t kCommitsRemembered = 4'096;

/// Aborts where the change breaks the contract of Record().
void DemandLawful(const EntryState& before, const Change& change) {
  Demand(Advance(before, change.event) == change.after,
         "a change whose state does not follow from the recorded one was to be recorded");
  if (CarriesPayload(change.event)) {
    Demand(change.payload || DigestOf(before) == DigestOf(change.after),
           "an event with a payload was to be recorded without it");
  } else {
    Demand(!change.payload, "a payload was to be recorded with an event that has none");
  }
}

}  // namespace

/// Members in the order in which they come to life: statements die before the connection, and that before the lock.
class SqliteLedger::Store {
 public:
  Store(const std::filesystem::path& path, const LedgerIdentity& identity)
      : lock_(path), mark_(path), connection_(OpenFile(path)), source_url_(identity.source_url) {
    AdoptLedgerFile(connection_, identity);
    connection_.Run("opening", [&] {
      standing_ = SettleStanding(connection_, mark_, identity.opened_at);
      end_ = MarkedEndOf(connection_);
      entries_sum_ = ReadEntriesSum(connection_.database());
      std::string recorded = RecordedSource(connection_);
      if (recorded != source_url_) previous_source_url_ = std::move(recorded);
      statements_.emplace(connection_.database());
    });
  }

  std::vector<LedgerEntry> Entries() {
    return connection_.Run("reading the entries of", [&] {
      std::vector<LedgerEntry> entries;
      EntriesSum sum;
      SQLite::Statement& query = statements_->entries;
      const StatementUse use(query);
      while (query.executeStep()) {
        entries.push_back(ReadEntry(query));
        sum.Add(entries.back().key, entries.back().state);
      }
      if (sum != entries_sum_) connection_.Refuse("reading the entries of", kEntriesDamaged);
      return entries;
    });
  }

  void Record(std::span<const Change> changes) {
    if (changes.empty()) return;
    Transact(fmt::format("recording {} changes in", changes.size()), [&] {
      for (const Change& change : changes) RecordOne(change);
    });
  }

  std::optional<StoredPayload> Payload(const TokenKey& key) {
    return connection_.Run("reading a payload of", [&]() -> std::optional<StoredPayload> {
      SQLite::Statement& query = statements_->payload;
      const StatementUse use(query);
      BindKey(query, 1, key);
      if (!query.executeStep()) return std::nullopt;
      StoredPayload payload{ColumnAs<std::string>(query, 0), ColumnAs<std::int64_t>(query, 1) != 0};
      if (DigestOf(StateNow(key)) != PayloadDigest(payload.payload, payload.is_private)) {
        connection_.Refuse("reading a payload of",
                           fmt::format("that of {} is not the one that was recorded; the file is damaged; keep it, "
                                       "and put a backup in its place",
                                       key.Text()));
      }
      return payload;
    });
  }

  Checkpoint LoadCheckpoint() {
    return connection_.Run("reading the checkpoint of", [&] { return ReadCheckpoint(connection_.database()); });
  }

  void SaveCheckpoint(const Checkpoint& checkpoint, const PassRecord* pass, std::span<const Notice> notices) {
    SurveyRows after = SurveyRows::Of(checkpoint);
    Transact("recording a pass in", [&] {
      WriteCheckpoint(statements_->checkpoint, checkpoint);
      // Forgotten until the commit: after a failure nobody knows what is there.
      const SurveyRows before =
          surveys_ ? *std::exchange(surveys_, std::nullopt) : ReadSurveyRows(connection_.database());
      statements_->surveys.Write(before, after);
      if (pass != nullptr) {
        WritePass(statements_->pass, *pass);
        ForgetPasses(statements_->old_passes, pass->pass);
      }
      for (const Notice& notice : notices) AppendToLog(ToLogRow(notice), notice.commit);
    });
    surveys_ = std::move(after);
  }

  LedgerStanding standing() const { return standing_; }
  const std::optional<std::string>& previous_source_url() const { return previous_source_url_; }

  void FollowSource() {
    if (!previous_source_url_) return;
    connection_.Run("noting the source of", [&] {
      SQLite::Statement update(connection_.database(), "UPDATE runner SET source_url = ?");
      BindColumn(update, 1, source_url_);
      update.exec();
    });
    previous_source_url_.reset();
  }

 private:
  struct Statements {
    explicit Statements(SQLite::Database& database)
        : entries(database,
                  fmt::format("SELECT {} FROM entry ORDER BY project, collection, token_len, token_id", kEntryColumns)),
          entry(database, fmt::format("SELECT {} FROM entry WHERE project = ? AND collection = ? AND token_len = ? AND "
                                      "token_id = ?",
                                      kEntryColumns)),
          upsert_entry(database, kUpsertEntry),
          delete_entry(database,
                       "DELETE FROM entry WHERE project = ? AND collection = ? AND token_len = ? AND token_id = ?"),
          payload(database,
                  "SELECT payload, is_private FROM payload WHERE project = ? AND collection = ? AND token_len = ? AND "
                  "token_id = ?"),
          upsert_payload(database,
                         "INSERT INTO payload (project, collection, token_len, token_id, payload, is_private) "
                         "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET payload = excluded.payload, "
                         "is_private = excluded.is_private"),
          insert_log(database, InsertLogRow()),
          log_head(database, "UPDATE log_head SET seq = ?, hash = ?, entries_sum = ?"),
          insert_commit(database,
                        "INSERT INTO git_commit (id, author, subject, time_ms) VALUES (?, ?, ?, ?) "
                        "ON CONFLICT (id) DO NOTHING"),
          commit(database, "SELECT commit_no, id, author, subject, time_ms FROM git_commit WHERE id = ?"),
          checkpoint(database, kUpdateCheckpoint),
          pass(database, kUpsertPass),
          old_passes(database, kDeleteOldPasses),
          surveys(database) {}

    SQLite::Statement entries, entry, upsert_entry, delete_entry, payload, upsert_payload, insert_log, log_head,
        insert_commit, commit, checkpoint, pass, old_passes;
    SurveyWriter surveys;
  };

  struct NumberedCommit {
    std::int64_t number = 0;
    CommitRow row;
  };

  static LedgerConnection OpenFile(const std::filesystem::path& path) {
    MakeLedgerFile(path);
    return LedgerConnection(path, LedgerConnection::Access::kWrite);
  }

  /// One transaction with all that the step does, and the note of the log's end where that moved.
  template <class Step>
  void Transact(std::string_view doing, Step&& step) {
    const MarkedEnd end_before = end_;
    const EntriesSum sum_before = entries_sum_;
    try {
      connection_.Run(doing, [&] {
        SQLite::Transaction transaction(connection_.database(), SQLite::TransactionBehavior::IMMEDIATE);
        step();
        if (end_ != end_before) SaveLogHead();
        transaction.commit();
      });
    } catch (...) {
      end_ = end_before;
      entries_sum_ = sum_before;
      commits_.clear();  // what was inserted is rolled back
      throw;
    }
    if (end_ != end_before) mark_.Write(end_);
  }

  EntryState StateNow(const TokenKey& key) {
    SQLite::Statement& query = statements_->entry;
    const StatementUse use(query);
    BindKey(query, 1, key);
    return query.executeStep() ? ReadEntry(query).state : EntryState(None{});
  }

  void RecordOne(const Change& change) {
    const TokenKey& key = change.record.key;
    const EntryState before = StateNow(key);
    DemandLawful(before, change);
    AppendToLog(ToLogRow(change), change.record.commit);
    entries_sum_.Remove(key, before);
    entries_sum_.Add(key, change.after);
    if (std::holds_alternative<None>(change.after)) {
      DeleteEntry(key);
      return;
    }
    WriteEntry(statements_->upsert_entry, key, change.after);
    if (change.payload) WritePayload(key, *change.payload, change.is_private);
  }

  void AppendToLog(LogRow row, const std::shared_ptr<const Commit>& about) {
    row.seq = end_.seq + 1;
    row.prev_hash = end_.hash;
    if (about) {
      const NumberedCommit& commit = CommitFor(*about);
      row.commit_no = commit.number;
      row.commit = commit.row;
    }
    row.hash = HashOf(row);
    SQLite::Statement& insert = statements_->insert_log;
    const StatementUse use(insert);
    BindLogRow(insert, row);
    insert.exec();
    end_.seq = row.seq;
    end_.hash = row.hash;
  }

  /// The commit as it is recorded; a commit that is known keeps the texts of the first time.
  const NumberedCommit& CommitFor(const Commit& commit) {
    if (const auto it = commits_.find(commit.id.hex); it != commits_.end()) return it->second;
    if (commits_.size() >= kCommitsRemembered) commits_.clear();
    const std::string author = FitText(commit.author, kNameBytesMax);
    const std::string subject = FitText(commit.subject, kNameBytesMax);
    SQLite::Statement& insert = statements_->insert_commit;
    const StatementUse insert_use(insert);
    BindColumn(insert, 1, commit.id.hex);
    BindColumn(insert, 2, author);
    BindColumn(insert, 3, subject);
    BindColumn(insert, 4, ToMs(commit.time));
    insert.exec();
    SQLite::Statement& query = statements_->commit;
    const StatementUse query_use(query);
    BindColumn(query, 1, commit.id.hex);
    if (!query.executeStep()) throw RowError("commit_no is missing");
    NumberedCommit numbered;
    ReadColumn(query, 0, numbered.number);
    ReadColumn(query, 1, numbered.row.id);
    ReadColumn(query, 2, numbered.row.author);
    ReadColumn(query, 3, numbered.row.subject);
    ReadColumn(query, 4, numbered.row.time_ms);
    return commits_.emplace(commit.id.hex, std::move(numbered)).first->second;
  }

  void DeleteEntry(const TokenKey& key) {
    SQLite::Statement& statement = statements_->delete_entry;
    const StatementUse use(statement);
    BindKey(statement, 1, key);
    statement.exec();
  }

  void WritePayload(const TokenKey& key, const std::string& payload, bool is_private) {
    SQLite::Statement& statement = statements_->upsert_payload;
    const StatementUse use(statement);
    BindKey(statement, 1, key);
    BindColumn(statement, 5, payload);
    BindColumn(statement, 6, is_private ? 1 : 0);
    statement.exec();
  }

  void SaveLogHead() {
    SQLite::Statement& statement = statements_->log_head;
    const Digest sum = entries_sum_.Stored();
    const StatementUse use(statement);
    BindColumn(statement, 1, end_.seq);
    BindColumn(statement, 2, end_.hash);
    BindColumn(statement, 3, sum);
    statement.exec();
  }

  RunnerLock lock_;
  LedgerMark mark_;
  LedgerConnection connection_;
  const std::string source_url_;
  std::optional<std::string> previous_source_url_;
  LedgerStanding standing_ = LedgerStanding::kNew;
  std::optional<Statements> statements_;
  MarkedEnd end_;
  EntriesSum entries_sum_;
  std::optional<SurveyRows> surveys_;  // as they are in the ledger, where that is known
  std::map<std::string, NumberedCommit> commits_;
};

std::unique_ptr<SqliteLedger> SqliteLedger::Open(const std::filesystem::path& path, const LedgerIdentity& identity) {
  return std::unique_ptr<SqliteLedger>(new SqliteLedger(std::make_unique<Store>(ResolveLedgerPath(path), identity)));
}

SqliteLedger::SqliteLedger(std::unique_ptr<Store> store) : store_(std::move(store)) {}
SqliteLedger::~SqliteLedger() = default;

std::vector<LedgerEntry> SqliteLedger::Entries() {
  return store_->Entries();
}

void SqliteLedger::Record(std::span<const Change> changes) {
  store_->Record(changes);
}

std::optional<StoredPayload> SqliteLedger::Payload(const TokenKey& key) {
  return store_->Payload(key);
}

Checkpoint SqliteLedger::LoadCheckpoint() {
  return store_->LoadCheckpoint();
}

void SqliteLedger::SaveCheckpoint(const Checkpoint& checkpoint, const PassRecord* pass,
                                  std::span<const Notice> notices) {
  store_->SaveCheckpoint(checkpoint, pass, notices);
}

LedgerStanding SqliteLedger::standing() const {
  return store_->standing();
}

void SqliteLedger::FollowSource() {
  store_->FollowSource();
}

const std::optional<std::string>& SqliteLedger::previous_source_url() const {
  return store_->previous_source_url();
}

}  // namespace tokensync
