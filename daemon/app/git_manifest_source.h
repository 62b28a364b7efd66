/// ManifestSource over a git mirror and the manifest reader.
#pragma once

#include <functional>
#include <memory>

#include "commit_trust.h"
#include "config.h"
#include "git_fetch.h"
#include "git_mirror.h"
#include "manifest_reader.h"
#include "ports.h"

namespace tokensync {

class GitManifestSource : public ManifestSource {
 public:
  /// `beat` is called about once a second by whatever takes longer.
  GitManifestSource(const Config& config, std::function<void()> beat);

  CommitId FetchHead() override;
  std::shared_ptr<const DesiredState> Read(const CommitId& commit) override;
  std::string Payload(const Entry& entry) override;
  std::vector<Provenance> Attribute(const CommitId& head,
                                    std::span<const std::shared_ptr<const Manifest>> manifests) override;
  bool Descends(const CommitId& head, const CommitId& ancestor) override;
  Vouching Vouch(const CommitId& commit, const std::optional<CommitId>& vouched) override;

  /// The next FetchHead begins sooner.
  void PrepareFetch() { fetcher_.Prepare(); }

  /// The commit that a revision names, once the branch was fetched. Throws EnvironmentError.
  CommitId Resolve(const std::string& revision) { return mirror_.Resolve(revision); }

 private:
  const SourceConfig source_;
  const std::filesystem::path mirror_path_;
  const std::function<void()> beat_;
  GitFetcher fetcher_;
  GitMirror mirror_;
  CommitTrust trust_;
  ManifestReader reader_;
  std::unique_ptr<FileTree> tree_;               // of the commit that was read last
  std::shared_ptr<const DesiredState> desired_;  // what it declares
};

}  // namespace tokensync
