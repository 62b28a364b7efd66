#include "signature_verifier.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include "bounded_file.h"
#include "child_program.h"
#include "openpgp_packet.h"
#include "openpgp_session.h"
#include "private_folder.h"
#include "sha256.h"
#include "signature_armour.h"
#include "ssh_signatures.h"
#include "verification_time.h"

namespace tokensync {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kAllowedSigners = "source.allowed_signers_file";
constexpr std::string_view kKeyring = "source.openpgp_keyring_file";

/// Whether a line is more than space and comment.
bool HasLine(std::string_view allowed_signers) {
  while (!allowed_signers.empty()) {
    const std::size_t end = std::min(allowed_signers.find('\n'), allowed_signers.size());
    const std::string_view line = allowed_signers.substr(0, end);
    const std::size_t first = line.find_first_not_of(" \t\r");
    if (first != std::string_view::npos && line[first] != '#') return true;
    allowed_signers.remove_prefix(std::min(end + 1, allowed_signers.size()));
  }
  return false;
}

/// What was made of a content of a file, for as long as the file has that content.
template <typename Made>
class MadeOfContent {
 public:
  /// What is kept; made by `make` where there is none for this content.
  template <typename Make>
  Made& For(std::string_view content, Make make) {
    const Digest digest = Sha256(content);
    if (!made_ || !(digest_ == digest)) {
      made_.reset();
      make(made_);
      digest_ = digest;
    }
    return *made_;
  }
  void Forget() { made_.reset(); }

 private:
  Digest digest_{};
  std::optional<Made> made_;
};

}  // namespace

class SignatureVerifier::State {
 public:
  State(TrustFiles files, TrustPrograms programs) : files_(std::move(files)), programs_(std::move(programs)) {}

  SignatureVerdict VerifySsh(std::string_view signature, std::string_view signed_data, TimePoint committed,
                             VerificationTime& time) {
    if (files_.allowed_signers_file.empty()) {
      return BadSignature{fmt::format("it is signed with an ssh key, and {} is not set", kAllowedSigners)};
    }
    const std::string allowed_signers =
        ReadBoundedFile(files_.allowed_signers_file, kTrustFileBytesMax, kAllowedSigners);
    if (!HasLine(allowed_signers)) {
      throw EnvironmentError(
          fmt::format("reading {}, which {} names: it has no line for a key; write 'NAME KEYTYPE KEY' for each signer",
                      files_.allowed_signers_file.string(), kAllowedSigners));
    }
    return ssh_
        .For(allowed_signers,
             [&](std::optional<SshSignatures>& made) {
               made.emplace(FindProgram(programs_.ssh_keygen, "openssh-client"), Folder(), allowed_signers);
             })
        .Check(signature, signed_data, committed, time);
  }

  SignatureVerdict VerifyOpenPgp(std::string_view signature, std::string_view signed_data, VerificationTime& time) {
    if (files_.openpgp_keyring_file.empty()) {
      return BadSignature{fmt::format("it is signed with an OpenPGP key, and {} is not set", kKeyring)};
    }
    if (auto fault = FaultOfOpenPgpArmour(signature)) return BadSignature{*std::move(fault)};
    const std::string keyring = ReadBoundedFile(files_.openpgp_keyring_file, kTrustFileBytesMax, kKeyring);
    try {
      return openpgp_
          .For(keyring,
               [&](std::optional<OpenPgpSession>& made) {
                 const OpenPgpPrograms programs{.checker = programs_.openpgp_check,
                                                .gpg = FindProgram(programs_.gpg, "gpg")};
                 made.emplace(programs, Folder(), keyring, time);
               })
          .Check(signature, signed_data, time);
    } catch (const UnusableKeyring& fault) {
      throw EnvironmentError(
          fmt::format("reading {}, which {} names: {}", files_.openpgp_keyring_file.string(), kKeyring, fault.what()));
    } catch (...) {
      // Its process may be in the middle of an answer to this question.
      openpgp_.Forget();
      throw;
    }
  }

  VerificationTime Time(const std::function<void()>& beat) { return {programs_.timeout, beat, next_beat_}; }

 private:
  const PrivateFolder& Folder() {
    if (!folder_) folder_.emplace(files_.scratch_folder);
    return *folder_;
  }

  const TrustFiles files_;
  const TrustPrograms programs_;
  VerificationTime::SteadyClock::time_point next_beat_{};
  std::optional<PrivateFolder> folder_;
  MadeOfContent<SshSignatures> ssh_;
  MadeOfContent<OpenPgpSession> openpgp_;
};

SignatureVerifier::SignatureVerifier(TrustFiles files, TrustPrograms programs)
    : state_(std::make_unique<State>(std::move(files), std::move(programs))) {}

SignatureVerifier::~SignatureVerifier() = default;

SignatureVerdict SignatureVerifier::Verify(std::string_view signature, std::string_view signed_data,
                                           TimePoint committed, const std::function<void()>& beat) {
  if (signature.size() > kSignatureBytesMax) {
    return BadSignature{fmt::format("its signature has more than {} bytes", kSignatureBytesMax)};
  }
  if (signed_data.size() > kSignedBytesMax) {
    return BadSignature{fmt::format("it has more than {} bytes, which is more than is checked", kSignedBytesMax)};
  }
  const auto kind = KindOfSignature(signature);
  if (const auto* none = std::get_if<NoSignature>(&kind)) return BadSignature{none->why};
  VerificationTime time = state_->Time(beat);
  if (std::get<SignatureKind>(kind) == SignatureKind::kSsh) {
    return state_->VerifySsh(signature, signed_data, committed, time);
  }
  return state_->VerifyOpenPgp(signature, signed_data, time);
}

}  // namespace tokensync
