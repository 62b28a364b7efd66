/// What GPGME's result says about a commit, as a pure function. For the checking process only.
#pragma once

#include <gpgme.h>

#include <string>

#include "openpgp_keyring.h"

namespace tokensync {

struct PgpVerdict {
  bool good = false;
  std::string text{};  ///< the signer, or why not
};

/// `error` and `signatures`: of gpgme_op_verify. Good only if there is one signature, without any reservation, by a key
/// of the keyring. Throws PgpFailure where the error tells nothing about the signature.
PgpVerdict MeaningOf(gpgme_error_t error, gpgme_signature_t signatures, const OpenPgpKeyring& keyring);

}  // namespace tokensync
