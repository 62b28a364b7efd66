/// What must hold at every moment of every run, however chance has it. Watches the doubles; throws BrokenPromise.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "pass.h"
#include "recording_ledger.h"
#include "scripted_source.h"
#include "simulated_service.h"
#include "virtual_clock.h"

namespace tokensync {

class Promises {
 public:
  Promises(VirtualClock& clock, const ScriptedSource& source, const SimulatedService& service,
           const RecordingLedger& ledger, const PassPolicy& policy)
      : clock_(clock), source_(source), service_(service), ledger_(ledger), policy_(policy) {}

  // ---- what happens, in the order of its happening ----

  void RunBegins();               ///< a new process
  void PassBegins(bool by_hand);  ///< over a commit that somebody named, not over the head
  void HeadMoves(const Checkpoint& before, const Checkpoint& after);  ///< about to be recorded
  void Planned(const Plan& plan);
  void Recording(const EntryState& before, const Change& change);
  void Recorded(std::size_t changes);
  void SurveyEnded(const SurveyReport& report);
  void LedgerReplaced();
  void StopSeen() { stop_seen_ = true; }
  void Starting(const Call& call);
  void Accepted(const Call& call);
  void Overwriting(const Call& call, const HeldToken& theirs) const;
  void Answered(const Completion& completion);
  void PassEnded(const PassSummary& summary);

  /// Nothing fails any more and nothing is left to do: git, ledger and service agree, or it is recorded why not.
  void AtRest() const;

 private:
  struct Origin {
    std::string path;
    std::uint32_t line = 0;
    std::shared_ptr<const Commit> commit;
  };

  bool IsVouched(const CommitId& commit) const;
  /// What was planned for before, or what was accepted without a plan since, is in the head's history.
  bool Continues(const CommitId& head) const;
  bool CanRead() const;
  void CheckIntent(const EntryState& before, const Change& change, const CreateIntended& intent);
  void CheckOutcome(const EntryState& before, const Change& change) const;
  void CheckDoubt(const EntryState& before, const Change& change);
  void CheckReport(const Change& change) const;
  void CheckAdoption(const EntryState& before, const Change& change) const;
  void CheckCleared(const TokenKey& key) const;
  void CheckPage(const Call& call);
  void CheckRate();
  void CheckDeclared(const Entry& entry) const;
  void CheckUndeclared(const DesiredState& desired, const TokenKey& key, const EntryState& state) const;

  VirtualClock& clock_;
  const ScriptedSource& source_;
  const SimulatedService& service_;
  const RecordingLedger& ledger_;
  const PassPolicy& policy_;

  std::shared_ptr<const DesiredState> planned_;
  std::map<TokenKey, Origin> origins_;          // of the intents of this run
  std::map<TokenKey, Completion> last_answer_;  // of this run
  std::set<std::pair<TokenKey, Digest>> intents_;
  std::set<CollectionKey> given_up_;                  // that this run could not list, and may go on without
  std::map<CollectionKey, TimePoint> surveys_begun_;  // by this run
  std::map<CollectionKey, TimePoint> page_read_at_;   // the last one, by the wall clock
  std::map<CollectionKey, TimePoint> looked_at_;      // when the survey began that cleared it
  std::set<TokenKey> in_doubt_;                       // sent, and nobody knows yet what became of it
  std::deque<TimePoint> starts_;                      // of the last minute of this run
  TimePoint held_back_until_{};
  bool denied_ = false;
  bool probing_ = false;  // the service failed when it was called last
  bool answered_since_start_ = false;
  bool ledger_replaced_ = false;  // what was private is not known any more, and the service never tells
  bool stop_seen_ = false;
  bool by_hand_ = false;
  std::optional<CommitId> planned_head_{};  // the last one, or one whose plan somebody approved since
  std::optional<CommitId> unasked_head_{};  // accepted after it without continuing it: there is nothing to do for it
  std::uint64_t writes_before_pass_ = 0;
  std::optional<CommitId> applied_before_pass_{};
  std::size_t recorded_ = 0;
};

}  // namespace tokensync
