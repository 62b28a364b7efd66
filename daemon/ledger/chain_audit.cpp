#include "chain_audit.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>

#include <map>
#include <utility>

#include "columns.h"
#include "entries_sum.h"
#include "entry_row.h"
#include "log_row.h"
#include "sha256.h"

namespace tokensync {

namespace {

/// What the rows about a token make of it.
struct Folded {
  EntryState state = None{};
  std::uint64_t seq = 0;  ///< of the newest record about it
};

class Audit {
 public:
  explicit Audit(SQLite::Database& database) : database_(database) {}

  ChainVerdict Run() {
    if (Log() && LogEnd() && Entries() && Payloads()) File();
    return std::move(verdict_);
  }

 private:
  bool Break(std::uint64_t seq, std::optional<TokenKey> key, std::string what) {
    verdict_.broken = ChainVerdict::Break{seq, std::move(key), std::move(what)};
    return false;
  }

  bool Log() {
    SQLite::Statement runner(database_, "SELECT endpoint, created_ms FROM runner");
    try {
      if (!runner.executeStep()) return Break(0, std::nullopt, "the note of the ledger's identity is gone");
      last_hash_ = LogBeginning(ColumnAs<std::string>(runner, 0), ColumnAs<std::int64_t>(runner, 1));
    } catch (const RowError& error) {
      return Break(0, std::nullopt, fmt::format("of the note of the ledger's identity, {}", error.what()));
    }
    SQLite::Statement rows(database_, SelectLogRows() + " ORDER BY log.seq");
    while (rows.executeStep()) {
      if (!Record(rows)) return false;
      ++verdict_.records;
    }
    return true;
  }

  bool Record(SQLite::Statement& rows) {
    const std::uint64_t expected = verdict_.records + 1;
    std::optional<TokenKey> key;
    try {
      const LogRow row = ReadLogRow(rows);
      if (row.seq != static_cast<std::int64_t>(expected)) {
        return Break(expected, std::nullopt, fmt::format("it is missing; the next one is {}", row.seq));
      }
      const bool is_notice = IsNotice(row);
      if (!is_notice) key = KeyOf(row);
      if (HashOf(row) != row.hash) return Break(expected, key, "its hash does not fit its contents");
      if (row.prev_hash != last_hash_) {
        return Break(expected, key,
                     expected == 1 ? "it does not follow the beginning of this ledger"
                                   : fmt::format("it does not follow record {}", expected - 1));
      }
      last_hash_ = row.hash;
      if (!is_notice) return Fold(row, *key);
      ToNotice(row);
      return true;
    } catch (const RowError& error) {
      return Break(expected, key, error.what());
    }
  }

  bool Fold(const LogRow& row, const TokenKey& key) {
    const std::uint64_t seq = verdict_.records + 1;
    Folded& folded = fold_[key];
    const std::optional<EntryState> after = Advance(folded.state, FromColumns(row.event));
    if (!after) {
      return Break(seq, key,
                   fmt::format("{} cannot happen to a token that is {}", row.event.event, StateName(folded.state)));
    }
    if (StateName(*after) != *row.state_after) {
      return Break(seq, key, fmt::format("it makes the token {}, and says {}", StateName(*after), *row.state_after));
    }
    folded = Folded{*after, seq};
    return true;
  }

  bool LogEnd() {
    SQLite::Statement head(database_, "SELECT seq, hash FROM log_head");
    try {
      if (!head.executeStep()) return Break(0, std::nullopt, "the note of the log's end is gone");
      const auto seq = ToUint64(ColumnAs<std::int64_t>(head, 0), "seq");
      if (seq > verdict_.records) {
        return Break(verdict_.records + 1, std::nullopt, fmt::format("it is missing, with all after it up to {}", seq));
      }
      if (seq < verdict_.records) return Break(seq + 1, std::nullopt, fmt::format("the log ended with record {}", seq));
      if (ColumnAs<Digest>(head, 1) != last_hash_) return Break(seq, std::nullopt, "the log ended with another hash");
      return true;
    } catch (const RowError& error) {
      return Break(0, std::nullopt, fmt::format("of the note of the log's end, {}", error.what()));
    }
  }

