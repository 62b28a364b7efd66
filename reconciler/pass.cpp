#include "pass.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "narration.h"
#include "overloaded.h"

namespace tokensync {

namespace {

constexpr Duration kStep{1'000};

std::optional<Digest> OtherDigest(const Event& event) {
  if (const auto* different = std::get_if<ReadDifferent>(&event)) return different->remote;
  if (const auto* drift = std::get_if<DriftReported>(&event)) return drift->drift.declared;
  return std::nullopt;
}

void Tally(PassRecord& record, const Event& event) {
  std::visit(
      Overloaded{[&](const TokenCreated&) { ++record.created; }, [&](const ReadEqual&) { ++record.confirmed; },
                 [&](const TokenAssumedOurs&) { ++record.confirmed; }, [&](const CreateRefused&) { ++record.rejected; },
                 [&](const ReadDifferent&) { ++record.conflicting; },
                 [&](const ExistenceUnreadable&) { ++record.conflicting; },
                 [&](const DriftReported&) { ++record.reported; }, [](const auto&) {}},
      event);
}

bool IsDecided(const EntryState& state) {
  return std::holds_alternative<Confirmed>(state) || std::holds_alternative<Rejected>(state) ||
         std::holds_alternative<Conflicting>(state);
}

bool IsDenial(StopReason reason) {
  return reason == StopReason::kCredential || reason == StopReason::kEndpoint || reason == StopReason::kQuota;
}

/// A call that has left, with what its record needs when it ends; a new plan may have replaced the one that it is from.
struct Flight {
  Action action;
  std::shared_ptr<const DesiredState> desired;  // keeps the action's entry alive
  std::shared_ptr<const Commit> commit;         // a newer head may not have the entry's manifest any more
};

}  // namespace

/// One pass, over the memory of a Reconciler.
class PassRun {
 public:
  PassRun(Reconciler& reconciler, std::string cause)
      : ports_(reconciler.ports_),
        policy_(reconciler.policy_),
        executor_(reconciler.executor_),
        view_(reconciler.view_),
        checkpoint_(reconciler.checkpoint_) {
    tally_.cause = std::move(cause);
    tally_.pass = checkpoint_.last_pass + 1;
    tally_.started = ports_.clock.Now();
    executor_.Begin();
  }

  PassSummary Run(const std::optional<CommitId>& revision) {
    try {
      follow_head_ = !revision;
      PlanFor(ports_.source.Read(revision ? *revision : FetchHead()));
      MarkInterrupted();
      Execute();
    } catch (const EnvironmentError& error) {
      trouble_ = error.what();
      AwaitFlights();
    }
    return Summarise();
  }

 private:
  using Provenances = std::map<const Manifest*, Provenance>;

  // ---- planning ----

  CommitId FetchHead() {
    CommitId head = ports_.source.FetchHead();
    head_seen_ = head;
    return head;
  }

  /// `desired` is the state that was read last. All of the new plan is made before any of the old one goes.
  void PlanFor(std::shared_ptr<const DesiredState> desired) {
    Plan plan = MakePlan(std::move(desired), view_, executor_.Context());
    Provenances provenance = Attribute(plan);
    plan_ = std::move(plan);
    provenance_ = std::move(provenance);
    tally_.commit = plan_.desired->commit;
    ports_.observer.OnPlan(tally_.pass, plan_);
    QueueCalls();
    RecordReports();
  }

  /// Who brought what the actions are about, asked for all at once; under null, the head itself.
  Provenances Attribute(const Plan& plan) {
    Provenances provenance;
    if (plan.actions.empty()) return provenance;
    std::vector<std::shared_ptr<const Manifest>> manifests = {nullptr};
    provenance.try_emplace(nullptr);
    for (const Action& action : plan.actions) {
      const Entry* entry = EntryOf(action);
      if (entry != nullptr && provenance.try_emplace(entry->manifest.get()).second)
        manifests.push_back(entry->manifest);
    }
    const std::vector<Provenance> answers = ports_.source.Attribute(plan.desired->commit, manifests);
    for (std::size_t i = 0; i < manifests.size(); ++i) provenance[manifests[i].get()] = answers.at(i);
    return provenance;
  }

  /// For an entry that the plan had no action for until a call ended, asked now. Where that fails, the head stands for
  /// the commit: a call's outcome is recorded whatever git does.
  const Provenance& ProvenanceOf(const Entry* entry) {
    const Manifest* manifest = entry == nullptr ? nullptr : entry->manifest.get();
    if (const auto known = provenance_.find(manifest); known != provenance_.end()) return known->second;
    try {
      const std::shared_ptr<const Manifest> asked = entry == nullptr ? nullptr : entry->manifest;
      return provenance_[manifest] = ports_.source.Attribute(plan_.desired->commit, std::span(&asked, 1)).at(0);
    } catch (const EnvironmentError&) {
      return provenance_[nullptr];
    }
  }

