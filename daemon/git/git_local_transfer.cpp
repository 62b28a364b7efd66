/// Fetching from a folder of this machine.
///
/// libgit2's own transport for this packs what *all* branches of the source reach, at every fetch, and a first one
/// takes 15 s for 100,000 files. Here a fresh mirror copies the source's packs, and a later fetch packs what the one
/// branch or tag has more. Files are copied, never linked: damage to the mirror must not reach the source. Loose
/// objects are packed: libgit2 reads a truncated one for ever, so the mirror never has any, and at most this child is
/// caught.
#include <vector>

#include "git_fetch_protocol.h"
#include "git_mirror_folder.h"
#include "git_transfer.h"

namespace tokensync {

namespace fs = std::filesystem;

namespace {

// Packs before their indexes: an index without its pack is an error, a pack without its index is nothing.
std::vector<fs::path> PackFiles(const fs::path& folder) {
  std::vector<fs::path> packs;
  std::vector<fs::path> indexes;
  for (const fs::directory_entry& file : fs::directory_iterator(folder)) {
    const std::string extension = file.path().extension().string();
    if (extension == ".pack") packs.push_back(file.path().filename());
    if (extension == ".idx") indexes.push_back(file.path().filename());
  }
  packs.insert(packs.end(), indexes.begin(), indexes.end());
  return packs;
}

std::vector<git_oid> LooseObjects(const fs::path& objects) {
  std::vector<git_oid> found;
  for (const fs::directory_entry& folder : fs::directory_iterator(objects)) {
    const std::string first = folder.path().filename().string();
    if (first.size() != 2 || !folder.is_directory()) continue;
    for (const fs::directory_entry& file : fs::directory_iterator(folder.path())) {
      git_oid id;
      if (ParseOid(first + file.path().filename().string(), id)) found.push_back(id);
    }
  }
  return found;
}

struct IndexerDeleter {
  void operator()(git_indexer* p) const { git_indexer_free(p); }
};

struct PackWriter {
  std::unique_ptr<git_indexer, IndexerDeleter> indexer;
  git_indexer_progress progress{};
  std::size_t bytes = 0;
  bool too_much = false;
};

class FolderTransfer : public GitTransfer {
 public:
  FolderTransfer(const GitSource& source, const FetchRequest& request, PhaseReport report)
      : path_(source.address), request_(request), report_(std::move(report)) {}

  Tip Bring(git_repository* into, bool fresh) override {
    report_("reading " + path_);
    Open();
    const Tip tip = FindTip(*this, request_.ref);
    if (HasTip(into, tip)) return tip;
    git_oid commit;
    try {
      commit = CommitOf(repository_.get(), tip);
    } catch (const GitCallError& e) {
      throw FetchStop(FetchFailure::kNotRepository, std::string(e.what()) + "; check it by `git fsck`");
    }
    const bool complete = !fresh || CopyObjects(into);
    if (complete && Holds(into, tip.target) && Holds(into, commit)) return tip;
    Pack(into, tip, commit);
    return tip;
  }

  std::optional<git_oid> At(const std::string& reference) override {
    git_oid target;
    const int code = git_reference_name_to_id(&target, repository_.get(), reference.c_str());
    if (code == 0) return target;
    if (code == GIT_ENOTFOUND) return std::nullopt;
    throw FetchStop(FetchFailure::kNotRepository, "its " + reference + " cannot be read: " + LastGitMessage());
  }

  std::vector<std::string> Names(std::string_view below) override {
    GitPtr<git_reference_iterator> iterator;
    std::vector<std::string> names;
    const std::string glob = std::string(below) + "*";
    const char* name = nullptr;
    if (git_reference_iterator_glob_new(Out(iterator), repository_.get(), glob.c_str()) == 0) {
      while (git_reference_next_name(&name, iterator.get()) == 0) names.emplace_back(name + below.size());
    }
    return names;
  }

 private:
  void Open() {
    if (repository_) return;
    std::error_code error;
    const fs::file_status status = fs::status(path_, error);
    if (status.type() == fs::file_type::not_found) {
      throw FetchStop(FetchFailure::kNotRepository, "there is no such folder; correct source.url");
    }
    if (error) throw FetchStop(FetchFailure::kUnreachable, "the folder cannot be read: " + error.message());
    const int code = git_repository_open_ext(Out(repository_), path_.c_str(),
                                             GIT_REPOSITORY_OPEN_NO_SEARCH | GIT_REPOSITORY_OPEN_CROSS_FS, nullptr);
    if (code < 0) {
      throw FetchStop(FetchFailure::kNotRepository,
                      "there is no git repository that can be read: " + LastGitMessage() + "; correct source.url");
    }
    if (git_repository_is_shallow(repository_.get()) == 1) {
      throw FetchStop(FetchFailure::kUnusable,
                      "it is a shallow clone, whose history is cut off; complete it by `git fetch --unshallow`");
    }
  }

  static bool Holds(git_repository* into, const git_oid& object) {
    GitPtr<git_odb> odb;
    CheckGit(git_repository_odb(Out(odb), into), "opening the mirror's objects");
    return git_odb_refresh(odb.get()) == 0 && git_odb_exists(odb.get(), &object) == 1;
  }

