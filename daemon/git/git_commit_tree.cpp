#include "git_commit_tree.h"

#include <sys/stat.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "errors.h"
#include "git_mirror_folder.h"
#include "git_text.h"

namespace tokensync {

namespace {

constexpr std::size_t kFilesMax = 1'000'000;
constexpr int kDepthMax = 100;
constexpr std::size_t kPathBytesMax = 4096;

struct OdbObjectDeleter {
  void operator()(git_odb_object* p) const { git_odb_object_free(p); }
};

class CommitTree : public FileTree {
 public:
  CommitTree(std::shared_ptr<const OpenedMirror> mirror, std::string commit, GitPtr<git_tree> root, std::string folder)
      : mirror_(std::move(mirror)), commit_(std::move(commit)), root_(std::move(root)), folder_(std::move(folder)) {}

  std::vector<TreeFile> List() override {
    try {
      std::vector<TreeFile> files;
      if (folder_.empty()) {
        Collect(root_.get(), "", 0, files);
      } else {
        const GitPtr<git_tree> folder = FindFolder();
        Collect(folder.get(), "", 0, files);
      }
      // git keeps its trees in this order; what was made by other hands may not be, or name a file twice.
      auto before = [](const TreeFile& a, const TreeFile& b) { return a.path < b.path; };
      if (!std::is_sorted(files.begin(), files.end(), before)) std::sort(files.begin(), files.end(), before);
      auto same = [](const TreeFile& a, const TreeFile& b) { return a.path == b.path; };
      if (auto twice = std::adjacent_find(files.begin(), files.end(), same); twice != files.end()) {
        ThrowUnfit("it names '" + CleanText(twice->path, 200) + "' twice");
      }
      return files;
    } catch (const GitCallError& e) {
      ThrowDamaged(*mirror_, "listing commit " + commit_, e);
    }
  }

  std::optional<std::string> Read(const TreeFile& file, std::uint64_t bytes_max) override {
    const std::string doing = "reading '" + CleanText(file.path, 200) + "' of commit " + commit_;
    try {
      git_oid id;
      if (!ParseOid(file.blob_id, id)) throw EnvironmentError(doing + ": it has no text of its own");
      std::size_t size = 0;
      git_object_t type = GIT_OBJECT_INVALID;
      CheckGit(git_odb_read_header(&size, &type, mirror_->objects.get(), &id), doing);
      if (type != GIT_OBJECT_BLOB) throw EnvironmentError(doing + ": it is no file; the commit is malformed");
      if (size > bytes_max) return std::nullopt;
      git_odb_object* raw = nullptr;
      CheckGit(git_odb_read(&raw, mirror_->objects.get(), &id), doing);
      const std::unique_ptr<git_odb_object, OdbObjectDeleter> object(raw);
      return std::string(static_cast<const char*>(git_odb_object_data(raw)), git_odb_object_size(raw));
    } catch (const GitCallError& e) {
      ThrowDamaged(*mirror_, doing, e);
    }
  }

 private:
  GitPtr<git_tree> FindFolder() {
    git_tree_entry* entry = nullptr;
    const int code = git_tree_entry_bypath(&entry, root_.get(), folder_.c_str());
    if (code == GIT_ENOTFOUND) {
      throw EnvironmentError("source.path '" + folder_ + "' does not exist at commit " + commit_ +
                             "; correct it, or push the folder");
    }
    CheckGit(code, "looking for a folder");
    const git_oid id = *git_tree_entry_id(entry);
    const git_object_t type = git_tree_entry_type(entry);
    git_tree_entry_free(entry);
    if (type != GIT_OBJECT_TREE) {
      throw EnvironmentError("source.path '" + folder_ + "' is no folder at commit " + commit_ + "; correct it");
    }
    GitPtr<git_tree> tree;
    CheckGit(git_tree_lookup(Out(tree), mirror_->repository.get(), &id), "reading a tree");
    return tree;
  }

