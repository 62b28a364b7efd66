/// Which commits may be applied, by their signatures and by source.verify.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "config.h"
#include "git_mirror.h"
#include "ports.h"
#include "signature_verifier.h"

namespace tokensync {

class CommitTrust {
 public:
  /// The most commits that are verified for one head.
  static constexpr std::size_t kCommitsMax = 50'000;

  /// The mirror outlives it. `beat` is called about once a second.
  CommitTrust(const Config& config, GitMirror& mirror, std::function<void()> beat);

  /// ManifestSource::Vouch. With `head`, the commit's own signature counts; with `every`, that of each commit that it
  /// reaches as well, but for those that `vouched` or source.verify_from reach. The commit's own is looked at each
  /// time, so that a signer who is trusted no more stops what he signed last.
  Vouching Vouch(const CommitId& commit, const std::optional<CommitId>& vouched);

  /// Whose good signature a commit bears; empty where it bears none.
  std::string SignerOf(const CommitId& commit);

 private:
  /// Forgets what is good where a file of keys has changed.
  void HeedFiles();

  /// Empty where the signature is good; then the signer is known.
  std::string RefusalOf(const CommitId& commit);

  const SourceConfig source_;
  GitMirror& mirror_;
  const std::function<void()> beat_;
  SignatureVerifier verifier_;
  std::map<CommitId, std::string> signers_;  // empty: it was looked at, and bears no good signature
  std::set<CommitId> good_;                  // by the files of keys as they were then
  Digest files_{};                           // what they were: of both contents
};

}  // namespace tokensync
