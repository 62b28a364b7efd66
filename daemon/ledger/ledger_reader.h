/// Looking into a ledger, beside the daemon that writes it or without one: for `status`, `history`, `plan` and `audit`.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "ports.h"

namespace tokensync {

/// A row of the log that is about a token, as it is recorded.
struct StoredRecord {
  std::uint64_t seq = 0;  ///< from 1, without gaps over records and notices
  LogRecord record;
  std::string event;        ///< EventName()
  std::string state_after;  ///< StateName()
  Digest hash;              ///< of the row and, through it, of all rows before
};

/// A row of the log that is about the repository as a whole. Its event is NoticeName(notice.kind).
struct StoredNotice {
  std::uint64_t seq = 0;
  Notice notice;
  std::string action;  ///< "head" or "plan": what it is about
  Digest hash;
};

using StoredRow = std::variant<StoredRecord, StoredNotice>;

/// Which rows. All conditions hold at once; none: the whole log.
struct HistoryQuery {
  std::optional<TokenKey> token;             ///< of records; notices are about no token
  std::optional<std::string> commit_prefix;  ///< the first digits of a commit's id, lower case, or all of them
  std::optional<TimePoint> since;            ///< that time and later
  std::optional<std::uint64_t> limit;        ///< at most so many, the newest
};

/// Entries by state, and those of them that differ from git.
struct StateCounts {
  std::uint64_t pending = 0, submitting = 0, uncertain = 0, confirmed = 0, rejected = 0, conflicting = 0;
  /// Confirmed or conflicting entries with a Drift.
  std::uint64_t drifting = 0;
  /// Those for which Attention() has a line.
  std::uint64_t attention = 0;
  std::uint64_t Total() const { return pending + submitting + uncertain + confirmed + rejected + conflicting; }
};

/// An entry that somebody may want to look at, and the newest row of the log about it, which says why.
struct AttentionItem {
  LedgerEntry entry;
  std::optional<StoredRecord> last;
};

/// What checking the whole ledger gave.
struct ChainVerdict {
  std::uint64_t records = 0;  ///< rows of the log that hold, from the first on
  std::uint64_t entries = 0;  ///< entries that are what the log says
  struct Break {
    std::uint64_t seq = 0;        ///< the first record that does not hold; 0 where no record is to blame
    std::optional<TokenKey> key;  ///< the token, where the break is about one
    std::string what;             ///< "its hash does not fit its contents"
  };
  std::optional<Break> broken;
};

/// A connection that only reads. Each method sees one moment of the ledger, and never waits for the writer or holds it
/// up (but the WAL grows while a long reading is under way). Used by one thread at a time.
/// Every method throws LedgerError where the ledger cannot be read.
class LedgerReader {
 public:
  /// Whether there is a file of that name, whatever is in it. False also where the folder is not there.
  static bool Exists(const std::filesystem::path& path);

  /// Makes and changes nothing. Throws LedgerError: there is no ledger, or none of ours, or one of another layout than
  /// this program's, or one that this user cannot read.
  ///
  /// A ledger in a folder where this user cannot write is read as well, without SQLite's shared memory, as long as
  /// nobody has it open for writing. When a run starts during such a reading, that method throws and asks to be called
  /// anew.
  static std::unique_ptr<LedgerReader> Open(const std::filesystem::path& path);

  ~LedgerReader();
  LedgerReader(const LedgerReader&) = delete;
  LedgerReader& operator=(const LedgerReader&) = delete;

  /// As SqliteLedger has them; Payload() compares nothing.
  std::vector<LedgerEntry> Entries();
  std::optional<StoredPayload> Payload(const TokenKey& key);
  Checkpoint LoadCheckpoint();

  /// The source URL that the ledger follows.
  std::string SourceUrl();

  std::optional<PassRecord> LastPass();
  StateCounts CountByState();

  /// Entries that are pending, submitting, uncertain, rejected, conflicting or drifting, sorted by key, the first
  /// `limit`.
  std::vector<AttentionItem> Attention(std::uint64_t limit);

  /// Calls `visitor` with each row that the query names, newest last. Rows about one commit share their Commit.
  /// What the visitor throws ends the reading and comes out.
  void History(const HistoryQuery& query, const std::function<void(const StoredRow&)>& visitor);

  /// Recomputes the hash chain, folds the log into states, and compares these with the entries and the digests of their
  /// payloads; then has SQLite check the whole file. Reads everything; memory for every entry.
  /// A break is in the verdict; LedgerError is thrown only where the ledger cannot be read to its end.
  ChainVerdict VerifyChain();

 private:
  class Source;
  explicit LedgerReader(std::unique_ptr<Source> source);
  std::unique_ptr<Source> source_;
};

}  // namespace tokensync
