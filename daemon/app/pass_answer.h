/// The end of a pass as the daemon tells it to those who wait for it, and as they tell it to a person.
#pragma once

#include "json.h"
#include "pass.h"

namespace tokensync {

/// The summary, with what to print ("text") and the exit status.
JsonValue PassAnswer(const PassSummary& summary);

/// Prints the text of a PassAnswer, and gives its exit status.
int TellPass(const JsonValue& answer);

}  // namespace tokensync
