/// The files of a manifests repository, wherever they are: a commit's tree, or a folder for `validate`.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace tokensync {

enum class FileKind { kRegular, kSymbolicLink, kOther };

struct TreeFile {
  std::string path;  ///< relative to the tree's root, with '/'
  FileKind kind = FileKind::kRegular;
  std::string blob_id;  ///< names the bytes: equal ids mean equal bytes; empty where there is no such name
};

/// Used by one thread at a time. Both methods throw EnvironmentError where the tree cannot be read.
class FileTree {
 public:
  virtual ~FileTree() = default;
  /// All files below the root, dot files included, sorted by path bytes.
  virtual std::vector<TreeFile> List() = 0;
  /// The bytes of a regular file of List(), or nothing where there are more than `bytes_max`.
  virtual std::optional<std::string> Read(const TreeFile& file, std::uint64_t bytes_max) = 0;
};

}  // namespace tokensync
