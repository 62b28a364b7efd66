#include "promises.h"

#include <algorithm>

#include "broken_promise.h"
#include "sha256.h"

namespace tokensync {

namespace {

template <class Alternative, class Variant>
bool Is(const Variant& variant) {
  return std::holds_alternative<Alternative>(variant);
}

/// Whether the service works, whatever it says.
bool IsAnswer(const CreateOutcome& outcome) {
  return Is<Created>(outcome) || Is<AlreadyThere>(outcome) || Is<Refused>(outcome);
}
bool IsAnswer(const ReadOutcome& outcome) {
  return Is<Found>(outcome) || Is<Absent>(outcome);
}
bool IsAnswer(const ListOutcome& outcome) {
  return Is<Listed>(outcome) || Is<Refused>(outcome);
}

Digest HeldDigest(const HeldToken& token) {
  return PayloadDigest(token.payload, token.is_private);
}

}  // namespace

void Promises::RunBegins() {
  origins_.clear();
  last_answer_.clear();
  starts_.clear();
  given_up_.clear();
  surveys_begun_.clear();
  page_read_at_.clear();
  held_back_until_ = {};
  probing_ = ledger_.checkpoint().failures_in_a_row > 0;
  recorded_ = ledger_.log().size();
}

void Promises::PassBegins(bool by_hand) {
  by_hand_ = by_hand;
  planned_.reset();
  denied_ = false;
  stop_seen_ = false;
  writes_before_pass_ = ledger_.writes();
  applied_before_pass_ = ledger_.checkpoint().head_applied;
}

void Promises::HeadMoves(const Checkpoint& before, const Checkpoint& after) {
  Demand(after.head_accepted && IsVouched(*after.head_accepted), "a head is accepted that nobody vouches for");
  const CommitId& head = *after.head_accepted;
  if (before.held && before.held->approved && before.held->commit == head) {
    planned_head_ = head;
  } else if (!Continues(head)) {
    unasked_head_ = head;
  }
}

void Promises::Planned(const Plan& plan) {
  planned_ = plan.desired;
  const CommitId& head = planned_->commit;
  Demand(IsVouched(head), "a commit is planned for that nobody vouches for");
  if (by_hand_) return;
  Demand(ledger_.checkpoint().head_accepted == head, "a head is planned for before it is remembered as accepted");
  const bool may_go_on = !policy_.hold_rewrites || plan.actions.empty() || (head != unasked_head_ && Continues(head));
  Demand(may_go_on, "a plan is carried out that waits for an approval");
  planned_head_ = head;
  unasked_head_.reset();
}

bool Promises::Continues(const CommitId& head) const {
  return !planned_head_ || source_.Continues(head, *planned_head_) ||
         (unasked_head_ && source_.Continues(head, *unasked_head_));
}

bool Promises::IsVouched(const CommitId& commit) const {
  return !source_.vouches || source_.vouches(commit).refusal.empty();
}

bool Promises::CanRead() const {
  return service_.rules.readable && policy_.executor.read_back;
}

// ---- records ----

void Promises::Recording(const EntryState& before, const Change& change) {
  Demand(planned_ != nullptr, "something is recorded before anything was planned");
  Demand(change.record.commit != nullptr, "a record names no commit");
  Demand(!change.record.path.empty() || change.record.line == 0, "a record has a line of no file");
  if (const auto* intent = std::get_if<CreateIntended>(&change.event)) return CheckIntent(before, change, *intent);
  CheckOutcome(before, change);
  CheckDoubt(before, change);
  CheckReport(change);
  CheckAdoption(before, change);
}

void Promises::CheckIntent(const EntryState& before, const Change& change, const CreateIntended& intent) {
  const TokenKey& key = change.record.key;
  const TimePoint now = clock_.Now();
  Demand(intent.at <= now, "an intent is dated in the future");
  if (const auto* uncertain = std::get_if<Uncertain>(&before)) {
    Demand(!CanRead(), "a call whose fate is not known was repeated although it could be read back");
    Demand(intent.at >= uncertain->due && intent.at >= uncertain->since + policy_.executor.settling,
           "a call was repeated while the one before could still be applied");
  } else {
    const Entry* entry = planned_->Find(key);
    Demand(entry != nullptr && entry->digest == intent.digest, "what the plan's commit does not declare is created");
    Demand(entry->manifest->path == change.record.path && entry->line == change.record.line,
           "an intent names another place than the entry's");
    const auto* pending = std::get_if<Pending>(&before);
    if (pending != nullptr && pending->digest == intent.digest) {
      Demand(intent.at >= pending->due, "a create leaves before it is due");
      Demand(intent.attempt == pending->attempts + 1, "an attempt is counted wrongly");
    } else {
      Demand(intent.attempt == 1, "the first attempt is not counted as such");
    }
    CheckCleared(key);
  }
  intents_.emplace(key, intent.digest);
  origins_.insert_or_assign(
      key, Origin{.path = change.record.path, .line = change.record.line, .commit = change.record.commit});
}

void Promises::CheckOutcome(const EntryState& before, const Change& change) const {
  const TokenKey& key = change.record.key;
  if (Is<Submitting>(before) && !Is<RunInterrupted>(change.event)) {
    const Origin& origin = origins_.at(key);
    Demand(
        origin.path == change.record.path && origin.line == change.record.line && origin.commit == change.record.commit,
        "the outcome of a call is attributed to another commit or place than its intent");
  }
  const HeldToken* held = service_.Held(key);
  if (Is<Confirmed>(change.after) && !Is<Confirmed>(before)) {
    const bool assumed = Is<TokenAssumedOurs>(change.event);
    Demand(!assumed || !CanRead(), "a token is assumed ours although it could be read");
    const Digest digest = std::get<Confirmed>(change.after).digest;
    // `private` is never told by the service, so that somebody else's token may differ in it unseen.
    const bool same =
        held != nullptr && (HeldDigest(*held) == digest || PayloadDigest(held->payload, !held->is_private) == digest);
    Demand(assumed || same, "a token is confirmed that the service does not hold");
  }
  if (Is<ReadDifferent>(change.event) || Is<ExistenceUnreadable>(change.event)) {
    Demand(held != nullptr, "a conflict is recorded with a token that does not exist");
  }
  if (Is<CreateRefused>(change.event)) {
    const Completion& answer = last_answer_.at(key);
    const auto* refused = std::get_if<Refused>(&answer.created);
    Demand(answer.kind == CallKind::kCreate && refused != nullptr, "an entry is rejected that nobody refused");
    Demand(!refused->bounded_tries || std::get<Submitting>(before).attempt >= policy_.executor.bounded_tries_max,
           "an entry is rejected before its tries are used up");
    Demand(!change.record.answer.error_name.empty(), "an entry is rejected without a reason");
  }
}

void Promises::CheckDoubt(const EntryState& before, const Change& change) {
  const TokenKey& key = change.record.key;
  if (Is<CreateNotDone>(change.event)) {
    const std::uint32_t attempt = std::get<Submitting>(before).attempt;
    const bool refused = Is<Refused>(last_answer_.at(key).created);
    Demand(!refused || attempt < policy_.executor.bounded_tries_max, "a refused create is tried without end");
    const std::uint32_t spent = refused ? attempt : attempt - 1;
    const auto* pending = std::get_if<Pending>(&change.after);
    Demand((pending == nullptr) == in_doubt_.contains(key), "the doubt about an earlier call is forgotten, or made up");
    const std::uint32_t counted = pending != nullptr ? pending->attempts : std::get<Uncertain>(change.after).attempt;
    Demand(counted == spent, "a call that surely did not happen is counted, or one that did is not");
  } else if (Is<CreateLost>(change.event) || Is<RunInterrupted>(change.event)) {
    in_doubt_.insert(key);
  } else if (!Is<Uncertain>(change.after)) {
    in_doubt_.erase(key);
  }
}

void Promises::CheckReport(const Change& change) const {
  const TokenKey& key = change.record.key;
  const Entry* entry = planned_->Find(key);
  const auto* drift = std::get_if<DriftReported>(&change.event);
  if (Is<EntryWithdrawn>(change.event) || (drift != nullptr && !drift->drift.declared)) {
    Demand(planned_->unreadable.empty(), "absence is inferred while a manifest cannot be read");
    Demand(!planned_->IsAmbiguous(key), "an ambiguous key is taken for absent");
    Demand(entry == nullptr, "a declared entry is taken for absent");
  } else if (drift != nullptr) {
    Demand(entry != nullptr && entry->digest == *drift->drift.declared, "a change is reported that git does not have");
    Demand(entry->digest != DigestOf(change.after), "a change is reported that is none");
  }
  if (Is<DriftSettled>(change.event)) {
    Demand(entry != nullptr && entry->digest == DigestOf(change.after), "a drift is settled that still is one");
  }
}

void Promises::CheckAdoption(const EntryState& before, const Change& change) const {
  if (!Is<TokenAdopted>(change.event) && !Is<TokenFound>(change.event)) return;
  Demand(!Is<Submitting>(before) && !Is<Uncertain>(before), "a token that was sent is adopted");
  const TokenKey& key = change.record.key;
  const Entry* entry = planned_->Find(key);
  Demand(entry != nullptr && entry->digest == DigestOf(change.after), "what git does not declare is adopted");
  const HeldToken* held = service_.Held(key);
  Demand(Is<TokenFound>(change.event) || held != nullptr, "a token is adopted that does not exist");
  const bool is_listed = Is<TokenFound>(change.event) && change.record.other_digest;
  if (is_listed && held != nullptr) {
    Demand(PayloadDigest(held->payload, entry->is_private) != entry->digest, "a listed token that is equal is doubted");
  }
}

/// Where looking is possible, nothing is created in a collection that was not looked at.
void Promises::CheckCleared(const TokenKey& key) const {
  if (!policy_.executor.survey || !service_.rules.listable) return;
  const CollectionKey collection = key.Collection();
  Demand(ledger_.checkpoint().surveyed.contains(collection) || given_up_.contains(collection),
         "a token is created in a collection that was not surveyed");
}

void Promises::SurveyEnded(const SurveyReport& report) {
  Demand(report.end != SurveyEnd::kUnsupported || !service_.rules.listable, "a survey is given up without a reason");
  if (report.end != SurveyEnd::kRead) {
    if (!report.held) given_up_.insert(report.collection);
    return;
  }
  looked_at_.insert_or_assign(report.collection, surveys_begun_.at(report.collection));
  Demand(report.adopted + report.different + report.undeclared <= report.tokens, "a survey counts tokens twice");
  const std::size_t full_pages = service_.HeldCount(report.collection) / service_.rules.page_size;
  Demand(report.pages <= full_pages + 2, "a survey reads more pages than there are");
}

void Promises::LedgerReplaced() {
  ledger_replaced_ = true;
  planned_head_ = ledger_.checkpoint().head_accepted;
  unasked_head_.reset();
  in_doubt_.clear();
  looked_at_.clear();
  for (const auto& [key, state] : ledger_.entries()) {
    const auto* uncertain = std::get_if<Uncertain>(&state);
    if (uncertain != nullptr && !uncertain->exists) in_doubt_.insert(key);
  }
}

void Promises::Recorded(std::size_t changes) {
  recorded_ += changes;
  Demand(recorded_ == ledger_.log().size(), "the observer is told of something else than what is durable");
}

// ---- calls ----

void Promises::Starting(const Call& call) {
  Demand(!stop_seen_, "a call leaves after the stop");
  Demand(!denied_, "a call leaves after the service refused our credential");
  Demand(clock_.WorldNow() >= held_back_until_, "a call leaves before Retry-After is over");
  Demand(service_.InFlight() < policy_.executor.rate.concurrency, "more calls are in flight than there are places");
  const Digest digest = PayloadDigest(call.payload, call.is_private);
  const EntryState durable = ledger_.StateOf(call.key);
  if (call.kind == CallKind::kCreate) {
    const auto* submitting = std::get_if<Submitting>(&durable);
    Demand(submitting != nullptr && submitting->digest == digest, "a create leaves without a durable intent");
  } else if (call.kind == CallKind::kRead) {
    const auto* uncertain = std::get_if<Uncertain>(&durable);
    Demand(uncertain != nullptr && uncertain->digest == digest, "something is read back that is not in question");
    Demand(clock_.Now() >= uncertain->due, "a reading leaves before it is due");
  } else {
    CheckPage(call);
  }
  Demand(!probing_ || service_.InFlight() == 0, "many calls leave before a service that failed has answered one");
  answered_since_start_ = false;
  CheckRate();
}

/// What a survey read long ago is no part of one that goes on.
void Promises::CheckPage(const Call& call) {
  constexpr Duration kGapMax = std::chrono::minutes(25);
  const CollectionKey collection = call.key.Collection();
  if (call.page == 0) surveys_begun_.insert_or_assign(collection, clock_.WorldNow());
  if (call.page > 0) {
    Demand(clock_.Now() - page_read_at_.at(collection) <= kGapMax, "a survey goes on with pages of long ago");
  }
}

void Promises::CheckRate() {
  const std::uint32_t limit = policy_.executor.rate.requests_per_minute;
  if (limit == 0) return;
  const TimePoint now = clock_.WorldNow();
  // A write lies between the taking of a call, which the limit is about, and its start.
  constexpr Duration kWindow{59'900};
  while (!starts_.empty() && starts_.front() <= now - kWindow) starts_.pop_front();
  starts_.push_back(now);
  Demand(starts_.size() <= limit, "more calls leave in a minute than the limit");
}

void Promises::Accepted(const Call& call) {
  Demand(intents_.contains({call.key, PayloadDigest(call.payload, call.is_private)}),
         "a create reaches the service without an intent");
  Demand(!CanRead() || service_.Accepted(call.key) == 1, "a key is created twice");
}

/// On a service that overwrites, only what was there when we looked can be spared.
void Promises::Overwriting(const Call& call, const HeldToken& theirs) const {
  const auto looked = looked_at_.find(call.key.Collection());
  const bool was_seen = looked != looked_at_.end() && theirs.since + service_.rules.stale_for <= looked->second;
  // Without readings a lost call is repeated, over whatever is there by then.
  Demand(!was_seen || !CanRead(), "somebody else's token is overwritten that a survey had found");
  Demand(!Is<Conflicting>(ledger_.StateOf(call.key)), "somebody else's token is overwritten that was in conflict");
}

void Promises::Answered(const Completion& completion) {
  last_answer_.insert_or_assign(completion.key, completion);
  const auto learn = [&](const auto& outcome) {
    if (Is<Unauthorized>(outcome)) denied_ = true;
    if (IsAnswer(outcome)) {
      probing_ = false;
      answered_since_start_ = true;
    }
    if (const auto* throttled = std::get_if<Throttled>(&outcome)) {
      held_back_until_ = std::max(held_back_until_, clock_.WorldNow() + throttled->retry_after.value_or(Duration(0)));
    }
  };
  switch (completion.kind) {
    case CallKind::kCreate:
      return learn(completion.created);
    case CallKind::kRead:
      return learn(completion.read);
    case CallKind::kList:
      if (Is<Listed>(completion.listed)) page_read_at_.insert_or_assign(completion.key.Collection(), clock_.Now());
      return learn(completion.listed);
  }
}

// ---- passes ----

void Promises::PassEnded(const PassSummary& summary) {
  // What was on its way when the pass was stopped may have been answered after that.
  if (summary.stop_reason && !answered_since_start_) probing_ = true;
  const PassResult result = summary.record.result;
  const bool wrote = ledger_.writes() != writes_before_pass_;
  Demand(summary.changed == wrote, "a pass says something else than what it wrote");
  if (wrote) Demand(ledger_.passes().contains(summary.record.pass), "a pass that wrote is not recorded");
  const auto& applied = ledger_.checkpoint().head_applied;
  Demand(applied == applied_before_pass_ || (result == PassResult::kComplete && applied == summary.record.commit),
         "a head counts as applied although something is left to do");
  Demand(result != PassResult::kHeld || !summary.record.error.empty(), "a pass is held back, and nobody says why");
  if (summary.next_due) {
    const TimePoint ended = summary.record.ended;
    Demand(*summary.next_due >= ended, "the next due time is in the past");
    Demand(*summary.next_due <= ended + policy_.executor.WaitMax() + policy_.executor.settling,
           "something waits for longer than anything may");
  }
  const bool went_on = result == PassResult::kComplete || result == PassResult::kIncomplete;
  if (!went_on) return;
  Demand(service_.InFlight() == 0, "a pass ends with calls in flight");
  Demand(summary.waiting == 0 || summary.next_due.has_value(), "entries wait, and nobody says until when");
  Demand((result == PassResult::kComplete) <= (summary.waiting == 0), "a complete pass leaves something to do");
}

void Promises::AtRest() const {
  std::map<TokenKey, EntryState> folded;
  for (const Change& change : ledger_.log()) {
    const auto before = folded.find(change.record.key);
    const auto after = Advance(before == folded.end() ? EntryState(None{}) : before->second, change.event);
    Demand(after.has_value(), "the log holds an event that cannot happen");
    if (Is<None>(*after)) {
      folded.erase(change.record.key);
    } else {
      folded.insert_or_assign(change.record.key, *after);
    }
  }
  Demand(folded == ledger_.entries(), "the folded log is not the ledger");
  const DesiredState desired = source_.Declared(source_.Head());
  for (const Entry& entry : desired.entries) CheckDeclared(entry);
  for (const auto& [key, state] : ledger_.entries()) {
    if (desired.Find(key) == nullptr) CheckUndeclared(desired, key, state);
  }
}

void Promises::CheckDeclared(const Entry& entry) const {
  const EntryState state = ledger_.StateOf(entry.key);
  const HeldToken* held = service_.Held(entry.key);
  const bool settled = Is<Confirmed>(state) || Is<Rejected>(state) || Is<Conflicting>(state);
  Demand(settled, "a declared entry is neither confirmed nor rejected nor in conflict");
  if (const auto* confirmed = std::get_if<Confirmed>(&state)) {
    const bool same = confirmed->digest == entry.digest;
    Demand(confirmed->drift.has_value() != same, "a confirmed entry differs from git and nobody said so");
    if (!same) Demand(confirmed->drift->declared == entry.digest, "another change than git's is reported");
    Demand(held != nullptr, "a confirmed token does not exist");
    if (CanRead()) {
      const bool holds =
          HeldDigest(*held) == confirmed->digest ||
          ((held->foreign || ledger_replaced_) && PayloadDigest(held->payload, !held->is_private) == confirmed->digest);
      Demand(holds, "the service holds something else than what is confirmed");
    }
  } else if (const auto* rejected = std::get_if<Rejected>(&state)) {
    Demand(rejected->digest == entry.digest, "an entry that git mended stays rejected");
  } else if (const auto* conflict = std::get_if<Conflicting>(&state)) {
    Demand(held != nullptr, "a conflict with a token that does not exist");
    const bool known = conflict->digest == entry.digest;
    Demand(known || (!CanRead() && conflict->drift && conflict->drift->declared == entry.digest),
           "a conflict is about something else than what git declares");
    if (CanRead()) Demand(HeldDigest(*held) != entry.digest, "what is called a conflict is equal");
  }
}

void Promises::CheckUndeclared(const DesiredState& desired, const TokenKey& key, const EntryState& state) const {
  Demand(!Is<Submitting>(state) && !Is<Uncertain>(state), "the fate of a call is never found out");
  if (!desired.unreadable.empty() || desired.IsAmbiguous(key)) return;
  Demand(!Is<Pending>(state) && !Is<Rejected>(state), "an entry that left git is not withdrawn");
  const auto reported = [](const auto& known) { return known.drift && !known.drift->declared; };
  if (const auto* confirmed = std::get_if<Confirmed>(&state)) {
    Demand(reported(*confirmed), "a removal is not reported");
  } else if (const auto* conflict = std::get_if<Conflicting>(&state)) {
    Demand(reported(*conflict), "a removal of an entry in conflict is not reported");
  }
}

}  // namespace tokensync
