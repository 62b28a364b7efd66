/// How a child process ended.
#pragma once

#include <string>

namespace tokensync {

/// "was ended by signal 9", "ended with status 255". `status`: as waitpid(2) gives it.
std::string WaitStatusText(int status);

}  // namespace tokensync
