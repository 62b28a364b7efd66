/// The audit: what was written holds, and what was changed is found.
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <random>
#include <string>
#include <vector>

#include "ledger_contract_samples.h"
#include "ledger_test_support.h"

namespace tokensync {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

ChainVerdict AuditOf(const fs::path& path) {
  return LedgerReader::Open(path)->VerifyChain();
}

/// Stories and, so that every column is in use, some random records.
struct AuditedLedger {
  TemporaryFolder folder;
  std::uint64_t records = 0;

  AuditedLedger() {
    TellStories(folder.Ledger());
    RandomHistory history(21, 6);
    const auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
    std::vector<Change> changes;
    for (Change& change : history.Next(60)) {
      change.record.key.project.value += 100;
      change.record.other_digest = DigestOfPayload(change.record.key, 3);
      changes.push_back(std::move(change));
    }
    // Payloads name the token only, so their digests stay right.
    ledger->Record(changes);
    records = LedgerReader::Open(folder.Ledger())->VerifyChain().records;
  }

  /// A copy that was tampered with, audited.
  ChainVerdict After(const std::string& sql) const {
    const fs::path copy = folder.path() / "copy.db";
    fs::copy_file(folder.Ledger(), copy, fs::copy_options::overwrite_existing);
    Tamper(copy, sql);
    return AuditOf(copy);
  }
};

TEST_CASE("an untouched ledger holds, whatever happened in it", "[ledger]") {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    INFO("seed " << seed);
    const TemporaryFolder folder;
    RandomHistory history(seed, 15);
    for (int round = 0; round < 4; ++round) {
      const auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
      ledger->Record(history.Next(100));
    }
    const ChainVerdict verdict = AuditOf(folder.Ledger());
    if (verdict.broken) FAIL(verdict.broken->seq << ": " << verdict.broken->what);
    CHECK(verdict.records == 400);
    CHECK(verdict.entries == history.EntryList().size());
    CHECK(LedgerReader::Open(folder.Ledger())->Entries() == history.EntryList());
  }
  const TemporaryFolder empty;
  SqliteLedger::Open(empty.Ledger(), SomeIdentity());
  CHECK_FALSE(AuditOf(empty.Ledger()).broken);
}

TEST_CASE("one bit of any column of any record of the log is noticed at that record", "[ledger][damage]") {
  const AuditedLedger ledger;
  REQUIRE_FALSE(ledger.After("").broken);
  std::vector<std::pair<std::string, std::string>> columns;  // name, type
  std::vector<std::string> commit_columns;
  {
    SQLite::Database database(ledger.folder.Ledger().string());
    SQLite::Statement query(database, "SELECT name, type FROM pragma_table_info('log') WHERE name <> 'seq'");
    while (query.executeStep()) columns.emplace_back(query.getColumn(0).getString(), query.getColumn(1).getString());
  }
  REQUIRE(columns.size() == 30);
  SQLite::Database database(ledger.folder.Ledger().string());
  std::mt19937 random(1);
  int changes = 0;
  for (const auto& [name, type] : columns) {
    // Rows in which the column has a value.
    std::vector<std::int64_t> rows;
    SQLite::Statement query(database, fmt::format("SELECT seq FROM log WHERE {} IS NOT NULL", name));
    while (query.executeStep()) rows.push_back(query.getColumn(0).getInt64());
    INFO(name);
    REQUIRE_FALSE(rows.empty());
    for (int round = 0; round < 3; ++round) {
      const std::int64_t seq = rows[random() % rows.size()];
      std::string value;
      if (type == "INTEGER") {
        // Every bit that SQLite keeps: also those that a double would not tell.
        const int bit = round == 0 ? 0 : static_cast<int>(random() % 63);
        value = fmt::format("({0} | (1 << {1})) - ({0} & (1 << {1}))", name, bit);
      } else {
        SQLite::Statement bytes(database, fmt::format("SELECT hex({}) FROM log WHERE seq = {}", name, seq));
        bytes.executeStep();
        std::string hex = bytes.getColumn(0).getString();
        const std::size_t at = random() % (hex.size() / 2) * 2;
        const unsigned long byte = std::stoul(hex.substr(at, 2), nullptr, 16) ^ (1UL << (random() % 8));
        hex.replace(at, 2, fmt::format("{:02X}", byte));
        value = type == "BLOB" ? "x'" + hex + "'" : "CAST(x'" + hex + "' AS TEXT)";
      }
      const ChainVerdict verdict = ledger.After(fmt::format("UPDATE log SET {} = {} WHERE seq = {}", name, value, seq));
      INFO("record " << seq << " := " << value);
      REQUIRE(verdict.broken);
      // A prev_hash is part of its own row's hash; a hash shows at its own row, too.
      CHECK(verdict.broken->seq == static_cast<std::uint64_t>(seq));
      CHECK(verdict.records == static_cast<std::uint64_t>(seq) - 1);
      ++changes;
      // And the column emptied, where it may be.
      if (round == 0) {
        const std::string nothing = fmt::format("UPDATE log SET {} = NULL WHERE seq = {}", name, seq);
        SQLite::Statement not_null(
            database, fmt::format("SELECT \"notnull\" FROM pragma_table_info('log') WHERE name = '{}'", name));
        not_null.executeStep();
        if (not_null.getColumn(0).getInt() == 0) {
          const ChainVerdict emptied = ledger.After(nothing);
          REQUIRE(emptied.broken);
          CHECK(emptied.broken->seq == static_cast<std::uint64_t>(seq));
        }
      }
    }
  }
  CHECK(changes == 90);
}

