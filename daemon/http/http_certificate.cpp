#include "http_certificate.h"

#include <Poco/Exception.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "errors.h"

namespace tokensync {

namespace {

// Poco's own asks on the console.
int RefuseToAsk(char*, int, int, void*) {
  return -1;
}

std::string TakeReason() {
  const unsigned long error = ERR_peek_last_error();
  const char* reason = ERR_reason_error_string(error);
  ERR_clear_error();
  return reason != nullptr ? reason : "it cannot be read";
}

[[noreturn]] void Refuse(std::string_view setting, const std::filesystem::path& file, std::string_view advice) {
  throw ConfigError(fmt::format("reading {}, which {} names: {}; {}", file.string(), setting, TakeReason(), advice));
}

}  // namespace

Poco::Net::Context::Ptr LoadHttpCertificate(const std::filesystem::path& certificate_file,
                                            const std::filesystem::path& key_file) {
  using Poco::Net::Context;
  Context::Params params;
  params.verificationMode = Context::VERIFY_NONE;
  params.loadDefaultCAs = false;
  params.cipherList = "HIGH:!aNULL:!MD5:!RC4:!3DES";
  Context::Ptr context;
  try {
    context = new Context(Context::TLS_SERVER_USE, params);
    context->requireMinimumProtocol(Context::PROTO_TLSV1_2);
  } catch (const Poco::Exception& error) {
    throw ConfigError(fmt::format("preparing TLS for the HTTP server: {}", error.displayText()));
  }
  SSL_CTX* raw = context->sslContext();
  SSL_CTX_set_default_passwd_cb(raw, &RefuseToAsk);
  // A client that renegotiates again and again makes us work for nothing.
  SSL_CTX_set_options(raw, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE);
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(raw, certificate_file.c_str()) != 1) {
    Refuse("http.certificate_file", certificate_file, "put the server's certificate and its chain there, as PEM");
  }
  if (SSL_CTX_use_PrivateKey_file(raw, key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(raw) != 1) {
    Refuse("http.key_file", key_file, "put the certificate's private key there, as PEM and without a passphrase");
  }
  return context;
}

}  // namespace tokensync
