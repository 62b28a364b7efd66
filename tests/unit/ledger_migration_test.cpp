/// A ledger of an older layout becomes one of this program's: with all that it told, or not at all.
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>
#include <sys/wait.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "ledger_backup.h"
#include "ledger_contract_samples.h"
#include "ledger_faulty_vfs.h"
#include "ledger_test_support.h"
#include "schema.h"

namespace tokensync {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

/// What the program that had the second layout wrote, as SQL: rows, hashes and sum are its own.
constexpr const char* kWrittenByLayout2 = R"sql(
INSERT INTO runner VALUES(1,'https://metadata.example.com','https://git.example.com/acme/tokens.git','0.1.0',
  1700000000000,'0000000000000000000000000000000000000002','0000000000000000000000000000000000000001',2,0,NULL,0);
INSERT INTO pass VALUES(2,'poll',1700000000001,1700000000009,'0000000000000000000000000000000000000002','incomplete',
  1,0,0,0,0,1,0,NULL,0);
INSERT INTO entry VALUES(1,2,1,'3','confirmed',X'1895c197b5e987658039ad7a7b5fad3e034c98b9556d65cba6d3b91002267ee4',
  NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO entry VALUES(1,2,1,'4','uncertain',X'cab8efb1e6e1e93d5b812326e30364d60fe14cd0e2277a16859abc0a82b93ce1',
  1,1700000060003,1700000000003,NULL,0,0,0,NULL,NULL,NULL);
INSERT INTO payload VALUES(1,2,1,'3','{"name":"Drache № 1","tokenId":"3"}',0);
INSERT INTO payload VALUES(1,2,1,'4','{"name":"Drache № 2","tokenId":"4"}',0);
INSERT INTO git_commit VALUES(1,'0000000000000000000000000000000000000001','Author 1 <a1@example.com>',
  'tokens: change 1',1700000000001);
INSERT INTO git_commit VALUES(2,'0000000000000000000000000000000000000002','Author 2 <a2@example.com>',
  'tokens: change 2',1700000000002);
INSERT INTO log VALUES(1,1700000000001,1,1,2,'3','create','create-intended',
  X'1895c197b5e987658039ad7a7b5fad3e034c98b9556d65cba6d3b91002267ee4',1,1700000000001,NULL,NULL,NULL,NULL,'submitting',
  X'1895c197b5e987658039ad7a7b5fad3e034c98b9556d65cba6d3b91002267ee4',NULL,1,1,'dragons/3.yaml',3,200,
  'WebrpcEndpoint',-4,'fine','none',17,'a detail',X'fcd9deaa65c2acc1af39d82c79eca1f83de34110ac2c43f359b6e38d64a72042',
  X'9ae52da552a7a83a877f49fc9ac053bf1ac001672dc0fb5617aaab4510668ca2');
INSERT INTO log VALUES(2,1700000000001,1,1,2,'3','create','token-created',NULL,NULL,NULL,NULL,NULL,NULL,NULL,
  'confirmed',X'1895c197b5e987658039ad7a7b5fad3e034c98b9556d65cba6d3b91002267ee4',NULL,1,1,'dragons/3.yaml',3,200,
  'WebrpcEndpoint',-4,'fine','none',17,'a detail',X'9ae52da552a7a83a877f49fc9ac053bf1ac001672dc0fb5617aaab4510668ca2',
  X'bd0c60ff46e4a83607a959c3a270638f244f86e520bcf0f983272be5b6afb758');
INSERT INTO log VALUES(3,1700000000002,2,1,2,'4','create','create-intended',
  X'cab8efb1e6e1e93d5b812326e30364d60fe14cd0e2277a16859abc0a82b93ce1',1,1700000000002,NULL,NULL,NULL,NULL,'submitting',
  X'cab8efb1e6e1e93d5b812326e30364d60fe14cd0e2277a16859abc0a82b93ce1',NULL,1,2,'dragons/4.yaml',3,200,
  'WebrpcEndpoint',-4,'fine','none',17,'a detail',X'bd0c60ff46e4a83607a959c3a270638f244f86e520bcf0f983272be5b6afb758',
  X'e2ddc23ac48d8fa3e60df57760ed254e5d5543da3c8aff0a38495ae0f3a0c079');
INSERT INTO log VALUES(4,1700000000002,2,1,2,'4','create','create-lost',NULL,NULL,1700000000003,1700000060003,NULL,
  NULL,NULL,'uncertain',X'cab8efb1e6e1e93d5b812326e30364d60fe14cd0e2277a16859abc0a82b93ce1',NULL,1,NULL,NULL,0,NULL,
  NULL,NULL,'no answer',NULL,17,NULL,X'e2ddc23ac48d8fa3e60df57760ed254e5d5543da3c8aff0a38495ae0f3a0c079',
  X'be87f22d9398a6b7debd94c5f6febc43b2e1e28a290187d51bd568e5fdace195');
INSERT INTO log_head VALUES(1,4,X'be87f22d9398a6b7debd94c5f6febc43b2e1e28a290187d51bd568e5fdace195',
  X'2339ffcf145f7eceb434251e10ae023d9a7ae00904a3cfad7dbab9dabc4dbf05');
INSERT INTO survey VALUES(1,2,1700000000001);
INSERT INTO unclaimed VALUES(1,2,2,'77');
)sql";

void MakeLayout2(const fs::path& path) {
  SQLite::Database database(path.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  database.exec(fmt::format("PRAGMA application_id = {}", kLedgerApplicationId));
  ApplyMigrations(database, 0, LedgerMigrations().first(2), At(0));
  database.exec(kWrittenByLayout2);
  database.exec("PRAGMA journal_mode = WAL");
}

std::int64_t QueryNumber(const fs::path& ledger, const std::string& sql) {
  SQLite::Database database(ledger.string(), SQLite::OPEN_READWRITE, 5'000);
  return database.execAndGet(sql).getInt64();
}

ChainVerdict AuditOf(const fs::path& path) {
  return LedgerReader::Open(path)->VerifyChain();
}

/// The first layout's ledger, or the second's, with so many random records.
struct OldLedger {
  TemporaryFolder folder;
  RandomHistory history{61, 40};

  OldLedger(std::size_t layout, std::size_t records) {
    const TemporaryFolder newer;
    {
      const auto ledger = SqliteLedger::Open(newer.Ledger(), SomeIdentity());
      for (std::size_t done = 0; done < records; done += 500)
        ledger->Record(history.Next(std::min<std::size_t>(500, records - done)));
      const PassRecord pass{.pass = 7, .cause = "poll"};
      ledger->SaveCheckpoint({.head_seen = CommitNumber(4)->id, .last_pass = 7}, &pass);
    }
    CopyIntoLayout(layout, newer.Ledger(), folder.Ledger());
    Sql(folder.Ledger(), "PRAGMA journal_mode = WAL");
  }
};

TEST_CASE("a ledger that the second layout's program wrote tells the same, and its log goes on with its hashes",
          "[ledger]") {
  const TemporaryFolder folder;
  MakeLayout2(folder.Ledger());
  CHECK_THAT(ReadRefusal(folder.Ledger()), Contains("made by an older tokensyncd"));
  const TokenKey created = KeyOf(1, 2, "3"), lost = KeyOf(1, 2, "4");
  const Notice notice = SomeNotices().front();
  {
    const auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
    CHECK(ledger->standing() == LedgerStanding::kUnmarked);
    CHECK(ledger->Payload(lost) == StoredPayload{PayloadOf(lost, 2), false});
    const std::vector<LedgerEntry> entries = ledger->Entries();
    REQUIRE(entries.size() == 2);
    CHECK(entries[0] == LedgerEntry{created, Confirmed{.digest = DigestOfPayload(created, 1), .drift = std::nullopt}});
    CHECK(std::holds_alternative<Uncertain>(entries[1].state));

    Checkpoint expected{.head_seen = CommitNumber(2)->id,
                        .head_applied = CommitNumber(1)->id,
                        .head_accepted = CommitNumber(2)->id,
                        .last_pass = 2,
                        .distrusted_since = At(0)};
    CHECK(ledger->LoadCheckpoint() == expected);
    const Change found = ChangeBy(entries[1].state, lost, ReadEqual{}, 2);
    ledger->Record({&found, 1});
    ledger->SaveCheckpoint(FullCheckpoint(), nullptr, {&notice, 1});
  }
  const ChainVerdict verdict = AuditOf(folder.Ledger());
  if (verdict.broken) FAIL(verdict.broken->seq << ": " << verdict.broken->what);
  CHECK(verdict.records == 6);
  CHECK(verdict.entries == 2);
  const std::vector<StoredRecord> records = RecordsIn(folder.Ledger());
  REQUIRE(records.size() == 5);
  CHECK(records[3].hash.Hex() == "be87f22d9398a6b7debd94c5f6febc43b2e1e28a290187d51bd568e5fdace195");
  CHECK(records[0].record.commit->author == "Author 1 <a1@example.com>");
  CHECK(records[0].record.signer.empty());
  CHECK(NoticesIn(folder.Ledger()) == std::vector<Notice>{notice});
  CHECK(LedgerReader::Open(folder.Ledger())->LastPass()->result == PassResult::kIncomplete);
  CHECK(LedgerReader::Open(folder.Ledger())->LastPass()->unresolved == 1);
}

TEST_CASE("a trusted ledger is still trusted after it was renewed, and keeps its surveys", "[ledger]") {
  const TemporaryFolder folder, elsewhere;
  MakeLayout2(elsewhere.Ledger());
  // The mark that the older program left: the same line, of a file of the same number.
  SqliteLedger::Open(folder.Ledger(), SomeIdentity());
  std::ofstream(folder.Ledger(), std::ios::binary | std::ios::trunc)
      << std::ifstream(elsewhere.Ledger(), std::ios::binary).rdbuf();
  {
    std::fstream mark(folder.Ledger().string() + ".mark");
    std::string line;
    std::getline(mark, line);
    line.replace(line.find(' ') + 1, 85,
                 fmt::format("{:020} {}", 4, "be87f22d9398a6b7debd94c5f6febc43b2e1e28a290187d51bd568e5fdace195"));
    mark.seekp(0);
    mark << line << '\n';
  }
  const auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
  CHECK(ledger->standing() == LedgerStanding::kContinued);
  const Checkpoint checkpoint = ledger->LoadCheckpoint();
  CHECK_FALSE(checkpoint.distrusted_since);
  CHECK(checkpoint.surveyed.size() == 1);
  CHECK(checkpoint.unclaimed.size() == 1);
}

TEST_CASE("a ledger of each older layout keeps its entries, log and passes", "[ledger]") {
  const std::size_t layout = GENERATE(1U, 2U);
  OldLedger old(layout, 300);
  const fs::path path = old.folder.Ledger();
  REQUIRE(QueryNumber(path, "PRAGMA user_version") == static_cast<std::int64_t>(layout));
  {
    const auto ledger = SqliteLedger::Open(path, SomeIdentity());
    CHECK(ledger->Entries() == old.history.EntryList());
    for (const auto& [key, payload] : old.history.payloads()) CHECK(ledger->Payload(key) == payload);
    CHECK(ledger->LoadCheckpoint().head_accepted == CommitNumber(4)->id);
    ledger->Record(old.history.Next(50));
  }
  CHECK(QueryNumber(path, "PRAGMA user_version") == static_cast<std::int64_t>(LedgerMigrations().size()));
  CHECK(QueryNumber(path, "SELECT count(*) FROM pragma_foreign_key_check") == 0);
  CHECK(QueryNumber(path, "SELECT count(*) FROM migration") == static_cast<std::int64_t>(LedgerMigrations().size()));
  CHECK(LedgerReader::Open(path)->LastPass()->pass == 7);
  const ChainVerdict verdict = AuditOf(path);
  if (verdict.broken) FAIL(verdict.broken->seq << ": " << verdict.broken->what);
  CHECK(verdict.records == 350);
  // The renewed log defends itself as a new one does.
  CHECK_THROWS_AS(Sql(path, "DELETE FROM log WHERE seq = 350"), SQLite::Exception);
  CHECK_THROWS_AS(Sql(path, "UPDATE log SET actor = 'me'"), SQLite::Exception);
}

TEST_CASE("a ledger of an older layout is backed up as it is", "[ledger]") {
  const std::size_t layout = GENERATE(1U, 2U);
  OldLedger old(layout, 60);
  const fs::path copy = old.folder.path() / "copy.db";
  const BackupReport report = BackUpLedger(old.folder.Ledger(), copy);
  CHECK(report.records == 60);
  CHECK(report.entries == old.history.EntryList().size());
  CHECK(QueryNumber(copy, "PRAGMA user_version") == static_cast<std::int64_t>(layout));
  CHECK(SqliteLedger::Open(copy, SomeIdentity())->Entries() == old.history.EntryList());
  CHECK_FALSE(AuditOf(copy).broken);
}

TEST_CASE("a view that somebody made over the log does not forbid to renew it, and tells of the new one", "[ledger]") {
  const TemporaryFolder folder;
  MakeLayout2(folder.Ledger());
  Sql(folder.Ledger(), "CREATE VIEW mine AS SELECT seq, event FROM log; CREATE VIEW runs AS SELECT * FROM pass");
  CHECK(OpenRefusal(folder.Ledger()) == "");
  CHECK(QueryNumber(folder.Ledger(), "SELECT count(*) FROM mine") == 4);
  CHECK(QueryNumber(folder.Ledger(), "SELECT count(*) FROM runs") == 1);
}

TEST_CASE("an older ledger that was altered or damaged is refused before anything of it is renewed", "[ledger]") {
  const TemporaryFolder folder;
  MakeLayout2(folder.Ledger());
  SECTION("a trigger is gone") {
    Sql(folder.Ledger(), "DROP TRIGGER log_refuses_delete");
    CHECK_THAT(OpenRefusal(folder.Ledger()), Contains("trigger log_refuses_delete is not as tokensyncd made it"));
  }
  SECTION("the end of the log is gone") {
    Sql(folder.Ledger(),
        "DROP TRIGGER log_refuses_delete; DELETE FROM log WHERE seq = 4;"
        "CREATE TRIGGER log_refuses_delete BEFORE DELETE ON log\n"
        "BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END");
    CHECK_THAT(OpenRefusal(folder.Ledger()), Contains("its log does not end with record 4"));
  }
  SECTION("a table is in the way") {
    Sql(folder.Ledger(), "CREATE TABLE new_log (mine)");
    CHECK_THAT(OpenRefusal(folder.Ledger()), Contains("new_log already exists"));
  }
  CHECK(QueryNumber(folder.Ledger(), "PRAGMA user_version") == 2);
  CHECK(QueryNumber(folder.Ledger(), "SELECT count(*) FROM pragma_table_info('log') WHERE name = 'actor'") == 0);
}

/// Whether the ledger at `path` is all of the second layout or all of the newest one, with all rows of its log.
bool IsWhole(const fs::path& path, std::int64_t records) {
  const std::int64_t version = QueryNumber(path, "PRAGMA user_version");
  const std::int64_t columns =
      QueryNumber(path, "SELECT count(*) FROM pragma_table_info('log') WHERE name IN ('signer', 'actor')");
  const std::int64_t triggers = QueryNumber(path, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'log_refuses%'");
  return QueryNumber(path, "SELECT count(*) FROM log") == records && triggers == 3 &&
         QueryNumber(path, "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'new_%'") == 0 &&
         ((version == 2 && columns == 0) || (version == 3 && columns == 2));
}

TEST_CASE("a process that is killed while it renews a ledger leaves the old layout or the new one, whole", "[ledger]") {
  constexpr std::int64_t kRecords = 1'000;
  const OldLedger old(2, kRecords);
  int old_ones = 0, new_ones = 0;
  bool was_killed = true;
  // Hundreds of writes: each step kills at about a third more.
  for (int writes = 0; was_killed; writes += 1 + writes / 3) {
    REQUIRE(writes < 100'000);
    const TemporaryFolder folder;
    fs::copy_file(old.folder.Ledger(), folder.Ledger());
    Child child([&](int) {
      FaultyVfs disk;
      disk.FailAfter(writes, FaultyVfs::Fault::kKilled);
      return OpenRefusal(folder.Ledger()).empty() ? 0 : 1;
    });
    const int status = child.Wait();
    was_killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    INFO("killed in the place of write " << writes);
    REQUIRE((was_killed || status == 0));
    REQUIRE(IsWhole(folder.Ledger(), kRecords));
    const bool is_old = QueryNumber(folder.Ledger(), "PRAGMA user_version") == 2;
    (is_old ? old_ones : new_ones) += 1;
    // The audit of each would take most of the time.
    if (is_old && old_ones % 6 != 1) continue;
    CHECK(SqliteLedger::Open(folder.Ledger(), SomeIdentity())->Entries() == old.history.EntryList());
    CHECK_FALSE(AuditOf(folder.Ledger()).broken);
  }
  CHECK(old_ones > 10);
  CHECK(new_ones >= 1);
}

TEST_CASE("a disk that fails while a ledger is renewed leaves it whole, and the next run renews it", "[ledger]") {
  const auto fault = GENERATE(FaultyVfs::Fault::kDiskFull, FaultyVfs::Fault::kSyncError);
  const TemporaryFolder old;
  MakeLayout2(old.Ledger());
  bool succeeded = false;
  int failures = 0;
  for (int operations = 0; !succeeded; operations += 1 + operations / 5) {
    REQUIRE(operations < 1'000);
    FaultyVfs disk;
    const TemporaryFolder folder;
    fs::copy_file(old.Ledger(), folder.Ledger());
    disk.FailAfter(operations, fault);
    const std::string refusal = OpenRefusal(folder.Ledger());
    succeeded = refusal.empty();
    failures += succeeded ? 0 : 1;
    disk.Mend();
    INFO(operations << " operations succeeded: " << refusal);
    CHECK(IsWhole(folder.Ledger(), 4));
    CHECK(SqliteLedger::Open(folder.Ledger(), SomeIdentity())->Entries().size() == 2);
    CHECK_FALSE(AuditOf(folder.Ledger()).broken);
  }
  CHECK(failures >= 2);
}

}  // namespace
}  // namespace tokensync