TEST_CASE("a record that goes, comes or moves is noticed", "[ledger]") {
  const AuditedLedger ledger;
  const auto n = ledger.records;
  const auto broken = [&](const std::string& sql) {
    const ChainVerdict verdict = ledger.After(sql);
    REQUIRE(verdict.broken);
    return fmt::format("{}: {}", verdict.broken->seq, verdict.broken->what);
  };
  CHECK(broken("DELETE FROM log WHERE seq = 1") == "1: it is missing; the next one is 2");
  CHECK(broken("DELETE FROM log WHERE seq = 20") == "20: it is missing; the next one is 21");
  CHECK(broken(fmt::format("DELETE FROM log WHERE seq = {}", n)) ==
        fmt::format("{0}: it is missing, with all after it up to {0}", n));
  CHECK(broken(fmt::format("DELETE FROM log WHERE seq > {}", n - 3)) ==
        fmt::format("{}: it is missing, with all after it up to {}", n - 2, n));
  CHECK(broken("DELETE FROM log") == fmt::format("1: it is missing, with all after it up to {}", n));
  CHECK(broken("DELETE FROM log WHERE seq = 20; UPDATE log SET seq = seq - 1 WHERE seq > 20") ==
        "20: its hash does not fit its contents");
  CHECK(broken("UPDATE log SET seq = -1 WHERE seq = 7; UPDATE log SET seq = 7 WHERE seq = 8;"
               "UPDATE log SET seq = 8 WHERE seq = -1") == "7: its hash does not fit its contents");
  CHECK(broken(fmt::format("CREATE TEMP TABLE t AS SELECT * FROM log WHERE seq = {0}; UPDATE t SET seq = {0} + 1;"
                           "INSERT INTO log SELECT * FROM t",
                           n)) == fmt::format("{}: its hash does not fit its contents", n + 1));
  // The end cut off, and the note of the end made to fit: the entries know better.
  const std::string cut = broken(
      fmt::format("DELETE FROM log WHERE seq > {0}; UPDATE log_head SET seq = {0}, hash = (SELECT hash FROM log WHERE "
                  "seq = {0})",
                  n - 5));
  CHECK_THAT(cut, Contains("the entry is") || Contains("is missing") || Contains("the payload is not"));
}

