/// What a pass did, as people and scripts read it.
#pragma once

#include <string>
#include <string_view>

#include "json.h"
#include "pass.h"
#include "terminal.h"

namespace tokensync {

/// "complete", "incomplete", "stopped", "environment", "denied".
std::string_view PassResultName(PassResult result);
/// "unreachable", "failing", "credential", "endpoint", "quota".
std::string_view StopReasonName(StopReason reason);

/// "3 created, 1 rejected", or "nothing changed".
std::string PassDoneText(const PassRecord& record);

/// A line of what was done; a second one where the pass ended early, was stopped, or left something over. Ends in a
/// newline.
std::string PassSummaryText(const PassSummary& summary, const Terminal& terminal);

JsonValue PassRecordJson(const PassRecord& record);
/// The members of PassRecordJson, and the counts, what waits, when it is due, why it stopped.
JsonValue PassSummaryJson(const PassSummary& summary);

}  // namespace tokensync