  bool Entries() {
    SQLite::Statement rows(database_, fmt::format("SELECT {} FROM entry", kEntryColumns));
    EntriesSum sum;
    while (rows.executeStep()) {
      try {
        const LedgerEntry entry = ReadEntry(rows);
        sum.Add(entry.key, entry.state);
        const auto it = fold_.find(entry.key);
        const Folded logged = it == fold_.end() ? Folded{} : it->second;
        if (entry.state != logged.state) {
          return Break(logged.seq, entry.key,
                       fmt::format("the entry is {}{}, and the log makes it {}", StateName(entry.state),
                                   entry.state.index() == logged.state.index() ? " with other values" : "",
                                   StateName(logged.state)));
        }
      } catch (const RowError& error) {
        return Break(0, std::nullopt, fmt::format("in the table entry, {}", error.what()));
      }
      ++verdict_.entries;
    }
    std::uint64_t expected = 0;
    for (const auto& [key, folded] : fold_) expected += std::holds_alternative<None>(folded.state) ? 0 : 1;
    return expected == verdict_.entries ? Sum(sum) : MissingEntry();
  }

  bool Sum(const EntriesSum& sum) {
    try {
      return ReadEntriesSum(database_) == sum || Break(0, std::nullopt, "the sum over the entries is not theirs");
    } catch (const RowError& error) {
      return Break(0, std::nullopt, fmt::format("of the note of the log's end, {}", error.what()));
    }
  }

  bool MissingEntry() {
    SQLite::Statement row(
        database_, "SELECT 1 FROM entry WHERE project = ? AND collection = ? AND token_len = ? AND token_id = ?");
    for (const auto& [key, folded] : fold_) {
      if (std::holds_alternative<None>(folded.state)) continue;
      const StatementUse use(row);
      BindKey(row, 1, key);
      if (!row.executeStep()) {
        return Break(folded.seq, key,
                     fmt::format("the entry is missing, and the log makes it {}", StateName(folded.state)));
      }
    }
    return Break(0, std::nullopt, "the table entry has more or fewer rows than the log makes");
  }

  /// Payloads are not in the log, but the digests of what was sent are.
  bool Payloads() {
    SQLite::Statement rows(database_, "SELECT project, collection, token_id, payload, is_private FROM payload");
    std::uint64_t payloads = 0;
    while (rows.executeStep()) {
      try {
        const TokenKey key = ToTokenKey(ColumnAs<std::int64_t>(rows, 0), ColumnAs<std::int64_t>(rows, 1),
                                        ColumnAs<std::string>(rows, 2));
        const auto it = fold_.find(key);
        const Folded logged = it == fold_.end() ? Folded{} : it->second;
        const Digest digest = PayloadDigest(ColumnAs<std::string>(rows, 3), ColumnAs<std::int64_t>(rows, 4) != 0);
        if (DigestOf(logged.state) != digest) return Break(logged.seq, key, "the payload is not the one that was sent");
      } catch (const RowError& error) {
        return Break(0, std::nullopt, fmt::format("in the table payload, {}", error.what()));
      }
      ++payloads;
    }
    return payloads == verdict_.entries ||
           Break(0, std::nullopt, fmt::format("there are {} payloads for {} entries", payloads, verdict_.entries));
  }

  bool File() {
    SQLite::Statement check(database_, "PRAGMA integrity_check(1)");
    check.executeStep();
    const std::string finding = check.getColumn(0).getString();
    return finding == "ok" || Break(0, std::nullopt, fmt::format("the file is damaged: {}", finding));
  }

  SQLite::Database& database_;
  ChainVerdict verdict_;
  Digest last_hash_;
  std::map<TokenKey, Folded> fold_;
};

}  // namespace

ChainVerdict AuditChain(SQLite::Database& database) {
  return Audit(database).Run();
}

}  // namespace tokensync
