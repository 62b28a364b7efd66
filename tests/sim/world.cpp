#include "world.h"

#include <fmt/format.h>

#include "broken_promise.h"
#include "sha256.h"

namespace tokensync {

namespace {

constexpr TimePoint kStart{std::chrono::hours(24 * 20'000)};

const char* NameOf(CallKind kind) {
  switch (kind) {
    case CallKind::kCreate:
      return "create";
    case CallKind::kRead:
      return "read";
    case CallKind::kList:
      return "list";
  }
  return "";
}

}  // namespace

World::World(std::uint64_t seed)
    : clock(kStart),
      service(clock, end, seed),
      ledger(end, clock),
      promises(clock, source, service, ledger, policy),
      dice_(seed + 1) {
  policy.executor.survey = false;
  policy.sha256 = Sha256;
  ledger.on_head = [this](const Checkpoint& before, const Checkpoint& after) { promises.HeadMoves(before, after); };
  ledger.on_change = [this](const EntryState& before, const Change& change) {
    promises.Recording(before, change);
    if (trace) {
      Tell(fmt::format("  {} {}: {} -> {}{}", change.record.key.Text(), EventName(change.event), StateName(before),
                       StateName(change.after), change.record.detail.empty() ? "" : " (" + change.record.detail + ")"));
    }
  };
  service.on_start = [this](const Call& call) {
    promises.Starting(call);
    if (trace) {
      Tell(fmt::format("  {} {} {}", NameOf(call.kind), call.key.Text(), call.payload));
    }
  };
  service.on_create_accepted = [this](const Call& call) {
    if (trace) Tell(fmt::format("  the service creates {} {}", call.key.Text(), call.payload));
    promises.Accepted(call);
  };
  service.on_overwritten = [this](const Call& call, const HeldToken& theirs) {
    if (trace) Tell(fmt::format("  over somebody else's token {} {}", call.key.Text(), theirs.payload));
    promises.Overwriting(call, theirs);
  };
  service.on_answer = [this](const Completion& completion) {
    promises.Answered(completion);
    if (trace) {
      const auto& answer = completion.answer;
      Tell(
          fmt::format("  answer for {}: {} {}", completion.key.Text(), answer.http_status.value_or(0), answer.message));
    }
  };
}

void World::Start() {
  if (reconciler_) return;
  promises.RunBegins();
  ledger.Open();
  reconciler_ = std::make_unique<Reconciler>(
      Reconciler::Ports{
          .source = source, .runner = service, .ledger = ledger, .clock = clock, .observer = *this, .control = *this},
      policy, dice_.Seed());
}

bool World::Approve(const std::string& fingerprint) {
  Start();
  try {
    return reconciler_->Approve(fingerprint, "somebody");
  } catch (...) {
    Kill();
    throw;
  }
}

PassSummary World::Pass(const std::string& cause, const std::optional<CommitId>& revision) {
  Start();
  if (trace) Tell("a pass begins: " + cause);
  promises.PassBegins(revision.has_value());
  try {
    PassSummary summary = reconciler_->Run(cause, revision);
    promises.PassEnded(summary);
    if (trace) {
      Tell(fmt::format("the pass ends: result {}, {} waiting{}", static_cast<int>(summary.record.result),
                       summary.waiting, summary.record.error.empty() ? "" : ", " + summary.record.error));
    }
    // One who stops does not come back: what is not back by now never will be.
    if (stop) Kill();
    return summary;
  } catch (...) {
    Kill();
    throw;
  }
}

void World::Kill() {
  if (trace) Tell("the process ends");
  reconciler_.reset();
  service.CutAll();
  ledger.Cut();
}

void World::CheckAtRest() const {
  promises.AtRest();
  if (ledger.disk) ledger.disk->Audit(ledger.store());
}

void World::ReplaceLedger(LedgerCopy copy) {
  Kill();
  if (trace) Tell("another ledger is put in its place");
  ledger.Replace(std::move(copy));
  promises.LedgerReplaced();
}

void World::OnPlan(std::uint64_t, const Plan& plan) {
  ++plans_;
  last_counts_ = plan.counts;
  promises.Planned(plan);
  if (trace)
    Tell(fmt::format("  a plan of {} actions at {}", plan.actions.size(), plan.desired->commit.hex.substr(36)));
}

void World::OnRecorded(std::span<const Change> changes) {
  promises.Recorded(changes.size());
}

void World::OnNotice(const Notice& notice) {
  if (trace) Tell(fmt::format("  {}: {}", NoticeName(notice.kind), notice.detail));
}

void World::OnSurveyEnded(const SurveyReport& report) {
  surveys_.push_back(report);
  promises.SurveyEnded(report);
  if (trace) {
    Tell(fmt::format("  survey of {}: {} tokens on {} pages, {} adopted, {} different{}", report.collection.Text(),
                     report.tokens, report.pages, report.adopted, report.different,
                     report.why.empty() ? "" : ", " + report.why));
  }
}

void World::OnProgress(const Progress& progress) {
  Demand(progress.in_flight <= policy.executor.rate.concurrency, "progress tells of more calls than there are places");
  Demand(progress.done + progress.in_flight <= progress.total, "progress tells of more than all");
}

void World::OnRefreshFailed(const std::string& why) {
  ++refresh_failures_;
  if (trace) Tell("  no newer head: " + why);
}

bool World::StopRequested() {
  if (stop) promises.StopSeen();
  return stop;
}

bool World::TakeRefreshRequest() {
  const bool wish = refresh;
  refresh = false;
  return wish;
}

void World::Tell(const std::string& line) {
  trace(fmt::format("{:>9.3f} {}", static_cast<double>((clock.WorldNow() - kStart).count()) / 1000.0, line));
}

}  // namespace tokensync
