/// One runner of a ledger at a time.
#pragma once

#include <filesystem>

namespace tokensync {

/// Holds the lock on a ledger, a flock on the file `<ledger>.lock`, until it dies; the kernel lets go of it with the
/// process, however that ends. The file stays, with the number of the process that had the lock last in it.
class RunnerLock {
 public:
  /// Takes the lock or throws LedgerError, which names the process that has it; never waits.
  explicit RunnerLock(const std::filesystem::path& ledger);
  ~RunnerLock();
  RunnerLock(const RunnerLock&) = delete;
  RunnerLock& operator=(const RunnerLock&) = delete;

 private:
  int fd_;
};

}  // namespace tokensync
