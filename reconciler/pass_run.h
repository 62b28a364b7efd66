/// One pass, over the memory of a Reconciler. For the files pass*.cpp only: pass.cpp has the shape of a pass, the
/// others one part each.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "pass.h"
#include "recorder.h"

namespace tokensync {

class PassRun {
 public:
  PassRun(Reconciler& reconciler, std::string cause);

  PassSummary Run(const std::optional<CommitId>& revision);

 private:
  using Provenances = std::map<const Manifest*, Provenance>;

  /// A call that has left, with what its record needs when it ends; a new plan may have replaced the one that it is
  /// from.
  struct Flight {
    Action action;
    std::shared_ptr<const DesiredState> desired;  // keeps the action's entry alive
    Provenance brought;                           // a newer head may not have the entry's manifest any more
  };

  /// What is known of a commit before it is read.
  struct Candidate {
    Vouching vouching;
    bool continues = true;  ///< the head that was accepted before is in its history
  };

  // ---- pass.cpp ----

  void Execute();

  /// Nothing new leaves. What is in flight ends by itself, each call within its time-out; one who wants the program to
  /// stop waits no longer than the grace, and what is not back then is resolved by the next run.
  void AwaitFlights();

  /// Without a newer state the pass goes on with the one that it has. Once there is one, the source gives no payload of
  /// the old one any more, so that a failure to plan for it ends the pass.
  void Refresh();
  Progress ProgressNow() const;
  PassSummary Summarise();
  PassResult Result(bool clean) const;
  void SavePass();

  // ---- pass_head.cpp ----

  CommitId FetchHead();

  /// What there is to know of a commit before it is read.
  Candidate Judge(const CommitId& commit);

  /// The pass is held back: nothing of the commit is read, and nothing leaves from then on.
  void Refuse(const CommitId& commit, const Candidate& candidate);

  /// Whether the plan has to wait for an approval; if so, that is recorded, and the pass is held back.
  bool MustWait(const Plan& plan, const Candidate& candidate);

  /// From now on it is this head that a newer one has to continue. Durable on return, before anything is done for it.
  void Accept(const CommitId& commit, const Candidate& candidate);

  /// `next` becomes the checkpoint, with a notice about the commit, which git has to describe: the ledger keeps forever
  /// what it is told first of a commit.
  void Note(const Checkpoint& next, NoticeKind kind, const CommitId& commit, const Candidate& candidate,
            std::string detail);

  // ---- pass_planning.cpp ----

  PlanContext Context() const;

  /// `desired` is the state that was read last. All of the new plan is made before any of the old one goes.
  void PlanFor(std::shared_ptr<const DesiredState> desired, const Candidate& candidate);
  void PlanAgain(const TokenKey& key);
  /// A new plan for the same commit, without a report of its own: the ledger's view or what may be created has changed.
  void Replan();

  /// Who brought what the actions are about, asked for all at once; under null, the head itself.
  Provenances Attribute(const Plan& plan);

  /// For an entry that the plan had no action for until a call ended, asked now. Where that fails, the head stands for
  /// the commit: a call's outcome is recorded whatever git does.
  const Provenance& ProvenanceOf(const Entry* entry);

  /// What the newest commit brought goes first; what git no longer declares, last.
  std::uint32_t RankOf(const Action& action);
  void RecordReports();
  void RecordReport(const Report& report);
  void QueueCalls();

  /// A create waits for the survey of its collection: the key is planned again when that has ended.
  void QueueCall(const Action& action);

  /// What other passes left behind: calls that a run ended in the middle of, and times that lie ahead because the clock
  /// was set back since.
  void MarkLeftBehind();
  bool WaitsTooLong(const EntryState& state) const;
  LogRecord NewRecord(const Action& action);
  LogRecord NewRecord(const Action& action, const Provenance& brought);

  // ---- pass_calls.cpp ----

  /// Outcomes that are waiting to be recorded share the transaction of the intents of the calls that follow them.
  void StartCalls();
  void Prepare(const Work& work, std::vector<Call>& calls);
  void PrepareCreate(const Work& work, const Create& create, std::vector<Call>& calls);
  void PrepareResolve(const Work& work, const Resolve& resolve, std::vector<Call>& calls);

  /// From here on the key is in question, and is read like one whose create was answered with "it exists".
  void Reopen(const Work& work, const Resolve& resolve);
  StoredPayload PayloadOf(const Entry& entry);
  void Launch(const Work& work, CallKind kind, StoredPayload content, std::vector<Call>& calls);
  void FinishCalls(TimePoint deadline);
  void Finish(const Completion& completion);

  // ---- pass_survey.cpp ----

  void QueueSurvey(const CollectionKey& collection);
  /// The next page of the collection's survey.
  void QueuePage(const CollectionKey& collection, TimePoint due);
  void PrepareSurvey(const Work& work, const SurveyCollection& survey, std::vector<Call>& calls);
  void FinishPage(const Completion& completion);
  void TakePage(const CollectionKey& collection, Survey& survey, const Listed& page, TimePoint now);

  /// Apart from taking the last page, because git is asked for payloads, and can fail: then the survey is made again.
  void ConcludeSurveys();

  /// Every token of the collection is known: what would be created is adopted, or to be compared, or missing.
  void Conclude(const CollectionKey& collection, const Survey& survey);
  void Adopt(const Action& action, const ListedToken& listed, SurveyReport& report);

  /// Where looking first is demanded, its tokens wait, and the service is asked again; otherwise they are created
  /// without it, until the program starts anew.
  void GiveUpSurvey(const CollectionKey& collection, SurveyEnd end, std::string why);

  /// The create that the key needs now; nothing where it needs something else, or nothing.
  std::optional<Action> PlannedCreate(const TokenKey& key) const;

  /// The creates that waited for it may leave.
  void Clear(const CollectionKey& collection);
  std::span<const Entry> EntriesOf(const CollectionKey& collection) const;

  Reconciler::Ports& ports_;
  const PassPolicy& policy_;
  Executor& executor_;
  LedgerView& view_;
  Checkpoint& checkpoint_;

  std::map<CollectionKey, Survey>& surveys_;
  std::set<CollectionKey>& cleared_;
  PassRecorder recorder_;
  PassRecord& tally_;

  Plan plan_;
  bool follow_head_ = true;
  std::optional<CommitId> head_seen_;
  std::string signer_;  // of the commit that is planned for
  std::string held_;    // why the pass is held back
  Provenances provenance_;
  std::map<TokenKey, Flight> flights_;
  std::map<CollectionKey, Survey> complete_;  // read to the end, with nothing made of it yet
  std::size_t done_ = 0;
  std::size_t failed_ = 0;
  bool stop_requested_ = false;
  std::string trouble_;
};

}  // namespace tokensync
