#include "world.h"

#include <fmt/format.h>

#include "broken_promise.h"

namespace tokensync {

namespace {

constexpr TimePoint kStart{std::chrono::hours(24 * 20'000)};

}  // namespace

World::World(std::uint64_t seed)
    : clock(kStart),
      service(clock, end, seed),
      ledger(end, clock),
      promises(clock, source, service, ledger, policy),
      dice_(seed + 1) {
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
      Tell(
          fmt::format("  {} {} {}", call.kind == CallKind::kCreate ? "create" : "read", call.key.Text(), call.payload));
    }
  };
  service.on_create_accepted = [this](const Call& call) {
    if (trace) Tell(fmt::format("  the service creates {} {}", call.key.Text(), call.payload));
    promises.Accepted(call);
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

PassSummary World::Pass(const std::string& cause, const std::optional<CommitId>& revision) {
  if (!reconciler_) {
    promises.RunBegins();
    reconciler_ = std::make_unique<Reconciler>(
        Reconciler::Ports{
            .source = source, .runner = service, .ledger = ledger, .clock = clock, .observer = *this, .control = *this},
        policy, dice_.Seed());
  }
  if (trace) Tell("a pass begins: " + cause);
  promises.PassBegins();
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

void World::OnProgress(const Progress& progress) {
  Demand(progress.in_flight <= policy.executor.concurrency, "progress tells of more calls than there are places");
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
  trace(fmt::format("{:>9.3f} {}", static_cast<double>((clock.Now() - kStart).count()) / 1000.0, line));
}

}  // namespace tokensync
