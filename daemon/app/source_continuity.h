/// Whether a repository goes on where the one that a ledger follows ended: nothing is created from another one by
/// mistake.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "config.h"
#include "log.h"
#include "ports.h"
#include "sqlite_ledger.h"

namespace tokensync {

/// What a ledger follows.
struct FollowedSource {
  std::string url;
  std::optional<CommitId> head_seen;
  bool has_entries = false;
};

/// Throws LedgerError where `head`, of the configured repository, does not descend from the head that was seen last,
/// and source.previous_url does not confirm the move either. A ledger that holds nothing follows anything.
/// To be asked where the URLs differ. Throws EnvironmentError where the history cannot be read.
void RequireContinuity(const Config& config, const FollowedSource& followed, ManifestSource& source,
                       const CommitId& head);

/// A ManifestSource that gives no head of a repository that the ledger must not follow; once there is a good one, the
/// ledger follows it.
class ContinuousSource final : public ManifestSource {
 public:
  /// All of them outlive it.
  ContinuousSource(ManifestSource& source, SqliteLedger& ledger, const Config& config, Log& log)
      : source_(source), ledger_(ledger), config_(config), log_(log) {}

  /// Throws LedgerError as well: see RequireContinuity.
  CommitId FetchHead() override;
  std::shared_ptr<const DesiredState> Read(const CommitId& commit) override { return source_.Read(commit); }
  std::string Payload(const Entry& entry) override { return source_.Payload(entry); }
  std::vector<Provenance> Attribute(const CommitId& head,
                                    std::span<const std::shared_ptr<const Manifest>> manifests) override {
    return source_.Attribute(head, manifests);
  }
  /// A move that source.previous_url confirms is not asked about a second time, as a rewritten history.
  bool Descends(const CommitId& head, const CommitId& ancestor) override {
    return head == confirmed_ || source_.Descends(head, ancestor);
  }
  Vouching Vouch(const CommitId& commit, const std::optional<CommitId>& vouched) override {
    return source_.Vouch(commit, vouched);
  }

 private:
  ManifestSource& source_;
  SqliteLedger& ledger_;
  const Config& config_;
  Log& log_;
  std::optional<CommitId> confirmed_;  // the newest head after the move, until one was accepted
};

}  // namespace tokensync
