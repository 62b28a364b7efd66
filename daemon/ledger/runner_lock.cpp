#include "runner_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "errors.h"

namespace tokensync {

namespace {

/// "process 123", or "another process" where the file does not say.
std::string HolderOf(int fd) {
  std::array<char, 20> text{};
  const ssize_t size = ::pread(fd, text.data(), text.size(), 0);
  std::string digits;
  for (ssize_t at = 0; at < size && text[static_cast<std::size_t>(at)] >= '0'; ++at) {
    if (text[static_cast<std::size_t>(at)] > '9') break;
    digits.push_back(text[static_cast<std::size_t>(at)]);
  }
  return digits.empty() ? "another process" : "process " + digits;
}

}  // namespace

RunnerLock::RunnerLock(const std::filesystem::path& ledger)
    : fd_(::open((ledger.string() + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600)) {
  if (fd_ < 0) {
    throw LedgerError(
        fmt::format("locking the ledger {0}: {0}.lock cannot be opened for writing: {1}; the folder and "
                    "the file must be writable for the user that runs tokensyncd",
                    ledger.string(), std::strerror(errno)));
  }
  if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    const std::string holder = HolderOf(fd_);
    ::close(fd_);
    if (error == EWOULDBLOCK) {
      throw LedgerError(
          fmt::format("opening the ledger {}: it is in use by {}; let that one make the pass with "
                      "`tokensyncd trigger`, or stop it first",
                      ledger.string(), holder));
    }
    throw LedgerError(fmt::format("locking the ledger {}: {}", ledger.string(), std::strerror(error)));
  }
  // A note for people only: the lock holds without it, so a full disk here is no failure.
  const std::string note = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd_, 0) == 0) [[maybe_unused]]
    const ssize_t written = ::pwrite(fd_, note.data(), note.size(), 0);
}

RunnerLock::~RunnerLock() {
  ::close(fd_);
}

}  // namespace tokensync