  void RecordReports() {
    for (const Action& action : plan_.actions) {
      if (const auto* report = std::get_if<Report>(&action)) RecordReport(*report);
      if (batch_.size() >= policy_.batch_max) Flush();
    }
    Flush();
  }

  void QueueCalls() {
    std::vector<Work> work;
    for (const Action& action : plan_.actions) {
      if (!std::holds_alternative<Report>(action)) work.push_back({action, RankOf(action)});
    }
    executor_.Replace(std::move(work));
  }

  /// What the newest commit brought goes first; what git no longer declares, last.
  std::uint32_t RankOf(const Action& action) {
    const Entry* entry = EntryOf(action);
    return entry == nullptr ? UINT32_MAX : ProvenanceOf(entry).age_rank;
  }

  /// A run before this one ended in mid-call: what it had sent is now uncertain.
  void MarkInterrupted() {
    bool found = false;
    for (const Action& action : plan_.actions) {
      const TokenKey& key = KeyOf(action);
      if (executor_.InFlight(key) || !std::holds_alternative<Submitting>(view_.StateOf(key))) continue;
      found = true;
      LogRecord record = NewRecord(action);
      record.detail = "the run before ended in mid-call";
      Append(RunInterrupted{.at = record.time}, std::move(record));
      if (batch_.size() >= policy_.batch_max) Flush();
    }
    Flush();
    if (!found) return;
    plan_ = MakePlan(plan_.desired, view_, executor_.Context());
    QueueCalls();
  }

  // ---- executing ----

  void Execute() {
    while (true) {
      ports_.control.Beat();
      if (ports_.control.StopRequested()) {
        stop_requested_ = true;
        AwaitFlights();
        return;
      }
      if (follow_head_ && !executor_.stopped() && ports_.control.TakeRefreshRequest()) Refresh();
      StartCalls();
      const TimePoint now = ports_.clock.Now();
      const std::optional<TimePoint> due = executor_.NextDue(now);
      if (flights_.empty() && (!due || *due > now + policy_.patience)) return;
      FinishCalls(std::min(due.value_or(now + kStep), now + kStep));
    }
  }

  /// Nothing new leaves. What is in flight ends by itself, each call within its time-out; one who wants the program to
  /// stop waits no longer than the grace, and what is not back then is resolved by the next run.
  void AwaitFlights() {
    std::optional<TimePoint> until;
    while (!flights_.empty()) {
      ports_.control.Beat();
      const TimePoint now = ports_.clock.Now();
      if (!until && ports_.control.StopRequested()) until = now + policy_.stop_grace;
      if (until && now >= *until) return;
      FinishCalls(now + kStep);
      Flush();
    }
  }

  /// Without a newer state the pass goes on with the one that it has. Once there is one, the source gives no payload of
  /// the old one any more, so that a failure to plan for it ends the pass.
  void Refresh() {
    Flush();
    std::shared_ptr<const DesiredState> newer;
    try {
      const CommitId head = FetchHead();
      if (head == plan_.desired->commit) return;
      newer = ports_.source.Read(head);
    } catch (const EnvironmentError& error) {
      ports_.observer.OnRefreshFailed(error.what());
      return;
    }
    PlanFor(std::move(newer));
  }

  /// Outcomes that are waiting to be recorded share the transaction of the intents of the calls that follow them.
  void StartCalls() {
    std::vector<Call> calls;
    std::optional<EnvironmentError> failure;
    for (const Work& work : executor_.Take(ports_.clock.Now())) {
      try {
        if (!failure) Prepare(work, calls);
      } catch (const EnvironmentError& error) {
        failure = error;
      }
      if (failure) executor_.PutBack(KeyOf(work.action));
    }
    Flush();
    for (Call& call : calls) ports_.runner.Start(std::move(call));
    if (failure) throw *failure;
  }

  void Prepare(const Work& work, std::vector<Call>& calls) {
    std::visit(Overloaded{[&](const Create& create) { PrepareCreate(work, create, calls); },
                          [&](const Resolve& resolve) { PrepareResolve(work, resolve, calls); },
                          [](const Report&) { std::abort(); }},
               work.action);
  }

