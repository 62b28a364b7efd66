#include "openpgp_keyring.h"

#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <type_traits>

#include "openpgp_library.h"
#include "text.h"

namespace tokensync {

namespace {

constexpr std::size_t kOwnerMax = 200;
constexpr const char* kHow = "write it with gpg --export --armor KEY...";

struct KeyDeleter {
  void operator()(gpgme_key_t key) const { gpgme_key_unref(key); }
};
using Key = std::unique_ptr<std::remove_pointer_t<gpgme_key_t>, KeyDeleter>;

std::string Text(const char* text) {
  return text == nullptr ? std::string() : std::string(text);
}

void Import(gpgme_ctx_t context, const std::filesystem::path& file) {
  const PgpFile keys(file);
  const gpgme_error_t error = gpgme_op_import(context, keys.data());
  gpgme_import_result_t result = gpgme_op_import_result(context);
  if (result != nullptr && result->secret_read > 0) {
    throw KeyringFault("it holds secret keys; write public ones only, with gpg --export");
  }
  if (result == nullptr || result->imported == 0) {
    throw KeyringFault(fmt::format("it holds no OpenPGP public key that gpg can use; {}", kHow));
  }
  const int left_out = result->no_user_id + result->not_imported + result->skipped_v3_keys;
  if (left_out > 0) {
    throw KeyringFault(
        fmt::format("gpg cannot use {} of its {} keys; leave them out, or write it anew with gpg --export", left_out,
                    result->considered));
  }
  if (error != GPG_ERR_NO_ERROR) {
    throw KeyringFault(fmt::format("gpg cannot read all of it ({}); {}", PgpErrorText(error), kHow));
  }
}

std::string OwnerOf(gpgme_key_t key) {
  for (gpgme_user_id_t id = key->uids; id != nullptr; id = id->next) {
    if (id->revoked == 0) return PrintableText(Text(id->uid), kOwnerMax);
  }
  return "without a name";
}

std::optional<TimePoint> Sooner(std::optional<TimePoint> one, std::optional<TimePoint> other) {
  if (!one || !other) return one ? one : other;
  return std::min(*one, *other);
}

std::optional<TimePoint> ExpiryOf(gpgme_subkey_t key) {
  if (key->expires <= 0) return std::nullopt;
  return TimePoint(std::chrono::seconds(key->expires));
}

void Add(OpenPgpKeyring& keyring, gpgme_key_t key) {
  if (key->subkeys == nullptr) return;
  for (gpgme_subkey_t subkey = key->subkeys; subkey != nullptr; subkey = subkey->next) {
    keyring.insert_or_assign(Text(subkey->fpr),
                             TrustedKey{.primary_fingerprint = Text(key->subkeys->fpr),
                                        .owner = OwnerOf(key),
                                        .disabled = key->disabled != 0 || subkey->disabled != 0,
                                        .expires = Sooner(ExpiryOf(key->subkeys), ExpiryOf(subkey))});
  }
}

}  // namespace

OpenPgpKeyring ImportKeyring(gpgme_ctx_t context, const std::filesystem::path& file) {
  Import(context, file);
  OpenPgpKeyring keyring;
  CheckPgp(gpgme_op_keylist_start(context, nullptr, 0), "listing the keys");
  for (;;) {
    gpgme_key_t found = nullptr;
    const gpgme_error_t error = gpgme_op_keylist_next(context, &found);
    if (gpgme_err_code(error) == GPG_ERR_EOF) break;
    CheckPgp(error, "listing the keys");
    const Key key(found);
    Add(keyring, key.get());
  }
  return keyring;
}

}  // namespace tokensync
