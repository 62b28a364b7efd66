#include "openpgp_meaning.h"

#include <fmt/format.h>

#include "openpgp_library.h"
#include "text.h"
#include "time_text.h"

namespace tokensync {

namespace {

constexpr const char* kSetting = "source.openpgp_keyring_file";
constexpr std::size_t kNameMax = 100;

PgpVerdict Bad(std::string why) {
  return {.good = false, .text = std::move(why)};
}

bool CanBeForged(gpgme_hash_algo_t hash) {
  return hash == GPGME_MD_MD5 || hash == GPGME_MD_SHA1 || hash == GPGME_MD_RMD160;
}

std::string DateOf(TimePoint time) {
  return FormatTime(time).substr(0, std::string_view("0000-00-00").size());
}

/// Whether the error can come from what is in the signature.
bool IsOfSignature(gpgme_error_t error) {
  switch (gpgme_err_code(error)) {
    case GPG_ERR_NO_DATA:
    case GPG_ERR_BAD_DATA:
    case GPG_ERR_GENERAL:  // GPGME's for packets that do not belong into a signature
    case GPG_ERR_INV_ARMOR:
    case GPG_ERR_INV_PACKET:
    case GPG_ERR_UNKNOWN_PACKET:
    case GPG_ERR_UNEXPECTED:
      return true;
    default:
      return false;
  }
}

PgpVerdict Refusal(const _gpgme_signature& signature, const std::string& name, const TrustedKey* key) {
  switch (gpgme_err_code(signature.status)) {
    case GPG_ERR_BAD_SIGNATURE:
      return Bad(fmt::format("its OpenPGP signature by {} does not fit it: it, or the signature, was changed", name));
    case GPG_ERR_NO_PUBKEY:
      return Bad(fmt::format("the key {} is not in {}; if the team trusts its owner, add it there", name, kSetting));
    case GPG_ERR_SIG_EXPIRED:
      return Bad(fmt::format("its OpenPGP signature by {} expired on {}; sign it again", name,
                             DateOf(TimePoint(std::chrono::seconds(signature.exp_timestamp)))));
    case GPG_ERR_KEY_EXPIRED:
      return Bad(fmt::format("the key {} expired{}; its owner can prolong it, then write it anew to {}", name,
                             key != nullptr && key->expires ? " on " + DateOf(*key->expires) : "", kSetting));
    case GPG_ERR_CERT_REVOKED:
      return Bad(fmt::format("the key {} was revoked; sign with another one", name));
    default:
      return Bad(fmt::format("gpg cannot check its signature by {}: {}", name, PgpErrorText(signature.status)));
  }
}

}  // namespace

PgpVerdict MeaningOf(gpgme_error_t error, gpgme_signature_t signatures, const OpenPgpKeyring& keyring) {
  if (error != GPG_ERR_NO_ERROR) {
    if (!IsOfSignature(error)) CheckPgp(error, "asking gpg");
    return Bad(fmt::format("its OpenPGP signature cannot be read: {}; sign it again", PgpErrorText(error)));
  }
  if (signatures == nullptr) throw PgpFailure("asking gpg: it ended without an answer");
  if (signatures->next != nullptr) return Bad("it has more than one signature; sign it with one key");

  const _gpgme_signature& signature = *signatures;
  const std::string fingerprint = signature.fpr == nullptr ? "" : PrintableText(signature.fpr, kNameMax);
  const auto found = keyring.find(fingerprint);
  const TrustedKey* key = found == keyring.end() ? nullptr : &found->second;
  const std::string name = key == nullptr ? fingerprint : fmt::format("{} of {}", fingerprint, key->owner);
  if (gpgme_err_code(signature.status) != GPG_ERR_NO_ERROR) return Refusal(signature, name, key);

  if (key == nullptr) return Bad(fmt::format("the key {} is not in {}", name, kSetting));
  if (key->disabled) return Bad(fmt::format("the key {} is disabled in {}", name, kSetting));
  if (CanBeForged(signature.hash_algo)) {
    const char* hash = gpgme_hash_algo_name(signature.hash_algo);
    return Bad(
        fmt::format("its signature by {} is over a {} hash, which can be forged; sign it again with SHA-256 or better",
                    name, hash == nullptr ? "weak" : hash));
  }
  // With "trust-model always" gpg says nothing about trust, or that it is full.
  constexpr unsigned int kNoReservation = GPGME_SIGSUM_VALID | GPGME_SIGSUM_GREEN;
  const auto reservations = static_cast<unsigned int>(signature.summary) & ~kNoReservation;
  if (signature.wrong_key_usage != 0 || reservations != 0) {
    return Bad(fmt::format("gpg has reservations about its signature by {} (summary {:#x})", name, reservations));
  }
  return {.good = true, .text = fmt::format("{} (openpgp {})", key->owner, key->primary_fingerprint)};
}

}  // namespace tokensync
