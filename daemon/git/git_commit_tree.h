/// The files of one commit, and the opened mirror that they come from.
///
/// Only .cpp files of this folder include it.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "file_tree.h"
#include "git_library.h"

namespace tokensync {

/// One opening of the mirror. A fetch may put another folder in its place meanwhile.
struct OpenedMirror {
  std::filesystem::path path;
  dev_t device = 0;
  ino_t inode = 0;
  GitPtr<git_repository> repository;
  GitPtr<git_odb> objects;
  mutable bool damaged = false;  ///< not to be used again
};

/// Throws EnvironmentError for a mirror that cannot be read as it should, and marks it, if it is still the one that was
/// opened. `doing`: a gerund phrase.
[[noreturn]] void ThrowDamaged(const OpenedMirror& mirror, std::string_view doing, const GitCallError& cause);

/// "a/b" for "./a//b/", empty for ".". Throws EnvironmentError where it leads out of the repository.
std::string NormalFolder(const std::string& folder);

/// `folder`: as NormalFolder gives it. `root`: the commit's tree.
std::unique_ptr<FileTree> MakeCommitTree(std::shared_ptr<const OpenedMirror> mirror, const std::string& commit,
                                         GitPtr<git_tree> root, std::string folder);

}  // namespace tokensync
