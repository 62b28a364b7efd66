// What a pass is to do: plans, who brought what they are about, and what is queued or told of them.
#include <algorithm>
#include <utility>

#include "pass_run.h"

namespace tokensync {

PlanContext PassRun::Context() const {
  PlanContext context = executor_.Context();
  if (executor_.can_list()) context.cleared = &cleared_;
  context.unclaimed = &checkpoint_.unclaimed;
  return context;
}

void PassRun::PlanFor(std::shared_ptr<const DesiredState> desired, const Candidate& candidate) {
  Plan plan = MakePlan(std::move(desired), view_, Context());
  Provenances provenance = Attribute(plan);
  tally_.commit = plan.desired->commit;
  if (MustWait(plan, candidate)) return;
  Accept(plan.desired->commit, candidate);
  plan_ = std::move(plan);
  provenance_ = std::move(provenance);
  signer_ = candidate.vouching.signer;
  ports_.observer.OnPlan(tally_.pass, plan_);
  QueueCalls();
  RecordReports();
  MarkLeftBehind();
}

void PassRun::PlanAgain(const TokenKey& key) {
  const std::optional<Action> action = PlanKey(key, *plan_.desired, view_.StateOf(key), Context());
  if (!action) return;
  if (const auto* report = std::get_if<Report>(&*action)) {
    RecordReport(*report);
  } else {
    QueueCall(*action);
  }
}

PassRun::Provenances PassRun::Attribute(const Plan& plan) {
  Provenances provenance;
  if (plan.actions.empty()) return provenance;
  std::vector<std::shared_ptr<const Manifest>> manifests = {nullptr};
  provenance.try_emplace(nullptr);
  for (const Action& action : plan.actions) {
    const Entry* entry = EntryOf(action);
    if (entry != nullptr && provenance.try_emplace(entry->manifest.get()).second) manifests.push_back(entry->manifest);
  }
  const std::vector<Provenance> answers = ports_.source.Attribute(plan.desired->commit, manifests);
  for (std::size_t i = 0; i < manifests.size(); ++i) provenance[manifests[i].get()] = answers.at(i);
  return provenance;
}

const Provenance& PassRun::ProvenanceOf(const Entry* entry) {
  const Manifest* manifest = entry == nullptr ? nullptr : entry->manifest.get();
  if (const auto known = provenance_.find(manifest); known != provenance_.end()) return known->second;
  try {
    const std::shared_ptr<const Manifest> asked = entry == nullptr ? nullptr : entry->manifest;
    return provenance_[manifest] = ports_.source.Attribute(plan_.desired->commit, std::span(&asked, 1)).at(0);
  } catch (const EnvironmentError&) {
    return provenance_[nullptr];
  }
}

std::uint32_t PassRun::RankOf(const Action& action) {
  const Entry* entry = EntryOf(action);
  return entry == nullptr ? UINT32_MAX : ProvenanceOf(entry).age_rank;
}

void PassRun::RecordReports() {
  for (const Action& action : plan_.actions) {
    if (const auto* report = std::get_if<Report>(&action)) RecordReport(*report);
    recorder_.FlushFull();
  }
  recorder_.Flush();
}

void PassRun::RecordReport(const Report& report) {
  LogRecord record = NewRecord(report);
  record.digest = report.recorded;
  record.detail = ReportName(report.kind);
  if (report.kind == ReportKind::kWithdrawn) {
    recorder_.Append(EntryWithdrawn{}, std::move(record));
  } else if (report.kind == ReportKind::kSettled) {
    recorder_.Append(DriftSettled{}, std::move(record));
  } else {
    Drift drift;
    if (report.entry != nullptr) drift.declared = report.entry->digest;
    recorder_.Append(DriftReported{.drift = drift}, std::move(record));
  }
}

void PassRun::QueueCalls() {
  executor_.Replace({});
  for (const Action& action : plan_.actions) {
    if (const auto* survey = std::get_if<SurveyCollection>(&action)) {
      QueueSurvey(survey->key.Collection());
    } else if (!std::holds_alternative<Report>(action)) {
      QueueCall(action);
    }
  }
}

void PassRun::QueueCall(const Action& action) {
  const bool held =
      std::holds_alternative<Create>(action) && executor_.can_list() && !cleared_.contains(KeyOf(action).Collection());
  if (!held) executor_.Add({action, RankOf(action)});
}

void PassRun::MarkLeftBehind() {
  bool found = false;
  for (const Action& action : plan_.actions) {
    const TokenKey& key = KeyOf(action);
    const EntryState& state = view_.StateOf(key);
    const bool interrupted = std::holds_alternative<Submitting>(state);
    if (executor_.InFlight(key) || (!interrupted && !WaitsTooLong(state))) continue;
    found = true;
    LogRecord record = NewRecord(action);
    const TimePoint at = record.time;
    record.detail = interrupted ? "the run before ended in mid-call"
                                : "the clock was set back since: what it waits for begins anew";
    recorder_.Append(interrupted ? Event(RunInterrupted{at}) : Event(ClockSetBack{at}), std::move(record));
    recorder_.FlushFull();
  }
  recorder_.Flush();
  if (found) Replan();
}

void PassRun::Replan() {
  plan_ = MakePlan(plan_.desired, view_, Context());
  QueueCalls();
}

bool PassRun::WaitsTooLong(const EntryState& state) const {
  const TimePoint latest = ports_.clock.Now() + policy_.executor.WaitMax();
  if (const auto* pending = std::get_if<Pending>(&state)) return pending->due > latest;
  const auto* uncertain = std::get_if<Uncertain>(&state);
  return uncertain != nullptr && std::max(uncertain->due, uncertain->since) > latest;
}

LogRecord PassRun::NewRecord(const Action& action) {
  return NewRecord(action, ProvenanceOf(EntryOf(action)));
}

LogRecord PassRun::NewRecord(const Action& action, const Provenance& brought) {
  const Entry* entry = EntryOf(action);
  LogRecord record{.time = ports_.clock.Now(), .pass = tally_.pass, .key = KeyOf(action)};
  record.action = ActionName(action);
  record.commit = brought.commit;
  record.signer = brought.signer.empty() ? signer_ : brought.signer;
  if (entry != nullptr) {
    record.digest = entry->digest;
    record.path = entry->manifest->path;
    record.line = entry->line;
  }
  if (const auto* resolve = std::get_if<Resolve>(&action)) record.digest = resolve->digest;
  return record;
}

}  // namespace tokensync
