/// Copies of a ledger that is in use.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <fstream>
#include <span>
#include <string>
#include <thread>

#include "ledger_backup.h"
#include "ledger_contract_samples.h"
#include "ledger_faulty_vfs.h"
#include "ledger_test_support.h"

namespace tokensync {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

std::string BackupRefusal(const fs::path& ledger, const fs::path& target) {
  return RefusalOf([&] { BackUpLedger(ledger, target); });
}

std::vector<std::string> NamesIn(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& file : fs::directory_iterator(folder)) names.push_back(file.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

TEST_CASE("a backup is one file with all of the ledger, for its owner only", "[ledger]") {
  const TemporaryFolder folder;
  const TemporaryFolder copies;
  const fs::path copy = copies.path() / "copy.db";
  RandomHistory history(51, 40);
  auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
  ledger->Record(history.Next(298));
  const std::vector<Notice> notices = SomeNotices();
  ledger->SaveCheckpoint({}, nullptr, std::span(notices).first(2));
  const bool running = GENERATE(true, false);
  if (!running) ledger.reset();

  const BackupReport report = BackUpLedger(folder.Ledger(), copy);
  CHECK(report.file == copy);
  CHECK(report.records == 300);
  CHECK(report.entries == history.EntryList().size());
  CHECK(report.bytes == fs::file_size(copy));
  CHECK(NamesIn(copies.path()) == std::vector<std::string>{"copy.db"});
  struct stat status {};
  REQUIRE(::stat(copy.c_str(), &status) == 0);
  CHECK((status.st_mode & 0777) == 0600);

  const auto reader = LedgerReader::Open(copy);
  CHECK(reader->Entries() == history.EntryList());
  const ChainVerdict verdict = reader->VerifyChain();
  CHECK_FALSE(verdict.broken);
  CHECK(verdict.records == 300);
  std::string head;
  reader->History({.token = {}, .commit_prefix = {}, .since = {}, .limit = 1},
                  [&](const StoredRow& row) { head = std::get<StoredNotice>(row).hash.Hex(); });
  CHECK(report.head.Hex() == head);
}

TEST_CASE("a run on a restored backup knows that it is older", "[ledger]") {
  const TemporaryFolder folder;
  RandomHistory history(52, 40);
  const fs::path copy = folder.path() / "copy.db";
  {
    const auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
    ledger->Record(history.Next(30));
    BackUpLedger(folder.Ledger(), copy);
    ledger->Record(history.Next(30));
  }
  fs::copy_file(copy, folder.Ledger(), fs::copy_options::overwrite_existing);
  CHECK(SqliteLedger::Open(folder.Ledger(), SomeIdentity())->standing() == LedgerStanding::kOlderCopy);
  CHECK(SqliteLedger::Open(copy, SomeIdentity())->standing() == LedgerStanding::kUnmarked);
  CHECK(SqliteLedger::Open(folder.Ledger(), SomeIdentity())->standing() == LedgerStanding::kContinued);
}

TEST_CASE("backups under a running writer each hold one moment", "[ledger][threads]") {
  const TemporaryFolder folder;
  const auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
  std::atomic<bool> stop = false;
  std::atomic<int> batches = 0;
  std::thread writer([&] {
    RandomHistory history(53, 200);
    while (!stop) {
      ledger->Record(history.Next(7));
      ++batches;
    }
  });
  for (int round = 0; round < 8; ++round) {
    const fs::path copy = folder.path() / ("copy" + std::to_string(round));
    const int before = batches;
    const BackupReport report = BackUpLedger(folder.Ledger(), copy);
    CHECK(report.records >= static_cast<std::uint64_t>(7 * before));
    CHECK(report.records % 7 == 0);
    const ChainVerdict verdict = LedgerReader::Open(copy)->VerifyChain();
    if (verdict.broken) UNSCOPED_INFO(verdict.broken->seq << ": " << verdict.broken->what);
    CHECK_FALSE(verdict.broken);
    CHECK(verdict.records == report.records);
  }
  stop = true;
  writer.join();
}

TEST_CASE("a backup that cannot be made is explained and leaves nothing", "[ledger]") {
  const TemporaryFolder folder;
  const TemporaryFolder copies;
  const fs::path copy = copies.path() / "copy.db";
  TellStories(folder.Ledger());

  SECTION("the target is there") {
    std::ofstream(copy) << "precious";
    CHECK_THAT(BackupRefusal(folder.Ledger(), copy), Contains("there already") && Contains("overwrites nothing"));
    CHECK(fs::file_size(copy) == 8);
    fs::remove(copy);
    fs::create_symlink(copies.path() / "nowhere", copy);
    CHECK_THAT(BackupRefusal(folder.Ledger(), copy), Contains("there already"));
    CHECK_THAT(BackupRefusal(folder.Ledger(), folder.Ledger()), Contains("there already"));
    fs::remove(copy);
  }
  SECTION("no folder, or no name") {
    CHECK_THAT(BackupRefusal(folder.Ledger(), copies.path() / "missing" / "x"), Contains("there is no folder"));
    CHECK_THAT(BackupRefusal(folder.Ledger(), copies.path() / ""), Contains("no name of a file"));
  }
  SECTION("no ledger") {
    CHECK_THAT(BackupRefusal(folder.path() / "none.db", copy), Contains("there is none"));
    std::ofstream(folder.path() / "text") << std::string(5'000, 'x');
    CHECK_THAT(BackupRefusal(folder.path() / "text", copy), Contains("no database"));
    std::ofstream(folder.path() / "empty") << "";
    CHECK_THAT(BackupRefusal(folder.path() / "empty", copy), Contains("it is empty"));
    Sql(folder.path() / "other", "CREATE TABLE notes (text)");
    CHECK_THAT(BackupRefusal(folder.path() / "other", copy), Contains("not a ledger of tokensyncd"));
  }
  SECTION("the ledger is damaged") {
    Sql(folder.Ledger(), "DELETE FROM entry WHERE token_id = '3'");
    CHECK_THAT(BackupRefusal(folder.Ledger(), copy),
               Contains("the copy does not hold, and was removed") && Contains(folder.Ledger().string()));
  }
  SECTION("the end of the log is gone") {
    Tamper(folder.Ledger(), "DELETE FROM log WHERE seq = (SELECT max(seq) FROM log)");
    CHECK_THAT(BackupRefusal(folder.Ledger(), copy), Contains("does not end with record"));
  }
  SECTION("no right to write") {
    LetOthersRead(folder);
    ::chmod(copies.path().c_str(), 0555);
    Child child([&](int to_parent) {
      BecomeReaderOnly();
      const std::string text = BackupRefusal(folder.Ledger(), copy);
      return ::write(to_parent, text.data(), text.size()) > 0 ? 0 : 1;
    });
    CHECK_THAT(child.Read(4'096), Contains("backing up into") && Contains("Permission denied"));
    child.Wait();
    ::chmod(copies.path().c_str(), 0755);
    LetOwnerWrite(folder);
  }
  SECTION("a disk that fails at any moment") {
    bool succeeded = false;
    for (int writes = 0; !succeeded; ++writes) {
      REQUIRE(writes < 500);
      FaultyVfs disk;
      disk.FailAfter(writes, FaultyVfs::Fault::kDiskFull);
      succeeded = BackupRefusal(folder.Ledger(), copy).empty();
      disk.Mend();
      if (!succeeded) REQUIRE(NamesIn(copies.path()).empty());
    }
    CHECK_FALSE(LedgerReader::Open(copy)->VerifyChain().broken);
    fs::remove(copy);
  }
  CHECK(NamesIn(copies.path()) == std::vector<std::string>{});
}

TEST_CASE("a ledger that may only be read is backed up as it lies", "[ledger]") {
  const TemporaryFolder folder;
  const TemporaryFolder copies;
  TellStories(folder.Ledger());
  ::chmod(copies.path().c_str(), 0777);
  const fs::path copy = copies.path() / "copy.db";
  CHECK(AsReaderOnly(folder, [&] { return BackupRefusal(folder.Ledger(), copy); }) == "");
  CHECK_FALSE(LedgerReader::Open(copy)->VerifyChain().broken);
}

}  // namespace
}  // namespace tokensync
