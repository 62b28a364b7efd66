/// ssh signatures, checked by ssh-keygen as `git verify-commit` does it.
///
/// OpenSSH's own program and no parser of ours: it is the definition of both formats, patterns, options, certificates
/// and all; what it calls good is what the team sees in `git log --show-signature`. And hostile bytes are read in a
/// process of its own.
#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "model.h"
#include "private_folder.h"
#include "signature_verdict.h"
#include "verification_time.h"

namespace tokensync {

/// Signatures against one content of allowed_signers. The folder outlives it. Used by one thread at a time.
class SshSignatures {
 public:
  /// Names of the files in the folder.
  static constexpr std::string_view kAllowedSigners = "allowed_signers";
  static constexpr std::string_view kSignature = "signature";
  static constexpr std::string_view kData = "data";

  /// Writes the content into the folder. `ssh_keygen`: the file of the program. Throws EnvironmentError.
  SshSignatures(std::filesystem::path ssh_keygen, const PrivateFolder& folder, std::string_view allowed_signers);

  /// `signature`: one armoured block. Throws EnvironmentError where ssh-keygen fails for a reason of its own.
  SignatureVerdict Check(std::string_view signature, std::string_view signed_data, TimePoint committed,
                         VerificationTime& time);

 private:
  const std::filesystem::path ssh_keygen_;
  const PrivateFolder& folder_;
  /// The signer's name by the part of a signature that shows the key: saves the search for it, proves nothing.
  std::map<std::string, std::string, std::less<>> names_;
};

}  // namespace tokensync
