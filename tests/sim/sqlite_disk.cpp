#include "sqlite_disk.h"

#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <stdexcept>

#include "broken_promise.h"
#include "ledger_backup.h"
#include "ledger_reader.h"
#include "ledger_text.h"

namespace tokensync {

namespace {

namespace fs = std::filesystem;

fs::path MakeFolder() {
  // In memory, since a write is durable there as soon as it is made.
  const fs::path memory = "/dev/shm";
  const fs::path parent = access(memory.c_str(), W_OK) == 0 ? memory : fs::temp_directory_path();
  std::string name = parent / "tokensync-world-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("making a folder for a ledger in " + parent.string());
  return name;
}

fs::path Beside(fs::path path, const char* suffix) {
  return path += suffix;
}

std::optional<std::string> ReadBytes(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

/// Over the bytes that were there: the file stays the same one.
void WriteBytes(const fs::path& path, const std::optional<std::string>& bytes) {
  if (!bytes) {
    fs::remove(path);
    return;
  }
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << *bytes;
  file.close();
  if (!file) throw std::runtime_error("writing " + path.string());
  fs::permissions(path, fs::perms::owner_read | fs::perms::owner_write);
}

LedgerIdentity IdentityAt(TimePoint now) {
  return {.endpoint = "https://service.example",
          .source_url = "https://git.example/tokens.git",
          .program_version = "simulated",
          .opened_at = now};
}

}  // namespace

class SqliteDisk::FileCopy final : public Copy {
 public:
  explicit FileCopy(std::string bytes) : database(std::move(bytes)) {}
  const std::string database;
};

SqliteDisk::SqliteDisk(std::uint64_t seed) : dice_(seed), folder_(MakeFolder()) {}

SqliteDisk::~SqliteDisk() {
  ledger_.reset();
  std::error_code ignored;
  fs::remove_all(folder_, ignored);
}

SqliteDisk::Files SqliteDisk::ReadFiles() const {
  return {.database = ReadBytes(Path()),
          .wal = ReadBytes(Beside(Path(), "-wal")),
          .mark = ReadBytes(Beside(Path(), ".mark"))};
}

void SqliteDisk::WriteFiles(const Files& files) const {
  WriteBytes(Path(), files.database);
  WriteBytes(Beside(Path(), "-wal"), files.wal);
  WriteBytes(Beside(Path(), ".mark"), files.mark);
  fs::remove(Beside(Path(), "-shm"));
}

Ledger& SqliteDisk::Open(TimePoint now) {
  const bool is_first = !fs::exists(Path());
  ledger_ = SqliteLedger::Open(Path(), IdentityAt(now));
  const LedgerStanding expected = is_first ? LedgerStanding::kNew : LedgerStanding::kContinued;
  Demand(ledger_->standing() == expected, "the ledger that ran last is taken for another one");
  mark_at_open_ = ReadBytes(Beside(Path(), ".mark")).value();
  return *ledger_;
}

void SqliteDisk::Cut() {
  if (!ledger_) return;
  Files files = torn_ ? *torn_ : ReadFiles();
  torn_.reset();
  const bool is_power_cut = dice_.Percent(40);
  if (is_power_cut) files.mark = mark_at_open_;
  ledger_.reset();
  WriteFiles(files);
}

void SqliteDisk::Tear(const std::function<void(Ledger&)>& write) {
  const Files before = ReadFiles();
  write(*ledger_);
  Files torn = before;
  const std::optional<std::string> wal = ReadBytes(Beside(Path(), "-wal"));
  const std::size_t begin = before.wal.value_or("").size();
  if (wal && wal->size() > begin) {
    // Not all of what was appended reached the disk; where the length did, the bytes may be none of ours.
    torn.wal = wal->substr(0, begin + dice_.Below(wal->size() - begin));
    if (dice_.Percent(50)) torn.wal->resize(wal->size(), '\0');
  }
  torn_ = std::move(torn);
}

std::shared_ptr<const LedgerDisk::Copy> SqliteDisk::MakeCopy() {
  if (!fs::exists(Path())) return nullptr;
  const fs::path target = folder_ / "copy.db";
  BackUpLedger(Path(), target);
  auto copy = std::make_shared<FileCopy>(ReadBytes(target).value());
  fs::remove(target);
  return copy;
}

void SqliteDisk::Replace(const Copy* copy, TimePoint now) {
  for (const char* suffix : {"", "-wal", "-shm"}) fs::remove(Beside(Path(), suffix));
  if (copy != nullptr) WriteBytes(Path(), dynamic_cast<const FileCopy&>(*copy).database);
  const std::unique_ptr<SqliteLedger> replaced = SqliteLedger::Open(Path(), IdentityAt(now));
  Demand(IsDistrusted(replaced->standing()), "a ledger that was put in the place of another one is trusted");
}

void SqliteDisk::Audit(const MemoryLedgerStore& expected) {
  const std::unique_ptr<LedgerReader> reader = LedgerReader::Open(Path());
  const ChainVerdict verdict = reader->VerifyChain();
  if (verdict.broken) throw BrokenPromise("the ledger does not pass its audit: " + verdict.broken->what);
  Demand(verdict.records == expected.log.size() + expected.notices.size(),
         "the log on the disk is longer or shorter than what was recorded");
  Demand(verdict.entries == expected.entries.size(), "the disk holds other entries than what was recorded");
  Demand(reader->LoadCheckpoint() == expected.checkpoint, "the checkpoint on the disk is not the one that was saved");
  auto change = expected.log.begin();
  auto notice = expected.notices.begin();
  reader->History({}, [&](const StoredRow& row) {
    if (const auto* stored = std::get_if<StoredRecord>(&row)) {
      const std::string recorded = RecordText(change->record, EventName(change->event), StateName(change->after));
      Demand(RecordText(stored->record, stored->event, stored->state_after) == recorded,
             "a row of the log on the disk is not the one that was recorded");
      ++change;
    } else {
      Demand(NoticeText(std::get<StoredNotice>(row).notice) == NoticeText(*notice),
             "a notice on the disk is not the one that was recorded");
      ++notice;
    }
  });
}

}  // namespace tokensync
