/// A whole repository of manifests, read.
#pragma once

#include <cstddef>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "file_tree.h"
#include "manifest_file.h"
#include "model.h"

namespace tokensync {

/// Which files of a tree are manifests, what they inherit and what they declare.
///
/// Manifests are the *.yaml, *.yml and *.json files, but for those whose path has a name that begins with a dot, those
/// that a `.tokensyncignore` leaves out, and `collection.yaml`. A symbolic link with such a name is a problem; links to
/// folders are not followed. A bad `collection.yaml` or `.tokensyncignore` makes all manifests below it unreadable.
/// Used by one thread at a time.
class ManifestReader {
 public:
  static constexpr std::uint64_t kFileBytesMax = std::uint64_t{8} << 20U;
  /// Problems of the repository that are told in full; that there are more is told by one more.
  static constexpr std::size_t kProblemsMax = 10'000;

  /// Told now and then while Read goes on: files done, of so many.
  using Progress = std::function<void(std::size_t done, std::size_t total)>;

  /// What the tree declares; `commit` stays empty. What is wrong in the files is data.
  /// Throws EnvironmentError where the tree cannot be read.
  DesiredState Read(FileTree& tree, const Progress& progress = {});

  /// The payload (canonical JSON) of an entry that the last Read gave, read again from the same tree; the files parsed
  /// last are remembered. Throws EnvironmentError where the file no longer declares it with that digest.
  std::string Payload(FileTree& tree, const Entry& entry);

 private:
  /// What applies to the manifests of one folder.
  struct Folder {
    InheritedValues values;
    std::vector<std::string> inherited;  ///< paths of the collection files, nearest first
    bool broken = false;                 ///< a collection or ignore file of it, or above it, is bad
    bool ignore_broken = false;          ///< and it is an ignore file: nobody knows what it leaves out
  };
  struct ParsedFile {
    std::string path;
    std::string blob_id;
    ManifestContent content;
  };
  class Reading;

  const ManifestContent& Parsed(FileTree& tree, const Manifest& manifest);

  std::unordered_map<std::string, std::shared_ptr<const Folder>> folders_;  ///< of the last Read, by path
  std::list<ParsedFile> parsed_;                                            ///< for Payload, last used first
};

}  // namespace tokensync
