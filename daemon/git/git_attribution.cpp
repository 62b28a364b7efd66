#include "git_attribution.h"

#include <algorithm>
#include <chrono>
#include <queue>
#include <set>
#include <string_view>
#include <utility>

#include "git_text.h"

namespace tokensync {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr std::size_t kRememberedPathsMax = 500'000;
constexpr std::size_t kKnownCommitsMax = 200'000;
constexpr std::size_t kHeadsMax = 10'000;
constexpr std::size_t kAuthorBytesMax = 200;
constexpr std::size_t kSubjectBytesMax = 200;

/// Paths by their number; numbers follow the order of the sorted paths, so that a folder is a range of them.
using PathSet = std::set<std::uint32_t>;

/// The asked paths as folders.
struct Folder {
  std::string_view name;
  std::uint32_t first = 0;
  std::uint32_t last = 0;  // one beyond
  std::vector<std::pair<std::string_view, std::uint32_t>> files;
  std::vector<Folder> folders;
};

Folder MakeFolder(std::string_view name, const std::vector<std::string>& paths, std::uint32_t first, std::uint32_t last,
                  std::size_t prefix_length) {
  Folder folder{name, first, last, {}, {}};
  for (std::uint32_t i = first; i < last;) {
    const std::string_view rest = std::string_view(paths[i]).substr(prefix_length);
    const auto slash = rest.find('/');
    if (slash == std::string_view::npos) {
      folder.files.emplace_back(rest, i++);
      continue;
    }
    const std::string_view with_slash = rest.substr(0, slash + 1);
    std::uint32_t end = i + 1;
    while (end < last && std::string_view(paths[end]).substr(prefix_length, slash + 1) == with_slash) ++end;
    folder.folders.push_back(MakeFolder(rest.substr(0, slash), paths, i, end, prefix_length + slash + 1));
    i = end;
  }
  std::sort(folder.folders.begin(), folder.folders.end(),
            [](const Folder& a, const Folder& b) { return a.name < b.name; });
  return folder;
}

const Folder* FindFolder(const Folder& folder, std::string_view name) {
  auto it = std::lower_bound(folder.folders.begin(), folder.folders.end(), name,
                             [](const Folder& f, std::string_view n) { return f.name < n; });
  return it != folder.folders.end() && it->name == name ? &*it : nullptr;
}

std::optional<std::uint32_t> FindFile(const Folder& folder, std::string_view name) {
  auto it = std::lower_bound(folder.files.begin(), folder.files.end(), name,
                             [](const auto& f, std::string_view n) { return f.first < n; });
  if (it == folder.files.end() || it->first != name) return std::nullopt;
  return it->second;
}

bool IsFolder(const git_tree_entry* entry) {
  return git_tree_entry_type(entry) == GIT_OBJECT_TREE;
}

GitPtr<git_tree> LookUpTree(git_repository* repository, const git_oid* id) {
  GitPtr<git_tree> tree;
  CheckGit(git_tree_lookup(Out(tree), repository, id), "reading a tree");
  return tree;
}

/// Which of a set of paths have another text in tree B than in tree A, where all of them exist.
///
/// Written by hand because libgit2's diff of two whole trees takes 15 ms where this takes less than one: equal subtrees
/// and those without a path of the set are not looked at.
class TreeComparison {
 public:
  TreeComparison(git_repository* repository, const PathSet& among) : repository_(repository), among_(among) {}

  std::vector<std::uint32_t> Changed(const Folder& root, const git_tree* a, const git_tree* b) {
    Compare(root, a, b);
    return std::move(changed_);
  }

 private:
  void Compare(const Folder& folder, const git_tree* a, const git_tree* b) {
    if (!Any(folder)) return;
    const std::size_t a_count = git_tree_entrycount(a);
    const std::size_t b_count = git_tree_entrycount(b);
    for (std::size_t i = 0, j = 0; i < a_count;) {
      const git_tree_entry* in_a = git_tree_entry_byindex(a, i);
      const git_tree_entry* in_b = j < b_count ? git_tree_entry_byindex(b, j) : nullptr;
      const int order = in_b == nullptr ? -1 : git_tree_entry_cmp(in_a, in_b);
      if (order < 0) {
        Gone(folder, in_a);
        ++i;
      } else if (order > 0) {
        ++j;
      } else {
        if (!git_oid_equal(git_tree_entry_id(in_a), git_tree_entry_id(in_b))) Differs(folder, in_a, in_b);
        ++i;
        ++j;
      }
    }
  }

  void Gone(const Folder& folder, const git_tree_entry* entry) {
    const std::string_view name = git_tree_entry_name(entry);
    if (!IsFolder(entry)) {
      ChangedFile(folder, name);
    } else if (const Folder* sub = FindFolder(folder, name)) {
      for (auto it = among_.lower_bound(sub->first); it != among_.end() && *it < sub->last; ++it) {
        changed_.push_back(*it);
      }
    }
  }

