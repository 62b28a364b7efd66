#include "ledger_connection.h"

#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tokensync {

namespace {

/// Only a person at a shell, or a copy being made, ever holds the write lock besides the runner.
constexpr int kBusyTimeoutMs = 5'000;

/// A WAL that a long reader let grow is cut back to this.
constexpr int kWalBytesKept = 64 << 20;

/// What SQLite was doing when the disk failed. The system's own error is lost by then.
std::string DiskStep(int extended) {
  switch (extended) {
    case SQLITE_IOERR_READ:
    case SQLITE_IOERR_SHORT_READ:
      return "reading";
    case SQLITE_IOERR_WRITE:
    case SQLITE_IOERR_TRUNCATE:
      return "writing";
    case SQLITE_IOERR_FSYNC:
    case SQLITE_IOERR_DIR_FSYNC:
      return "flushing";
    default:
      return fmt::format("doing what SQLite calls {}", extended);
  }
}

/// What an SQLite error means for the one who runs the program, and what to do.
std::string Explain(int code, int extended, std::string_view text) {
  switch (code & 0xFF) {
    case SQLITE_FULL:
      return fmt::format("the disk is full ({}); make room on its file system, then start again", text);
    case SQLITE_READONLY:
      return fmt::format(
          "it cannot be written ({}); the file and its folder must be writable for the user that runs "
          "tokensyncd",
          text);
    case SQLITE_IOERR:
      return fmt::format(
          "the disk failed while {} ({}); see the kernel's log and the limits of this process, then start "
          "again",
          DiskStep(extended), text);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return fmt::format(
          "another program, such as an sqlite3 shell, has kept it locked for {} s ({}); end that program, "
          "then start again",
          kBusyTimeoutMs / 1000, text);
    case SQLITE_NOTADB:
      return fmt::format(
          "it is no database, or damaged beyond recognition ({}); set ledger.path to another file, or put "
          "a backup in its place",
          text);
    case SQLITE_CORRUPT:
      return fmt::format("the file is damaged ({}); keep it, and put a backup in its place", text);
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
      return fmt::format(
          "it cannot be opened ({}); the file and its folder must be accessible for the user that runs "
          "tokensyncd",
          text);
    case SQLITE_NOMEM:
      return fmt::format("memory is exhausted ({})", text);
    case SQLITE_CONSTRAINT:
      return fmt::format("its layout refuses that ({}); another program has written to it, or this is a defect", text);
    default:
      return fmt::format("{} (SQLite's code {})", text, extended);
  }
}

/// Sets a pragma and makes sure that it holds.
void SetPragma(LedgerConnection& connection, const char* name, std::int64_t value) {
  connection.database().exec(fmt::format("PRAGMA {} = {}", name, value));
  if (connection.PragmaNumber(name) != value) {
    connection.Refuse("opening", fmt::format("SQLite does not take the setting {} = {}", name, value));
  }
}

/// `path` in the form of a URI's path.
std::string UriPath(const std::string& path) {
  std::string out;
  for (const char c : path) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
                       c == '/' || c == '.' || c == '-' || c == '_';
    out += plain ? std::string(1, c) : fmt::format("%{:02X}", byte);
  }
  return out;
}

}  // namespace

std::filesystem::path ResolveLedgerPath(const std::filesystem::path& path) {
  namespace fs = std::filesystem;
  const auto refuse = [&](std::string_view why) {
    throw LedgerError(fmt::format("opening the ledger {}: {}", path.string(), why));
  };
  std::error_code error;
  const fs::path absolute = fs::absolute(path, error);
  const fs::path folder = absolute.parent_path();
  if (error || !absolute.has_filename()) refuse("ledger.path does not name a file");
  const fs::file_status folder_status = fs::status(folder, error);
  if (folder_status.type() == fs::file_type::not_found) {
    refuse(fmt::format("the folder {} does not exist; create it, or set ledger.path", folder.string()));
  }
  if (error) refuse(fmt::format("the folder {} cannot be looked at: {}", folder.string(), error.message()));
  if (!fs::is_directory(folder_status)) refuse(fmt::format("{} is no folder", folder.string()));

  const fs::file_status status = fs::status(absolute, error);
  if (error && status.type() != fs::file_type::not_found) refuse(error.message());
  if (fs::exists(status) && !fs::is_regular_file(status)) refuse("it is no regular file; set ledger.path to a file");
  const fs::path resolved =
      fs::exists(status) ? fs::canonical(absolute, error) : fs::canonical(folder, error) / absolute.filename();
  if (error) refuse(error.message());
  return resolved;
}

