#include "commit_trust.h"

#include <fmt/format.h>

#include <utility>
#include <vector>

#include "bounded_file.h"
#include "sha256.h"
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
  if (source_.verify == Verify::kEvery) HeedFiles();
  Vouching vouching{.refusal = RefusalOf(commit)};
  if (!vouching.refusal.empty()) return vouching;
  vouching.signer = SignerOf(commit);
  if (source_.verify == Verify::kHead) return vouching;
  std::vector<CommitId> bases;
  if (vouched) bases.push_back(*vouched);
  if (source_.verify_from) bases.push_back(*source_.verify_from);
  for (const CommitId& brought : mirror_.NotIn(commit, bases, kCommitsMax)) {
    if (brought == commit || good_.contains(brought)) continue;
    vouching.refusal = RefusalOf(brought);
    if (!vouching.refusal.empty()) return vouching;
  }
  vouching.reaches_vouched = true;
  return vouching;
}

void CommitTrust::HeedFiles() {
  const auto read = [](const std::filesystem::path& file, std::string_view setting) {
    return file.empty() ? std::string() : ReadBoundedFile(file, SignatureVerifier::kTrustFileBytesMax, setting);
  };
  const Digest signers = Sha256(read(source_.allowed_signers_file, "source.allowed_signers_file"));
  const Digest keyring = Sha256(read(source_.openpgp_keyring_file, "source.openpgp_keyring_file"));
  const Digest files = Sha256(signers.Hex() + keyring.Hex());
  if (files != files_) good_.clear();
  files_ = files;
}

std::string CommitTrust::RefusalOf(const CommitId& commit) {
  const SignedCommit read = mirror_.ReadSigned(commit);
  const SignatureVerdict verdict = verifier_.Verify(read.signature, read.signed_data, read.committed, beat_);
  if (const auto* good = std::get_if<GoodSignature>(&verdict)) {
    signers_[commit] = good->signer;
    good_.insert(commit);
    return "";
  }
  // Bounded well below what the ledger keeps: a reason that came back shorter would count as a new one.
  const auto described = mirror_.Describe(commit);
  return fmt::format(
      "commit {} by {} (\"{}\") is refused: {}", commit.hex, CutToColumns(PrintableText(described->author), 60),
      CutToColumns(PrintableText(described->subject), 60), CutToColumns(std::get<BadSignature>(verdict).why, 300));
}

std::string CommitTrust::SignerOf(const CommitId& commit) {
  // A run before this one may have verified it.
  if (!signers_.contains(commit) && !RefusalOf(commit).empty()) signers_[commit] = "";
  return signers_.at(commit);
}

}  // namespace tokensync
