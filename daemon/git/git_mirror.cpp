#include "git_mirror.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <utility>

#include "git_attribution.h"
#include "git_commit_tree.h"
#include "git_library.h"
#include "git_signed_text.h"
#include "git_text.h"

namespace tokensync {

namespace {

constexpr std::size_t kSignedCommitBytesMax = 1024 * 1024;
// Times beyond the years that anybody prints come from nonsense in the commit.
constexpr git_time_t kYear9999 = 253'402'300'799;

/// What `head` reaches and `base`, where there is one, does not; gives up after `limit` of them. `sorting`: of libgit2.
std::optional<std::vector<CommitId>> Reached(git_repository* repository, const git_oid& head,
                                             std::span<const git_oid> hidden, std::size_t limit, unsigned int sorting) {
  GitPtr<git_revwalk> walk;
  CheckGit(git_revwalk_new(Out(walk), repository), "walking the history");
  CheckGit(git_revwalk_sorting(walk.get(), sorting), "walking the history");
  CheckGit(git_revwalk_push(walk.get(), &head), "walking the history");
  for (const git_oid& base : hidden) CheckGit(git_revwalk_hide(walk.get(), &base), "walking the history");
  std::vector<CommitId> reached;
  git_oid id;
  int code = 0;
  while ((code = git_revwalk_next(&id, walk.get())) == 0) {
    if (reached.size() == limit) return std::nullopt;
    reached.push_back(CommitId{OidHex(id)});
  }
  if (code != GIT_ITEROVER) CheckGit(code, "walking the history");
  return reached;
}

}  // namespace

class GitMirror::Reader {
 public:
  Reader(std::filesystem::path path, std::function<void()> beat, WalkLimits limits)
      : path_(std::filesystem::absolute(std::move(path)).lexically_normal()), attribution_(limits, std::move(beat)) {
    StartGitLibrary();
  }

  /// The mirror as it is now.
  const std::shared_ptr<const OpenedMirror>& Open() {
    struct stat now = {};
    if (::stat(path_.c_str(), &now) != 0) {
      throw EnvironmentError("opening the mirror " + path_.string() + ": there is none yet; a fetch makes it");
    }
    if (opened_ && !opened_->damaged && opened_->device == now.st_dev && opened_->inode == now.st_ino) return opened_;
    // Before the new one is opened: libgit2 shares packs of one path among all that are open, the broken ones too.
    opened_.reset();
    auto opened = std::make_shared<OpenedMirror>();
    opened->path = path_;
    opened->device = now.st_dev;
    opened->inode = now.st_ino;
    try {
      CheckGit(git_repository_open_bare(Out(opened->repository), path_.c_str()), "opening the mirror");
      CheckGit(git_repository_odb(Out(opened->objects), opened->repository.get()), "opening the mirror");
    } catch (const GitCallError& e) {
      ThrowDamaged(*opened, "opening the mirror", e);
    }
    opened_ = std::move(opened);
    return opened_;
  }

  GitPtr<git_commit> FindCommit(const OpenedMirror& mirror, const CommitId& id) {
    git_oid oid;
    GitPtr<git_commit> commit;
    const int code = ParseOid(id.hex, oid) ? git_commit_lookup(Out(commit), mirror.repository.get(), &oid)
                                           : static_cast<int>(GIT_ENOTFOUND);
    // Not damage by itself: it may never have been fetched. Whether the branch's head is there, each fetch checks.
    if (code == GIT_ENOTFOUND) {
      throw EnvironmentError("reading commit " + CleanText(id.hex, 60) + ": the mirror " + path_.string() +
                             " does not hold it; it may have left the branch");
    }
    try {
      CheckGit(code, "reading commit " + id.hex);
    } catch (const GitCallError& e) {
      ThrowDamaged(mirror, "reading commit " + id.hex, e);
    }
    return commit;
  }

  Attribution& attribution() { return attribution_; }