  void PrepareCreate(const Work& work, const Create& create, std::vector<Call>& calls) {
    std::string payload = ports_.source.Payload(*create.entry);
    LogRecord record = NewRecord(work.action);
    record.attempt = create.attempt;
    const CreateIntended intent{.digest = create.entry->digest, .attempt = create.attempt, .at = record.time};
    Append(intent, std::move(record), payload, create.entry->is_private);
    Launch(work, CallKind::kCreate, {.payload = std::move(payload), .is_private = create.entry->is_private}, calls);
  }

  void PrepareResolve(const Work& work, const Resolve& resolve, std::vector<Call>& calls) {
    if (resolve.by == ResolveBy::kConcluding) {
      executor_.PutBack(resolve.key);
      LogRecord record = NewRecord(work.action);
      record.attempt = resolve.attempt;
      record.detail = "the token exists, and the service cannot be read to compare it";
      Append(ExistenceUnreadable{}, std::move(record));
      PlanAgain(resolve.key);
      return;
    }
    if (resolve.reopen) {
      LogRecord record = NewRecord(work.action);
      record.detail = "git declares a new text for a token in conflict";
      const TimePoint at = record.time;
      Append(ConflictReopened{.digest = resolve.digest, .at = at}, std::move(record),
             ports_.source.Payload(*resolve.entry), resolve.entry->is_private);
      Flush();
    }
    std::optional<StoredPayload> stored = ports_.ledger.Payload(resolve.key);
    if (!stored)
      throw LedgerError("resolving " + resolve.key.Text() +
                        ": the ledger has no payload for a call that it "
                        "has an intent of; it was changed by something else");
    if (resolve.by == ResolveBy::kReading) {
      Launch(work, CallKind::kRead, std::move(*stored), calls);
      return;
    }
    LogRecord record = NewRecord(work.action);
    record.attempt = resolve.attempt + 1;
    record.detail = "sent again: the service cannot be read";
    Append(CreateIntended{.digest = resolve.digest, .attempt = record.attempt, .at = record.time}, std::move(record));
    Launch(work, CallKind::kCreate, std::move(*stored), calls);
  }

  void Launch(const Work& work, CallKind kind, StoredPayload content, std::vector<Call>& calls) {
    const TokenKey& key = KeyOf(work.action);
    flights_.insert_or_assign(
        key,
        Flight{.action = work.action, .desired = plan_.desired, .commit = ProvenanceOf(EntryOf(work.action)).commit});
    calls.push_back(
        {.kind = kind, .key = key, .is_private = content.is_private, .payload = std::move(content.payload)});
  }

  void FinishCalls(TimePoint deadline) {
    for (const Completion& completion : ports_.runner.Await(deadline)) Finish(completion);
    ports_.observer.OnProgress(ProgressNow());
  }

  void Finish(const Completion& completion) {
    auto flight = flights_.extract(completion.key);
    if (flight.empty()) std::abort();
    const EntryState before = view_.StateOf(completion.key);
    const TimePoint now = ports_.clock.Now();
    const std::optional<Event> event = executor_.Judge(completion, before, now);
    if (event) {
      LogRecord record = NewRecord(flight.mapped().action, flight.mapped().commit);
      record.digest = DigestOf(before);
      record.attempt = std::visit(
          Overloaded{[](const Submitting& s) { return s.attempt; }, [](const Uncertain& s) { return s.attempt; },
                     [](const auto&) { return std::uint32_t{0}; }},
          before);
      record.answer = completion.answer;
      record.duration = completion.duration;
      record.detail = DetailOf(completion);
      Append(*event, std::move(record));
    }
    ++(IsDecided(view_.StateOf(completion.key)) ? done_ : failed_);
    PlanAgain(completion.key);
  }

  void PlanAgain(const TokenKey& key) {
    const std::optional<Action> action = PlanKey(key, *plan_.desired, view_.StateOf(key), executor_.Context());
    if (!action) return;
    if (const auto* report = std::get_if<Report>(&*action)) {
      RecordReport(*report);
    } else {
      executor_.Add({*action, RankOf(*action)});
    }
  }

  void RecordReport(const Report& report) {
    LogRecord record = NewRecord(report);
    record.digest = report.recorded;
    record.detail = ReportName(report.kind);
    if (report.kind == ReportKind::kWithdrawn) {
      Append(EntryWithdrawn{}, std::move(record));
    } else if (report.kind == ReportKind::kSettled) {
      Append(DriftSettled{}, std::move(record));
    } else {
      Drift drift;
      if (report.entry != nullptr) drift.declared = report.entry->digest;
      Append(DriftReported{.drift = drift}, std::move(record));
    }
  }

  // ---- recording ----

  LogRecord NewRecord(const Action& action) { return NewRecord(action, ProvenanceOf(EntryOf(action)).commit); }

