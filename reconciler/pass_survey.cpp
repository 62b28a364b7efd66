// Collections that are read as a whole before anything is created in them, and what that makes of their entries.
#include <algorithm>
#include <cstdlib>
#include <utility>

#include "narration.h"
#include "pass_run.h"

namespace tokensync {

namespace {

/// When a collection that may not be created in unseen is asked for again after the service refused to list it.
constexpr Duration kSurveyAgain = std::chrono::minutes(5);

/// Whether the planner may ever send a create from this state without a reading before it.
bool CanBeCreated(const EntryState& state) {
  return std::holds_alternative<None>(state) || std::holds_alternative<Pending>(state) ||
         std::holds_alternative<Rejected>(state);
}

}  // namespace

void PassRun::QueueSurvey(const CollectionKey& collection) {
  if (executor_.InFlight(TokenKey::OfCollection(collection))) return;
  Survey& survey = surveys_[collection];
  if (survey.IsStale(ports_.clock.Now())) survey = Survey{};
  // What a run of the ledger that was lost had sent can still be applied.
  const bool distrusted = checkpoint_.distrusted_since.has_value();
  QueuePage(collection, distrusted ? Context().running_since + policy_.executor.SeenAfter() : TimePoint{});
}

void PassRun::QueuePage(const CollectionKey& collection, TimePoint due) {
  const TokenKey key = TokenKey::OfCollection(collection);
  executor_.Add({SurveyCollection{.key = key, .page = surveys_[collection].next_page(), .due = due}, 0});
}

void PassRun::PrepareSurvey(const Work& work, const SurveyCollection& survey, std::vector<Call>& calls) {
  flights_.insert_or_assign(survey.key, Flight{.action = work.action, .desired = plan_.desired, .brought = {}});
  calls.push_back({.kind = CallKind::kList, .key = survey.key, .page = survey.page});
}

void PassRun::FinishPage(const Completion& completion) {
  if (flights_.erase(completion.key) == 0) std::abort();
  const CollectionKey collection = completion.key.Collection();
  Survey& survey = surveys_[collection];
  const TimePoint now = ports_.clock.Now();
  const PageJudgement judgement = executor_.JudgePage(completion, survey.tries, now);
  ++(judgement.verdict == PageVerdict::kRead ? done_ : failed_);
  switch (judgement.verdict) {
    case PageVerdict::kRead:
      return TakePage(collection, survey, std::get<Listed>(completion.listed), now);
    case PageVerdict::kAgain:
      if (std::holds_alternative<Refused>(completion.listed)) ++survey.tries;
      return QueuePage(collection, judgement.due);
    case PageVerdict::kRefused:
      return GiveUpSurvey(collection, SurveyEnd::kRefused, AnswerText(completion.answer));
    case PageVerdict::kUnsupported:
      return GiveUpSurvey(collection, SurveyEnd::kUnsupported, AnswerText(completion.answer));
  }
}

void PassRun::TakePage(const CollectionKey& collection, Survey& survey, const Listed& page, TimePoint now) {
  switch (survey.Add(page, now)) {
    case Survey::Progress::kMore:
      return QueueSurvey(collection);
    case Survey::Progress::kComplete:
      complete_.insert(surveys_.extract(collection));
      return;
    case Survey::Progress::kStuck:
      return GiveUpSurvey(collection, SurveyEnd::kRefused, "its pages have no end");
  }
}

void PassRun::ConcludeSurveys() {
  while (!complete_.empty()) {
    const auto node = complete_.extract(complete_.begin());
    Conclude(node.key(), node.mapped());
  }
}

void PassRun::Conclude(const CollectionKey& collection, const Survey& survey) {
  SurveyReport report{.pass = tally_.pass, .collection = collection, .end = SurveyEnd::kRead};
  report.pages = survey.pages();
  report.tokens = survey.size();
  checkpoint_.unclaimed.erase(collection);
  std::set<TokenId> unclaimed;
  for (const auto& [token, listed] : survey.tokens()) {
    const TokenKey key{collection.project, collection.collection, token};
    if (const auto create = PlannedCreate(key)) {
      Adopt(*create, listed, report);
    } else if (CanBeCreated(view_.StateOf(key))) {
      unclaimed.insert(token);
    }
    if (plan_.desired->Find(key) == nullptr) ++report.undeclared;
  }
  recorder_.SaveSurvey(collection, ports_.clock.Now(), std::move(unclaimed));
  ports_.observer.OnSurveyEnded(report);
  Clear(collection);
}

void PassRun::Adopt(const Action& action, const ListedToken& listed, SurveyReport& report) {
  const Entry& entry = *EntryOf(action);
  const Digest held = entry.is_private ? listed.if_private : listed.if_public;
  StoredPayload payload = PayloadOf(entry);
  LogRecord record = NewRecord(action);
  record.action = "adopt";
  if (held == entry.digest) {
    ++report.adopted;
    record.detail = "the collection holds it as git declares it; whether it is private, the service does not tell";
    recorder_.Append(TokenAdopted{.digest = entry.digest}, std::move(record), std::move(payload));
  } else {
    ++report.different;
    record.other_digest = held;
    record.detail = "the collection holds another token under this key: to be read";
    const TokenFound event{.digest = entry.digest, .at = record.time};
    recorder_.Append(event, std::move(record), std::move(payload));
    PlanAgain(entry.key);
  }
  recorder_.FlushFull();
}

void PassRun::GiveUpSurvey(const CollectionKey& collection, SurveyEnd end, std::string why) {
  surveys_.erase(collection);
  const bool held = executor_.survey_required();
  ports_.observer.OnSurveyEnded(
      {.pass = tally_.pass, .collection = collection, .end = end, .why = std::move(why), .held = held});
  if (held) {
    QueuePage(collection, ports_.clock.Now() + kSurveyAgain);
  } else if (end == SurveyEnd::kUnsupported) {
    Replan();
  } else {
    Clear(collection);
  }
}

void PassRun::Clear(const CollectionKey& collection) {
  cleared_.insert(collection);
  for (const Entry& entry : EntriesOf(collection)) {
    if (const auto create = PlannedCreate(entry.key)) QueueCall(*create);
  }
}

std::optional<Action> PassRun::PlannedCreate(const TokenKey& key) const {
  std::optional<Action> action = PlanKey(key, *plan_.desired, view_.StateOf(key), Context());
  if (action && !std::holds_alternative<Create>(*action)) action.reset();
  return action;
}

std::span<const Entry> PassRun::EntriesOf(const CollectionKey& collection) const {
  const std::vector<Entry>& entries = plan_.desired->entries;
  const auto before = [](const Entry& entry, const CollectionKey& key) { return entry.key.Collection() < key; };
  const auto after = [](const CollectionKey& key, const Entry& entry) { return key < entry.key.Collection(); };
  const auto first = std::lower_bound(entries.begin(), entries.end(), collection, before);
  return {first, std::upper_bound(first, entries.end(), collection, after)};
}

}  // namespace tokensync
