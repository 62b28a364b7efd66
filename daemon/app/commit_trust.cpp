#include "commit_trust.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "text.h"

namespace tokensync {

CommitTrust::CommitTrust(const Config& config, GitMirror& mirror, std::function<void()> beat)
    : source_(config.source),
      mirror_(mirror),
      beat_(std::move(beat)),
      verifier_({.allowed_signers_file = config.source.allowed_signers_file,
                 .openpgp_keyring_file = config.source.openpgp_keyring_file,
                 .scratch_folder = config.StateDirectory()}) {}

Vouching CommitTrust::Vouch(const CommitId& commit, const std::optional<CommitId>& vouched) {
  if (source_.verify == Verify::kOff) return {};
  Vouching vouching{.refusal = RefusalOf(commit)};
  if (!vouching.refusal.empty()) return vouching;
  vouching.signer = SignerOf(commit);
  if (source_.verify == Verify::kHead) return vouching;
  for (const CommitId& brought : mirror_.NotIn(commit, vouched ? vouched : source_.verify_from, kCommitsMax)) {
    if (brought == commit) continue;
    if (vouched && source_.verify_from && mirror_.Descends(*source_.verify_from, brought)) continue;
    vouching.refusal = RefusalOf(brought);
    if (!vouching.refusal.empty()) return vouching;
  }
  vouching.reaches_vouched = true;
  return vouching;
}

std::string CommitTrust::RefusalOf(const CommitId& commit) {
  const SignedCommit read = mirror_.ReadSigned(commit);
  const SignatureVerdict verdict = verifier_.Verify(read.signature, read.signed_data, read.committed, beat_);
  if (const auto* good = std::get_if<GoodSignature>(&verdict)) {
    signers_[commit] = good->signer;
    return "";
  }
  // Bounded well below what the ledger keeps: a reason that came back shorter would count as a new one.
  const auto described = mirror_.Describe(commit);
  return fmt::format(
      "commit {} by {} (\"{}\") is refused: {}", commit.hex, CutToColumns(PrintableText(described->author), 60),
      CutToColumns(PrintableText(described->subject), 60), CutToColumns(std::get<BadSignature>(verdict).why, 300));
}

std::string CommitTrust::SignerOf(const CommitId& commit) const {
  const auto known = signers_.find(commit);
  return known == signers_.end() ? "" : known->second;
}

}  // namespace tokensync
