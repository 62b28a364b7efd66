/// The ledger as an SQLite database.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ports.h"

namespace tokensync {

/// Whose ledger it is, and who opens it. None of it may hold a secret.
struct LedgerIdentity {
  std::string endpoint;         ///< api.endpoint: a ledger tells what exists at this service, and at no other
  std::string source_url;       ///< source.url
  std::string program_version;  ///< of this program
  TimePoint opened_at;          ///< now: noted with a layout that is made or renewed
};

/// How a ledger that was opened stands to the one that ran last, which the file `<ledger>.mark` tells of.
enum class LedgerStanding {
  kContinued,  ///< it is that one
  kNew,        ///< nothing ran here before
  // All others are distrusted: they may know less than the service holds.
  kLost,         ///< a ledger ran here before and is gone; this one is empty
  kOlderCopy,    ///< it ends before that one did
  kOtherBranch,  ///< it does not have that one's last record
  kCopied,       ///< it has all of that one's records, but is another file, or was put back a second time
  kUnmarked      ///< there is no mark, or no readable one, beside a ledger with a past
};

inline bool IsDistrusted(LedgerStanding standing) {
  return standing != LedgerStanding::kContinued && standing != LedgerStanding::kNew;
}

/// Ledger (see ports.h) over one SQLite file, in WAL mode with synchronous=FULL.
///
/// One object for a file at a time, over all processes: it holds a lock on `<path>.lock` while it lives. LedgerReader
/// reads beside it. Texts from outside are cut to the limits of text_limits.h and made valid UTF-8.
///
/// Where the disk fails in the very moment of a commit, nobody can know whether the commit reached it: Record throws,
/// and the next Open finds all of the changes or none. So it is where the mark cannot be written after a commit. In
/// every other failure none of them is there.
class SqliteLedger final : public Ledger {
 public:
  /// Opens the ledger, or makes one, readable for its owner only, where the file is not there or empty; its folder must
  /// be there. A ledger of an older layout is brought to this program's.
  ///
  /// A ledger that is not the one that ran last (see standing()) loses its surveys, and its checkpoint says
  /// `distrusted_since`, before anybody can trust it; of such a one SQLite checks the whole file.
  ///
  /// Throws LedgerError, and has changed nothing then: no folder, no right to write, a lock held by another process,
  /// a file that is no database, or another program's, or damaged as far as a quick look shows, a layout newer than
  /// this program's or altered by hand, another service's ledger, a mark that cannot be written.
  ///
  /// The quick look: the file's length, its tables' definitions, the last row of the log with its hash. Checking every
  /// page would make each start cost seconds for a million entries; Entries() reads that whole table anyway and
  /// compares it with its sum, a damaged page elsewhere throws when it is read, Payload() compares digests, and
  /// LedgerReader::VerifyChain() reads them all.
  static std::unique_ptr<SqliteLedger> Open(const std::filesystem::path& path, const LedgerIdentity& identity);

  ~SqliteLedger() override;

  /// Throws LedgerError also where the entries are not those that the last Record left (see entries_sum.h).
  std::vector<LedgerEntry> Entries() override;

  /// A programmer's error: a change whose `after` is not what Advance() makes of the recorded state; a payload with any
  /// event but CreateIntended, ConflictReopened, TokenAdopted and TokenFound; none with one of these, unless it is
  /// about the digest that the entry has already, whose payload stays. An entry that ends in None takes its payload
  /// along.
  void Record(std::span<const Change> changes) override;

  /// Throws LedgerError also where the payload does not have the digest of its entry.
  std::optional<StoredPayload> Payload(const TokenKey& key) override;
  Checkpoint LoadCheckpoint() override;

  /// Keeps the newest 10,000 passes. A pass that is saved again replaces itself.
  ///
  /// Notices become rows of the log, one chain with the changes. The texts of `held` and `refused` are cut as well:
  /// what LoadCheckpoint() gives then is the cut one.
  void SaveCheckpoint(const Checkpoint& checkpoint, const PassRecord* pass,
                      std::span<const Notice> notices = {}) override;

  LedgerStanding standing() const;

  /// The source URL that the ledger follows, where this Open gave another one; nothing after FollowSource.
  const std::optional<std::string>& previous_source_url() const;

  /// From now on the ledger follows the source that this Open gave.
  void FollowSource();

 private:
  class Store;
  explicit SqliteLedger(std::unique_ptr<Store> store);
  std::unique_ptr<Store> store_;
};

}  // namespace tokensync
