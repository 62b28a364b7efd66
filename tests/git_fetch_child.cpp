/// The smallest program that GitFetcher can start: the daemon's hidden subcommand alone.
#include <cstring>

#include "git_fetch.h"

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "git-fetch") == 0) return tokensync::GitFetchChildMain();
  return 64;
}
