/// A tree of files in memory.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "errors.h"
#include "file_tree.h"
#include "sha256.h"

namespace tokensync {

class MemoryTree : public FileTree {
 public:
  MemoryTree() = default;
  MemoryTree(std::initializer_list<std::pair<std::string, std::string>> files) {
    for (const auto& [path, bytes] : files) Put(path, bytes);
  }

  void Put(const std::string& path, std::string bytes) { files_[path] = {FileKind::kRegular, std::move(bytes)}; }
  void PutKind(const std::string& path, FileKind kind) { files_[path] = {kind, {}}; }
  void Remove(const std::string& path) { files_.erase(path); }
  std::size_t reads() const { return reads_; }

  std::vector<TreeFile> List() override {
    std::vector<TreeFile> list;
    for (const auto& [path, file] : files_) list.push_back({path, file.first, Sha256(file.second).Hex()});
    return list;
  }

  std::optional<std::string> Read(const TreeFile& file, std::uint64_t bytes_max) override {
    ++reads_;
    const auto found = files_.find(file.path);
    if (found == files_.end()) throw EnvironmentError("reading " + file.path + ": it is gone");
    if (found->second.second.size() > bytes_max) return std::nullopt;
    return found->second.second;
  }

 private:
  std::map<std::string, std::pair<FileKind, std::string>> files_;
  std::size_t reads_ = 0;
};

}  // namespace tokensync
