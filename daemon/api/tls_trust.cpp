#include "tls_trust.h"

#include <Poco/Net/SSLException.h>
#include <fmt/format.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <fstream>
#include <utility>

#include "errors.h"

namespace tokensync {

namespace {

thread_local int certificate_error = X509_V_OK;

// Instead of Poco's own, which hands the decision to a handler that by default asks on the console.
int NoteCertificateError(int is_valid, X509_STORE_CTX* store) {
  if (is_valid != 1) certificate_error = X509_STORE_CTX_get_error(store);
  return is_valid;
}

}  // namespace

Poco::Net::Context::Ptr MakeTlsTrust(const Endpoint& endpoint, const std::filesystem::path& ca_file) {
  using Poco::Net::Context;
  Context::Params params;
  params.verificationMode = Context::VERIFY_STRICT;
  params.loadDefaultCAs = true;
  params.cipherList = "HIGH:!aNULL:!MD5:!RC4:!3DES";
  if (!ca_file.empty()) {
    std::error_code failure;
    if (std::filesystem::is_directory(ca_file, failure) || !std::ifstream(ca_file)) {
      throw ConfigError(fmt::format("reading api.ca_file {}: it cannot be read as a file", ca_file.string()));
    }
    params.caLocation = ca_file.string();
  }
  Context::Ptr context;
  try {
    context = new Context(Context::TLS_CLIENT_USE, params);
    context->requireMinimumProtocol(Context::PROTO_TLSV1_2);
    context->enableSessionCache(true);
  } catch (const Poco::Exception& error) {
    throw ConfigError(fmt::format("loading trust anchors{}: {}",
                                  ca_file.empty() ? "" : fmt::format(" (api.ca_file {})", ca_file.string()),
                                  error.displayText()));
  }

  SSL_CTX* raw = context->sslContext();
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER, &NoteCertificateError);
  // As part of the chain's verification, so that a handshake with another host never completes. Poco compares
  // afterwards and takes a DNS name that looks like an address for that address.
  X509_VERIFY_PARAM* expected = SSL_CTX_get0_param(raw);
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  const int is_set = endpoint.host_is_address
                         ? X509_VERIFY_PARAM_set1_ip_asc(expected, endpoint.host.c_str())
                         : X509_VERIFY_PARAM_set1_host(expected, endpoint.host.c_str(), endpoint.host.size());
  if (is_set != 1) {
    throw ConfigError(fmt::format("reading api.endpoint: no certificate can be for '{}'", endpoint.host));
  }
  return context;
}

std::string TakeCertificateFault() {
  const int error = std::exchange(certificate_error, X509_V_OK);
  return error == X509_V_OK ? std::string() : X509_verify_cert_error_string(error);
}

}  // namespace tokensync
