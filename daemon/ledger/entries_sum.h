/// A sum over all entries, kept beside the log's end. For this folder only.
///
/// SQLite has no checksums: a bit that flips in an entry's number, a page that comes from another copy (a WAL that was
/// left beside a restored file) or is zeroed would be read as it is, and a token that the ledger no longer knows would
/// be created again. Each transaction that changes entries changes the sum with them, and whoever reads all entries
/// compares. The order of the entries does not matter to it.
#pragma once

#include <array>
#include <cstdint>

#include "ports.h"

namespace SQLite {
class Database;
}

namespace tokensync {

class EntriesSum {
 public:
  EntriesSum() = default;
  explicit EntriesSum(const Digest& stored);

  /// None is no entry.
  void Add(const TokenKey& key, const EntryState& state);
  void Remove(const TokenKey& key, const EntryState& state);

  /// As it is stored.
  Digest Stored() const;

  bool operator==(const EntriesSum&) const = default;

 private:
  using Lanes = std::array<std::uint64_t, 4>;
  static Lanes LanesOf(const Digest& digest);

  Lanes lanes_{};
};

/// The sum that the last transaction left. Throws RowError.
EntriesSum ReadEntriesSum(SQLite::Database& database);

/// The sum of the entries as they are, for a ledger of a layout that had none. Throws RowError.
EntriesSum SumOfEntries(SQLite::Database& database);

/// What to say where the two differ.
inline constexpr const char* kEntriesDamaged =
    "its entries are not those that its last transaction left: the file is damaged, or a -wal file that is not its own "
    "lay beside it; keep it, and put a backup in its place";

}  // namespace tokensync
