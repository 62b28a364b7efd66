/// Opening a ledger: made, taken again, or refused with a reason.
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <fstream>
#include <string>

#include "ledger_connection.h"
#include "ledger_contract_samples.h"
#include "ledger_test_support.h"
#include "schema.h"

namespace tokensync {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

void WriteFile(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string QueryText(const fs::path& ledger, const std::string& sql) {
  SQLite::Database database(ledger.string(), SQLite::OPEN_READWRITE, 5'000);
  return database.execAndGet(sql).getString();
}

TEST_CASE("a ledger is made for its owner only, with our mark, version and WAL", "[ledger]") {
  const TemporaryFolder folder;
  const mode_t mask = ::umask(0);
  {
    const auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
    const Change change = Stories().front().changes.front();
    ledger->Record({&change, 1});
    for (const char* name : {"ledger.db", "ledger.db-wal", "ledger.db-shm", "ledger.db.lock", "ledger.db.mark"}) {
      INFO(name);
      struct stat status {};
      REQUIRE(::stat((folder.path() / name).c_str(), &status) == 0);
      CHECK((status.st_mode & 0777) == 0600);
    }
    CHECK(QueryText(folder.Ledger(), "PRAGMA journal_mode") == "wal");
    CHECK(QueryText(folder.Ledger(), "PRAGMA application_id") == fmt::format("{}", kLedgerApplicationId));
    CHECK(QueryText(folder.Ledger(), "PRAGMA user_version") == fmt::format("{}", LedgerMigrations().size()));
    CHECK(QueryText(folder.Ledger(), "SELECT group_concat(name || '@' || applied_at_ms) FROM migration") ==
          fmt::format("0001 first layout@{0},0002 surveys@{0},0003 notices@{0}", At(0).time_since_epoch().count()));
    CHECK(QueryText(folder.Ledger(),
                    "SELECT group_concat(strict) FROM pragma_table_list WHERE schema = 'main' AND name "
                    "NOT LIKE 'sqlite%'") == "1,1,1,1,1,1,1,1,1,1");
  }
  ::umask(mask);
  CHECK_FALSE(fs::exists(folder.path() / "ledger.db-wal"));
}

TEST_CASE("a connection for writing has the settings that durability needs", "[ledger]") {
  const TemporaryFolder folder;
  TellStories(folder.Ledger());
  LedgerConnection connection(folder.Ledger(), LedgerConnection::Access::kWrite);
  CHECK(connection.PragmaNumber("synchronous") == 2);
  CHECK(connection.PragmaNumber("foreign_keys") == 1);
  CHECK(connection.PragmaNumber("recursive_triggers") == 1);
  CHECK(connection.PragmaNumber("trusted_schema") == 0);
  CHECK(connection.PragmaNumber("busy_timeout") >= 1'000);
  CHECK(connection.database().execAndGet("PRAGMA journal_mode").getString() == "wal");
}

TEST_CASE("a connection for reading cannot write", "[ledger]") {
  const TemporaryFolder folder;
  TellStories(folder.Ledger());
  LedgerConnection connection(folder.Ledger(), LedgerConnection::Access::kRead);
  CHECK_THROWS_AS(connection.Run("changing", [&] { connection.database().exec("DELETE FROM entry"); }), LedgerError);
}

TEST_CASE("a relative path and a symbolic link lead to one ledger with one lock", "[ledger]") {
  const TemporaryFolder folder;
  fs::create_directory(folder.path() / "elsewhere");
  const fs::path link = folder.path() / "elsewhere" / "link.db";
  fs::create_symlink(folder.Ledger(), link);
  const auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
  CHECK_THAT(OpenRefusal(link), Contains("in use by process"));
  CHECK_THAT(OpenRefusal(fs::relative(folder.Ledger())), Contains("in use by process"));
}

TEST_CASE("an empty file is what making a ledger leaves when it is cut off, and is taken", "[ledger]") {
  const TemporaryFolder folder;
  WriteFile(folder.Ledger(), "");
  TellStories(folder.Ledger());
  CHECK(SqliteLedger::Open(folder.Ledger(), SomeIdentity())->Entries().size() == Stories().size() - 1);
}

TEST_CASE("what is not a ledger of ours is refused and left as it is", "[ledger]") {
  const TemporaryFolder folder;
  const fs::path path = folder.Ledger();

  SECTION("no folder") {
    CHECK_THAT(OpenRefusal(folder.path() / "missing" / "ledger.db"),
               Contains("the folder " + (folder.path() / "missing").string() + " does not exist; create it"));
  }
  SECTION("a folder that is a file") {
    WriteFile(folder.path() / "file", "x");
    CHECK(OpenRefusal(folder.path() / "file" / "ledger.db") != "");
  }
  SECTION("a folder in its place") {
    fs::create_directory(path);
    CHECK_THAT(OpenRefusal(path), Contains("no regular file"));
  }
  SECTION("a FIFO in its place") {
    REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
    CHECK_THAT(OpenRefusal(path), Contains("no regular file"));
  }
  SECTION("no name") {
    CHECK_THAT(OpenRefusal(folder.path() / ""), Contains("does not name a file"));
  }
  SECTION("a dangling link") {
    fs::create_symlink(folder.path() / "nowhere", path);
    CHECK(OpenRefusal(path) != "");
  }
  SECTION("a text, long or short") {
    for (const std::size_t size : std::initializer_list<std::size_t>{1, 10, 600, 100'000}) {
      WriteFile(path, std::string(size, 'x'));
      CHECK_THAT(OpenRefusal(path), Contains("it is no database"));
      CHECK((ReadFile(path) == std::string(size, 'x')));
    }
  }
  SECTION("a database of somebody else") {
    Sql(path, "CREATE TABLE notes (text)");
    const std::string before = ReadFile(path);
    CHECK_THAT(OpenRefusal(path), Contains("not a ledger of tokensyncd") && Contains("ledger.path"));
    CHECK((ReadFile(path) == before));
  }
  SECTION("a database of somebody else, without tables") {
    Sql(path, "PRAGMA application_id = 252006673");
    CHECK_THAT(OpenRefusal(path), Contains("not a ledger of tokensyncd"));
  }
  SECTION("our mark, and nothing else") {
    Sql(path, fmt::format("PRAGMA application_id = {}", kLedgerApplicationId));
    CHECK_THAT(OpenRefusal(path), Contains("no version"));
  }
  SECTION("our mark and version, and nothing else") {
    Sql(path, fmt::format("PRAGMA application_id = {}; PRAGMA user_version = 1", kLedgerApplicationId));
    CHECK(OpenRefusal(path) != "");
  }
  // Whatever it was, the lock was let go.
  CHECK_THAT(OpenRefusal(path), !Contains("in use"));
}

TEST_CASE("a ledger of a newer program is refused", "[ledger]") {
  const TemporaryFolder folder;
  TellStories(folder.Ledger());
  Sql(folder.Ledger(), fmt::format("PRAGMA user_version = {}", LedgerMigrations().size() + 1));
  CHECK_THAT(OpenRefusal(folder.Ledger()), Contains("made by a newer tokensyncd") && Contains("upgrade the program"));
  CHECK_THAT(ReadRefusal(folder.Ledger()), Contains("made by a newer tokensyncd"));
}

TEST_CASE("a ledger whose layout was altered is refused, naming what is not as it was", "[ledger]") {
  const TemporaryFolder folder;
  TellStories(folder.Ledger());
  Sql(folder.Ledger(), "CREATE INDEX mine ON log (path)");
  CHECK(OpenRefusal(folder.Ledger()) == "");
  Sql(folder.Ledger(), "DROP TRIGGER log_refuses_delete");
  CHECK_THAT(OpenRefusal(folder.Ledger()), Contains("trigger log_refuses_delete is not as tokensyncd made it"));
}

TEST_CASE("a ledger that lost a part is refused", "[ledger]") {
  const TemporaryFolder folder;
  const fs::path path = folder.Ledger();
  TellStories(path);
  const auto size = fs::file_size(path);

  SECTION("cut off within a page") {
    fs::resize_file(path, size - 1'000);
  }
  SECTION("cut off by pages") {
    fs::resize_file(path, size - 2 * 4'096);
  }
  SECTION("cut off by half") {
    fs::resize_file(path, size / 2 / 4'096 * 4'096);
  }
  SECTION("cut off after the first page") {
    fs::resize_file(path, 4'096);
  }
  SECTION("its header is overwritten") {
    std::string bytes = ReadFile(path);
    WriteFile(path, bytes.replace(0, 50, std::string(50, '\xAA')));
  }
  SECTION("its table of tables is overwritten") {
    std::string bytes = ReadFile(path);
    WriteFile(path, bytes.replace(100, 900, std::string(900, '\xAA')));
  }
  SECTION("its log is gone") {
    Tamper(path, "DELETE FROM log");
  }
  SECTION("the end of its log is gone") {
    Tamper(path, "DELETE FROM log WHERE seq = (SELECT max(seq) FROM log)");
  }
  SECTION("the end of its log says something else") {
    Tamper(path, "UPDATE log SET message = 'all is well' WHERE seq = (SELECT max(seq) FROM log)");
  }
  SECTION("its identity is gone") {
    Sql(path, "DELETE FROM runner");
  }
  SECTION("the note of the log's end is gone") {
    Sql(path, "DELETE FROM log_head");
  }
  CHECK_THAT(OpenRefusal(path), Contains("opening the ledger " + path.string()) && Contains("backup"));
}

TEST_CASE("another service's ledger is refused with both named", "[ledger]") {
  const TemporaryFolder folder;
  TellStories(folder.Ledger());
  LedgerIdentity identity = SomeIdentity();
  identity.endpoint += "//";
  CHECK(OpenRefusal(folder.Ledger(), identity) == "");
  identity.endpoint = "https://other.example.com";
  CHECK_THAT(OpenRefusal(folder.Ledger(), identity), Contains("https://metadata.example.com") &&
                                                         Contains("https://other.example.com") &&
                                                         Contains("ledger.path"));
}

TEST_CASE("another source URL is told until the ledger follows it", "[ledger]") {
  const TemporaryFolder folder;
  CHECK_FALSE(SqliteLedger::Open(folder.Ledger(), SomeIdentity())->previous_source_url());
  LedgerIdentity identity = SomeIdentity();
  identity.source_url = "git@git.example.com:acme/tokens.git";
  CHECK(SqliteLedger::Open(folder.Ledger(), identity)->previous_source_url() == SomeIdentity().source_url);
  {
    const auto ledger = SqliteLedger::Open(folder.Ledger(), identity);
    CHECK(ledger->previous_source_url() == SomeIdentity().source_url);
    CHECK(LedgerReader::Open(folder.Ledger())->SourceUrl() == SomeIdentity().source_url);
    ledger->FollowSource();
    CHECK_FALSE(ledger->previous_source_url());
  }
  CHECK_FALSE(SqliteLedger::Open(folder.Ledger(), identity)->previous_source_url());
  CHECK(QueryText(folder.Ledger(), "SELECT source_url || ' ' || program_version FROM runner") ==
        identity.source_url + " 0.1.0");
}

TEST_CASE("opening again writes nothing", "[ledger]") {
  const TemporaryFolder folder;
  TellStories(folder.Ledger());
  const std::string before = ReadFile(folder.Ledger());
  SqliteLedger::Open(folder.Ledger(), SomeIdentity())->Entries();
  CHECK((ReadFile(folder.Ledger()) == before));
}

TEST_CASE("a second runner is told who has the ledger, in whichever process it is", "[ledger]") {
  const TemporaryFolder folder;
  auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
  const std::string expected =
      fmt::format("in use by process {}; let that one make the pass with `tokensyncd trigger`", ::getpid());
  CHECK_THAT(OpenRefusal(folder.Ledger()), Contains(expected));
  Child child([&](int) { return OpenRefusal(folder.Ledger()).find(expected) != std::string::npos ? 0 : 1; });
  CHECK(child.Wait() == 0);
  ledger.reset();
  CHECK(OpenRefusal(folder.Ledger()) == "");
}

TEST_CASE("a killed runner leaves no lock behind", "[ledger]") {
  const TemporaryFolder folder;
  Child child([&](int to_parent) {
    const auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
    if (::write(to_parent, "x", 1) != 1) return 1;
    return ::pause();
  });
  REQUIRE(child.Read(1) == "x");
  CHECK_THAT(OpenRefusal(folder.Ledger()), Contains("in use"));
  child.Kill();
  CHECK(WIFSIGNALED(child.Wait()));
  CHECK(OpenRefusal(folder.Ledger()) == "");
}

TEST_CASE("a ledger that may only be read is refused for writing", "[ledger]") {
  const TemporaryFolder folder;
  TellStories(folder.Ledger());
  const std::string in_folder = AsReaderOnly(folder, [&] { return OpenRefusal(folder.Ledger()); });
  CHECK_THAT(in_folder, Contains("locking the ledger") && Contains("must be writable"));

  // The folder and the lock are ours, the file is not.
  ::chmod(folder.Ledger().c_str(), 0444);
  Child child([&](int to_parent) {
    ::chmod(folder.path().c_str(), 0777);
    ::chmod((folder.path() / "ledger.db.lock").c_str(), 0666);
    ::chmod((folder.path() / "ledger.db.mark").c_str(), 0666);
    BecomeReaderOnly();
    const std::string text = OpenRefusal(folder.Ledger());
    return ::write(to_parent, text.data(), text.size()) > 0 ? 0 : 1;
  });
  CHECK_THAT(child.Read(4'096), Contains("it cannot be written; the file must be writable"));
}

TEST_CASE("a shell that keeps the ledger locked is named as what it is", "[ledger]") {
  const TemporaryFolder folder;
  const auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
  SQLite::Database shell(folder.Ledger().string(), SQLite::OPEN_READWRITE);
  shell.exec("BEGIN IMMEDIATE");
  const Change change = Stories().front().changes.front();
  CHECK_THAT(RefusalOf([&] {
               ledger->Record({&change, 1});
             }),
             Contains("recording 1 changes in") && Contains("kept it locked"));
  shell.exec("ROLLBACK");
  ledger->Record({&change, 1});
  CHECK(ledger->Entries().size() == 1);
}

TEST_CASE("migrations are applied from where a ledger stands, each noted by name", "[ledger]") {
  constexpr std::array kSteps = {Migration{"0001 one",
                                           "CREATE TABLE one (a INTEGER) STRICT; "
                                           "CREATE TABLE migration (name TEXT NOT NULL PRIMARY KEY, "
                                           "applied_at_ms INTEGER NOT NULL) STRICT"},
                                 Migration{"0002 two", "ALTER TABLE one ADD COLUMN b TEXT"}};
  SQLite::Database database(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  ApplyMigrations(database, 0, std::span(kSteps).first(1), At(1));
  CHECK(database.execAndGet("PRAGMA user_version").getInt() == 1);
  CHECK_FALSE(LayoutDifference(database, std::span(kSteps).first(1)));
  CHECK(LayoutDifference(database, kSteps) == "table one");
  ApplyMigrations(database, 1, kSteps, At(2));
  CHECK(database.execAndGet("PRAGMA user_version").getInt() == 2);
  CHECK_FALSE(LayoutDifference(database, kSteps));
  CHECK(database.execAndGet("SELECT group_concat(name) FROM migration").getString() == "0001 one,0002 two");
  database.exec("DROP TABLE one");
  CHECK(LayoutDifference(database, kSteps) == "table one");
}

}  // namespace
}  // namespace tokensync
