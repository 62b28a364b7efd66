#include "openpgp_check.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "openpgp_keyring.h"
#include "openpgp_library.h"
#include "openpgp_meaning.h"
#include "text.h"

namespace tokensync {

namespace fs = std::filesystem;

namespace {

constexpr int kUsage = 64;
constexpr std::size_t kTextMax = 600;

void KillEverything(int) {
  // The group, gpg included. The parent does the same; this is for the case that there is none any more.
  ::kill(0, SIGKILL);
}

void Answer(std::string_view kind, std::string_view text) {
  const std::string line = fmt::format("{} {}\n", kind, PrintableText(text, kTextMax));
  // A parent that reads no more is gone, which the next reading tells.
  static_cast<void>(::send(STDOUT_FILENO, line.data(), line.size(), MSG_NOSIGNAL));
}

/// Waits for the next line, or the end.
bool NextRequest() {
  for (;;) {
    char byte = 0;
    const ssize_t got = ::read(STDIN_FILENO, &byte, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    if (byte == '\n') return true;
  }
}

PgpVerdict Check(gpgme_ctx_t context, const fs::path& folder, const OpenPgpKeyring& keyring) {
  const PgpFile signature(folder / OpenPgpCheckFiles::kSignature);
  const PgpFile data(folder / OpenPgpCheckFiles::kData);
  const gpgme_error_t error = gpgme_op_verify(context, signature.data(), data.data(), nullptr);
  gpgme_verify_result_t result = gpgme_op_verify_result(context);
  return MeaningOf(error, result == nullptr ? nullptr : result->signatures, keyring);
}

}  // namespace

int OpenPgpCheckMain(int argc, char** argv) {
  if (argc != 5 || ::getpgrp() != ::getpid()) return kUsage;
  const fs::path folder = argv[2];
  const auto seconds = static_cast<unsigned int>(std::strtoul(argv[4], nullptr, 10));
  struct sigaction action {};
  action.sa_handler = KillEverything;
  ::sigaction(SIGALRM, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);
  try {
    ::alarm(seconds);
    const PgpContext context = OpenPgpContext(argv[3], folder / OpenPgpCheckFiles::kHome);
    OpenPgpKeyring keyring;
    try {
      keyring = ImportKeyring(context.get(), folder / OpenPgpCheckFiles::kKeyring);
    } catch (const KeyringFault& fault) {
      Answer("keyring", fault.what());
      return EXIT_FAILURE;
    }
    ::alarm(0);
    Answer("ready", "");
    while (NextRequest()) {
      ::alarm(seconds);
      const PgpVerdict verdict = Check(context.get(), folder, keyring);
      ::alarm(0);
      Answer(verdict.good ? "good" : "bad", verdict.text);
    }
  } catch (const std::exception& failure) {
    Answer("failed", failure.what());
    return EXIT_FAILURE;
  }
  return EXIT_SUCCESS;
}

}  // namespace tokensync
