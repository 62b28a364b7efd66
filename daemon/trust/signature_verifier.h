/// Whether a git commit's signature is good, and by a signer whom the team trusts.
///
/// Good is: exactly one signature, in the whole of the `signature`, which fits the data, by a key that a file of
/// TrustFiles holds and that may be used for it.
/// - ssh: as `git verify-commit` judges it: by a line of allowed_signers that names the key, or the authority that
///   certified it, for the namespace "git", and at the committer's time. Whoever owns a key that has run out can set
///   that time back: take its line away when it must not count any more.
/// - OpenPGP: by a key, or its subkey, of the keyring that has neither run out nor been revoked by now, whatever the
///   committer's time says; a hash that can be forged (SHA-1, MD5, RIPEMD-160) does not count. To be in the keyring is
///   to be trusted; who certified a key changes nothing.
/// Several signatures in one are refused, as git refuses them: there is no telling which of their makers answers for
/// it. X.509 is refused. Files of revoked ssh keys (KRL) are not used: a key is withdrawn by its line.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <memory>
#include <string_view>

#include "errors.h"
#include "model.h"
#include "signature_verdict.h"

namespace tokensync {

/// Whom the team trusts. Each file is read again for each signature of its kind: what is in it now counts.
struct TrustFiles {
  /// OpenSSH's format, see ssh-keygen(1); empty: no ssh signature is good.
  std::filesystem::path allowed_signers_file;
  /// Public keys as `gpg --export` writes them, armoured or not; empty: no OpenPGP signature is good.
  std::filesystem::path openpgp_keyring_file;
  /// Exists, and is the program's own. A folder of mode 0700 is made below it, and removed again; one that a killed
  /// process left there is removed by the next.
  std::filesystem::path scratch_folder;
};

/// The programs that do the work. A name without '/' is looked up in $PATH.
struct TrustPrograms {
  std::filesystem::path ssh_keygen = "ssh-keygen";
  std::filesystem::path gpg = "gpg";
  /// A program whose main() calls OpenPgpCheckMain() (openpgp_check.h) for the argument `openpgp-check`.
  std::filesystem::path openpgp_check = "/proc/self/exe";
  Duration timeout = std::chrono::seconds(20);  ///< for one verification as a whole; what runs then is killed
};

/// Used by one thread at a time; several verifiers may be used at once. Between calls at most one process of it is
/// alive, which waits without using time; none after its end, however that comes about.
class SignatureVerifier {
 public:
  static constexpr std::size_t kSignatureBytesMax = std::size_t{64} * 1024;
  static constexpr std::size_t kSignedBytesMax = std::size_t{1024} * 1024;
  static constexpr std::size_t kTrustFileBytesMax = std::size_t{4} * 1024 * 1024;

  explicit SignatureVerifier(TrustFiles files, TrustPrograms programs = {});
  ~SignatureVerifier();
  SignatureVerifier(const SignatureVerifier&) = delete;
  SignatureVerifier& operator=(const SignatureVerifier&) = delete;

  /// `signature`: the commit's gpgsig as it stands, or empty; `signed_data`: the commit without it; `committed`: the
  /// committer's time. All of it may be anything.
  ///
  /// `beat` is called about once a second while programs run, also where many calls follow each other quickly; what it
  /// throws passes on, and the program is killed.
  /// Throws EnvironmentError: a file cannot be used (it names source.allowed_signers_file or
  /// source.openpgp_keyring_file), or a program is missing, hangs or fails. The same call may succeed later.
  SignatureVerdict Verify(std::string_view signature, std::string_view signed_data, TimePoint committed,
                          const std::function<void()>& beat = {});

 private:
  class State;
  std::unique_ptr<State> state_;
};

}  // namespace tokensync