  // False where they could not all be copied, for example because a `git gc` moved them meanwhile.
  bool CopyObjects(git_repository* into) {
    git_buf buffer = GIT_BUF_INIT;
    if (git_repository_item_path(&buffer, repository_.get(), GIT_REPOSITORY_ITEM_OBJECTS) < 0) return false;
    const fs::path from(std::string(buffer.ptr, buffer.size));
    git_buf_dispose(&buffer);
    const fs::path to = fs::path(git_repository_path(into)) / "objects";
    std::error_code error;
    if (fs::exists(from / "info" / "alternates", error) || CountPacks(from) > kCopiedPacksMax) return false;
    try {
      for (const fs::path& file : PackFiles(from / "pack")) {
        fs::copy_file(from / "pack" / file, to / "pack" / file, fs::copy_options::overwrite_existing);
      }
      GitPtr<git_packbuilder> pack;
      CheckGit(git_packbuilder_new(Out(pack), repository_.get()), "packing the source");
      for (const git_oid& id : LooseObjects(from)) {
        CheckGit(git_packbuilder_insert(pack.get(), &id, nullptr), "packing the source");
      }
      WritePack(into, pack.get());
    } catch (const fs::filesystem_error&) {
      return false;
    } catch (const GitCallError&) {
      return false;
    }
    return true;
  }

  void Pack(git_repository* into, const Tip& tip, const git_oid& commit) {
    GitPtr<git_revwalk> walk;
    GitPtr<git_packbuilder> pack;
    try {
      CheckGit(git_revwalk_new(Out(walk), repository_.get()), "walking the source");
      CheckGit(git_revwalk_push(walk.get(), &commit), "walking the source");
      HideKnown(into, walk.get());
      CheckGit(git_packbuilder_new(Out(pack), repository_.get()), "packing the source");
      CheckGit(git_packbuilder_insert_walk(pack.get(), walk.get()), "packing the source");
      InsertTags(pack.get(), tip.target);
    } catch (const GitCallError& e) {
      throw FetchStop(FetchFailure::kNotRepository, std::string(e.what()) + "; check it by `git fsck`");
    }
    WritePack(into, pack.get());
  }

  // A tag, the tag that this one is of, and so on to the commit, which is none.
  void InsertTags(git_packbuilder* pack, git_oid id) {
    for (GitPtr<git_tag> tag; git_tag_lookup(Out(tag), repository_.get(), &id) == 0;
         id = *git_tag_target_id(tag.get())) {
      CheckGit(git_packbuilder_insert(pack, &id, nullptr), "packing the source");
    }
  }

  // Not by git_packbuilder_write, which gives its progress callback numbers that were never set.
  static void WritePack(git_repository* into, git_packbuilder* pack) {
    if (git_packbuilder_object_count(pack) == 0) return;
    const fs::path packs = fs::path(git_repository_path(into)) / "objects" / "pack";
    PackWriter writer;
    git_indexer* indexer = nullptr;
    int code = git_indexer_new(&indexer, packs.c_str(), 0, nullptr, nullptr);
    writer.indexer.reset(indexer);
    auto append = [](void* data, std::size_t size, void* to) {
      auto& target = *static_cast<PackWriter*>(to);
      target.bytes += size;
      target.too_much = target.bytes > kReceivedBytesMax;
      return target.too_much ? static_cast<int>(GIT_EUSER)
                             : git_indexer_append(target.indexer.get(), data, size, &target.progress);
    };
    if (code >= 0) code = git_packbuilder_foreach(pack, append, &writer);
    if (writer.too_much) {
      throw FetchStop(FetchFailure::kUnusable, "it brings more than 4 GiB, which is beyond the limit");
    }
    if (code >= 0) code = git_indexer_commit(writer.indexer.get(), &writer.progress);
    if (code < 0) throw StoreFailed("writing a pack: " + LastGitMessage());
  }

  // What the mirror's branches and tags reach need not come again.
  void HideKnown(git_repository* into, git_revwalk* walk) {
    GitPtr<git_odb> odb;
    CheckGit(git_repository_odb(Out(odb), repository_.get()), "opening the source's objects");
    GitPtr<git_reference_iterator> iterator;
    if (git_reference_iterator_new(Out(iterator), into) < 0) return;
    for (GitPtr<git_reference> reference; git_reference_next(Out(reference), iterator.get()) == 0;) {
      const git_oid* target = git_reference_target(reference.get());
      if (target == nullptr || git_odb_exists(odb.get(), target) != 1) continue;
      CheckGit(git_revwalk_hide(walk, target), "walking the source");
    }
  }

  std::string path_;
  const FetchRequest& request_;
  PhaseReport report_;
  GitPtr<git_repository> repository_;
};

}  // namespace

std::unique_ptr<GitTransfer> LocalTransfer(const GitSource& source, const FetchRequest& request,
                                           const PhaseReport& report) {
  return std::make_unique<FolderTransfer>(source, request, report);
}

}  // namespace tokensync
