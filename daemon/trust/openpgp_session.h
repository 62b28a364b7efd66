/// The other end of openpgp_check.h: a checking process for one content of the keyring.
#pragma once

#include <filesystem>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "child_program.h"
#include "open_file.h"
#include "private_folder.h"
#include "signature_verdict.h"
#include "verification_time.h"

namespace tokensync {

struct OpenPgpPrograms {
  std::filesystem::path checker;  ///< TrustPrograms::openpgp_check
  std::filesystem::path gpg;
};

/// The keyring's content cannot be used; the text says why and what to do.
class UnusableKeyring : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The process is killed with this. Used by one thread at a time; the folder outlives it. After an exception it is of
/// no use any more: make another one.
class OpenPgpSession {
 public:
  /// Makes a gpg home in the folder, with exactly this keyring, and starts the process.
  /// Throws UnusableKeyring, or EnvironmentError: gpg or the process fails.
  OpenPgpSession(const OpenPgpPrograms& programs, const PrivateFolder& folder, std::string_view keyring,
                 VerificationTime& time);

  /// Throws EnvironmentError: gpg or the process fails, or takes too long.
  SignatureVerdict Check(std::string_view signature, std::string_view signed_data, VerificationTime& time);

 private:
  struct Reply {
    std::string kind{};
    std::string text{};
  };
  Reply Receive(VerificationTime& time);
  [[noreturn]] void FailEnded(VerificationTime& time);

  const PrivateFolder& folder_;
  const std::filesystem::path gpg_;
  OpenFile channel_;
  std::optional<ChildProgram> child_;
};

}  // namespace tokensync
