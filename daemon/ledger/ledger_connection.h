/// A connection to a ledger's file: opened with all that its contract needs, and the place where SQLite's errors become
/// ours. For the files of this folder, and their tests.
#pragma once

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Exception.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "columns.h"
#include "errors.h"

namespace tokensync {

class LedgerConnection {
 public:
  enum class Access { kWrite, kRead };

  /// Opens an existing file; the folder and file are checked first, what is in it is not. Throws LedgerError.
  ///
  /// kWrite: synchronous=FULL, foreign keys, a busy time-out, all read back; fails where the file can only be read.
  /// (WAL itself is a property of the file: see AdoptLedgerFile.) kRead: writes nothing to the database, and reads
  /// beside a writer. Where SQLite cannot make its shared memory because the folder is not writable for us, and no
  /// change waits in a WAL, the file is read as it lies: see Settle().
  LedgerConnection(std::filesystem::path path, Access access);

  SQLite::Database& database() { return *database_; }
  const std::filesystem::path& path() const { return path_; }

  /// The number that a pragma answers. Throws SQLite::Exception.
  std::int64_t PragmaNumber(const char* name);

  /// Runs a step; translates what SQLite throws and what rows are not ours. `doing`: a gerund phrase,
  /// "recording 3 changes in". Throws LedgerError.
  template <class Step>
  decltype(auto) Run(std::string_view doing, Step&& step) {
    try {
      return std::forward<Step>(step)();
    } catch (const SQLite::Exception& error) {
      Fail(doing, error);
    } catch (const RowError& error) {
      FailRow(doing, error.what());
    }
  }

  /// The ledger is not usable: throws LedgerError "DOING the ledger PATH: WHY".
  [[noreturn]] void Refuse(std::string_view doing, std::string_view why) const;

  /// To be called at the end of each reading. Throws LedgerError where the file was read as it lies and a runner has
  /// begun to change it meanwhile, so that what was read may be torn.
  void Settle();

 private:
  /// What tells that nobody touched the file.
  struct Stamp {
    std::int64_t inode = 0;
    std::int64_t size = 0;
    std::int64_t changed_ns = 0;
    bool wal = false;
    bool operator==(const Stamp&) const = default;
  };

  void OpenForWriting();
  void OpenForReading();
  Stamp StampNow() const;
  [[noreturn]] void Fail(std::string_view doing, const SQLite::Exception& error) const;
  [[noreturn]] void FailRow(std::string_view doing, std::string_view text) const;

  std::filesystem::path path_;
  std::optional<SQLite::Database> database_;
  std::optional<Stamp> as_it_lies_;
};

/// The file that `path` leads to, through symbolic links, so that two names of one ledger share its lock and WAL.
/// Throws LedgerError where its folder does not exist, or it is there and is no regular file.
std::filesystem::path ResolveLedgerPath(const std::filesystem::path& path);

}  // namespace tokensync