  void Collect(const git_tree* tree, const std::string& prefix, int depth, std::vector<TreeFile>& files) {
    if (depth > kDepthMax) ThrowUnfit("its folders are nested deeper than 100");
    for (std::size_t i = 0; i < git_tree_entrycount(tree); ++i) {
      const git_tree_entry* entry = git_tree_entry_byindex(tree, i);
      const std::string_view name = git_tree_entry_name(entry);
      if (name.empty() || name == "." || name == ".." || name.find('/') != std::string_view::npos) {
        ThrowUnfit("it holds a file with an impossible name");
      }
      std::string path = prefix + std::string(name);
      if (path.size() > kPathBytesMax) ThrowUnfit("it holds a path of more than 4096 bytes");
      if (git_tree_entry_type(entry) == GIT_OBJECT_TREE) {
        GitPtr<git_tree> sub;
        CheckGit(git_tree_lookup(Out(sub), mirror_->repository.get(), git_tree_entry_id(entry)), "reading a tree");
        Collect(sub.get(), path + "/", depth + 1, files);
        continue;
      }
      if (files.size() == kFilesMax) ThrowUnfit("it holds more than 1,000,000 files");
      files.push_back(File(std::move(path), entry));
    }
  }

  static TreeFile File(std::string path, const git_tree_entry* entry) {
    TreeFile file;
    file.path = std::move(path);
    const git_filemode_t mode = git_tree_entry_filemode(entry);
    if (mode == GIT_FILEMODE_COMMIT) {
      file.kind = FileKind::kOther;
      return file;
    }
    file.blob_id = OidHex(*git_tree_entry_id(entry));
    if (mode == GIT_FILEMODE_LINK) {
      file.kind = FileKind::kSymbolicLink;
    } else if (git_tree_entry_type(entry) != GIT_OBJECT_BLOB) {
      file.kind = FileKind::kOther;
    }
    return file;
  }

  [[noreturn]] void ThrowUnfit(const std::string& why) {
    throw EnvironmentError("listing commit " + commit_ + ": " + why +
                           "; nothing of it is used, push a commit without that");
  }

  std::shared_ptr<const OpenedMirror> mirror_;
  std::string commit_;
  GitPtr<git_tree> root_;  // ends before the repository it belongs to
  std::string folder_;
};

}  // namespace

void ThrowDamaged(const OpenedMirror& mirror, std::string_view doing, const GitCallError& cause) {
  mirror.damaged = true;
  struct stat now = {};
  const bool same = ::stat(mirror.path.c_str(), &now) == 0 && now.st_dev == mirror.device && now.st_ino == mirror.inode;
  std::string next = "it was replaced meanwhile, the next pass reads the new one";
  if (same) {
    next = MarkDamaged(mirror.path) ? "it is damaged and will be cloned anew at the next fetch"
                                    : "it is damaged and cannot be marked so: remove it, and it will be cloned anew";
  }
  throw EnvironmentError(std::string(doing) + ": " + cause.message + " (mirror " + mirror.path.string() + "); " + next);
}

std::string NormalFolder(const std::string& folder) {
  std::string normal;
  for (std::size_t begin = 0; begin < folder.size();) {
    const std::size_t end = std::min(folder.find('/', begin), folder.size());
    const std::string part = folder.substr(begin, end - begin);
    begin = end + 1;
    if (part.empty() || part == ".") continue;
    if (part == "..") {
      throw EnvironmentError("source.path '" + folder + "' leads out of the repository; name a folder inside it");
    }
    normal += (normal.empty() ? "" : "/") + part;
  }
  return normal;
}

std::unique_ptr<FileTree> MakeCommitTree(std::shared_ptr<const OpenedMirror> mirror, const std::string& commit,
                                         GitPtr<git_tree> root, std::string folder) {
  return std::make_unique<CommitTree>(std::move(mirror), commit, std::move(root), std::move(folder));
}

}  // namespace tokensync
