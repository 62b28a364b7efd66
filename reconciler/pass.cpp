#include "pass.h"

#include <algorithm>
#include <utility>

#include "approval.h"
#include "narration.h"
#include "pass_run.h"

namespace tokensync {

namespace {

constexpr Duration kStep{1'000};

bool IsDenial(StopReason reason) {
  return reason == StopReason::kCredential || reason == StopReason::kEndpoint || reason == StopReason::kQuota;
}

}  // namespace

PassRun::PassRun(Reconciler& reconciler, std::string cause)
    : ports_(reconciler.ports_),
      policy_(reconciler.policy_),
      executor_(reconciler.executor_),
      view_(reconciler.view_),
      checkpoint_(reconciler.checkpoint_),
      surveys_(reconciler.surveys_),
      cleared_(reconciler.cleared_),
      recorder_(ports_.ledger, ports_.observer, view_, checkpoint_, policy_.batch_max),
      tally_(recorder_.tally) {
  tally_.cause = std::move(cause);
  tally_.pass = checkpoint_.last_pass + 1;
  tally_.started = ports_.clock.Now();
  executor_.Begin(tally_.started);
}

PassSummary PassRun::Run(const std::optional<CommitId>& revision) {
  try {
    follow_head_ = !revision;
    const CommitId commit = revision ? *revision : FetchHead();
    const Candidate candidate = Judge(commit);
    if (candidate.vouching.refusal.empty()) {
      PlanFor(ports_.source.Read(commit), candidate);
    } else {
      Refuse(commit, candidate);
    }
    Execute();
  } catch (const EnvironmentError& error) {
    // A step that takes long ends early when somebody wants the program to stop.
    stop_requested_ = ports_.control.StopRequested();
    if (!stop_requested_) trouble_ = error.what();
    AwaitFlights();
  }
  return Summarise();
}

void PassRun::Execute() {
  while (true) {
    ports_.control.Beat();
    if (ports_.control.StopRequested()) {
      stop_requested_ = true;
      AwaitFlights();
      return;
    }
    if (follow_head_ && held_.empty() && !executor_.stopped() && ports_.control.TakeRefreshRequest()) Refresh();
    if (!held_.empty()) {
      AwaitFlights();
      return;
    }
    StartCalls();
    const TimePoint now = ports_.clock.Now();
    const std::optional<TimePoint> due = executor_.NextDue(now);
    if (flights_.empty() && (!due || *due > now + policy_.patience)) return;
    FinishCalls(std::min(due.value_or(now + kStep), now + kStep));
    ConcludeSurveys();
  }
}

void PassRun::AwaitFlights() {
  std::optional<TimePoint> until;
  while (!flights_.empty()) {
    ports_.control.Beat();
    const TimePoint now = ports_.clock.Now();
    if (!until && ports_.control.StopRequested()) until = now + policy_.stop_grace;
    if (until && now >= *until) return;
    FinishCalls(now + kStep);
    recorder_.Flush();
  }
}

void PassRun::Refresh() {
  recorder_.Flush();
  CommitId head;
  Candidate candidate;
  std::shared_ptr<const DesiredState> newer;
  try {
    head = FetchHead();
    if (head == plan_.desired->commit) return;
    candidate = Judge(head);
    if (candidate.vouching.refusal.empty()) newer = ports_.source.Read(head);
  } catch (const EnvironmentError& error) {
    ports_.observer.OnRefreshFailed(error.what());
    ports_.control.RefreshFailed();
    return;
  }
  if (newer) {
    PlanFor(std::move(newer), candidate);
  } else {
    Refuse(head, candidate);
  }
}

Progress PassRun::ProgressNow() const {
  return {.pass = tally_.pass,
          .done = done_,
          .total = done_ + flights_.size() + executor_.WaitingCount(),
          .in_flight = flights_.size(),
          .failed = failed_,
          .started = tally_.started};
}

PassSummary PassRun::Summarise() {
  recorder_.Flush();
  PassSummary summary;
  tally_.ended = ports_.clock.Now();
  bool clean = false;
  if (plan_.desired) {
    const Plan rest = MakePlan(plan_.desired, view_, Context());
    summary.counts = rest.counts;
    summary.waiting = rest.counts.create + rest.counts.resolve;
    tally_.unresolved = summary.waiting;
    tally_.bad_manifests = rest.desired->unreadable.size();
    clean = summary.waiting + rest.counts.rejected + rest.counts.conflicting == 0 && rest.desired->problems.empty();
  }
  summary.next_due = executor_.NextDue(tally_.ended);
  summary.stop_reason = executor_.stopped();
  tally_.result = Result(clean);
  if (trouble_.empty() && executor_.stopped()) trouble_ = StopText(*executor_.stopped(), executor_.stop_answer());
  tally_.error = trouble_.empty() ? held_ : trouble_;
  SavePass();
  summary.record = tally_;
  summary.changed = recorder_.changed();
  return summary;
}

PassResult PassRun::Result(bool clean) const {
  if (!trouble_.empty()) return PassResult::kEnvironment;
  if (executor_.stopped()) return IsDenial(*executor_.stopped()) ? PassResult::kDenied : PassResult::kEnvironment;
  if (stop_requested_) return PassResult::kStopped;
  if (!held_.empty()) return PassResult::kHeld;
  return clean ? PassResult::kComplete : PassResult::kIncomplete;
}

void PassRun::SavePass() {
  Checkpoint next = checkpoint_;
  if (head_seen_) next.head_seen = head_seen_;
  if (tally_.result == PassResult::kComplete && follow_head_) next.head_applied = tally_.commit;
  const bool failed = tally_.result == PassResult::kEnvironment || tally_.result == PassResult::kDenied;
  if (failed) {
    ++next.failures_in_a_row;
  } else if (tally_.result != PassResult::kStopped) {
    next.failures_in_a_row = 0;
  }
  recorder_.SavePass(next);
}

Reconciler::Reconciler(Ports ports, PassPolicy policy, std::uint64_t seed)
    : ports_(ports), policy_(policy), executor_(policy.executor, seed) {}

void Reconciler::Load() {
  if (loaded_) return;
  for (LedgerEntry& entry : ports_.ledger.Entries()) view_.Set(entry.key, std::move(entry.state));
  checkpoint_ = ports_.ledger.LoadCheckpoint();
  for (const auto& [collection, time] : checkpoint_.surveyed) cleared_.insert(collection);
  if (checkpoint_.distrusted_since && policy_.executor.survey) executor_.RequireSurvey();
  if (checkpoint_.failures_in_a_row > 0) executor_.ProbeFirst();
  loaded_ = true;
}

PassSummary Reconciler::Run(const std::string& cause, const std::optional<CommitId>& revision) {
  Load();
  return PassRun(*this, cause).Run(revision);
}

bool Reconciler::Approve(const std::string& fingerprint, const std::string& actor) {
  Load();
  Checkpoint next = checkpoint_;
  const std::optional<Notice> notice = ApproveHeldPlan(next, fingerprint, actor, ports_.clock.Now());
  if (!notice) return false;
  ports_.ledger.SaveCheckpoint(next, nullptr, std::span(&*notice, 1));
  checkpoint_ = std::move(next);
  ports_.observer.OnNotice(*notice);
  return true;
}

}  // namespace tokensync
