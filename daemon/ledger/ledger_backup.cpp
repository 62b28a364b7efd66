#include "ledger_backup.h"

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/Statement.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "columns.h"
#include "durable_folder.h"
#include "entries_sum.h"
#include "ledger_connection.h"
#include "ledger_file.h"

namespace tokensync {

namespace {

namespace fs = std::filesystem;

constexpr const char* kDoing = "backing up";

/// The first layout had no sum over its entries.
constexpr std::int64_t kVersionWithSum = 2;

[[noreturn]] void RefuseTarget(const fs::path& target, std::string_view why) {
  throw LedgerError(fmt::format("backing up into {}: {}; nothing was written", target.string(), why));
}

/// The absolute name of a file that is not there yet, in a folder that is.
fs::path FreshTarget(const fs::path& target) {
  std::error_code error;
  const fs::path absolute = fs::absolute(target, error);
  if (error || !absolute.has_filename()) RefuseTarget(target, "that is no name of a file");
  if (!fs::is_directory(absolute.parent_path(), error)) {
    RefuseTarget(target, fmt::format("there is no folder {}", absolute.parent_path().string()));
  }
  struct stat status {};
  if (::lstat(absolute.c_str(), &status) == 0) {
    RefuseTarget(target, "it is there already, and a backup overwrites nothing; name a new file");
  }
  if (errno != ENOENT) RefuseTarget(target, std::strerror(errno));
  return absolute;
}

/// A file beside the target that becomes the target, or goes.
class Draft {
 public:
  explicit Draft(const fs::path& target) : target_(target), path_(target.string() + ".tmp-XXXXXX") {
    fd_ = ::mkostemp(path_.data(), O_CLOEXEC);
    if (fd_ < 0) RefuseTarget(target_, std::strerror(errno));
  }
  ~Draft() {
    // What SQLite may have had beside it, too.
    for (const char* suffix : {"", "-journal", "-wal", "-shm"}) {
      if (!placed_ || *suffix != '\0') ::unlink((path_ + suffix).c_str());
    }
    ::close(fd_);
  }
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;

  const std::string& path() const { return path_; }

  std::uint64_t Bytes() const {
    struct stat status {};
    return ::fstat(fd_, &status) == 0 ? static_cast<std::uint64_t>(status.st_size) : 0;
  }

  /// On the disk under the target's name, unless something came there meanwhile.
  void Place() {
    if (::fsync(fd_) != 0) RefuseTarget(target_, std::strerror(errno));
    if (::renameat2(AT_FDCWD, path_.c_str(), AT_FDCWD, target_.c_str(), RENAME_NOREPLACE) == 0) {
      placed_ = true;
    } else if (errno != EINVAL && errno != ENOSYS) {
      RefuseTarget(target_, std::strerror(errno));
    } else if (::link(path_.c_str(), target_.c_str()) != 0) {
      // A file system without the flag: a link overwrites nothing either, and the draft goes.
      RefuseTarget(target_, std::strerror(errno));
    }
    if (!FlushFolder(target_.parent_path())) {
      throw LedgerError(
          fmt::format("backing up into {}: flushing its folder: {}; the copy is there, and may be gone "
                      "after a power cut",
                      target_.string(), std::strerror(errno)));
    }
  }

 private:
  fs::path target_;
  std::string path_;
  int fd_ = -1;
  bool placed_ = false;
};

/// All pages in one step: one moment of the ledger, which a reader of a WAL sees however long it takes.
void CopyPages(LedgerConnection& ledger, const std::string& draft) {
  ledger.Run(kDoing, [&] {
    SQLite::Database copy(draft, SQLite::OPEN_READWRITE);
    // A draft needs no protection from a crash; what it becomes is flushed as a whole.
    copy.exec("PRAGMA synchronous = OFF");
    SQLite::Backup backup(copy, ledger.database());
    const int result = backup.executeStep(-1);
    if (result != SQLITE_DONE) {
      ledger.Refuse(kDoing, fmt::format("it is locked ({}); run this again", sqlite3_errstr(result)));
    }
  });
  ledger.Settle();
}

/// Makes the draft one file without a WAL, checks it, and counts.
BackupReport CheckCopy(const std::string& draft) {
  LedgerConnection copy(draft, LedgerConnection::Access::kWrite);
  return copy.Run(kDoing, [&] {
    SQLite::Database& database = copy.database();
    SQLite::Statement mode(database, "PRAGMA journal_mode = DELETE");
    const bool alone = mode.executeStep() && mode.getColumn(0).getString() == "delete";
    // The change is committed by the step that finds no further row.
    if (!alone || mode.executeStep()) copy.Refuse(kDoing, "SQLite keeps its WAL");
    CheckLedgerKind(copy, kDoing);
    if (const auto fault = StructureFault(database)) copy.Refuse(kDoing, fmt::format("it is damaged ({})", *fault));
    CheckLogEnd(copy, kDoing);
    if (copy.PragmaNumber("user_version") >= kVersionWithSum && SumOfEntries(database) != ReadEntriesSum(database)) {
      copy.Refuse(kDoing, kEntriesDamaged);
    }
    BackupReport report;
    SQLite::Statement count(database, "SELECT (SELECT count(*) FROM entry), seq, hash FROM log_head");
    count.executeStep();
    report.entries = ToUint64(ColumnAs<std::int64_t>(count, 0), "count");
    report.records = ToUint64(ColumnAs<std::int64_t>(count, 1), "seq");
    report.head = ColumnAs<Digest>(count, 2);
    return report;
  });
}

}  // namespace

BackupReport BackUpLedger(const fs::path& ledger, const fs::path& target) {
  const fs::path fresh = FreshTarget(target);
  const fs::path resolved = ResolveLedgerPath(ledger);
  std::error_code error;
  if (!fs::exists(resolved, error)) {
    throw LedgerError(fmt::format("backing up the ledger {}: there is none", ledger.string()));
  }
  LedgerConnection source(resolved, LedgerConnection::Access::kRead);
  source.Run(kDoing, [&] { CheckLedgerKind(source, kDoing); });
  Draft draft(fresh);
  CopyPages(source, draft.path());
  BackupReport report;
  try {
    report = CheckCopy(draft.path());
  } catch (const LedgerError& fault) {
    throw LedgerError(fmt::format("backing up the ledger {}: the copy does not hold, and was removed: {}",
                                  resolved.string(), fault.what()));
  }
  report.file = fresh;
  report.bytes = draft.Bytes();
  draft.Place();
  return report;
}

}  // namespace tokensync
