/// The keys that the team trusts, brought into a gpg home of their own. For the checking process only.
#pragma once

#include <gpgme.h>

#include <filesystem>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>

#include "model.h"

namespace tokensync {

/// The content of the keyring cannot be used.
class KeyringFault : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A key that may have made a signature.
struct TrustedKey {
  std::string primary_fingerprint{};
  std::string owner{};  ///< first user id that was not revoked; printable
  bool disabled = false;
  std::optional<TimePoint> expires{};  ///< it or its primary key, whichever is first
};

/// By the fingerprints of primary keys and subkeys.
using OpenPgpKeyring = std::map<std::string, TrustedKey, std::less<>>;

/// Imports the file into the context's home, which is empty, and lists what is there.
/// Throws KeyringFault: not all of it are public keys that gpg can use; PgpFailure: gpg fails.
OpenPgpKeyring ImportKeyring(gpgme_ctx_t context, const std::filesystem::path& file);

}  // namespace tokensync
