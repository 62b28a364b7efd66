/// The commands' side of the control socket.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "errors.h"
#include "json.h"
#include "model.h"

namespace tokensync {

/// Asks the daemon at `path` for a pass. Returns when it has taken the wish, with {"taken":true,"ticket":…}; with
/// `wait` when the pass that includes it has ended, with that pass's summary. `timeout`: for the pass, not for the
/// daemon's answer, which is awaited for a few seconds. Throws EnvironmentError: no daemon answers; not permitted
/// (names the group that may); the pass did not end in time; the daemon stopped.
JsonValue TriggerPass(const std::filesystem::path& path, bool wait, Duration timeout = std::chrono::hours(1));

/// As TriggerPass, for a pass that heeds the approval of the plan that waits under this fingerprint. Nothing where no
/// daemon answers. Throws EnvironmentError also where no such plan waits.
std::optional<JsonValue> ApprovePlan(const std::filesystem::path& path, const std::string& fingerprint, bool wait,
                                     Duration timeout = std::chrono::hours(1));

/// What the daemon at `path` says of itself, or nothing where none answers. Throws EnvironmentError: not permitted, or
/// something that is not our daemon answers.
std::optional<JsonValue> QueryStatus(const std::filesystem::path& path);

}  // namespace tokensync
