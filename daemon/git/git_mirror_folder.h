/// The mirror as files: its lock, its scratch folders, its marks, and how a new one takes its place.
///
/// Beside MIRROR lie MIRROR.lock (held while fetching, never removed) and MIRROR.tmp-XXXXXX (one a fetch, only while it
/// runs). Inside lie the repository and two marks: `tokensync-source` (the URL that it mirrors) and
/// `tokensync-damaged` (a reader met a broken object: clone anew).
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace tokensync {

/// A folder of mode 0700 that goes with its owner.
class ScratchFolder {
 public:
  /// Throws std::filesystem::filesystem_error. `prefix`: the path, to which six characters are added.
  explicit ScratchFolder(const std::filesystem::path& prefix);
  ~ScratchFolder();
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// The right to change the mirror; at most one process has it. Ends with the object and with the process.
class MirrorLock {
 public:
  /// Waits for it without limit: who waits is killed when its time is up. Throws std::filesystem::filesystem_error.
  explicit MirrorLock(const std::filesystem::path& mirror);
  ~MirrorLock();
  MirrorLock(const MirrorLock&) = delete;
  MirrorLock& operator=(const MirrorLock&) = delete;

 private:
  int descriptor_ = -1;
};

/// Removes what killed fetches left: scratch folders, half-written packs, lock files. Only under the lock.
void RemoveLeftovers(const std::filesystem::path& mirror);

/// A scratch folder for one fetch. Only under the lock, so that any other one is a leftover.
std::filesystem::path ScratchPrefix(const std::filesystem::path& mirror);

/// Puts `fresh` in the mirror's place in one step; the old one, where there was one, is then at `fresh`.
/// Throws std::filesystem::filesystem_error.
void PutInPlace(const std::filesystem::path& mirror, const std::filesystem::path& fresh);

/// What the mirror mirrors, or empty.
std::string RecordedSource(const std::filesystem::path& mirror);
void RecordSource(const std::filesystem::path& mirror, const std::string& source);

/// Whether it could be marked.
bool MarkDamaged(const std::filesystem::path& mirror);
bool IsMarkedDamaged(const std::filesystem::path& mirror);

/// How many packs lie in an objects folder; 0 where it cannot be read.
std::size_t CountPacks(const std::filesystem::path& objects);

}  // namespace tokensync
