/// GPGME's handles with owners, and its errors as exceptions. For the checking process only.
#pragma once

#include <gpgme.h>

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <type_traits>

namespace tokensync {

/// GPGME or gpg failed: nothing is known of the signature.
class PgpFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// "No data", in English.
std::string PgpErrorText(gpgme_error_t error);

/// Throws PgpFailure "DOING: cause" for an error.
void CheckPgp(gpgme_error_t error, const char* doing);

struct PgpContextDeleter {
  void operator()(gpgme_ctx_t context) const { gpgme_release(context); }
};
using PgpContext = std::unique_ptr<std::remove_pointer_t<gpgme_ctx_t>, PgpContextDeleter>;

/// Initialises GPGME, once in a process, with this gpg and its home. Throws PgpFailure.
PgpContext OpenPgpContext(const std::string& gpg, const std::filesystem::path& home);

/// A file, to be read by GPGME.
class PgpFile {
 public:
  explicit PgpFile(const std::filesystem::path& file);
  ~PgpFile();
  PgpFile(const PgpFile&) = delete;
  PgpFile& operator=(const PgpFile&) = delete;
  gpgme_data_t data() const { return data_; }

 private:
  int fd_ = -1;
  gpgme_data_t data_ = nullptr;
};

}  // namespace tokensync
