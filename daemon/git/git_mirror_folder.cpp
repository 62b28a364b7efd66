#include "git_mirror_folder.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <system_error>

namespace tokensync {

namespace fs = std::filesystem;

namespace {

constexpr const char* kSourceMark = "tokensync-source";
constexpr const char* kDamageMark = "tokensync-damaged";

[[noreturn]] void ThrowErrno(const char* doing, const fs::path& path) {
  throw fs::filesystem_error(doing, path, std::error_code(errno, std::generic_category()));
}

bool StartsWith(const std::string& text, const std::string& prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

template <typename Predicate>
void RemoveWhere(const fs::path& folder, Predicate&& matches) {
  std::error_code ignored;
  std::vector<fs::path> found;
  for (fs::directory_iterator it(folder, ignored), end; it != end; it.increment(ignored)) {
    if (ignored) break;
    if (matches(it->path())) found.push_back(it->path());
  }
  for (const fs::path& path : found) fs::remove_all(path, ignored);
}

}  // namespace

ScratchFolder::ScratchFolder(const fs::path& prefix) {
  std::string name = prefix.string() + "XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) ThrowErrno("making a temporary folder", prefix);
  path_ = name;
}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

MirrorLock::MirrorLock(const fs::path& mirror) {
  fs::path file = mirror;
  file += ".lock";
  descriptor_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor_ < 0) ThrowErrno("opening the lock of the mirror", file);
  while (::flock(descriptor_, LOCK_EX) != 0) {
    if (errno == EINTR) continue;
    const int error = errno;
    ::close(descriptor_);
    errno = error;
    ThrowErrno("locking the mirror", file);
  }
}

MirrorLock::~MirrorLock() {
  ::close(descriptor_);
}

fs::path ScratchPrefix(const fs::path& mirror) {
  fs::path prefix = mirror;
  prefix += ".tmp-";
  return prefix;
}

void RemoveLeftovers(const fs::path& mirror) {
  const std::string scratch = ScratchPrefix(mirror).filename().string();
  RemoveWhere(mirror.parent_path(), [&](const fs::path& p) { return StartsWith(p.filename().string(), scratch); });
  RemoveWhere(mirror / "objects" / "pack", [](const fs::path& p) {
    return !StartsWith(p.filename().string(), "pack-") || p.extension() == ".lock";
  });
  auto is_lock = [](const fs::path& p) { return p.extension() == ".lock"; };
  RemoveWhere(mirror, is_lock);
  std::error_code ignored;
  std::vector<fs::path> folders{mirror / "refs"};
  for (fs::recursive_directory_iterator it(mirror / "refs", ignored), end; it != end; it.increment(ignored)) {
    if (ignored) break;
    if (it->is_directory(ignored)) folders.push_back(it->path());
  }
  for (const fs::path& folder : folders) {
    RemoveWhere(folder, [&](const fs::path& p) { return is_lock(p) && !fs::is_directory(p, ignored); });
  }
}

void PutInPlace(const fs::path& mirror, const fs::path& fresh) {
  if (::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, mirror.c_str(), RENAME_NOREPLACE) == 0) return;
  if (errno == EEXIST && ::renameat2(AT_FDCWD, fresh.c_str(), AT_FDCWD, mirror.c_str(), RENAME_EXCHANGE) == 0) {
    return;
  }
  // A file system without these two: a reader may find nothing for an instant, and tries again at its next pass.
  fs::path old = fresh;
  old += ".old";
  std::error_code none;
  fs::rename(mirror, old, none);
  fs::rename(fresh, mirror);
  if (!none) fs::rename(old, fresh, none);
}

std::string RecordedSource(const fs::path& mirror) {
  std::ifstream in(mirror / kSourceMark, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void RecordSource(const fs::path& mirror, const std::string& source) {
  std::ofstream out(mirror / kSourceMark, std::ios::binary | std::ios::trunc);
  out << source;
  out.close();
  if (!out) ThrowErrno("writing", mirror / kSourceMark);
}

bool MarkDamaged(const fs::path& mirror) {
  std::ofstream out(mirror / kDamageMark, std::ios::binary | std::ios::trunc);
  out.close();
  return static_cast<bool>(out);
}

bool IsMarkedDamaged(const fs::path& mirror) {
  std::error_code ignored;
  return fs::exists(mirror / kDamageMark, ignored);
}

std::size_t CountPacks(const fs::path& objects) {
  std::size_t packs = 0;
  std::error_code ignored;
  for (fs::directory_iterator it(objects / "pack", ignored), end; it != end; it.increment(ignored)) {
    if (ignored) break;
    if (it->path().extension() == ".pack") ++packs;
  }
  return packs;
}

}  // namespace tokensync
