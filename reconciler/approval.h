/// Plans that wait for a person's word.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "planner.h"
#include "ports.h"

namespace tokensync {

/// How many digits of a fingerprint are shown, and how many name a plan at least.
inline constexpr std::size_t kShownFingerprint = 12;
inline constexpr std::size_t kFingerprintMin = 8;

/// Why the plan is held back: its commit does not continue the head that was `accepted` before. With its numbers, and
/// the fingerprint that names it: `sha256` of PlanIdentity().
HeldPlan HoldBack(const Plan& plan, const CommitId& accepted, Digest (*sha256)(std::string_view bytes), TimePoint now);

/// Why it waits, and what a person has to do.
std::string WaitText(const HeldPlan& held);

/// Whether these are the digits of its fingerprint, or enough of the first ones.
bool IsFingerprintOf(std::string_view digits, const HeldPlan& held);

/// Marks the plan that waits as approved, where `fingerprint` is its fingerprint or the beginning of it; the next pass
/// carries it out if its plan is still that one. Gives the notice to be saved with the checkpoint, or nothing where no
/// such plan waits: then nothing has changed. `actor`: who approves.
std::optional<Notice> ApproveHeldPlan(Checkpoint& checkpoint, std::string_view fingerprint, std::string actor,
                                      TimePoint now);

}  // namespace tokensync
