/// The smallest program that SignatureVerifier can start: the daemon's hidden subcommand alone.
#include <string_view>

#include "openpgp_check.h"

int main(int argc, char** argv) {
  if (argc > 1 && argv[1] == tokensync::kOpenPgpCheckCommand) return tokensync::OpenPgpCheckMain(argc, argv);
  return 64;
}
