/// The audit: what was written holds, and what was changed is found.
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "ledger_contract_samples.h"
#include "ledger_test_support.h"
#include "log_row.h"

namespace tokensync {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

ChainVerdict AuditOf(const fs::path& path) {
  return LedgerReader::Open(path)->VerifyChain();
}

/// Stories and, so that every column is in use, notices and some random records.
struct AuditedLedger {
  TemporaryFolder folder;
  std::uint64_t records = 0;

  AuditedLedger() {
    TellStories(folder.Ledger());
    RandomHistory history(21, 6);
    const auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
    const std::vector<Notice> notices = SomeNotices();
    ledger->SaveCheckpoint({}, nullptr, notices);
    std::vector<Change> changes;
    for (Change& change : history.Next(60)) {
      change.record.key.project.value += 100;
      change.record.other_digest = DigestOfPayload(change.record.key, 3);
      change.record.signer = "ada@example.com";
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
  REQUIRE(columns.size() == 32);
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
  CHECK(changes == 96);
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

TEST_CASE("a notice that is changed, taken out or moved is noticed, in whichever column", "[ledger]") {
  const TemporaryFolder folder;
  const std::vector<Notice> notices = SomeNotices();
  {
    const auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
    RandomHistory history(22, 3);
    ledger->Record(history.Next(3));
    ledger->SaveCheckpoint({}, nullptr, notices);
    ledger->Record(history.Next(2));
    ledger->SaveCheckpoint({}, nullptr, notices);
  }
  const fs::path copy = folder.path() / "copy.db";
  const auto broken_at = [&](const std::string& sql) -> std::optional<std::uint64_t> {
    fs::copy_file(folder.Ledger(), copy, fs::copy_options::overwrite_existing);
    Tamper(copy, sql);
    const ChainVerdict verdict = AuditOf(copy);
    return verdict.broken ? std::optional(verdict.broken->seq) : std::nullopt;
  };
  REQUIRE_FALSE(broken_at(""));
  SQLite::Database database(folder.Ledger().string());
  int changed = 0;
  for (const std::int64_t seq : {4, 7, 13}) {
    SQLite::Statement columns(database, "SELECT name, type FROM pragma_table_info('log') WHERE name <> 'seq'");
    while (columns.executeStep()) {
      const std::string name = columns.getColumn(0).getString(), type = columns.getColumn(1).getString();
      // Another notice's event, where it is the event: a known one.
      const std::string value = name == "event"  ? "iif(event = 'plan-held', 'plan-approved', 'plan-held')"
                                : type == "TEXT" ? fmt::format("coalesce({}, '') || 'x'", name)
                                : type == "BLOB" ? "randomblob(32)"
                                                 : fmt::format("coalesce({}, 0) + 1", name);
      INFO("record " << seq << ": " << name << " := " << value);
      CHECK(broken_at(fmt::format("UPDATE log SET {} = {} WHERE seq = {}", name, value, seq)) ==
            static_cast<std::uint64_t>(seq));
      ++changed;
    }
  }
  CHECK(changed == 3 * 32);
  CHECK(broken_at("DELETE FROM log WHERE seq = 5") == 5);
  CHECK(broken_at("DELETE FROM log WHERE seq = 5; UPDATE log SET seq = seq - 1 WHERE seq > 5") == 5);
  CHECK(broken_at("DELETE FROM log WHERE seq = 15") == 15);
  CHECK(broken_at("UPDATE log SET seq = -1 WHERE seq = 6; UPDATE log SET seq = 6 WHERE seq = 7;"
                  "UPDATE log SET seq = 7 WHERE seq = -1") == 6);
  CHECK(broken_at("UPDATE log SET seq = -1 WHERE seq = 3; UPDATE log SET seq = 3 WHERE seq = 4;"
                  "UPDATE log SET seq = 4 WHERE seq = -1") == 3);
}

TEST_CASE("a row that is neither a token's nor a notice's is no record, even with the right hash", "[ledger]") {
  const TemporaryFolder folder;
  {
    const auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
    RandomHistory history(23, 3);
    ledger->Record(history.Next(2));
  }
  const Change intent = Stories().front().changes.front();
  LogRow about_token = ToLogRow(intent);
  about_token.token_id = "777";
  LogRow about_none = ToLogRow(SomeNotices().front());
  const auto what = [&](LogRow row) {
    const fs::path copy = folder.path() / "copy.db";
    fs::copy_file(folder.Ledger(), copy, fs::copy_options::overwrite_existing);
    SQLite::Database database(copy.string(), SQLite::OPEN_READWRITE);
    database.exec("PRAGMA ignore_check_constraints = ON");
    row.seq = 3;
    SQLite::Statement last(database, "SELECT hash FROM log WHERE seq = 2");
    last.executeStep();
    row.prev_hash = ColumnAs<Digest>(last, 0);
    row.hash = HashOf(row);
    SQLite::Statement insert(database, InsertLogRow());
    BindLogRow(insert, row);
    insert.exec();
    SQLite::Statement head(database, "UPDATE log_head SET seq = 3, hash = ?");
    BindColumn(head, 1, row.hash);
    head.exec();
    const ChainVerdict verdict = AuditOf(copy);
    return verdict.broken ? fmt::format("{}: {}", verdict.broken->seq, verdict.broken->what) : "holds";
  };
  CHECK(what(about_none) == "holds");
  CHECK_THAT(what(about_token), Contains("the entry is missing"));

  const std::string halves = "3: project, collection, token_id and state_after are neither all there nor all absent";
  LogRow row = about_none;
  row.project = 1;
  CHECK(what(row) == halves);
  row.collection = 2;
  row.token_id = "777";
  CHECK(what(row) == halves);
  row.state_after = "submitting";
  CHECK(what(row) == "3: event is unknown");
  row = about_token;
  row.state_after.reset();
  CHECK(what(row) == halves);
  row.token_id.reset();
  row.project.reset();
  row.collection.reset();
  CHECK(what(row) == "3: event is that of no notice, though it names no token");
  row = about_none;
  row.event.event = "head-admired";
  CHECK(what(row) == "3: event is that of no notice, though it names no token");
  row = about_none;
  row.event.at_ms = 5;
  CHECK(what(row) == "3: event is a notice's with a value too many");
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
  const auto author = [](const std::shared_ptr<const Commit>& commit) { return commit ? commit->author : ""; };
  for (const StoredRow& row : RowsOf(reader)) {
    if (const auto* stored = std::get_if<StoredNotice>(&row)) {
      const Notice& n = stored->notice;
      told += fmt::format("{} {} {} {} {} {} {} {} {} {}\n", stored->seq, stored->hash.Hex(), stored->action,
                          NoticeName(n.kind), n.pass, n.signer, n.actor, n.detail, author(n.commit),
                          n.time.time_since_epoch().count());
      continue;
    }
    const auto& r = std::get<StoredRecord>(row);
    told +=
        fmt::format("{} {} {} {} {} {} {} {} {} {} {} {} {}\n", r.seq, r.hash.Hex(), r.event, r.state_after,
                    r.record.key.Text(), r.record.signer, r.record.path, r.record.detail, r.record.answer.message,
                    author(r.record.commit), r.record.time.time_since_epoch().count(), r.record.attempt, r.record.line);
  }
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
