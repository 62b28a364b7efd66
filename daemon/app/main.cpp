/// The program `tokensyncd`: picks the command, and turns what ends it early into a message and an exit status.
#include <openssl/crypto.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <exception>
#include <new>
#include <string>

#include "command_line.h"
#include "commands.h"
#include "errors.h"
#include "exit_status.h"
#include "git_fetch.h"
#include "openpgp_check.h"
#include "system_clock.h"
#include "terminal.h"

namespace {

#if defined(__SANITIZE_ADDRESS__)
#define TOKENSYNC_LEAK_CHECK 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TOKENSYNC_LEAK_CHECK 1
#endif
#endif

/// The process holds a secret: its memory is never written to disk, nor read by another process of the same user.
void ForbidCoreDumps() {
  const rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none);
#ifndef TOKENSYNC_LEAK_CHECK  // the leak checker attaches to the process
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
#endif
}

/// Every call in flight has its intent in the ledger, so that an end at any moment is one that the next start resolves.
/// Going on without memory would be the gamble. Nothing here may ask for memory.
[[noreturn]] void EndWithoutMemory() {
  constexpr char kText[] =
      "tokensyncd: out of memory; ending at once: what was in flight is resolved by the next start\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kText, sizeof kText - 1);
  _exit(tokensync::kTryAgainLater);
}

// OpenSSL 3.0 reads through null pointers where its first allocations fail.
void* CryptoMalloc(std::size_t size, const char*, int) {
  void* memory = std::malloc(size);
  if (memory == nullptr && size > 0) EndWithoutMemory();
  return memory;
}

void* CryptoRealloc(void* old, std::size_t size, const char*, int) {
  void* memory = std::realloc(old, size);
  if (memory == nullptr && size > 0) EndWithoutMemory();
  return memory;
}

void CryptoFree(void* memory, const char*, int) {
  std::free(memory);
}

void EndWhereMemoryEnds() {
  std::set_new_handler(EndWithoutMemory);
  CRYPTO_set_mem_functions(CryptoMalloc, CryptoRealloc, CryptoFree);
}

int End(tokensync::ExitStatus status, const std::exception& error) {
  try {
    tokensync::WriteAll(STDERR_FILENO, std::string("tokensyncd: ") + error.what() + "\n");
  } catch (const tokensync::EnvironmentError&) {
    // Nobody can be told; the exit status still says it.
  }
  return status;
}

}  // namespace

int main(int argc, char** argv) {
  ForbidCoreDumps();
  if (argc == 2 && std::strcmp(argv[1], "git-fetch") == 0) return tokensync::GitFetchChildMain();
  if (argc > 1 && argv[1] == tokensync::kOpenPgpCheckCommand) return tokensync::OpenPgpCheckMain(argc, argv);
  EndWhereMemoryEnds();
  try {
    auto parsed = tokensync::ParseCommandLine(argc, argv, tokensync::SystemClock().Now());
    if (const auto* end = std::get_if<tokensync::EndNow>(&parsed)) {
      tokensync::WriteAll(end->ToStandardOutput() ? STDOUT_FILENO : STDERR_FILENO, end->text);
      return end->status;
    }
    return std::visit([](const auto& command) { return tokensync::Execute(command); },
                      std::get<tokensync::Command>(parsed));
  } catch (const tokensync::ConfigError& error) {
    return End(tokensync::kConfigurationError, error);
  } catch (const tokensync::LedgerError& error) {
    return End(tokensync::kLedgerUnusable, error);
  } catch (const tokensync::EnvironmentError& error) {
    return End(tokensync::kTryAgainLater, error);
  } catch (const std::exception& error) {
    return End(tokensync::kInternalError, error);
  }
}
