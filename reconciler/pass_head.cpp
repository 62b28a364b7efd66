// Which commit a pass is about: whether it may be applied, and whether it continues the one that was applied before.
#include <utility>

#include "approval.h"
#include "pass_run.h"

namespace tokensync {

CommitId PassRun::FetchHead() {
  CommitId head = ports_.source.FetchHead();
  head_seen_ = head;
  return head;
}

PassRun::Candidate PassRun::Judge(const CommitId& commit) {
  Candidate candidate{.vouching = ports_.source.Vouch(commit, checkpoint_.head_vouched)};
  const std::optional<CommitId>& before = checkpoint_.head_accepted;
  if (follow_head_ && before && *before != commit) candidate.continues = ports_.source.Descends(commit, *before);
  return candidate;
}

void PassRun::Refuse(const CommitId& commit, const Candidate& candidate) {
  tally_.commit = commit;
  held_ = candidate.vouching.refusal;
  Checkpoint next = checkpoint_;
  if (follow_head_) next.refused = RefusedHead{.commit = commit, .why = held_};
  // Every poll meets it again: it is noticed once.
  if (follow_head_ && next.refused == checkpoint_.refused) return;
  Note(next, NoticeKind::kHeadRefused, commit, candidate, held_);
}

bool PassRun::MustWait(const Plan& plan, const Candidate& candidate) {
  if (candidate.continues || !policy_.hold_rewrites || plan.actions.empty()) return false;
  HeldPlan waiting = HoldBack(plan, *checkpoint_.head_accepted, policy_.sha256, ports_.clock.Now());
  const std::optional<HeldPlan>& known = checkpoint_.held;
  const bool is_known = known && known->fingerprint == waiting.fingerprint;
  if (is_known && known->approved) return false;
  held_ = WaitText(waiting);
  Checkpoint next = checkpoint_;
  next.refused.reset();
  if (is_known) {
    if (next != checkpoint_) recorder_.SaveHead(next, {});
    return true;
  }
  next.held = waiting;
  Note(next, NoticeKind::kPlanHeld, waiting.commit, candidate, waiting.why + "; fingerprint " + waiting.fingerprint);
  return true;
}

void PassRun::Accept(const CommitId& commit, const Candidate& candidate) {
  if (!follow_head_) return;
  Checkpoint next = checkpoint_;
  next.head_accepted = commit;
  if (head_seen_) next.head_seen = head_seen_;
  if (candidate.vouching.reaches_vouched) next.head_vouched = commit;
  next.held.reset();
  next.refused.reset();
  if (next == checkpoint_) return;
  if (candidate.continues) {
    recorder_.SaveHead(next, {});
    return;
  }
  std::string detail = "it does not continue " + checkpoint_.head_accepted->hex;
  if (checkpoint_.held && checkpoint_.held->approved) {
    detail += "; applied as approved, fingerprint " + checkpoint_.held->fingerprint;
  }
  Note(next, NoticeKind::kHistoryRewritten, commit, candidate, std::move(detail));
}

void PassRun::Note(const Checkpoint& next, NoticeKind kind, const CommitId& commit, const Candidate& candidate,
                   std::string detail) {
  const std::shared_ptr<const Manifest> head;
  const Notice notice{.time = ports_.clock.Now(),
                      .pass = tally_.pass,
                      .kind = kind,
                      .commit = ports_.source.Attribute(commit, std::span(&head, 1)).at(0).commit,
                      .signer = candidate.vouching.signer,
                      .detail = std::move(detail)};
  recorder_.SaveHead(next, std::span(&notice, 1));
}

}  // namespace tokensync