 private:
  const std::filesystem::path path_;
  std::shared_ptr<const OpenedMirror> opened_;
  Attribution attribution_;
};

GitMirror::GitMirror(std::filesystem::path mirror, std::function<void()> beat, WalkLimits limits)
    : reader_(std::make_unique<Reader>(std::move(mirror), std::move(beat), limits)) {}

GitMirror::~GitMirror() = default;

std::unique_ptr<FileTree> GitMirror::Tree(const CommitId& commit, const std::string& folder) {
  const std::shared_ptr<const OpenedMirror> mirror = reader_->Open();
  const GitPtr<git_commit> found = reader_->FindCommit(*mirror, commit);
  GitPtr<git_tree> root;
  try {
    CheckGit(git_commit_tree(Out(root), found.get()), "reading the tree of commit " + commit.hex);
  } catch (const GitCallError& e) {
    ThrowDamaged(*mirror, "reading the tree of commit " + commit.hex, e);
  }
  return MakeCommitTree(mirror, commit.hex, std::move(root), NormalFolder(folder));
}

std::vector<Provenance> GitMirror::Attribute(const CommitId& head, const std::string& folder,
                                             std::span<const std::shared_ptr<const Manifest>> manifests) {
  if (manifests.empty()) return {};
  const std::shared_ptr<const OpenedMirror> mirror = reader_->Open();
  const GitPtr<git_commit> commit = reader_->FindCommit(*mirror, head);
  const std::string normal = NormalFolder(folder);
  const std::string prefix = normal.empty() ? "" : normal + "/";

  std::vector<std::string> paths;
  for (const auto& manifest : manifests) {
    paths.push_back(prefix + manifest->path);
    for (const std::string& inherited : manifest->inherited) paths.push_back(prefix + inherited);
  }
  std::sort(paths.begin(), paths.end());
  paths.erase(std::unique(paths.begin(), paths.end()), paths.end());

  std::vector<Attribution::Brought> brought;
  try {
    brought = reader_->attribution().Find(mirror->repository.get(), *git_commit_id(commit.get()), paths);
  } catch (const GitCallError& e) {
    ThrowDamaged(*mirror, "walking the history of commit " + head.hex, e);
  }
  auto of = [&](const std::string& path) -> const Attribution::Brought& {
    const auto it = std::lower_bound(paths.begin(), paths.end(), prefix + path);
    return brought[static_cast<std::size_t>(it - paths.begin())];
  };

  std::vector<const Attribution::Brought*> newest;
  std::map<std::int64_t, std::uint32_t> ranks;
  for (const auto& manifest : manifests) {
    const Attribution::Brought* best = &of(manifest->path);
    for (const std::string& inherited : manifest->inherited) {
      if (of(inherited).order < best->order) best = &of(inherited);
    }
    newest.push_back(best);
    ranks.emplace(best->order, 0);
  }
  std::uint32_t rank = 0;
  for (auto& [order, number] : ranks) number = rank++;
  std::vector<Provenance> result;
  result.reserve(newest.size());
  for (const Attribution::Brought* best : newest) {
    result.push_back(Provenance{best->commit, ranks.at(best->order)});
  }
  return result;
}

std::shared_ptr<const Commit> GitMirror::Describe(const CommitId& commit) {
  const std::shared_ptr<const OpenedMirror> mirror = reader_->Open();
  const GitPtr<git_commit> found = reader_->FindCommit(*mirror, commit);
  try {
    return DescribeCommit(mirror->repository.get(), *git_commit_id(found.get()));
  } catch (const GitCallError& e) {
    ThrowDamaged(*mirror, "reading commit " + commit.hex, e);
  }
}

bool GitMirror::Descends(const CommitId& head, const CommitId& ancestor) {
  const std::shared_ptr<const OpenedMirror> mirror = reader_->Open();
  const GitPtr<git_commit> descendant = reader_->FindCommit(*mirror, head);
  git_oid oid;
  if (!ParseOid(ancestor.hex, oid) || git_odb_exists(mirror->objects.get(), &oid) != 1) return false;
  if (git_oid_equal(git_commit_id(descendant.get()), &oid)) return true;
  // A webhook may name anything, such as a tag object.
  std::size_t bytes = 0;
  git_object_t kind = GIT_OBJECT_INVALID;
  if (git_odb_read_header(&bytes, &kind, mirror->objects.get(), &oid) == 0 && kind != GIT_OBJECT_COMMIT) return false;
  try {
    const int code = git_graph_descendant_of(mirror->repository.get(), git_commit_id(descendant.get()), &oid);
    CheckGit(code, "comparing histories");
    return code == 1;
  } catch (const GitCallError& e) {
    ThrowDamaged(*mirror, "walking the history of commit " + head.hex, e);
  }
}

SignedCommit GitMirror::ReadSigned(const CommitId& commit) {
  const std::string doing = "reading the signature of commit " + CleanText(commit.hex, 60);
  const std::shared_ptr<const OpenedMirror> mirror = reader_->Open();
  const GitPtr<git_commit> found = reader_->FindCommit(*mirror, commit);
  try {
    const git_oid* id = git_commit_id(found.get());
    std::size_t size = 0;
    git_object_t type = GIT_OBJECT_INVALID;
    CheckGit(git_odb_read_header(&size, &type, mirror->objects.get(), id), doing);
    if (size > kSignedCommitBytesMax) {
      throw EnvironmentError(doing + ": it has more than 1 MiB; nothing of it is used, push a commit without that");
    }
    git_odb_object* raw = nullptr;
    CheckGit(git_odb_read(&raw, mirror->objects.get(), id), doing);
    const std::unique_ptr<git_odb_object, decltype(&git_odb_object_free)> object(raw, &git_odb_object_free);
    SignedText text = SplitSignature({static_cast<const char*>(git_odb_object_data(raw)), git_odb_object_size(raw)});
    const git_time_t time = std::clamp<git_time_t>(git_commit_time(found.get()), 0, kYear9999);
    return {CommitId{OidHex(*id)}, TimePoint(std::chrono::seconds(time)), std::move(text.signature),
            std::move(text.signed_data)};
  } catch (const GitCallError& e) {
    ThrowDamaged(*mirror, doing, e);
  }
}

std::vector<CommitId> GitMirror::NotIn(const CommitId& head, std::span<const CommitId> bases, std::size_t limit) {
  const std::shared_ptr<const OpenedMirror> mirror = reader_->Open();
  const GitPtr<git_commit> newest = reader_->FindCommit(*mirror, head);
  git_repository* repository = mirror->repository.get();
  try {
    std::vector<git_oid> hidden;
    for (const CommitId& base : bases) {
      git_oid base_id;
      GitPtr<git_commit> oldest;
      if (!ParseOid(base.hex, base_id)) continue;
      if (git_commit_lookup(Out(oldest), repository, &base_id) == 0) hidden.push_back(base_id);
    }
    const git_oid& head_id = *git_commit_id(newest.get());
    // In order, libgit2 reads the whole history before it gives the first one; without, it can be stopped.
    const auto counted = hidden.empty() ? Reached(repository, head_id, hidden, limit, GIT_SORT_NONE) : std::nullopt;
    auto ordered = !hidden.empty() || counted
                       ? Reached(repository, head_id, hidden, limit, GIT_SORT_TOPOLOGICAL | GIT_SORT_REVERSE)
                       : std::nullopt;
    if (ordered) return *std::move(ordered);
  } catch (const GitCallError& e) {
    ThrowDamaged(*mirror, "walking the history of commit " + head.hex, e);
  }
  throw EnvironmentError("walking the history of commit " + head.hex + ": it brings more than " +
                         std::to_string(limit) +
                         " commits, which is beyond the limit; verify the head alone (source.verify: head), or name a "
                         "later commit as source.verify_from");
}

CommitId GitMirror::Resolve(const std::string& revision) {
  constexpr std::size_t kRevisionBytesMax = 300;
  const std::shared_ptr<const OpenedMirror> mirror = reader_->Open();
  GitPtr<git_object> named;
  GitPtr<git_object> commit;
  if (!revision.empty() && revision.size() <= kRevisionBytesMax &&
      git_revparse_single(Out(named), mirror->repository.get(), revision.c_str()) < 0) {
    named.reset();
  }
  if (named == nullptr || git_object_peel(Out(commit), named.get(), GIT_OBJECT_COMMIT) < 0) {
    throw EnvironmentError("looking for revision '" + CleanText(revision, 100) +
                           "': it names no commit that was fetched; check its spelling");
  }
  return CommitId{OidHex(*git_object_id(commit.get()))};
}

}  // namespace tokensync
