/// Whether a ledger is the one that ran last: the mark, and what is distrusted.
#include <SQLiteCpp/Database.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <span>
#include <string>

#include "ledger_contract_samples.h"
#include "ledger_faulty_vfs.h"
#include "ledger_mark.h"
#include "ledger_test_support.h"

namespace tokensync {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

const CollectionKey kCollection{ProjectId{1}, CollectionId{2}};

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Over the bytes of what is there, as `cp` does it.
void WriteFile(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// A ledger with a past and a survey, in a folder that can be treated badly.
struct Past {
  TemporaryFolder folder;
  RandomHistory history{31, 30};
  int opened = 0;

  fs::path Mark() const { return folder.path() / "ledger.db.mark"; }

  /// Each time at another time.
  std::unique_ptr<SqliteLedger> Open() {
    LedgerIdentity identity = SomeIdentity();
    identity.opened_at = At(1'000 * ++opened);
    return SqliteLedger::Open(folder.Ledger(), identity);
  }

  /// A run that ends in order, after so many records and a survey.
  LedgerStanding Run(std::size_t records) {
    const auto ledger = Open();
    if (records > 0) ledger->Record(history.Next(records));
    Checkpoint checkpoint = ledger->LoadCheckpoint();
    checkpoint.surveyed[kCollection] = At(1'000 * opened);
    ledger->SaveCheckpoint(checkpoint, nullptr);
    return ledger->standing();
  }

  /// A run that begins, and what its checkpoint says.
  LedgerStanding Look(Checkpoint& checkpoint) {
    const auto ledger = Open();
    checkpoint = ledger->LoadCheckpoint();
    return ledger->standing();
  }

  void CheckTrusted() {
    Checkpoint checkpoint;
    CHECK(Look(checkpoint) == LedgerStanding::kContinued);
    CHECK(checkpoint.surveyed.size() == 1);
    CHECK_FALSE(checkpoint.distrusted_since);
  }

  void CheckDistrusted(LedgerStanding expected) {
    Checkpoint checkpoint;
    CHECK(Look(checkpoint) == expected);
    CHECK(checkpoint.surveyed.empty());
    CHECK(checkpoint.distrusted_since == At(1'000 * opened));
  }
};

TEST_CASE("a mark's line is told from everything else", "[ledger]") {
  MarkedEnd end{.seq = 123'456,
                .hash = DigestOfPayload(KeyOf(1, 2, "3"), 1),
                .incarnation = 1'700'000'000'000,
                .file = {.inode = 18'446'744'073'709'551'615ULL, .born_ns = 1'700'000'000'000'000'000}};
  const std::string line = MarkLine(end);
  CHECK(line.size() < 512);
  CHECK(ParseMarkLine(line) == end);
  CHECK(MarkLine({}).size() == line.size());
  CHECK(ParseMarkLine(MarkLine({})) == MarkedEnd{});
  CHECK_FALSE(ParseMarkLine(""));
  CHECK_FALSE(ParseMarkLine(line + "\n"));
  CHECK_FALSE(ParseMarkLine(std::string(line.size(), '\0')));
  for (std::size_t at = 0; at < line.size(); ++at) {
    CHECK_FALSE(ParseMarkLine(line.substr(0, at)));
    for (const char c : {'x', '-', ' ', '\0', '\n'}) {
      std::string other = line;
      if (other[at] == c) continue;
      other[at] = c;
      INFO(other);
      CHECK_FALSE(ParseMarkLine(other));
    }
  }
}

TEST_CASE("a ledger goes on where the last run ended, however that ended", "[ledger]") {
  Past past;
  CHECK(past.Run(0) == LedgerStanding::kNew);
  past.CheckTrusted();
  CHECK(past.Run(5) == LedgerStanding::kContinued);
  past.CheckTrusted();

  SECTION("killed after a commit, before its mark") {
    const std::string mark = ReadFile(past.Mark());
    past.Run(7);
    WriteFile(past.Mark(), mark);
    past.CheckTrusted();
  }
  SECTION("killed at any moment") {
    Child child([&](int to_parent) {
      const auto ledger = past.Open();
      for (;;) {
        ledger->Record(past.history.Next(3));
        if (::write(to_parent, "x", 1) != 1) return 1;
      }
    });
    REQUIRE(child.Read(4).size() == 4);
    child.Kill();
    REQUIRE(WIFSIGNALED(child.Wait()));
    past.CheckTrusted();
    const auto marked = ParseMarkLine(ReadFile(past.Mark()));
    REQUIRE(marked);
    CHECK(marked->seq >= 5 + 4 * 3);
  }
  SECTION("a new ledger, killed before its first mark") {
    Past other;
    other.Run(0);
    fs::remove(other.Mark());
    Checkpoint checkpoint;
    CHECK(other.Look(checkpoint) == LedgerStanding::kNew);
    CHECK_FALSE(checkpoint.distrusted_since);
  }
}

TEST_CASE("a ledger that is not the one that ran last is distrusted, and told for what it is", "[ledger]") {
  Past past;
  past.Run(0);
  past.Run(10);
  const std::string copy = ReadFile(past.folder.Ledger());
  const std::string mark_of_copy = ReadFile(past.Mark());

  SECTION("it is gone") {
    fs::remove(past.folder.Ledger());
    past.CheckDistrusted(LedgerStanding::kLost);
  }
  SECTION("it is empty") {
    WriteFile(past.folder.Ledger(), "");
    past.CheckDistrusted(LedgerStanding::kLost);
  }
  SECTION("it is gone, and making a new one was cut off before distrust was noted") {
    fs::remove(past.folder.Ledger());
    const std::string mark = ReadFile(past.Mark());
    fs::remove(past.Mark());
    past.Open();
    WriteFile(past.Mark(), mark);
    past.CheckDistrusted(LedgerStanding::kLost);
  }
  SECTION("an older copy was put in its place") {
    past.Run(3);
    WriteFile(past.folder.Ledger(), copy);
    past.CheckDistrusted(LedgerStanding::kOlderCopy);
  }
  SECTION("an older copy was put in its place, which went on elsewhere") {
    past.Run(3);
    const std::string mark = ReadFile(past.Mark());
    WriteFile(past.folder.Ledger(), copy);
    fs::remove(past.Mark());
    past.history = RandomHistory(32, 30);
    TellStories(past.folder.path() / "other.db");  // another history of another length
    fs::copy_file(past.folder.path() / "other.db", past.folder.Ledger(), fs::copy_options::overwrite_existing);
    WriteFile(past.Mark(), mark);
    past.CheckDistrusted(LedgerStanding::kOtherBranch);
  }
  SECTION("an older copy was put in its place, since when nothing was logged but a notice") {
    const std::vector<Notice> notices = SomeNotices();
    {
      const auto ledger = past.Open();
      ledger->SaveCheckpoint(ledger->LoadCheckpoint(), nullptr, std::span(notices).first(1));
    }
    past.CheckTrusted();
    WriteFile(past.folder.Ledger(), copy);
    past.CheckDistrusted(LedgerStanding::kOlderCopy);
  }
  SECTION("there is no mark") {
    fs::remove(past.Mark());
    past.CheckDistrusted(LedgerStanding::kUnmarked);
  }
  SECTION("the mark cannot be understood") {
    for (const std::string& garbage :
         {std::string(), std::string("x"), std::string(5'000, 'x'), mark_of_copy.substr(0, 100), mark_of_copy + "x"}) {
      WriteFile(past.Mark(), garbage);
      past.CheckDistrusted(LedgerStanding::kUnmarked);
      CHECK(fs::file_size(past.Mark()) == mark_of_copy.size());
    }
  }
  SECTION("the whole folder was put back, as other files") {
    past.Run(3);
    // Held, so that its number is not given to the next file.
    fs::rename(past.folder.Ledger(), past.folder.path() / "held");
    WriteFile(past.folder.Ledger(), copy);
    WriteFile(past.Mark(), mark_of_copy);
    past.CheckDistrusted(LedgerStanding::kCopied);
  }
  SECTION("a copy was put back a second time, with nothing logged in between") {
    past.Run(3);
    WriteFile(past.folder.Ledger(), copy);
    past.CheckDistrusted(LedgerStanding::kOlderCopy);
    WriteFile(past.folder.Ledger(), copy);
    past.CheckDistrusted(LedgerStanding::kCopied);
  }
  SECTION("killed after distrust was noted, before the mark was written") {
    past.Run(3);
    const std::string mark = ReadFile(past.Mark());
    WriteFile(past.folder.Ledger(), copy);
    past.CheckDistrusted(LedgerStanding::kOlderCopy);
    WriteFile(past.Mark(), mark);
    past.CheckDistrusted(LedgerStanding::kOlderCopy);
  }
  // From now on it is the one, and what is known of it stays.
  const TimePoint since = At(1'000 * past.opened);
  Checkpoint checkpoint;
  CHECK(past.Look(checkpoint) == LedgerStanding::kContinued);
  CHECK(checkpoint.distrusted_since == since);
  CHECK(LedgerReader::Open(past.folder.Ledger())->LoadCheckpoint() == checkpoint);
  CHECK_FALSE(LedgerReader::Open(past.folder.Ledger())->VerifyChain().broken);
  past.Run(0);
  CHECK(past.Look(checkpoint) == LedgerStanding::kContinued);
  CHECK(checkpoint.surveyed.size() == 1);
}

TEST_CASE("distrust is noted, or the ledger cannot be used: a disk that fails loses none of it", "[ledger]") {
  const auto fault = GENERATE(FaultyVfs::Fault::kDiskFull, FaultyVfs::Fault::kWriteError, FaultyVfs::Fault::kSyncError);
  bool succeeded = false;
  int failures = 0;
  for (int operations = 0; !succeeded; ++operations) {
    REQUIRE(operations < 100);
    FaultyVfs disk;
    Past past;
    past.Run(0);
    past.Run(10);
    const std::string copy = ReadFile(past.folder.Ledger());
    past.Run(3);
    WriteFile(past.folder.Ledger(), copy);
    disk.FailAfter(operations, fault);
    succeeded = RefusalOf([&] { past.Open(); }).empty();
    disk.Mend();
    failures += succeeded ? 0 : 1;
    Checkpoint checkpoint;
    const LedgerStanding standing = past.Look(checkpoint);
    INFO(operations << " operations succeeded");
    CHECK(standing == (succeeded ? LedgerStanding::kContinued : LedgerStanding::kOlderCopy));
    CHECK(checkpoint.surveyed.empty());
    CHECK(checkpoint.distrusted_since);
  }
  CHECK(failures >= 1);
}

TEST_CASE("a mark that cannot be used is refused with advice, and the ledger is left alone", "[ledger]") {
  Past past;
  past.Run(0);
  past.Run(10);
  const std::string before = ReadFile(past.folder.Ledger());
  const auto refusal = [&] { return RefusalOf([&] { past.Open(); }); };

  SECTION("a folder in its place") {
    fs::remove(past.Mark());
    fs::create_directory(past.Mark());
    CHECK_THAT(refusal(), Contains("ledger.db.mark"));
  }
  SECTION("a FIFO in its place") {
    fs::remove(past.Mark());
    REQUIRE(::mkfifo(past.Mark().c_str(), 0600) == 0);
    CHECK_THAT(refusal(), Contains("no regular file; remove it"));
  }
  SECTION("a link in its place") {
    fs::remove(past.Mark());
    fs::create_symlink(past.folder.path() / "nowhere", past.Mark());
    CHECK_THAT(refusal(), Contains("ledger.db.mark"));
  }
  SECTION("it may not be written") {
    ::chmod(past.Mark().c_str(), 0400);
    Child child([&](int to_parent) {
      ::chmod(past.folder.path().c_str(), 0777);
      ::chmod(past.folder.Ledger().c_str(), 0666);
      ::chmod((past.folder.path() / "ledger.db.lock").c_str(), 0666);
      BecomeReaderOnly();
      const std::string text = OpenRefusal(past.folder.Ledger());
      return ::write(to_parent, text.data(), text.size()) > 0 ? 0 : 1;
    });
    CHECK_THAT(child.Read(4'096), Contains("ledger.db.mark") && Contains("must be writable"));
    child.Wait();
  }
  CHECK((ReadFile(past.folder.Ledger()) == before));
}

TEST_CASE("a copy that is put in place is checked as a whole", "[ledger]") {
  Past past;
  past.Run(0);
  past.Run(200);
  std::string copy = ReadFile(past.folder.Ledger());
  past.Run(3);
  // A page of the log, which no start reads.
  std::int64_t page = 0;
  {
    SQLite::Database database(past.folder.Ledger().string(), SQLite::OPEN_READONLY);
    page = database.execAndGet("SELECT pageno FROM dbstat WHERE name = 'log' AND pagetype = 'leaf' LIMIT 1 OFFSET 3")
               .getInt64();
  }
  copy.replace(static_cast<std::size_t>(page - 1) * 4'096, 4'096, std::string(4'096, '\0'));
  WriteFile(past.folder.Ledger(), copy);
  CHECK_THAT(RefusalOf([&] { past.Open(); }), Contains("the file is damaged") && Contains("backup"));
}

TEST_CASE("a ledger of the first layout is renewed, keeps its log, and is distrusted for having no mark", "[ledger]") {
  Past past;
  past.Run(0);
  past.Run(100);
  const auto ledger = past.Open();
  const std::vector<LedgerEntry> entries = ledger->Entries();
  const PassRecord pass{.pass = 7, .cause = "poll"};
  ledger->SaveCheckpoint({.last_pass = 7}, &pass);
  TemporaryFolder elsewhere;
  CopyIntoLayout(1, past.folder.Ledger(), elsewhere.Ledger());

  CHECK_THAT(ReadRefusal(elsewhere.Ledger()), Contains("made by an older tokensyncd"));
  const ChainVerdict before = LedgerReader::Open(past.folder.Ledger())->VerifyChain();
  {
    LedgerIdentity identity = SomeIdentity();
    identity.opened_at = At(99);
    const auto renewed = SqliteLedger::Open(elsewhere.Ledger(), identity);
    CHECK(renewed->standing() == LedgerStanding::kUnmarked);
    CHECK(renewed->Entries() == entries);
    const Checkpoint expected{.last_pass = 7, .distrusted_since = At(99)};
    CHECK(renewed->LoadCheckpoint() == expected);
    renewed->Record(past.history.Next(10));
  }
  const auto reader = LedgerReader::Open(elsewhere.Ledger());
  const ChainVerdict after = reader->VerifyChain();
  if (after.broken) FAIL(after.broken->seq << ": " << after.broken->what);
  CHECK(after.records == before.records + 10);
  CHECK(reader->LastPass()->adopted == 0);
  CHECK(reader->LastPass()->pass == 7);
}

}  // namespace
}  // namespace tokensync
