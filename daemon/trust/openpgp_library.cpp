#include "openpgp_library.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace tokensync {

std::string PgpErrorText(gpgme_error_t error) {
  char text[256] = "";
  gpgme_strerror_r(error, text, sizeof text);
  return text;
}

void CheckPgp(gpgme_error_t error, const char* doing) {
  if (error != GPG_ERR_NO_ERROR) throw PgpFailure(fmt::format("{}: {}", doing, PgpErrorText(error)));
}

PgpContext OpenPgpContext(const std::string& gpg, const std::filesystem::path& home) {
  if (gpgme_check_version("1.18.0") == nullptr) throw PgpFailure("starting GPGME: it is older than 1.18");
  CheckPgp(gpgme_set_engine_info(GPGME_PROTOCOL_OpenPGP, gpg.c_str(), home.c_str()), "starting gpg");
  CheckPgp(gpgme_engine_check_version(GPGME_PROTOCOL_OpenPGP), "starting gpg");
  gpgme_ctx_t made = nullptr;
  CheckPgp(gpgme_new(&made), "starting GPGME");
  PgpContext context(made);
  gpgme_set_offline(made, 1);
  CheckPgp(gpgme_set_keylist_mode(made, GPGME_KEYLIST_MODE_LOCAL), "starting GPGME");
  return context;
}

PgpFile::PgpFile(const std::filesystem::path& file) : fd_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {
  if (fd_ < 0) throw PgpFailure(fmt::format("opening {}: {}", file.string(), std::strerror(errno)));
  if (const gpgme_error_t error = gpgme_data_new_from_fd(&data_, fd_); error != GPG_ERR_NO_ERROR) {
    ::close(fd_);
    CheckPgp(error, "reading a file");
  }
}

PgpFile::~PgpFile() {
  gpgme_data_release(data_);
  ::close(fd_);
}

}  // namespace tokensync
