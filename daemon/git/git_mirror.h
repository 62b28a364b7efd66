/// Reading the mirror: a commit's files, who brought them, what signs it, and how commits descend. Nothing here waits
/// for a network.
#pragma once

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "errors.h"
#include "file_tree.h"
#include "model.h"
#include "ports.h"

namespace tokensync {

/// How far back Attribute looks.
struct WalkLimits {
  std::size_t commits = 50'000;
  Duration time{20'000};
};

/// A commit as its signature is judged.
struct SignedCommit {
  CommitId id;
  TimePoint committed{};    ///< the committer's time: what the commit says, which need not be true
  std::string signature;    ///< ASCII armour of ssh or OpenPGP; empty: it bears none, or more than one
  std::string signed_data;  ///< the bytes that were signed; empty likewise
};

/// The mirror that GitFetcher keeps. Used by one thread at a time, the trees that it gave included; other processes may
/// fetch into it meanwhile, and may replace it.
///
/// Every method throws EnvironmentError where the mirror cannot be read. Where an object is broken or missing it also
/// marks the mirror, so that the next fetch clones anew; trees of before that are of no use then and must go.
class GitMirror {
 public:
  /// Opens nothing yet: the mirror may be made later. `beat` is called about once a second by what takes longer.
  explicit GitMirror(std::filesystem::path mirror, std::function<void()> beat = {}, WalkLimits limits = {});
  ~GitMirror();
  GitMirror(const GitMirror&) = delete;
  GitMirror& operator=(const GitMirror&) = delete;

  /// The files below a folder ("." for all) of a commit. Symbolic links are kSymbolicLink, submodules kOther.
  /// List() throws where the commit has no such folder; at most 1,000,000 files. The tree may outlive the mirror
  /// object.
  std::unique_ptr<FileTree> Tree(const CommitId& commit, const std::string& folder);

  /// ManifestSource::Attribute, for manifests whose paths are relative to `folder`. The text of a manifest is that of
  /// its own file and of the files it inherits from; the newest of their commits counts. Commit texts are valid UTF-8.
  ///
  /// A commit brought a file's text when none of its parents has the same; a rename brings it too. `age_rank` counts
  /// the distinct commits of this one answer, nearest to `head` first.
  /// What was found is remembered, so that a later head costs a walk over what is new.
  std::vector<Provenance> Attribute(const CommitId& head, const std::string& folder,
                                    std::span<const std::shared_ptr<const Manifest>> manifests);

  /// The commit's author, subject and time.
  std::shared_ptr<const Commit> Describe(const CommitId& commit);

  /// ManifestSource::Descends; a commit descends from itself.
  bool Descends(const CommitId& head, const CommitId& ancestor);

  /// The commit with its signature. Also throws for one of more than 1 MiB.
  SignedCommit ReadSigned(const CommitId& commit);

  /// The commits that `head` reaches, itself included, and none of `bases` does, each after its parents. A base that
  /// the mirror does not hold is none. Also throws where they are more than `limit`.
  std::vector<CommitId> NotIn(const CommitId& head, std::span<const CommitId> bases, std::size_t limit);

  /// The commit that a revision (a commit id or its beginning, a branch, a tag, HEAD~2, …) names in the mirror.
  CommitId Resolve(const std::string& revision);

 private:
  class Reader;
  std::unique_ptr<Reader> reader_;
};

}  // namespace tokensync
