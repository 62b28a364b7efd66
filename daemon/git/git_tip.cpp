#include "git_tip.h"

#include <string.h>

#include <algorithm>

#include "git_fetch_protocol.h"
#include "git_text.h"

namespace tokensync {

namespace {

/// "'a', 'b' and 3 more": the last ones by version order for tags, the first ones by name for branches.
std::string Some(std::vector<std::string> names, bool tags) {
  constexpr std::size_t kShown = 8;
  auto before = [](const std::string& a, const std::string& b) { return ::strverscmp(a.c_str(), b.c_str()) < 0; };
  if (tags) {
    std::sort(names.rbegin(), names.rend(), before);
  } else {
    std::sort(names.begin(), names.end());
  }
  std::string text;
  for (std::size_t i = 0; i < std::min(names.size(), kShown); ++i) {
    text += (i == 0 ? "'" : ", '") + CleanText(names[i], 80) + "'";
  }
  if (names.size() > kShown) text += " and " + std::to_string(names.size() - kShown) + " more";
  return text;
}

[[noreturn]] void ThrowNoBranch(const SourceRef& ref, std::vector<std::string> branches) {
  if (branches.empty()) {
    throw FetchStop(FetchFailure::kEmpty,
                    "the repository is empty: it has no branch; push '" + CleanText(ref.text, 80) + "' to it");
  }
  throw FetchStop(FetchFailure::kNoBranch,
                  "it has no such branch; it has " + Some(std::move(branches), false) + "; correct source.branch");
}

[[noreturn]] void ThrowNoTag(const SourceRef& ref, std::vector<std::string> tags, bool empty) {
  const std::string wanted = ref.kind == SourceRef::Kind::kTag ? "that matches" : "that is a version within the range";
  if (tags.empty()) {
    throw FetchStop(empty ? FetchFailure::kEmpty : FetchFailure::kNoBranch,
                    (empty ? "the repository is empty: it has neither branch nor tag; push a tag "
                           : "it has no tag at all; push one ") +
                        wanted + ", or correct source.ref");
  }
  throw FetchStop(FetchFailure::kNoBranch, "it has no tag " + wanted + "; it has " + Some(std::move(tags), true) +
                                               "; push one, or correct source.ref");
}

bool PointsTo(git_repository* repository, const std::string& reference, const git_oid& target) {
  GitPtr<git_reference> found;
  if (git_reference_lookup(Out(found), repository, reference.c_str()) < 0) return false;
  const git_oid* present = git_reference_target(found.get());
  return present != nullptr && git_oid_equal(present, &target);
}

bool HeadNames(git_repository* repository, const std::string& reference) {
  GitPtr<git_reference> head;
  if (git_reference_lookup(Out(head), repository, "HEAD") < 0) return false;
  const char* target = git_reference_symbolic_target(head.get());
  return target != nullptr && reference == target;
}

}  // namespace

Tip FindTip(SourceReferences& source, const SourceRef& ref) {
  if (ref.kind == SourceRef::Kind::kBranch) {
    std::string reference = std::string(kHeads) + ref.text;
    if (const auto target = source.At(reference)) return {std::move(reference), *target};
    ThrowNoBranch(ref, source.Names(kHeads));
  }
  std::vector<std::string> tags = source.Names(kTags);
  if (const auto newest = ref.NewestOf(tags)) {
    std::string reference = std::string(kTags) + *newest;
    if (const auto target = source.At(reference)) return {std::move(reference), *target};
  }
  ThrowNoTag(ref, std::move(tags), source.Names(kHeads).empty());
}

git_oid CommitOf(git_repository* repository, const Tip& tip) {
  GitPtr<git_object> object;
  CheckGit(git_object_lookup(Out(object), repository, &tip.target, GIT_OBJECT_ANY), "reading " + tip.reference);
  if (git_object_type(object.get()) == GIT_OBJECT_TAG) {
    GitPtr<git_object> tagged;
    CheckGit(git_object_peel(Out(tagged), object.get(), GIT_OBJECT_ANY), "reading " + tip.reference);
    object = std::move(tagged);
  }
  if (git_object_type(object.get()) != GIT_OBJECT_COMMIT) {
    throw FetchStop(FetchFailure::kUnusable,
                    "its " + CleanText(tip.reference, 200) + " leads to a " +
                        git_object_type2string(git_object_type(object.get())) +
                        ", not to a commit; push it anew for a commit, or correct source.ref so that it is left out");
  }
  return *git_object_id(object.get());
}

bool HasTip(git_repository* repository, const Tip& tip) {
  if (!PointsTo(repository, tip.reference, tip.target)) return false;
  GitPtr<git_commit> commit;
  GitPtr<git_tree> tree;
  try {
    const git_oid id = CommitOf(repository, tip);
    if (git_commit_lookup(Out(commit), repository, &id) < 0) return false;
    return git_commit_tree(Out(tree), commit.get()) == 0;
  } catch (const GitCallError&) {
    return false;
  }
}

git_oid MoveTo(git_repository* repository, const Tip& tip) {
  const git_oid id = CommitOf(repository, tip);
  if (!HasTip(repository, tip)) {
    GitPtr<git_commit> commit;
    GitPtr<git_tree> tree;
    GitPtr<git_reference> reference;
    CheckGit(git_commit_lookup(Out(commit), repository, &id), "reading the fetched commit");
    CheckGit(git_commit_tree(Out(tree), commit.get()), "reading the fetched tree");
    CheckGit(git_reference_create(Out(reference), repository, tip.reference.c_str(), &tip.target, 1, nullptr),
             "moving " + tip.reference);
  }
  if (tip.reference.starts_with(kHeads)) {
    if (!HeadNames(repository, tip.reference)) {
      CheckGit(git_repository_set_head(repository, tip.reference.c_str()), "pointing HEAD to " + tip.reference);
    }
  } else if (!PointsTo(repository, "HEAD", id)) {
    CheckGit(git_repository_set_head_detached(repository, &id), "pointing HEAD to the commit of " + tip.reference);
  }
  return id;
}

void ForgetStale(git_repository* repository, const Tip& tip, SourceReferences& source) {
  GitPtr<git_reference_iterator> iterator;
  CheckGit(git_reference_iterator_new(Out(iterator), repository), "listing the mirror's references");
  std::vector<GitPtr<git_reference>> stale;
  for (GitPtr<git_reference> reference; git_reference_next(Out(reference), iterator.get()) == 0;) {
    const std::string name = git_reference_name(reference.get());
    if (name == tip.reference || (!name.starts_with(kHeads) && !name.starts_with(kTags))) continue;
    const git_oid* target = git_reference_target(reference.get());
    const auto there = source.At(name);
    if (target == nullptr || !there || !git_oid_equal(target, &*there)) stale.push_back(std::move(reference));
  }
  for (const auto& reference : stale) CheckGit(git_reference_delete(reference.get()), "removing a stale reference");
}

}  // namespace tokensync
