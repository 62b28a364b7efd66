/// What SQLite reads without a word, and is found nonetheless before a token is created twice because of it.
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <random>
#include <string>

#include "ledger_contract_samples.h"
#include "ledger_test_support.h"

namespace tokensync {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void WriteFile(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// What the start of a run says: opening, then reading all entries.
std::string StartRefusal(const fs::path& path) {
  return RefusalOf([&] { SqliteLedger::Open(path, SomeIdentity())->Entries(); });
}

TEST_CASE("entries that are not those of the last transaction are refused, for a run and for a reader",
          "[ledger][damage]") {
  const char* const damage = GENERATE(
      "DELETE FROM entry WHERE token_id = '5'", "UPDATE entry SET token_id = '100', token_len = 3 WHERE token_id = '5'",
      "UPDATE entry SET collection = 3 WHERE token_id = '5'", "UPDATE entry SET digest = zeroblob(32) WHERE rowid = 1",
      "UPDATE entry SET attempt = attempt + 1 WHERE state = 'pending'",
      "UPDATE entry SET due_ms = due_ms + 1 WHERE state = 'uncertain'",
      "UPDATE entry SET state = 'confirmed', attempt = NULL WHERE state = 'rejected'",
      "UPDATE log_head SET entries_sum = zeroblob(32)",
      "INSERT INTO entry (project, collection, token_len, token_id, state, digest) VALUES (9, 9, 1, '9', 'confirmed', "
      "zeroblob(32))");
  INFO(damage);
  const TemporaryFolder folder;
  TellStories(folder.Ledger());
  CHECK(StartRefusal(folder.Ledger()) == "");
  std::string sql = damage;
  if (const auto at = sql.find("WHERE rowid = 1"); at != std::string::npos) sql.replace(at, 15, "WHERE token_id = '7'");
  Sql(folder.Ledger(), "PRAGMA foreign_keys = OFF; " + sql);
  CHECK_THAT(StartRefusal(folder.Ledger()),
             Contains("reading the entries of the ledger") && Contains("damaged") && Contains("backup"));
  CHECK_THAT(RefusalOf([&] { LedgerReader::Open(folder.Ledger())->Entries(); }), Contains("damaged"));
  CHECK(LedgerReader::Open(folder.Ledger())->VerifyChain().broken);
}

TEST_CASE("a payload that is not what was recorded is refused when it is wanted", "[ledger][damage]") {
  const TemporaryFolder folder;
  TellStories(folder.Ledger());
  const TokenKey key = Stories().front().changes.front().record.key;
  CHECK(SqliteLedger::Open(folder.Ledger(), SomeIdentity())->Payload(key));
  Sql(folder.Ledger(), "UPDATE payload SET payload = replace(payload, 'Drache', 'Drachf')");
  CHECK_THAT(RefusalOf([&] { SqliteLedger::Open(folder.Ledger(), SomeIdentity())->Payload(key); }),
             Contains("that of 1/2/1 is not the one that was recorded"));
}

TEST_CASE("a bit that flips anywhere in the table of entries changes nothing silently", "[ledger][damage]") {
  const TemporaryFolder folder;
  RandomHistory history(41, 40);
  SqliteLedger::Open(folder.Ledger(), SomeIdentity())->Record(history.Next(400));
  const std::string good = ReadFile(folder.Ledger());
  const std::string mark = ReadFile(folder.path() / "ledger.db.mark");
  std::vector<std::int64_t> pages;
  {
    SQLite::Database database(folder.Ledger().string(), SQLite::OPEN_READONLY);
    SQLite::Statement query(database, "SELECT pageno FROM dbstat WHERE name = 'entry'");
    while (query.executeStep()) pages.push_back(query.getColumn(0).getInt64());
  }
  REQUIRE_FALSE(pages.empty());
  std::mt19937 random(3);
  int refused = 0;
  for (int round = 0; round < 400; ++round) {
    std::string bytes = good;
    const auto page = static_cast<std::size_t>(pages[random() % pages.size()] - 1);
    const std::size_t at = page * 4'096 + random() % 4'096;
    bytes[at] = static_cast<char>(bytes[at] ^ static_cast<char>(1U << (random() % 8)));
    WriteFile(folder.Ledger(), bytes);
    WriteFile(folder.path() / "ledger.db.mark", mark);
    INFO("byte " << at);
    std::vector<LedgerEntry> entries;
    const std::string refusal =
        RefusalOf([&] { entries = SqliteLedger::Open(folder.Ledger(), SomeIdentity())->Entries(); });
    // In the gap between the cells of a page nothing lies.
    if (refusal.empty()) CHECK(entries == history.EntryList());
    refused += refusal.empty() ? 0 : 1;
  }
  CHECK(refused > 100);
}

TEST_CASE("a page of zeros in the table of entries is refused", "[ledger][damage]") {
  const TemporaryFolder folder;
  RandomHistory history(42, 300);
  SqliteLedger::Open(folder.Ledger(), SomeIdentity())->Record(history.Next(900));
  const std::string good = ReadFile(folder.Ledger());
  std::vector<std::int64_t> pages;
  {
    SQLite::Database database(folder.Ledger().string(), SQLite::OPEN_READONLY);
    SQLite::Statement query(database, "SELECT pageno FROM dbstat WHERE name = 'entry'");
    while (query.executeStep()) pages.push_back(query.getColumn(0).getInt64());
  }
  REQUIRE(pages.size() > 3);
  for (const std::int64_t page : pages) {
    std::string bytes = good;
    bytes.replace(static_cast<std::size_t>(page - 1) * 4'096, 4'096, std::string(4'096, '\0'));
    WriteFile(folder.Ledger(), bytes);
    CHECK_THAT(StartRefusal(folder.Ledger()), Contains("damaged"));
  }
}

TEST_CASE("a copy that is put beside the WAL of a killed run is refused, distrusted, or what that run left",
          "[ledger][damage]") {
  int refused = 0;
  for (std::uint32_t more = 1; more <= 30; more += 3) {
    INFO(more << " commits after the copy");
    const TemporaryFolder folder;
    const TemporaryFolder killed;
    RandomHistory history(43, 25);
    std::string copy, wal;
    {
      const auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
      ledger->Record(history.Next(30));
      // What was written until now goes into the file, and the WAL begins anew.
      Sql(folder.Ledger(), "PRAGMA wal_checkpoint(TRUNCATE)");
      copy = ReadFile(folder.Ledger());
      for (std::uint32_t at = 0; at < more; ++at) {
        ledger->Record(history.Next(2));
        if (at == more / 2) Sql(folder.Ledger(), "PRAGMA wal_checkpoint(TRUNCATE)");
      }
      wal = ReadFile(folder.path() / "ledger.db-wal");
    }
    WriteFile(killed.Ledger(), copy);
    WriteFile(killed.path() / "ledger.db-wal", wal);
    WriteFile(killed.path() / "ledger.db.mark", ReadFile(folder.path() / "ledger.db.mark"));
    const std::string refusal = RefusalOf([&] {
      const auto ledger = SqliteLedger::Open(killed.Ledger(), SomeIdentity());
      if (ledger->Entries() != history.EntryList()) CHECK(IsDistrusted(ledger->standing()));
    });
    refused += refusal.empty() ? 0 : 1;
  }
  CHECK(refused > 3);
}

}  // namespace
}  // namespace tokensync
