#include "private_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>
#include <system_error>

#include "errors.h"

namespace tokensync {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kPrefix = "trust-";
constexpr std::string_view kFolderSuffix = ".d";

[[noreturn]] void Fail(std::string_view doing, const fs::path& file, std::string_view cause) {
  throw EnvironmentError(fmt::format("checking a signature: {} {}: {}; will try again", doing, file.string(), cause));
}

[[noreturn]] void FailErrno(std::string_view doing, const fs::path& file) {
  Fail(doing, file, std::strerror(errno));
}

fs::path FolderOf(const fs::path& lock_file) {
  return lock_file.string() + std::string(kFolderSuffix);
}

/// Removes the folder of a process that is gone: nobody holds its lock.
void RemoveIfLeft(const fs::path& lock_file) {
  const int lock = ::open(lock_file.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (lock < 0) return;
  if (::flock(lock, LOCK_EX | LOCK_NB) == 0) {
    std::error_code ignored;
    fs::remove_all(FolderOf(lock_file), ignored);
    // In this order: a folder without its lock would stay for ever.
    if (!ignored) ::unlink(lock_file.c_str());
  }
  ::close(lock);
}

void RemoveLeftOnes(const fs::path& below) {
  std::error_code error;
  for (fs::directory_iterator at(below, error), end; !error && at != end; at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.starts_with(kPrefix) && !name.ends_with(kFolderSuffix)) RemoveIfLeft(at->path());
  }
}

}  // namespace

PrivateFolder::PrivateFolder(const fs::path& below) {
  const fs::path folder = fs::absolute(below).lexically_normal();
  RemoveLeftOnes(folder);
  for (;;) {
    std::string name = (folder / (std::string(kPrefix) + "XXXXXX")).string();
    lock_ = ::mkostemp(name.data(), O_CLOEXEC);
    if (lock_ < 0) FailErrno("making a file in", folder);
    lock_file_ = name;
    struct stat status {};
    if (::flock(lock_, LOCK_EX | LOCK_NB) == 0 && ::fstat(lock_, &status) == 0 && status.st_nlink > 0) break;
    // Another process took it for one that was left before we had it locked.
    ::close(lock_);
  }
  path_ = FolderOf(lock_file_);
  if (::mkdir(path_.c_str(), 0700) != 0) {
    const int error = errno;
    ::unlink(lock_file_.c_str());
    ::close(lock_);
    errno = error;
    FailErrno("making the folder", path_);
  }
}

PrivateFolder::~PrivateFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
  ::unlink(lock_file_.c_str());
  ::close(lock_);
}

void PrivateFolder::Write(std::string_view name, std::string_view bytes) const {
  const fs::path file = path_ / name;
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (fd < 0) FailErrno("making the file", file);
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      const int error = errno;
      ::close(fd);
      errno = error;
      FailErrno("writing the file", file);
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  if (::close(fd) != 0) FailErrno("writing the file", file);
}

void PrivateFolder::MakeEmpty(std::string_view name) const {
  const fs::path folder = path_ / name;
  std::error_code error;
  fs::remove_all(folder, error);
  if (error) Fail("emptying the folder", folder, error.message());
  if (::mkdir(folder.c_str(), 0700) != 0) FailErrno("making the folder", folder);
}

}  // namespace tokensync