  void Differs(const Folder& folder, const git_tree_entry* in_a, const git_tree_entry* in_b) {
    const std::string_view name = git_tree_entry_name(in_a);
    if (!IsFolder(in_a)) {
      ChangedFile(folder, name);
    } else if (const Folder* sub = FindFolder(folder, name); sub != nullptr && Any(*sub)) {
      const GitPtr<git_tree> a = LookUpTree(repository_, git_tree_entry_id(in_a));
      const GitPtr<git_tree> b = LookUpTree(repository_, git_tree_entry_id(in_b));
      Compare(*sub, a.get(), b.get());
    }
  }

  void ChangedFile(const Folder& folder, std::string_view name) {
    if (auto id = FindFile(folder, name); id && among_.contains(*id)) changed_.push_back(*id);
  }

  bool Any(const Folder& folder) const {
    auto it = among_.lower_bound(folder.first);
    return it != among_.end() && *it < folder.last;
  }

  git_repository* repository_;
  const PathSet& among_;
  std::vector<std::uint32_t> changed_;
};

void FindPresent(git_repository* repository, const Folder& folder, const git_tree* tree, PathSet& present) {
  for (const auto& [name, id] : folder.files) {
    const git_tree_entry* entry = git_tree_entry_byname(tree, std::string(name).c_str());
    if (entry != nullptr && !IsFolder(entry)) present.insert(id);
  }
  for (const Folder& sub : folder.folders) {
    const git_tree_entry* entry = git_tree_entry_byname(tree, std::string(sub.name).c_str());
    if (entry == nullptr || !IsFolder(entry)) continue;
    FindPresent(repository, sub, LookUpTree(repository, git_tree_entry_id(entry)).get(), present);
  }
}

GitPtr<git_commit> LookUpCommit(git_repository* repository, const git_oid& id) {
  GitPtr<git_commit> commit;
  CheckGit(git_commit_lookup(Out(commit), repository, &id), "reading commit " + OidHex(id));
  return commit;
}

struct Visit {
  git_oid id{};
  git_time_t time = 0;
  std::uint64_t ordinal = 0;
  /// The newest first, as git log has it; of equal times the one that was reached first.
  bool operator<(const Visit& other) const { return time != other.time ? time < other.time : ordinal > other.ordinal; }
};

}  // namespace

std::shared_ptr<const Commit> DescribeCommit(git_repository* repository, const git_oid& id) {
  const GitPtr<git_commit> commit = LookUpCommit(repository, id);
  auto described = std::make_shared<Commit>();
  described->id.hex = OidHex(id);
  const git_signature* author = git_commit_author(commit.get());
  if (author != nullptr) {
    const std::string name = author->name == nullptr ? "" : author->name;
    const std::string mail = author->email == nullptr ? "" : author->email;
    described->author = CleanText(name + " <" + mail + ">", kAuthorBytesMax);
    // Times beyond the years that anybody prints come from nonsense in the commit.
    constexpr git_time_t kYear9999 = 253'402'300'799;
    described->time = TimePoint(std::chrono::seconds(std::clamp<git_time_t>(author->when.time, 0, kYear9999)));
  }
  if (const char* summary = git_commit_summary(commit.get())) {
    described->subject = CleanText(summary, kSubjectBytesMax);
  }
  return described;
}

/// One walk: where each path is on its way back, and who turned out to have brought it.
struct Attribution::Walk {
  Walk(git_repository* repository_, const std::vector<std::string>& paths)
      : repository(repository_),
        root(MakeFolder("", paths, 0, static_cast<std::uint32_t>(paths.size()), 0)),
        brought(paths.size()) {}

  void Wait(const git_oid& at, git_time_t time, PathSet&& paths) {
    auto [it, added] = waiting.try_emplace(at);
    if (it->second.size() < paths.size()) it->second.swap(paths);
    it->second.merge(paths);
    if (added) queue.push(Visit{at, time, ordinal++});
  }

  void Bring(const git_oid& commit, const PathSet& paths) {
    for (std::uint32_t id : paths) brought[id] = commit;
  }

  git_repository* repository;
  Folder root;
  std::vector<git_oid> brought;
  std::priority_queue<Visit> queue;
  std::unordered_map<git_oid, PathSet, OidHash, OidEqual> waiting;
  std::uint64_t ordinal = 0;
};

Attribution::Attribution(WalkLimits limits, std::function<void()> beat) : limits_(limits), beat_(std::move(beat)) {}

void Attribution::Forget() {
  remembered_.clear();
  known_.clear();
  heads_.clear();
  front_ = 0;
}

