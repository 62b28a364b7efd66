#include "entries_sum.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>

#include <variant>

#include "columns.h"
#include "entry_row.h"
#include "sha256.h"

namespace tokensync {

EntriesSum::EntriesSum(const Digest& stored) : lanes_(LanesOf(stored)) {}

EntriesSum::Lanes EntriesSum::LanesOf(const Digest& digest) {
  Lanes lanes{};
  for (std::size_t at = 0; at < digest.bytes.size(); ++at) {
    lanes[at / 8] = lanes[at / 8] << 8U | digest.bytes[at];
  }
  return lanes;
}

void EntriesSum::Add(const TokenKey& key, const EntryState& state) {
  if (std::holds_alternative<None>(state)) return;
  const Lanes term = LanesOf(Sha256(EntryBytes(key, state)));
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) lanes_[lane] += term[lane];
}

void EntriesSum::Remove(const TokenKey& key, const EntryState& state) {
  if (std::holds_alternative<None>(state)) return;
  const Lanes term = LanesOf(Sha256(EntryBytes(key, state)));
  for (std::size_t lane = 0; lane < lanes_.size(); ++lane) lanes_[lane] -= term[lane];
}

Digest EntriesSum::Stored() const {
  Digest digest;
  for (std::size_t at = 0; at < digest.bytes.size(); ++at) {
    digest.bytes[at] = static_cast<std::uint8_t>(lanes_[at / 8] >> (56 - 8 * (at % 8)) & 0xFFU);
  }
  return digest;
}

EntriesSum ReadEntriesSum(SQLite::Database& database) {
  SQLite::Statement query(database, "SELECT entries_sum FROM log_head");
  if (!query.executeStep()) throw RowError("id, 1, is missing from the table log_head");
  return EntriesSum(ColumnAs<Digest>(query, 0));
}

EntriesSum SumOfEntries(SQLite::Database& database) {
  SQLite::Statement query(database, fmt::format("SELECT {} FROM entry", kEntryColumns));
  EntriesSum sum;
  while (query.executeStep()) {
    const LedgerEntry entry = ReadEntry(query);
    sum.Add(entry.key, entry.state);
  }
  return sum;
}

}  // namespace tokensync
