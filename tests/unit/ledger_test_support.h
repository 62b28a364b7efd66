/// What the ledger's tests share: a folder that goes away, SQL behind the ledger's back, steps in another process.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "ledger_reader.h"
#include "sqlite_ledger.h"

namespace tokensync {

/// An empty folder that is removed at the end.
class TemporaryFolder {
 public:
  TemporaryFolder();
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path Ledger() const { return path_ / "ledger.db"; }

 private:
  std::filesystem::path path_;
};

LedgerIdentity SomeIdentity();

/// A ledger in which each of Stories() happened.
void TellStories(const std::filesystem::path& path);

/// The log as a query gives it; and of the whole log its rows about tokens, and its notices.
std::vector<StoredRow> RowsOf(LedgerReader& reader, const HistoryQuery& query = {});
std::vector<StoredRecord> RecordsIn(const std::filesystem::path& ledger);
std::vector<Notice> NoticesIn(const std::filesystem::path& ledger);
/// Of either kind of row.
std::uint64_t SeqOf(const StoredRow& row);

/// The ledger at `path` as the layout of that number had it, row by row. For one whose log has neither notices nor
/// signers.
void CopyIntoLayout(std::size_t layout, const std::filesystem::path& path, const std::filesystem::path& old);

/// What a LedgerError of the step says; "" where it throws none. Any other exception comes out.
std::string RefusalOf(const std::function<void()>& step);
/// Of opening the ledger for writing, and for reading.
std::string OpenRefusal(const std::filesystem::path& path, const LedgerIdentity& identity = SomeIdentity());
std::string ReadRefusal(const std::filesystem::path& path);

/// Executes SQL on a plain connection. Throws SQLite::Exception.
void Sql(const std::filesystem::path& file, const std::string& sql);
/// The same without triggers and CHECKs of a ledger: what somebody with an editor could do.
void Tamper(const std::filesystem::path& ledger, const std::string& sql);

/// A process of our own.
class Child {
 public:
  /// Runs `body` in a forked process, whose exit status it gives; the body tells the parent by the descriptor.
  explicit Child(const std::function<int(int to_parent)>& body);
  /// Kills it where it still runs.
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  /// What it wrote next, up to `size` bytes; less at its end.
  std::string Read(std::size_t size);
  void Kill();
  /// As waitpid tells it.
  int Wait();

 private:
  int pid_ = -1;
  int from_child_ = -1;
};

/// What the step returns, done by a process that may not write in our folders: as another user where we are root.
std::string AsReaderOnly(const TemporaryFolder& folder, const std::function<std::string()>& step);
/// In a forked process: become that process.
void BecomeReaderOnly();
/// Lets everybody read the folder and its ledger, and that process write none of it.
void LetOthersRead(const TemporaryFolder& folder);
/// Undoes that for the owner.
void LetOwnerWrite(const TemporaryFolder& folder);

/// Whether the step aborts, tried in a process of its own.
bool Aborts(const std::function<void()>& step);

}  // namespace tokensync
