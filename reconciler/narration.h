/// What a pass says in words: the details of the log, and why a pass ended early.
#pragma once

#include <string>

#include "executor.h"
#include "ports.h"

namespace tokensync {

/// What else a person should know of how a call ended; empty where the outcome says it all.
std::string DetailOf(const Completion& completion);

/// What the service said, in one line: "HTTP 400 no such token: ...".
std::string AnswerText(const ServiceAnswer& answer);

/// What a plan would do, in numbers: "3 to create, 1 to resolve, 2 to report".
std::string NumbersOf(const PlanCounts& counts);

/// Why the executor stopped, with what the service said.
std::string StopText(StopReason reason, const ServiceAnswer& answer);

}  // namespace tokensync
