/// A disk that fails on demand: an SQLite VFS in front of the real one.
#pragma once

#include <memory>

namespace tokensync {

/// While it lives, every database that is opened goes through it.
class FaultyVfs {
 public:
  /// kKilled: the process is killed in the place of that write.
  enum class Fault { kDiskFull, kWriteError, kSyncError, kKilled };

  FaultyVfs();
  /// The databases that were opened meanwhile are closed before.
  ~FaultyVfs();
  FaultyVfs(const FaultyVfs&) = delete;
  FaultyVfs& operator=(const FaultyVfs&) = delete;

  /// Lets `writes` (for kSyncError: syncs) succeed, and each after that fail until Mend().
  void FailAfter(int writes, Fault fault);
  void Mend();
  /// Whether anything failed since FailAfter.
  bool Struck() const;

 private:
  struct Disk;
  std::unique_ptr<Disk> disk_;
};

}  // namespace tokensync