TEST_CASE("what the chain rests on and what follows from it is checked as well", "[ledger]") {
  const AuditedLedger ledger;
  const auto what = [&](const std::string& sql) {
    const ChainVerdict verdict = ledger.After(sql);
    return verdict.broken ? verdict.broken->what : "holds";
  };
  CHECK(what("UPDATE runner SET endpoint = 'https://other.example.com'") ==
        "it does not follow the beginning of this ledger");
  CHECK(what("UPDATE runner SET created_ms = created_ms + 1") == "it does not follow the beginning of this ledger");
  CHECK(what("UPDATE runner SET source_url = 'elsewhere'") == "holds");
  CHECK_THAT(what("DELETE FROM runner"), Contains("identity is gone"));
  CHECK_THAT(what("DELETE FROM log_head"), Contains("log's end is gone"));
  CHECK_THAT(what("UPDATE log_head SET hash = zeroblob(32)"), Contains("another hash"));
  CHECK_THAT(what("UPDATE log_head SET seq = seq - 1"), Contains("the log ended with record"));
  for (const char* column :
       {"id = 'f' || substr(id, 2)", "author = author || ' '", "subject = 'x'", "time_ms = time_ms + 1"}) {
    CHECK(what(fmt::format("UPDATE git_commit SET {} WHERE commit_no = 1", column)) ==
          "its hash does not fit its contents");
  }
  CHECK(what("DELETE FROM git_commit WHERE commit_no = 1") == "id is not a text");

  CHECK(what("UPDATE entry SET digest = zeroblob(32) WHERE token_id = '4' AND project = 1") ==
        "the entry is pending with other values, and the log makes it pending");
  CHECK(what("UPDATE entry SET due_ms = due_ms + 1 WHERE token_id = '4' AND project = 1") ==
        "the entry is pending with other values, and the log makes it pending");
  CHECK(what("UPDATE entry SET state = 'rejected', due_ms = NULL WHERE token_id = '4' AND project = 1") ==
        "the entry is rejected, and the log makes it pending");
  CHECK(what("UPDATE entry SET state = 'rejected' WHERE token_id = '4' AND project = 1") ==
        "in the table entry, columns do not fit its state");
  CHECK(what("UPDATE entry SET state = 'asleep' WHERE token_id = '4' AND project = 1") ==
        "in the table entry, state is unknown");
  CHECK(what("DELETE FROM entry WHERE token_id = '4' AND project = 1") ==
        "the entry is missing, and the log makes it pending");
  CHECK(what("INSERT INTO entry (project, collection, token_len, token_id, state, digest) VALUES (8, 8, 1, '8', "
             "'confirmed', zeroblob(32))") == "the entry is confirmed, and the log makes it none");
  CHECK(what("UPDATE payload SET payload = payload || ' ' WHERE token_id = '4' AND project = 1") ==
        "the payload is not the one that was sent");
  CHECK(what("UPDATE payload SET is_private = 1 WHERE token_id = '4' AND project = 1") ==
        "the payload is not the one that was sent");
  CHECK_THAT(what("DELETE FROM payload WHERE token_id = '4' AND project = 1"), Contains("payloads for"));

  const ChainVerdict named = ledger.After("DELETE FROM entry WHERE token_id = '4' AND project = 1");
  CHECK(named.broken->key == KeyOf(1, 2, "4"));
  CHECK(named.broken->seq > 0);
}

/// All that history and status tell of tokens.
std::string ToldBy(LedgerReader& reader) {
  std::string told;
  reader.History({}, [&](const StoredRecord& r) {
    told += fmt::format("{} {} {} {} {} {} {} {} {} {} {} {}\n", r.seq, r.hash.Hex(), r.event, r.state_after,
                        r.record.key.Text(), r.record.path, r.record.detail, r.record.answer.message,
                        r.record.commit ? r.record.commit->author : "", r.record.time.time_since_epoch().count(),
                        r.record.attempt, r.record.line);
  });
  for (const LedgerEntry& entry : reader.Entries()) {
    told += fmt::format("{} {} {}\n", entry.key.Text(), StateName(entry.state), DigestOf(entry.state)->Hex());
    const auto payload = reader.Payload(entry.key);
    told += payload ? payload->payload + (payload->is_private ? " private\n" : "\n") : "no payload\n";
  }
  return told;
}

TEST_CASE("no bit of the file can change what the ledger tells of a token unnoticed", "[ledger][damage]") {
  const AuditedLedger ledger;
  const std::string truth = ToldBy(*LedgerReader::Open(ledger.folder.Ledger()));
  std::string bytes;
  {
    std::ifstream in(ledger.folder.Ledger(), std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(in), {});
  }
  const fs::path copy = ledger.folder.path() / "copy.db";
  std::mt19937 random(2);
  int noticed = 0, harmless = 0;
  for (int round = 0; round < 300; ++round) {
    const std::size_t at = random() % bytes.size();
    const char flipped = static_cast<char>(bytes[at] ^ (1 << (random() % 8)));
    std::string changed = bytes;
    changed[at] = flipped;
    fs::remove(copy);
    std::ofstream(copy, std::ios::binary) << changed;
    try {
      const auto reader = LedgerReader::Open(copy);
      if (reader->VerifyChain().broken) {
        ++noticed;
        continue;
      }
      INFO("byte " << at << " of page " << at / 4'096 + 1);
      REQUIRE(ToldBy(*reader) == truth);
      ++harmless;
    } catch (const LedgerError&) {
      ++noticed;
    }
  }
  CHECK(noticed > 60);
  CHECK(harmless > 0);
}

}  // namespace
}  // namespace tokensync
