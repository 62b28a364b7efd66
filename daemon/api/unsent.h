/// The completion of a call that did not leave.
#pragma once

#include <string>

#include "ports.h"

namespace tokensync {

/// NotSent, or ReadingFailed for a call that reads; the answer's message is `why`.
Completion UnsentCompletion(const Call& call, std::string why);

}  // namespace tokensync
