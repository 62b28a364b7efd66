/// Certificates made at run time, for servers that a test trusts or does not trust.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace tokensync {

/// What a server's certificate says.
struct CertificateWish {
  std::string subject_alternatives = "IP:127.0.0.1,IP:::1,DNS:localhost";  ///< OpenSSL's syntax
  bool expired = false;
};

/// A certificate authority in a folder of its own, which is gone at the end.
class TestAuthority {
 public:
  TestAuthority();
  ~TestAuthority();
  TestAuthority(const TestAuthority&) = delete;
  TestAuthority& operator=(const TestAuthority&) = delete;

  /// PEM of the authority's own certificate.
  std::filesystem::path ca_file() const { return folder_ / "ca.pem"; }
  std::filesystem::path folder() const { return folder_; }

  struct ServerFiles {
    std::filesystem::path certificate;
    std::filesystem::path key;
  };
  /// A key and a certificate that this authority has signed.
  ServerFiles Issue(const CertificateWish& wish = {});

 private:
  struct Keys;
  std::filesystem::path folder_;
  std::unique_ptr<Keys> keys_;
  int issued_ = 0;
};

}  // namespace tokensync
