/// The HTTP server with a certificate.
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <thread>

#include "api_test_certificates.h"
#include "http_server.h"
#include "http_test_client.h"
#include "http_test_handler.h"

using namespace tokensync;

namespace {

HttpServerOptions With(const TestAuthority::ServerFiles& files) {
  HttpServerOptions options;
  options.listen = "127.0.0.1:0";
  options.certificate_file = files.certificate;
  options.key_file = files.key;
  return options;
}

/// The key of `files`, with a passphrase.
std::filesystem::path EncryptedKey(const TestAuthority::ServerFiles& files) {
  const std::filesystem::path encrypted = files.key.string() + ".encrypted";
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> from(std::fopen(files.key.c_str(), "r"), std::fclose);
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> to(std::fopen(encrypted.c_str(), "w"), std::fclose);
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(
      PEM_read_PrivateKey(from.get(), nullptr, nullptr, nullptr), EVP_PKEY_free);
  const std::string word = "a passphrase of this test";
  REQUIRE(PEM_write_PKCS8PrivateKey(to.get(), key.get(), EVP_aes_256_cbc(), word.c_str(), static_cast<int>(word.size()),
                                    nullptr, nullptr) == 1);
  return encrypted;
}

}  // namespace

TEST_CASE("requests and answers of any size go through TLS") {
  TestAuthority authority;
  TestServer test(With(authority.Issue()));
  const std::string body(900'000, 'x');
  const HttpTestAnswer answer =
      HttpTestTlsExchange(test.address(), authority.ca_file(), HttpTestRequest("POST", "/echo", "", body));
  CHECK(answer.status == 200);
  CHECK(answer.body == body);
  CHECK(answer.ended);
  CHECK(HttpTestTlsExchange(test.address(), authority.ca_file(), HttpTestRequest("GET", "/huge")).body.size() ==
        std::size_t{16} * 1024 * 1024);
  CHECK(HttpTestTlsExchange(test.address(), authority.ca_file(), "nonsense\r\n\r\n").status == 400);
}

TEST_CASE("TLS 1.2 is the oldest that is spoken") {
  TestAuthority authority;
  TestServer test(With(authority.Issue()));
  const std::string request = HttpTestRequest("GET", "/");
  CHECK(HttpTestTlsExchange(test.address(), authority.ca_file(), request, TLS1_2_VERSION).status == 200);
  CHECK_THROWS(HttpTestTlsExchange(test.address(), authority.ca_file(), request, TLS1_1_VERSION));
  CHECK(test.handler.AwaitRefusal(0, "the TLS handshake failed"));
}

TEST_CASE("who speaks plain HTTP to a TLS server is not answered, and stops nothing") {
  TestAuthority authority;
  TestServer test(With(authority.Issue()));
  CHECK(test.Exchange(HttpTestRequest("GET", "/")).status == 0);
  CHECK(HttpTestTlsExchange(test.address(), authority.ca_file(), HttpTestRequest("GET", "/")).status == 200);
}

TEST_CASE("a TLS client that vanishes raises no signal") {
  REQUIRE(std::signal(SIGPIPE, SIG_DFL) != SIG_ERR);
  TestAuthority authority;
  TestServer test(With(authority.Issue()));
  for (int i = 0; i < 20; ++i) {
    const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
    const HttpTestClient client(test.address());
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), SSL_free);
    SSL_set_fd(ssl.get(), client.fd());
    REQUIRE(SSL_connect(ssl.get()) == 1);
    const std::string request = HttpTestRequest("GET", "/huge");
    REQUIRE(SSL_write(ssl.get(), request.data(), static_cast<int>(request.size())) > 0);
    const linger reset{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(client.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
    if (i % 2 == 0) REQUIRE(test.handler.AwaitRequests(static_cast<std::size_t>(i) / 2 + 1));
  }
  CHECK(HttpTestTlsExchange(test.address(), authority.ca_file(), HttpTestRequest("GET", "/")).status == 200);
}

TEST_CASE("a renewed certificate is shown after a reload, and one that cannot be used changes nothing") {
  TestAuthority old_authority;
  TestAuthority new_authority;
  const auto files = old_authority.Issue();
  TestServer test(With(files));
  const std::string request = HttpTestRequest("GET", "/");
  CHECK(HttpTestTlsExchange(test.address(), old_authority.ca_file(), request).status == 200);
  const auto renewed = new_authority.Issue();
  constexpr auto kOver = std::filesystem::copy_options::overwrite_existing;
  std::filesystem::copy_file(renewed.certificate, files.certificate, kOver);
  CHECK_THROWS_AS(test.server.ReloadCertificate(), ConfigError);
  CHECK(HttpTestTlsExchange(test.address(), old_authority.ca_file(), request).status == 200);
  std::filesystem::copy_file(renewed.key, files.key, kOver);
  test.server.ReloadCertificate();
  CHECK(HttpTestTlsExchange(test.address(), new_authority.ca_file(), request).status == 200);
  CHECK_THROWS(HttpTestTlsExchange(test.address(), old_authority.ca_file(), request));
}

TEST_CASE("certificates and keys that cannot be used are told, and nobody is asked") {
  TestAuthority authority;
  TestHandler handler;
  const auto files = authority.Issue();
  const auto other = authority.Issue();
  const std::filesystem::path nothing = authority.folder() / "nothing.pem";
  const auto fault = [&](const std::filesystem::path& certificate, const std::filesystem::path& key) {
    try {
      HttpServer server(With({certificate, key}), handler);
    } catch (const ConfigError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(fault(nothing, files.key).find("http.certificate_file") != std::string::npos);
  CHECK(fault(files.certificate, nothing).find("http.key_file") != std::string::npos);
  CHECK(fault(files.key, files.key).find("http.certificate_file") != std::string::npos);
  CHECK(fault(files.certificate, other.key).find("http.key_file") != std::string::npos);
  CHECK(fault(files.certificate, EncryptedKey(files)).find("without a passphrase") != std::string::npos);
  CHECK(fault(files.certificate, "").find("go together") != std::string::npos);
  CHECK(fault("", files.key).find("go together") != std::string::npos);
}