std::vector<Attribution::Brought> Attribution::Find(git_repository* repository, const git_oid& head,
                                                    const std::vector<std::string>& paths) {
  const bool full =
      remembered_.size() > kRememberedPathsMax || known_.size() > kKnownCommitsMax || heads_.size() > kHeadsMax;
  // A path that this head's walk did not follow can only lie beyond it.
  const bool beyond = heads_.contains(head) && std::any_of(paths.begin(), paths.end(), [&](const std::string& path) {
                        return !remembered_.contains(path);
                      });
  if (full || beyond) Forget();
  if (auto found = TryFind(repository, head, paths)) return *std::move(found);
  Forget();
  auto found = TryFind(repository, head, paths);
  if (!found) std::abort();
  return *std::move(found);
}

/// Nothing where a commit turned up whose order relative to those of earlier walks is not known.
std::optional<std::vector<Attribution::Brought>> Attribution::TryFind(git_repository* repository, const git_oid& head,
                                                                      const std::vector<std::string>& paths) {
  Walk walk(repository, paths);
  std::unordered_map<git_oid, std::vector<std::uint32_t>, OidHash, OidEqual> remembered_at;
  for (std::uint32_t id = 0; id < paths.size(); ++id) {
    if (auto it = remembered_.find(paths[id]); it != remembered_.end()) remembered_at[it->second.as_of].push_back(id);
  }

  std::vector<git_oid> found;  // not known before, in the order of the walk
  std::unordered_set<git_oid, OidHash, OidEqual> found_set;
  bool passed_known = false;
  bool out_of_order = false;
  auto bring = [&](const git_oid& commit, const PathSet& set) {
    if (set.empty()) return;
    walk.Bring(commit, set);
    if (known_.contains(commit) || !found_set.insert(commit).second) return;
    found.push_back(commit);
    out_of_order |= passed_known;
  };

  const GitPtr<git_commit> head_commit = LookUpCommit(repository, head);
  PathSet present;
  FindPresent(repository, walk.root, LookUpTree(repository, git_commit_tree_id(head_commit.get())).get(), present);
  PathSet absent;
  for (std::uint32_t id = 0; id < paths.size(); ++id) {
    if (!present.contains(id)) absent.insert(absent.end(), id);
  }
  bring(head, absent);
  walk.Wait(head, git_commit_time(head_commit.get()), std::move(present));

  const auto started = SteadyClock::now();
  auto next_beat = started + std::chrono::seconds(1);
  for (std::size_t looked_at = 1; !walk.queue.empty(); ++looked_at) {
    const git_oid id = walk.queue.top().id;
    walk.queue.pop();
    PathSet set = std::move(walk.waiting.extract(id).mapped());
    if (auto it = remembered_at.find(id); it != remembered_at.end()) {
      for (std::uint32_t path : it->second) {
        if (set.erase(path) > 0) walk.brought[path] = remembered_.find(paths[path])->second.commit;
      }
    }
    passed_known |= known_.contains(id) || heads_.contains(id);
    if (set.empty()) continue;

    const auto now = SteadyClock::now();
    if (now >= next_beat) {
      if (beat_) beat_();
      next_beat = now + std::chrono::seconds(1);
    }
    if (looked_at >= limits_.commits || now - started >= limits_.time) {
      for (auto& [at, others] : walk.waiting) set.merge(others);
      bring(id, set);
      break;
    }

    const GitPtr<git_commit> commit = LookUpCommit(repository, id);
    const GitPtr<git_tree> tree = LookUpTree(repository, git_commit_tree_id(commit.get()));
    for (unsigned int n = 0; n < git_commit_parentcount(commit.get()) && !set.empty(); ++n) {
      GitPtr<git_commit> parent;
      CheckGit(git_commit_parent(Out(parent), commit.get(), n), "reading a parent of commit " + OidHex(id));
      std::vector<std::uint32_t> changed;
      if (!git_oid_equal(git_commit_tree_id(parent.get()), git_commit_tree_id(commit.get()))) {
        const GitPtr<git_tree> parent_tree = LookUpTree(repository, git_commit_tree_id(parent.get()));
        changed = TreeComparison(repository, set).Changed(walk.root, tree.get(), parent_tree.get());
      }
      if (changed.size() == set.size()) continue;
      for (std::uint32_t path : changed) set.erase(path);
      walk.Wait(*git_commit_id(parent.get()), git_commit_time(parent.get()), std::move(set));
      set = PathSet(changed.begin(), changed.end());
    }
    bring(id, set);
  }
  if (out_of_order) return std::nullopt;

  front_ -= static_cast<std::int64_t>(found.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    known_.emplace(found[i], Known{DescribeCommit(repository, found[i]), front_ + static_cast<std::int64_t>(i)});
  }
  std::vector<Brought> result;
  result.reserve(paths.size());
  for (std::uint32_t id = 0; id < paths.size(); ++id) {
    const Known& known = known_.at(walk.brought[id]);
    result.push_back(Brought{known.commit, known.order});
    remembered_.insert_or_assign(paths[id], Remembered{head, walk.brought[id]});
  }
  heads_.insert(head);
  return result;
}

}  // namespace tokensync
