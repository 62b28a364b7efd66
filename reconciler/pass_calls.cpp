// The calls of a pass: prepared and recorded before they leave, judged and recorded when they end.
#include <cstdlib>
#include <utility>

#include "narration.h"
#include "overloaded.h"
#include "pass_run.h"

namespace tokensync {

namespace {

bool IsDecided(const EntryState& state) {
  return std::holds_alternative<Confirmed>(state) || std::holds_alternative<Rejected>(state) ||
         std::holds_alternative<Conflicting>(state);
}

}  // namespace

void PassRun::StartCalls() {
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
  recorder_.Flush();
  for (Call& call : calls) ports_.runner.Start(std::move(call));
  if (failure) throw *failure;
}

void PassRun::Prepare(const Work& work, std::vector<Call>& calls) {
  std::visit(Overloaded{[&](const Create& create) { PrepareCreate(work, create, calls); },
                        [&](const Resolve& resolve) { PrepareResolve(work, resolve, calls); },
                        [&](const SurveyCollection& survey) { PrepareSurvey(work, survey, calls); },
                        [](const Report&) { std::abort(); }},
             work.action);
}

void PassRun::PrepareCreate(const Work& work, const Create& create, std::vector<Call>& calls) {
  StoredPayload payload = PayloadOf(*create.entry);
  LogRecord record = NewRecord(work.action);
  record.attempt = create.attempt;
  const CreateIntended intent{.digest = create.entry->digest, .attempt = create.attempt, .at = record.time};
  recorder_.Append(intent, std::move(record), payload);
  Launch(work, CallKind::kCreate, std::move(payload), calls);
}

void PassRun::PrepareResolve(const Work& work, const Resolve& resolve, std::vector<Call>& calls) {
  if (resolve.reopen) return Reopen(work, resolve);
  if (resolve.by == ResolveBy::kConcluding) {
    executor_.PutBack(resolve.key);
    LogRecord record = NewRecord(work.action);
    record.attempt = resolve.attempt;
    record.detail = "the token exists, and the service cannot be read to compare it";
    recorder_.Append(ExistenceUnreadable{}, std::move(record));
    PlanAgain(resolve.key);
    return;
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
  recorder_.Append(CreateIntended{.digest = resolve.digest, .attempt = record.attempt, .at = record.time},
                   std::move(record));
  Launch(work, CallKind::kCreate, std::move(*stored), calls);
}

void PassRun::Reopen(const Work& work, const Resolve& resolve) {
  StoredPayload payload = PayloadOf(*resolve.entry);
  executor_.PutBack(resolve.key);
  LogRecord record = NewRecord(work.action);
  const TimePoint at = record.time;
  if (std::holds_alternative<Conflicting>(view_.StateOf(resolve.key))) {
    record.detail = "git declares a new text for a token in conflict";
    recorder_.Append(ConflictReopened{.digest = resolve.digest, .at = at}, std::move(record), std::move(payload));
  } else {
    record.detail = "git declares a token that the survey of its collection had found";
    recorder_.Append(TokenFound{.digest = resolve.digest, .at = at}, std::move(record), std::move(payload));
  }
  recorder_.Flush();
  // Not before the record is durable: a write of the checkpoint lies ahead of it.
  if (const auto tokens = checkpoint_.unclaimed.find(resolve.key.Collection()); tokens != checkpoint_.unclaimed.end()) {
    tokens->second.erase(resolve.key.token);
    if (tokens->second.empty()) checkpoint_.unclaimed.erase(tokens);
  }
  PlanAgain(resolve.key);
}

StoredPayload PassRun::PayloadOf(const Entry& entry) {
  return {.payload = ports_.source.Payload(entry), .is_private = entry.is_private};
}

void PassRun::Launch(const Work& work, CallKind kind, StoredPayload content, std::vector<Call>& calls) {
  const TokenKey& key = KeyOf(work.action);
  flights_.insert_or_assign(
      key, Flight{.action = work.action, .desired = plan_.desired, .brought = ProvenanceOf(EntryOf(work.action))});
  calls.push_back({.kind = kind, .key = key, .is_private = content.is_private, .payload = std::move(content.payload)});
}

void PassRun::FinishCalls(TimePoint deadline) {
  for (const Completion& completion : ports_.runner.Await(deadline)) {
    if (completion.kind == CallKind::kList) {
      FinishPage(completion);
    } else {
      Finish(completion);
    }
  }
  ports_.observer.OnProgress(ProgressNow());
}

void PassRun::Finish(const Completion& completion) {
  auto flight = flights_.extract(completion.key);
  if (flight.empty()) std::abort();
  const EntryState before = view_.StateOf(completion.key);
  const TimePoint now = ports_.clock.Now();
  const std::optional<Event> event = executor_.Judge(completion, before, now);
  if (event) {
    LogRecord record = NewRecord(flight.mapped().action, flight.mapped().brought);
    record.digest = DigestOf(before);
    record.attempt = std::visit(
        Overloaded{[](const Submitting& s) { return s.attempt; }, [](const Uncertain& s) { return s.attempt; },
                   [](const auto&) { return std::uint32_t{0}; }},
        before);
    record.answer = completion.answer;
    record.duration = completion.duration;
    record.detail = DetailOf(completion);
    recorder_.Append(*event, std::move(record));
  }
  ++(IsDecided(view_.StateOf(completion.key)) ? done_ : failed_);
  PlanAgain(completion.key);
}

}  // namespace tokensync
