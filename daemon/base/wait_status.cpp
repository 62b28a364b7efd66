#include "wait_status.h"

#include <sys/wait.h>

namespace tokensync {

std::string WaitStatusText(int status) {
  if (WIFSIGNALED(status)) return "was ended by signal " + std::to_string(WTERMSIG(status));
  return "ended with status " + std::to_string(WEXITSTATUS(status));
}

}  // namespace tokensync
