/// The production ledger under a world: files on a file system in memory, power cuts, torn writes, restored copies.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "dice.h"
#include "ledger_disk.h"
#include "sqlite_ledger.h"

namespace tokensync {

/// The end of a process leaves the files as they are at that moment: the WAL is not written back, as it would be in an
/// orderly end. After a power cut the mark may be the one of the start.
class SqliteDisk final : public LedgerDisk {
 public:
  explicit SqliteDisk(std::uint64_t seed);
  ~SqliteDisk() override;
  SqliteDisk(const SqliteDisk&) = delete;
  SqliteDisk& operator=(const SqliteDisk&) = delete;

  Ledger& Open(TimePoint now) override;
  void Cut() override;
  void Tear(const std::function<void(Ledger&)>& write) override;
  std::shared_ptr<const Copy> MakeCopy() override;
  void Replace(const Copy* copy, TimePoint now) override;
  void Audit(const MemoryLedgerStore& expected) override;

 private:
  /// Bytes of the files; nothing for one that is not there.
  struct Files {
    std::optional<std::string> database{}, wal{}, mark{};
  };
  class FileCopy;

  std::filesystem::path Path() const { return folder_ / "ledger.db"; }
  Files ReadFiles() const;
  void WriteFiles(const Files& files) const;

  Dice dice_;
  std::filesystem::path folder_;
  std::unique_ptr<SqliteLedger> ledger_;
  std::string mark_at_open_;   // all that a power cut has to leave of it
  std::optional<Files> torn_;  // what the next Cut leaves
};

}  // namespace tokensync
