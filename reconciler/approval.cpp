#include "approval.h"

#include <memory>
#include <utility>

#include "narration.h"

namespace tokensync {

HeldPlan HoldBack(const Plan& plan, const CommitId& accepted, Digest (*sha256)(std::string_view bytes), TimePoint now) {
  const CommitId& commit = plan.desired->commit;
  return {.fingerprint = sha256(PlanIdentity(plan, accepted)).Hex(),
          .commit = commit,
          .since = now,
          .why = "the history was rewritten: " + commit.hex + " does not continue " + accepted.hex + "; its plan has " +
                 NumbersOf(plan.counts)};
}

std::string WaitText(const HeldPlan& held) {
  return held.why + "; it waits for: tokensyncd approve " + held.fingerprint.substr(0, kShownFingerprint);
}

bool IsFingerprintOf(std::string_view digits, const HeldPlan& held) {
  return digits.size() >= kFingerprintMin && held.fingerprint.starts_with(digits);
}

std::optional<Notice> ApproveHeldPlan(Checkpoint& checkpoint, std::string_view fingerprint, std::string actor,
                                      TimePoint now) {
  std::optional<HeldPlan>& held = checkpoint.held;
  if (!held || !IsFingerprintOf(fingerprint, *held)) return std::nullopt;
  held->approved = true;
  auto commit = std::make_shared<Commit>();
  commit->id = held->commit;
  return Notice{.time = now,
                .kind = NoticeKind::kPlanApproved,
                .commit = std::move(commit),
                .actor = std::move(actor),
                .detail = "fingerprint " + held->fingerprint};
}

}  // namespace tokensync
