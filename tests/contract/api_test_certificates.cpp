#include "api_test_certificates.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <cstdio>
#include <memory>
#include <stdexcept>

namespace tokensync {

namespace {

using KeyPtr = std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)>;
using CertificatePtr = std::unique_ptr<X509, decltype(&X509_free)>;

void Check(bool done, const char* what) {
  if (!done) throw std::runtime_error(std::string("making a certificate: ") + what);
}

KeyPtr NewKey() {
  KeyPtr key(EVP_EC_gen("P-256"), EVP_PKEY_free);
  Check(key != nullptr, "its key");
  return key;
}

void AddExtension(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, decltype(&X509_EXTENSION_free)> extension(
      X509V3_EXT_nconf_nid(nullptr, &context, kind, value.c_str()), X509_EXTENSION_free);
  Check(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1, value.c_str());
}

CertificatePtr NewCertificate(EVP_PKEY* key, const char* name, long serial, long from_seconds, long until_seconds) {
  CertificatePtr certificate(X509_new(), X509_free);
  Check(certificate != nullptr, name);
  X509_set_version(certificate.get(), 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), from_seconds);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), until_seconds);
  X509_set_pubkey(certificate.get(), key);
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(name), -1, -1, 0);
  return certificate;
}

template <typename Writer>
void WritePem(const std::filesystem::path& file, const Writer& writer) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream(std::fopen(file.c_str(), "w"), std::fclose);
  Check(stream != nullptr && writer(stream.get()) == 1, file.c_str());
}

}  // namespace

struct TestAuthority::Keys {
  KeyPtr key{nullptr, EVP_PKEY_free};
  CertificatePtr certificate{nullptr, X509_free};
};

TestAuthority::TestAuthority() : keys_(std::make_unique<Keys>()) {
  std::string folder = (std::filesystem::temp_directory_path() / "api-certificates-XXXXXX").string();
  Check(::mkdtemp(folder.data()) != nullptr, "its folder");
  folder_ = folder;
  keys_->key = NewKey();
  keys_->certificate = NewCertificate(keys_->key.get(), folder_.filename().c_str(), 1, -60, 3600);
  X509* certificate = keys_->certificate.get();
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  AddExtension(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
  AddExtension(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
  Check(X509_sign(certificate, keys_->key.get(), EVP_sha256()) != 0, "its signature");
  WritePem(ca_file(), [&](std::FILE* stream) { return PEM_write_X509(stream, certificate); });
}

TestAuthority::~TestAuthority() {
  std::filesystem::remove_all(folder_);
}

TestAuthority::ServerFiles TestAuthority::Issue(const CertificateWish& wish) {
  const int serial = 2 + issued_++;
  const KeyPtr key = NewKey();
  const CertificatePtr certificate =
      NewCertificate(key.get(), "Test server", serial, wish.expired ? -7200 : -60, wish.expired ? -3600 : 3600);
  X509* issuer = keys_->certificate.get();
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer));
  AddExtension(certificate.get(), issuer, NID_subject_alt_name, wish.subject_alternatives);
  Check(X509_sign(certificate.get(), keys_->key.get(), EVP_sha256()) != 0, "its signature");
  ServerFiles files{folder_ / ("server" + std::to_string(serial) + ".pem"),
                    folder_ / ("server" + std::to_string(serial) + ".key")};
  WritePem(files.certificate, [&](std::FILE* stream) { return PEM_write_X509(stream, certificate.get()); });
  WritePem(files.key, [&](std::FILE* stream) {
    return PEM_write_PrivateKey(stream, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  return files;
}

}  // namespace tokensync
