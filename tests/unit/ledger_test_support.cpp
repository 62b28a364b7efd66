#include "ledger_test_support.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <utility>
#include <vector>

#include "ledger_contract_samples.h"
#include "schema.h"

namespace tokensync {

namespace fs = std::filesystem;

TemporaryFolder::TemporaryFolder() {
  std::string name = (fs::temp_directory_path() / "ledger-test-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
  path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
  ::chmod(path_.c_str(), 0700);
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

LedgerIdentity SomeIdentity() {
  return {.endpoint = "https://metadata.example.com",
          .source_url = "https://git.example.com/acme/tokens.git",
          .program_version = "0.1.0",
          .opened_at = At(0)};
}

void TellStories(const fs::path& path) {
  const auto ledger = SqliteLedger::Open(path, SomeIdentity());
  for (const Story& story : Stories()) ledger->Record(story.changes);
}

std::vector<StoredRow> RowsOf(LedgerReader& reader, const HistoryQuery& query) {
  std::vector<StoredRow> rows;
  reader.History(query, [&](const StoredRow& row) { rows.push_back(row); });
  return rows;
}

std::vector<StoredRecord> RecordsIn(const fs::path& ledger) {
  std::vector<StoredRecord> records;
  for (StoredRow& row : RowsOf(*LedgerReader::Open(ledger))) {
    if (auto* record = std::get_if<StoredRecord>(&row)) records.push_back(std::move(*record));
  }
  return records;
}

std::vector<Notice> NoticesIn(const fs::path& ledger) {
  std::vector<Notice> notices;
  for (StoredRow& row : RowsOf(*LedgerReader::Open(ledger))) {
    if (auto* stored = std::get_if<StoredNotice>(&row)) notices.push_back(std::move(stored->notice));
  }
  return notices;
}

std::uint64_t SeqOf(const StoredRow& row) {
  return std::visit([](const auto& stored) { return stored.seq; }, row);
}

void CopyIntoLayout(std::size_t layout, const fs::path& path, const fs::path& old) {
  SQLite::Database database(old.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  database.exec(fmt::format("PRAGMA application_id = {}", kLedgerApplicationId));
  ApplyMigrations(database, 0, LedgerMigrations().first(layout), At(0));
  database.exec(fmt::format("ATTACH '{}' AS new", path.string()));
  SQLite::Statement tables(database,
                           "SELECT name FROM main.sqlite_schema WHERE type = 'table' AND name <> 'migration'");
  while (tables.executeStep()) {
    const std::string table = tables.getColumn(0).getString();
    std::string columns;
    SQLite::Statement names(database, fmt::format("SELECT name FROM pragma_table_info('{}', 'main')", table));
    while (names.executeStep()) columns += (columns.empty() ? "" : ", ") + names.getColumn(0).getString();
    names.reset();
    database.exec(fmt::format("INSERT INTO main.{0} ({1}) SELECT {1} FROM new.{0}", table, columns));
  }
}

std::string RefusalOf(const std::function<void()>& step) {
  try {
    step();
    return "";
  } catch (const LedgerError& error) {
    return error.what();
  }
}

std::string OpenRefusal(const fs::path& path, const LedgerIdentity& identity) {
  return RefusalOf([&] { SqliteLedger::Open(path, identity); });
}

std::string ReadRefusal(const fs::path& path) {
  return RefusalOf([&] { LedgerReader::Open(path); });
}

void Sql(const fs::path& file, const std::string& sql) {
  SQLite::Database database(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, 5'000);
  database.exec("PRAGMA foreign_keys = ON");
  database.exec(sql);
}

void Tamper(const fs::path& ledger, const std::string& sql) {
  Sql(ledger,
      "DROP TRIGGER log_refuses_update; DROP TRIGGER log_refuses_delete; DROP TRIGGER log_refuses_gaps;"
      "DROP TRIGGER git_commit_refuses_update; DROP TRIGGER git_commit_refuses_delete;"
      "PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON;" +
          sql);
}

Child::Child(const std::function<int(int to_parent)>& body) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  std::fflush(nullptr);
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("no process");
  if (pid_ == 0) {
    ::close(ends[0]);
    int status = 99;
    try {
      status = body(ends[1]);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "in the child: %s\n", error.what());
    }
    ::_exit(status);
  }
  ::close(ends[1]);
  from_child_ = ends[0];
}

Child::~Child() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  ::close(from_child_);
}

std::string Child::Read(std::size_t size) {
  std::string text(size, '\0');
  std::size_t have = 0;
  while (have < size) {
    const ssize_t got = ::read(from_child_, text.data() + have, size - have);
    if (got <= 0) break;
    have += static_cast<std::size_t>(got);
  }
  text.resize(have);
  return text;
}

void Child::Kill() {
  ::kill(pid_, SIGKILL);
}

int Child::Wait() {
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return status;
}

void LetOthersRead(const TemporaryFolder& folder) {
  for (const auto& file : fs::directory_iterator(folder.path())) ::chmod(file.path().c_str(), 0444);
  ::chmod(folder.path().c_str(), 0555);
}

void LetOwnerWrite(const TemporaryFolder& folder) {
  ::chmod(folder.path().c_str(), 0755);
  for (const auto& file : fs::directory_iterator(folder.path())) ::chmod(file.path().c_str(), 0644);
}

void BecomeReaderOnly() {
  constexpr unsigned int kNobody = 65'534;
  if (::geteuid() != 0) return;
  if (::setgroups(0, nullptr) != 0 || ::setgid(kNobody) != 0 || ::setuid(kNobody) != 0) ::_exit(98);
}

std::string AsReaderOnly(const TemporaryFolder& folder, const std::function<std::string()>& step) {
  LetOthersRead(folder);
  Child child([&](int to_parent) {
    BecomeReaderOnly();
    const std::string text = step();
    return ::write(to_parent, text.data(), text.size()) == static_cast<ssize_t>(text.size()) ? 0 : 1;
  });
  std::string text = child.Read(1 << 16);
  const int status = child.Wait();
  LetOwnerWrite(folder);
  if (status != 0) throw std::runtime_error("the child failed");
  return text;
}

bool Aborts(const std::function<void()>& step) {
  Child child([&](int) {
    const rlimit none{0, 0};
    ::setrlimit(RLIMIT_CORE, &none);
    ::signal(SIGABRT, SIG_DFL);
    // Its last words belong to this test, not on the screen.
    if (std::freopen("/dev/null", "w", stderr) == nullptr) return 97;
    step();
    return 0;
  });
  const int status = child.Wait();
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

}  // namespace tokensync
