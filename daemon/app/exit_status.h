/// The exit statuses that scripts rely on.
#pragma once

#include "pass.h"

namespace tokensync {

enum ExitStatus : int {
  kDone = 0,
  kWorkToDo = 2,    ///< `plan`: a pass would call the service
  kIncomplete = 3,  ///< something was refused, waits or could not be decided; all else was done
  kUsage = 64,
  kBadData = 65,  ///< `validate`: a problem; `audit`: a record that does not hold
  kInternalError = 70,
  kLedgerUnusable = 73,
  kTryAgainLater = 75,
  kCredentialRefused = 77,
  kConfigurationError = 78,
};

/// What a pass that ended like this means to the caller of `sync`.
inline ExitStatus ExitStatusOf(const PassSummary& summary) {
  switch (summary.record.result) {
    case PassResult::kComplete:
      return kDone;
    case PassResult::kIncomplete:
    case PassResult::kStopped:
    case PassResult::kHeld:
      return kIncomplete;
    case PassResult::kEnvironment:
      return kTryAgainLater;
    case PassResult::kDenied:
      break;
  }
  switch (summary.stop_reason.value_or(StopReason::kCredential)) {
    case StopReason::kEndpoint:
      return kConfigurationError;
    case StopReason::kQuota:
      return kTryAgainLater;
    default:
      return kCredentialRefused;
  }
}

}  // namespace tokensync