LedgerConnection::LedgerConnection(std::filesystem::path path, Access access) : path_(std::move(path)) {
  if (access == Access::kWrite) {
    OpenForWriting();
  } else {
    OpenForReading();
  }
}

std::int64_t LedgerConnection::PragmaNumber(const char* name) {
  SQLite::Statement query(database(), fmt::format("PRAGMA {}", name));
  return query.executeStep() ? query.getColumn(0).getInt64() : -1;
}

void LedgerConnection::OpenForWriting() {
  Run("opening", [&] {
    database_.emplace(path_.string(), SQLite::OPEN_READWRITE, kBusyTimeoutMs);
    // SQLite opens for reading what it may not write, without a word.
    if (sqlite3_db_readonly(database_->getHandle(), "main") != 0) {
      Refuse("opening", "it cannot be written; the file must be writable for the user that runs tokensyncd");
    }
    SetPragma(*this, "synchronous", 2);
    SetPragma(*this, "foreign_keys", 1);
    SetPragma(*this, "recursive_triggers", 1);
    SetPragma(*this, "trusted_schema", 0);
    SetPragma(*this, "cell_size_check", 1);
    SetPragma(*this, "journal_size_limit", kWalBytesKept);
    if (PragmaNumber("busy_timeout") != kBusyTimeoutMs) Refuse("opening", "SQLite does not take a busy time-out");
  });
}

void LedgerConnection::OpenForReading() {
  const auto probe = [&] {
    SetPragma(*this, "query_only", 1);
    SetPragma(*this, "trusted_schema", 0);
    SetPragma(*this, "cell_size_check", 1);
    PragmaNumber("schema_version");
  };
  int code = SQLITE_OK;
  try {
    database_.emplace(path_.string(), SQLite::OPEN_READONLY, kBusyTimeoutMs);
    probe();
    return;
  } catch (const SQLite::Exception& error) {
    code = error.getErrorCode() & 0xFF;
    // Anything else is not about the folder.
    if (code != SQLITE_CANTOPEN && code != SQLITE_READONLY) Fail("reading", error);
    if (::access(path_.c_str(), R_OK) != 0) {
      Refuse("reading", fmt::format("{}; run this as the user that runs tokensyncd", std::strerror(errno)));
    }
  }
  const Stamp stamp = StampNow();
  if (stamp.wal) {
    Refuse(
        "reading",
        "beside it lies a WAL with changes that only who may write in the folder can read; run this as the user that "
        "runs tokensyncd");
  }
  // Nobody has it open for writing, or there would be a WAL: every change is in the file itself.
  as_it_lies_ = stamp;
  Run("reading", [&] {
    database_.emplace("file:" + UriPath(path_.string()) + "?immutable=1", SQLite::OPEN_READONLY | SQLite::OPEN_URI,
                      kBusyTimeoutMs);
    probe();
  });
}

LedgerConnection::Stamp LedgerConnection::StampNow() const {
  Stamp stamp;
  struct stat status {};
  if (::stat(path_.c_str(), &status) == 0) {
    stamp.inode = static_cast<std::int64_t>(status.st_ino);
    stamp.size = static_cast<std::int64_t>(status.st_size);
    stamp.changed_ns = status.st_mtim.tv_sec * std::int64_t{1'000'000'000} + status.st_mtim.tv_nsec;
  }
  struct stat wal {};
  stamp.wal = ::stat((path_.string() + "-wal").c_str(), &wal) == 0 && wal.st_size > 0;
  return stamp;
}

void LedgerConnection::Settle() {
  if (as_it_lies_ && StampNow() != *as_it_lies_) {
    Refuse("reading", "a run began to change it meanwhile, and what was read may not fit together; run this again");
  }
}

void LedgerConnection::Refuse(std::string_view doing, std::string_view why) const {
  throw LedgerError(fmt::format("{} the ledger {}: {}", doing, path_.string(), why));
}

void LedgerConnection::Fail(std::string_view doing, const SQLite::Exception& error) const {
  Refuse(doing, Explain(error.getErrorCode(), error.getExtendedErrorCode(), error.what()));
}

void LedgerConnection::FailRow(std::string_view doing, std::string_view text) const {
  Refuse(doing, fmt::format("it holds a row whose {}; another program has written to it, or the file is damaged; keep "
                            "it, and put a backup in its place",
                            text));
}

}  // namespace tokensync
