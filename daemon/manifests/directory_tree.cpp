#include "directory_tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <set>
#include <system_error>
#include <utility>

#include "errors.h"
#include "problem_text.h"
#include "text.h"

namespace tokensync {

namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 2> kInheritedNames = {"collection.yaml", ".tokensyncignore"};

[[noreturn]] void Fail(std::string_view doing, const fs::path& path, const std::string& cause) {
  throw EnvironmentError(fmt::format("{} {}: {}", doing, PrintableText(path.string()), cause));
}

FileKind KindOf(const fs::file_status& status) {
  if (fs::is_symlink(status)) return FileKind::kSymbolicLink;
  return fs::is_regular_file(status) ? FileKind::kRegular : FileKind::kOther;
}

bool IsHidden(const fs::path& path) {
  return path.filename().string().starts_with('.');
}

fs::path CommonAncestor(const fs::path& a, const fs::path& b) {
  fs::path common;
  for (auto i = a.begin(), j = b.begin(); i != a.end() && j != b.end() && *i == *j; ++i, ++j) common /= *i;
  return common;
}

/// The folder with .git, or the highest one that can be the root.
fs::path FindRoot(const fs::path& start) {
  fs::path root = start;
  for (;;) {
    std::error_code error;
    if (fs::exists(root / ".git", error) || IsHidden(root) || root == root.root_path()) return root;
    root = root.parent_path();
  }
}

class Lister {
 public:
  explicit Lister(const fs::path& root) : root_(root) {}

  void AddFolder(const fs::path& folder) {
    std::error_code error;
    fs::directory_iterator entries(folder, error);
    if (error) Fail("listing", folder, error.message());
    for (; entries != fs::directory_iterator(); entries.increment(error)) {
      if (error) break;
      const fs::file_status status = entries->symlink_status(error);
      if (error) break;
      if (!fs::is_directory(status)) {
        AddFile(entries->path(), status);
      } else if (!IsHidden(entries->path())) {
        AddFolder(entries->path());
      }
    }
    if (error) Fail("listing", folder, error.message());
  }

  void AddFile(const fs::path& file, const fs::file_status& status) {
    files_.emplace(file.lexically_relative(root_).generic_string(), KindOf(status));
  }

  /// What the files of `folder` inherit from it and from above.
  void AddInherited(fs::path folder) {
    for (;;) {
      for (const std::string_view name : kInheritedNames) {
        std::error_code error;
        const fs::path file = folder / name;
        const fs::file_status status = fs::symlink_status(file, error);
        if (fs::exists(status) && !fs::is_directory(status)) AddFile(file, status);
      }
      if (folder == root_ || folder == folder.root_path()) return;
      folder = folder.parent_path();
    }
  }

  std::vector<TreeFile> Take() const {
    std::vector<TreeFile> files;
    files.reserve(files_.size());
    for (const auto& [path, kind] : files_) files.push_back({path, kind, {}});
    return files;
  }

 private:
  const fs::path& root_;
  std::set<std::pair<std::string, FileKind>> files_;
};

}  // namespace

DirectoryTree::DirectoryTree(const std::vector<fs::path>& paths) {
  std::error_code error;
  current_ = fs::current_path(error);
  if (error) Fail("finding", ".", error.message());
  fs::path common;
  for (const fs::path& path : paths) {
    fs::path start = (current_ / path).lexically_normal();
    if (!start.has_filename()) start = start.parent_path();
    const fs::file_status status = fs::symlink_status(start, error);
    if (!fs::exists(status))
      Fail("looking for", path, std::make_error_code(std::errc::no_such_file_or_directory).message());
    // A folder that is named by a link was named on purpose.
    const bool is_folder = fs::is_directory(start, error);
    const fs::path folder = is_folder ? start : start.parent_path();
    common = common.empty() ? folder : CommonAncestor(common, folder);
    starts_.push_back(std::move(start));
  }
  root_ = FindRoot(common);
}

std::vector<TreeFile> DirectoryTree::List() {
  Lister lister(root_);
  for (const fs::path& start : starts_) {
    std::error_code error;
    if (fs::is_directory(start, error)) {
      lister.AddInherited(start);
      lister.AddFolder(start);
    } else {
      lister.AddInherited(start.parent_path());
      lister.AddFile(start, fs::symlink_status(start, error));
    }
  }
  return lister.Take();
}

std::optional<std::string> DirectoryTree::Read(const TreeFile& file, std::uint64_t bytes_max) {
  const fs::path path = root_ / file.path;
  std::ifstream stream(path, std::ios::binary);
  if (!stream) Fail("opening", path, std::strerror(errno));
  std::string bytes;
  std::array<char, 65536> block{};
  while (stream) {
    stream.read(block.data(), static_cast<std::streamsize>(block.size()));
    bytes.append(block.data(), static_cast<std::size_t>(stream.gcount()));
    if (bytes.size() > bytes_max) return std::nullopt;
  }
  if (stream.bad()) Fail("reading", path, std::strerror(errno));
  return bytes;
}

std::string DirectoryTree::ShownPath(const std::string& path) const {
  const fs::path absolute = (root_ / path).lexically_normal();
  const fs::path relative = absolute.lexically_relative(current_);
  const bool below = !relative.empty() && *relative.begin() != "..";
  return below ? relative.generic_string() : absolute.generic_string();
}

}  // namespace tokensync