  LogRecord NewRecord(const Action& action, std::shared_ptr<const Commit> commit) {
    const Entry* entry = EntryOf(action);
    LogRecord record{.time = ports_.clock.Now(), .pass = tally_.pass, .key = KeyOf(action)};
    record.action = ActionName(action);
    record.commit = std::move(commit);
    if (entry != nullptr) {
      record.digest = entry->digest;
      record.path = entry->manifest->path;
      record.line = entry->line;
    }
    if (const auto* resolve = std::get_if<Resolve>(&action)) record.digest = resolve->digest;
    return record;
  }

  void Append(const Event& event, LogRecord record, std::optional<std::string> payload = std::nullopt,
              bool is_private = false) {
    std::optional<EntryState> after = Advance(view_.StateOf(record.key), event);
    if (!after) std::abort();
    record.other_digest = OtherDigest(event);
    Tally(tally_, event);
    view_.Set(record.key, *after);
    batch_.push_back({.event = event,
                      .after = std::move(*after),
                      .record = std::move(record),
                      .payload = std::move(payload),
                      .is_private = is_private});
  }

  void Flush() {
    if (batch_.empty()) return;
    if (!changed_) {
      // The pass's number is taken before its first record: a pass that dies on the way never shares it with the next.
      checkpoint_.last_pass = tally_.pass;
      ports_.ledger.SaveCheckpoint(checkpoint_, nullptr);
      changed_ = true;
    }
    ports_.ledger.Record(batch_);
    ports_.observer.OnRecorded(batch_);
    batch_.clear();
  }

  // ---- summarising ----

  Progress ProgressNow() const {
    return {.pass = tally_.pass,
            .done = done_,
            .total = done_ + flights_.size() + executor_.WaitingCount(),
            .in_flight = flights_.size(),
            .failed = failed_,
            .started = tally_.started};
  }

  PassSummary Summarise() {
    Flush();
    PassSummary summary;
    tally_.ended = ports_.clock.Now();
    bool clean = false;
    if (plan_.desired) {
      const Plan rest = MakePlan(plan_.desired, view_, executor_.Context());
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
    tally_.error = trouble_;
    SaveIfChanged();
    summary.record = tally_;
    summary.changed = changed_;
    return summary;
  }

  PassResult Result(bool clean) const {
    if (!trouble_.empty()) return PassResult::kEnvironment;
    if (executor_.stopped()) return IsDenial(*executor_.stopped()) ? PassResult::kDenied : PassResult::kEnvironment;
    if (stop_requested_) return PassResult::kStopped;
    return clean ? PassResult::kComplete : PassResult::kIncomplete;
  }

  /// A pass over an unchanged world writes nothing.
  void SaveIfChanged() {
    Checkpoint next = checkpoint_;
    if (head_seen_) next.head_seen = head_seen_;
    if (tally_.result == PassResult::kComplete && follow_head_) next.head_applied = tally_.commit;
    const bool failed = tally_.result == PassResult::kEnvironment || tally_.result == PassResult::kDenied;
    if (failed) {
      ++next.failures_in_a_row;
    } else if (tally_.result != PassResult::kStopped) {
      next.failures_in_a_row = 0;
    }
    if (!changed_ && next == checkpoint_) return;
    next.last_pass = tally_.pass;
    ports_.ledger.SaveCheckpoint(next, &tally_);
    checkpoint_ = next;
    changed_ = true;
  }

  Reconciler::Ports& ports_;
  const PassPolicy& policy_;
  Executor& executor_;
  LedgerView& view_;
  Checkpoint& checkpoint_;

  PassRecord tally_;
  Plan plan_;
  bool follow_head_ = true;
  std::optional<CommitId> head_seen_;
  Provenances provenance_;
  std::map<TokenKey, Flight> flights_;
  std::vector<Change> batch_;
  std::size_t done_ = 0;
  std::size_t failed_ = 0;
  bool changed_ = false;
  bool stop_requested_ = false;
  std::string trouble_;
};

Reconciler::Reconciler(Ports ports, PassPolicy policy, std::uint64_t seed)
    : ports_(ports), policy_(policy), executor_(policy.executor, seed) {}

PassSummary Reconciler::Run(const std::string& cause, const std::optional<CommitId>& revision) {
  if (!loaded_) {
    for (LedgerEntry& entry : ports_.ledger.Entries()) view_.Set(entry.key, std::move(entry.state));
    checkpoint_ = ports_.ledger.LoadCheckpoint();
    loaded_ = true;
  }
  return PassRun(*this, cause).Run(revision);
}

}  // namespace tokensync
