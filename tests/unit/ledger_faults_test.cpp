/// Disks that fail and processes that are killed.
#include <fmt/format.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstring>
#include <string>
#include <vector>

#include "ledger_contract_samples.h"
#include "ledger_faulty_vfs.h"
#include "ledger_test_support.h"

namespace tokensync {
namespace {

using Catch::Matchers::Contains;

bool ChainHolds(const std::filesystem::path& path) {
  const ChainVerdict verdict = LedgerReader::Open(path)->VerifyChain();
  if (verdict.broken) UNSCOPED_INFO("record " << verdict.broken->seq << ": " << verdict.broken->what);
  return !verdict.broken;
}

TEST_CASE("a full disk is named, nothing of the changes is recorded, and it goes on once there is room", "[ledger]") {
  const auto fault = GENERATE(FaultyVfs::Fault::kDiskFull, FaultyVfs::Fault::kWriteError);
  bool succeeded = false;
  int failures = 0;
  for (int writes = 0; !succeeded; ++writes) {
    REQUIRE(writes < 200);
    FaultyVfs disk;
    const TemporaryFolder folder;
    RandomHistory history(7, 20);
    auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
    ledger->Record(history.Next(30));
    const std::vector<LedgerEntry> before = ledger->Entries();
    const std::vector<Change> changes = history.Next(60);

    disk.FailAfter(writes, fault);
    const std::string refusal = RefusalOf([&] { ledger->Record(changes); });
    const bool struck = disk.Struck();
    disk.Mend();
    succeeded = !struck;
    INFO(writes << " writes succeeded: " << refusal);
    REQUIRE(struck == (refusal != ""));
    if (struck) {
      ++failures;
      CHECK_THAT(refusal, Contains("recording 60 changes in the ledger") &&
                              Contains(fault == FaultyVfs::Fault::kDiskFull ? "the disk is full"
                                                                            : "the disk failed while writing"));
      CHECK(ledger->Entries() == before);
      ledger->Record(changes);
    }
    CHECK(ledger->Entries() == history.EntryList());
    ledger.reset();
    CHECK(SqliteLedger::Open(folder.Ledger(), SomeIdentity())->Entries() == history.EntryList());
    CHECK(ChainHolds(folder.Ledger()));
  }
  CHECK(failures > 5);
}

TEST_CASE("a disk that cannot flush leaves all of the changes or none", "[ledger]") {
  bool succeeded = false;
  int failures = 0;
  for (int syncs = 0; !succeeded; ++syncs) {
    REQUIRE(syncs < 50);
    FaultyVfs disk;
    const TemporaryFolder folder;
    RandomHistory history(8, 20);
    auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
    ledger->Record(history.Next(30));
    const std::vector<LedgerEntry> before = ledger->Entries();
    disk.FailAfter(syncs, FaultyVfs::Fault::kSyncError);
    const std::string refusal = RefusalOf([&] { ledger->Record(history.Next(60)); });
    succeeded = refusal.empty();
    // The program stops, and its last close meets the same disk.
    ledger.reset();
    disk.Mend();
    const std::vector<LedgerEntry> after = SqliteLedger::Open(folder.Ledger(), SomeIdentity())->Entries();
    INFO(syncs << " syncs succeeded: " << refusal);
    if (!succeeded) {
      ++failures;
      CHECK_THAT(refusal, Contains("the disk failed while flushing"));
      CHECK((after == before || after == history.EntryList()));
    } else {
      CHECK(after == history.EntryList());
    }
    CHECK(ChainHolds(folder.Ledger()));
  }
  CHECK(failures >= 1);
}

TEST_CASE("a disk that fails leaves a checkpoint, its pass and its notices all there or none", "[ledger]") {
  const auto fault = GENERATE(FaultyVfs::Fault::kDiskFull, FaultyVfs::Fault::kSyncError);
  bool succeeded = false;
  int failures = 0;
  for (int operations = 0; !succeeded; ++operations) {
    REQUIRE(operations < 200);
    FaultyVfs disk;
    const TemporaryFolder folder;
    const std::vector<Notice> notices = SomeNotices();
    RandomHistory history(11, 20);
    auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
    ledger->Record(history.Next(30));
    const Checkpoint before = ledger->LoadCheckpoint(), after = FullCheckpoint();
    const PassRecord pass{.pass = after.last_pass, .cause = "poll"};

    disk.FailAfter(operations, fault);
    const std::string refusal = RefusalOf([&] { ledger->SaveCheckpoint(after, &pass, notices); });
    succeeded = !disk.Struck();
    disk.Mend();
    failures += succeeded ? 0 : 1;
    INFO(operations << " operations succeeded: " << refusal);
    REQUIRE(succeeded == refusal.empty());
    ledger.reset();
    ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
    CHECK(ledger->standing() == LedgerStanding::kContinued);
    const bool is_there = ledger->LoadCheckpoint() == after;
    CHECK((is_there || ledger->LoadCheckpoint() == before));
    // A flush that fails says nothing of what reached the disk.
    if (fault != FaultyVfs::Fault::kSyncError) CHECK(is_there == succeeded);
    const auto reader = LedgerReader::Open(folder.Ledger());
    CHECK(reader->LastPass().has_value() == is_there);
    CHECK(NoticesIn(folder.Ledger()) == (is_there ? notices : std::vector<Notice>()));
    CHECK(ledger->Entries() == history.EntryList());
    // And it goes on: numbers, hashes and commits are those of what is there.
    ledger->SaveCheckpoint(before, nullptr, notices);
    ledger->Record(history.Next(5));
    CHECK(ChainHolds(folder.Ledger()));
  }
  CHECK(failures >= 1);
}

TEST_CASE("a ledger goes on after notices that could not be recorded", "[ledger]") {
  FaultyVfs disk;
  const TemporaryFolder folder;
  const std::vector<Notice> notices = SomeNotices();
  RandomHistory history(12, 20);
  const auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
  ledger->Record(history.Next(30));
  disk.FailAfter(1, FaultyVfs::Fault::kDiskFull);
  CHECK_THAT(RefusalOf([&] { ledger->SaveCheckpoint(FullCheckpoint(), nullptr, notices); }),
             Contains("recording a pass in the ledger") && Contains("the disk is full"));
  disk.Mend();
  CHECK(ledger->LoadCheckpoint() == Checkpoint{});
  ledger->SaveCheckpoint(FullCheckpoint(), nullptr, notices);
  ledger->Record(history.Next(30));
  CHECK(ledger->LoadCheckpoint() == FullCheckpoint());
  CHECK(NoticesIn(folder.Ledger()) == notices);
  CHECK(ChainHolds(folder.Ledger()));
}

TEST_CASE("making a ledger that fails half-way leaves a file that the next run takes", "[ledger]") {
  const auto fault = GENERATE(FaultyVfs::Fault::kDiskFull, FaultyVfs::Fault::kWriteError, FaultyVfs::Fault::kSyncError);
  bool succeeded = false;
  int failures = 0;
  for (int operations = 0; !succeeded; ++operations) {
    REQUIRE(operations < 300);
    FaultyVfs disk;
    const TemporaryFolder folder;
    disk.FailAfter(operations, fault);
    const std::string refusal = OpenRefusal(folder.Ledger());
    succeeded = refusal.empty();
    failures += succeeded ? 0 : 1;
    disk.Mend();
    INFO(operations << " operations succeeded: " << refusal);
    CHECK_NOTHROW(TellStories(folder.Ledger()));
    CHECK(ChainHolds(folder.Ledger()));
  }
  CHECK(failures >= 2);
}

TEST_CASE("a limit on the size of files is an error of the disk, and loses nothing", "[ledger]") {
  const TemporaryFolder folder;
  Child child([&](int to_parent) {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{1 << 20, 1 << 20};
    if (::setrlimit(RLIMIT_FSIZE, &limit) != 0) return 1;
    RandomHistory history(9, 500);
    const auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
    std::uint32_t recorded = 0;
    const std::string refusal = RefusalOf([&] {
      for (; recorded < 10'000; ++recorded) ledger->Record(history.Next(20));
    });
    const std::string report = fmt::format("{:8}{}", recorded, refusal);
    return ::write(to_parent, report.data(), report.size()) > 0 ? 0 : 1;
  });
  const std::string report = child.Read(4'096);
  REQUIRE(WEXITSTATUS(child.Wait()) == 0);
  CHECK_THAT(report, Contains("the disk failed while writing"));
  RandomHistory history(9, 500);
  const int recorded = std::stoi(report.substr(0, 8));
  REQUIRE(recorded > 10);
  for (int at = 0; at < recorded; ++at) history.Next(20);
  CHECK(SqliteLedger::Open(folder.Ledger(), SomeIdentity())->Entries() == history.EntryList());
  CHECK(ChainHolds(folder.Ledger()));
}

TEST_CASE("what was acknowledged before a kill is there, and nothing by halves", "[ledger]") {
  const TemporaryFolder folder;
  constexpr std::uint64_t kSeed = 10;
  constexpr std::size_t kBatch = 15;
  RandomHistory model(kSeed, 200);
  std::uint32_t done = 0;  // batches that the ledger holds
  std::mt19937 random(kSeed);
  for (int round = 0; round < 6; ++round) {
    Child child([&](int to_parent) {
      RandomHistory history(kSeed, 200);
      for (std::uint32_t at = 0; at < done; ++at) history.Next(kBatch);
      const auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
      for (;;) {
        ledger->Record(history.Next(kBatch));
        if (::write(to_parent, "x", 1) != 1) return 1;
      }
    });
    std::size_t acknowledged = child.Read(1 + random() % 40).size();
    child.Kill();
    acknowledged += child.Read(1'000'000).size();
    REQUIRE(WIFSIGNALED(child.Wait()));

    for (std::size_t at = 0; at < acknowledged; ++at) model.Next(kBatch);
    done += static_cast<std::uint32_t>(acknowledged);
    const std::vector<LedgerEntry> found = SqliteLedger::Open(folder.Ledger(), SomeIdentity())->Entries();
    if (found != model.EntryList()) {
      // The batch that was under way may have become durable without the parent being told.
      model.Next(kBatch);
      ++done;
      REQUIRE(found == model.EntryList());
    }
    const ChainVerdict verdict = LedgerReader::Open(folder.Ledger())->VerifyChain();
    REQUIRE_FALSE(verdict.broken);
    REQUIRE(verdict.records == std::uint64_t{done} * kBatch);
  }
}

}  // namespace
}  // namespace tokensync
