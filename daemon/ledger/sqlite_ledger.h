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

/// Ledger (see ports.h) over one SQLite file, in WAL mode with synchronous=FULL.
///
/// One object for a file at a time, over all processes: it holds a lock on `<path>.lock` while it lives. LedgerReader
/// reads beside it. Texts from outside are cut to the limits of text_limits.h and made valid UTF-8.
///
/// Where the disk fails in the very moment of a commit, nobody can know whether the commit reached it: Record throws,
/// and the next Open finds all of the changes or none. In every other failure none of them is there.
class SqliteLedger final : public Ledger {
 public:
  /// Opens the ledger, or makes one, readable for its owner only, where the file is not there or empty; its folder must
  /// be there. A ledger of an older layout is brought to this program's. A new source URL is noted.
  ///
  /// Throws LedgerError, and has changed nothing then: no folder, no right to write, a lock held by another process,
  /// a file that is no database, or another program's, or damaged as far as a quick look shows, a layout newer than
  /// this program's or altered by hand, another service's ledger.
  ///
  /// The quick look: the file's length, its tables' definitions, the last row of the log with its hash. Checking every
  /// page would make each start cost seconds for a million entries; Entries() reads that whole table anyway, a damaged
  /// page elsewhere throws when it is read, and LedgerReader::VerifyChain() reads them all.
  static std::unique_ptr<SqliteLedger> Open(const std::filesystem::path& path, const LedgerIdentity& identity);

  ~SqliteLedger() override;

  std::vector<LedgerEntry> Entries() override;

  /// A programmer's error: a change whose `after` is not what Advance() makes of the recorded state; a payload with any
  /// event but CreateIntended and ConflictReopened; none with one of these, unless it is about the digest that the
  /// entry has already, whose payload stays. An entry that ends in None takes its payload along.
  void Record(std::span<const Change> changes) override;

  std::optional<StoredPayload> Payload(const TokenKey& key) override;
  Checkpoint LoadCheckpoint() override;

  /// Keeps the newest 10,000 passes. A pass that is saved again replaces itself.
  void SaveCheckpoint(const Checkpoint& checkpoint, const PassRecord* pass) override;

  /// The source URL of the runs before, where this Open gave another one.
  const std::optional<std::string>& previous_source_url() const;

 private:
  class Store;
  explicit SqliteLedger(std::unique_ptr<Store> store);
  std::unique_ptr<Store> store_;
};

}  // namespace tokensync
