/// The smallest program that GitFetcher can start: the daemon's hidden subcommand alone.
#include <cstring>

#include "git_fetch.h"

/// libgit2's regular expressions keep what PCRE2 gave them for the thread.
extern "C" const char* __lsan_default_suppressions();
extern "C" const char* __lsan_default_suppressions() {
  return "leak:libpcre2-8.so";
}

int main(int argc, char** argv) {
  if (argc == 2 && std::strcmp(argv[1], "git-fetch") == 0) return tokensync::GitFetchChildMain();
  return 64;
}
