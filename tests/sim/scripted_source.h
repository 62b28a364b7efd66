/// A manifests repository as values: commits of files of tokens.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "ports.h"

namespace tokensync {

struct ScriptedToken {
  TokenKey key;
  std::string payload;
  bool is_private = false;
  bool operator==(const ScriptedToken&) const = default;
};

struct ScriptedFile {
  std::vector<ScriptedToken> tokens{};
  bool readable = true;
  bool operator==(const ScriptedFile&) const = default;
};

/// Files by path.
using ScriptedTree = std::map<std::string, ScriptedFile>;

enum class SourceStep { kFetch, kRead, kPayload, kAttribute };

/// As strict as the contract: throws BrokenPromise for an entry that is not of the state read last, and for a manifest
/// that is not in the head it is asked about.
class ScriptedSource final : public ManifestSource {
 public:
  /// A commit on top of the branch.
  CommitId Push(ScriptedTree tree);
  /// A commit on top of an older one, which the branch is forced to.
  CommitId PushRewritten(ScriptedTree tree, std::size_t number_below);

  /// Asked before each step; true makes it fail with EnvironmentError.
  std::function<bool(SourceStep)> fails{};
  /// What there is to say of a commit's signatures; nothing: they are not asked for.
  std::function<Vouching(const CommitId&)> vouches{};

  CommitId FetchHead() override;
  std::shared_ptr<const DesiredState> Read(const CommitId& commit) override;
  std::string Payload(const Entry& entry) override;
  std::vector<Provenance> Attribute(const CommitId& head,
                                    std::span<const std::shared_ptr<const Manifest>> manifests) override;
  bool Descends(const CommitId& head, const CommitId& ancestor) override;
  Vouching Vouch(const CommitId& commit, const std::optional<CommitId>& vouched) override;

  // What a test wants to know.
  const ScriptedTree& HeadTree() const { return history_.back().tree; }
  const CommitId& Head() const { return history_.back().commit->id; }
  bool Continues(const CommitId& head, const CommitId& ancestor) const;
  std::size_t CommitCount() const { return history_.size(); }
  const ScriptedTree& TreeOf(std::size_t number) const { return history_.at(number).tree; }
  /// What a commit declares, without reading it as the program does.
  DesiredState Declared(const CommitId& commit) const;
  /// How many payloads were asked for.
  std::size_t payloads_read() const { return payloads_read_; }

 private:
  struct Past {
    std::shared_ptr<const Commit> commit;
    ScriptedTree tree;
    std::optional<std::size_t> below{};  ///< the number of its parent
  };

  CommitId Add(ScriptedTree tree, std::optional<std::size_t> below);
  std::size_t NumberOf(const CommitId& commit) const;
  void MayFail(SourceStep step, const char* what) const;

  std::vector<Past> history_;
  std::shared_ptr<const DesiredState> last_read_;
  std::size_t payloads_read_ = 0;
};

}  // namespace tokensync
