/// Manifests in the file system, for `validate`.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "file_tree.h"

namespace tokensync {

/// The files below the named folders, and the named files, as one tree.
///
/// So that values are inherited as they are in the repository, `collection.yaml` and `.tokensyncignore` files of the
/// folders above belong to the tree as well: up to the folder that holds `.git`; without one, up to the root of the
/// file system, or to the last folder whose name does not begin with a dot. That folder is the tree's root. What lies
/// in folders whose names begin with a dot is not listed. Symbolic links are listed, never followed.
class DirectoryTree : public FileTree {
 public:
  /// Throws EnvironmentError where a path does not exist or cannot be read. `paths` is not empty.
  explicit DirectoryTree(const std::vector<std::filesystem::path>& paths);
  explicit DirectoryTree(const std::filesystem::path& path) : DirectoryTree(std::vector{path}) {}

  std::vector<TreeFile> List() override;
  std::optional<std::string> Read(const TreeFile& file, std::uint64_t bytes_max) override;

  /// A path of the tree as the user would name it: relative to the current folder where it lies in it, else absolute.
  std::string ShownPath(const std::string& path) const;

 private:
  std::filesystem::path root_;
  std::filesystem::path current_;
  std::vector<std::filesystem::path> starts_;  ///< absolute, without `.` and `..`
};

}  // namespace tokensync
