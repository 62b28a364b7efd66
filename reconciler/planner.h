/// What is to be done, as a value. The state table of DESIGN.md is this file's documentation and its test.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "model.h"
#include "state.h"

namespace tokensync {

/// The ledger's entries in memory: what the planner compares git with. Keys without an entry are in state None.
class LedgerView {
 public:
  const EntryState& StateOf(const TokenKey& key) const;
  /// Sets the state; None removes the entry.
  void Set(const TokenKey& key, EntryState state);
  const std::map<TokenKey, EntryState>& entries() const { return entries_; }

 private:
  std::map<TokenKey, EntryState> entries_;
};

/// What the planner may count on.
struct PlanContext {
  bool can_read = true;  ///< the service can be read back
  Duration settling{0};  ///< how long after a lost call it may still be applied
  /// Since when the program runs: what was lost before that is taken to have been lost then.
  TimePoint running_since{};
  /// Collections in which tokens may be created; the others have to be surveyed first. Null: all.
  const std::set<CollectionKey>* cleared = nullptr;
  /// Tokens that exist although the ledger has no entry of them (Checkpoint::unclaimed). Null: none.
  const std::map<CollectionKey, std::set<TokenId>>* unclaimed = nullptr;
};

/// Read the collection as a whole: nothing has been created in it yet, and what it holds is not known.
struct SurveyCollection {
  TokenKey key;  ///< of the collection
  std::uint32_t page = 0;
  TimePoint due{};
};

/// Send the entry's payload.
struct Create {
  TokenKey key;
  const Entry* entry = nullptr;
  std::uint32_t attempt = 1;
  TimePoint due{};
};

enum class ResolveBy {
  kReading,     ///< GetToken
  kResending,   ///< the service cannot be read: send the same payload again
  kConcluding,  ///< the service cannot be read and says that the token exists: nothing more can be learnt
};

/// Find out what became of an earlier call.
struct Resolve {
  TokenKey key;
  const Entry* entry = nullptr;  ///< what git declares now; null where it declares nothing
  Digest digest{};               ///< what is in question
  std::uint32_t attempt = 0;     ///< that of the call in question
  TimePoint due{};
  ResolveBy by = ResolveBy::kReading;
  bool reopen = false;  ///< nothing was sent: the token exists, and git declares a text to compare it with
};

enum class ReportKind {
  kChanged,    ///< git declares another digest than the service holds
  kRemoved,    ///< git no longer declares what the service holds
  kSettled,    ///< git agrees again with what was reported
  kWithdrawn,  ///< git no longer declares what was never created
};

/// Tell, and do nothing.
struct Report {
  TokenKey key;
  const Entry* entry = nullptr;
  ReportKind kind = ReportKind::kChanged;
  std::optional<Digest> recorded{};
};

/// Pointers to entries are into the DesiredState that the plan was made from.
using Action = std::variant<Create, Resolve, Report, SurveyCollection>;

const TokenKey& KeyOf(const Action& action);
const Entry* EntryOf(const Action& action);
/// "create", "resolve", "report", "survey".
std::string_view ActionName(const Action& action);
/// "changed", "removed", "settled", "withdrawn".
std::string_view ReportName(ReportKind kind);

/// How many entries there are of each kind, for the summary line and the exit status.
struct PlanCounts {
  std::size_t create = 0, resolve = 0, changed = 0, removed = 0, settled = 0, withdrawn = 0, survey = 0;
  std::size_t in_sync = 0;      ///< confirmed, and git says the same
  std::size_t drifting = 0;     ///< confirmed and different from git, reports of this plan included
  std::size_t rejected = 0;     ///< and not to be sent again as it is
  std::size_t conflicting = 0;  ///< and not to be read again as it is
  std::size_t held = 0;         ///< known, and not decidable while a manifest cannot be read
};

/// Counts the action in the member of `counts` that is named after it.
void CountAction(PlanCounts& counts, const Action& action);

struct Plan {
  std::shared_ptr<const DesiredState> desired;
  std::vector<Action> actions;  ///< sorted by key, at most one for a key; a survey ahead of its collection's tokens
  PlanCounts counts;

  /// Whether a pass would call the service.
  bool CallsService() const { return counts.create + counts.resolve > 0; }
};

/// Names the plan as nothing else does: the commit, the head that was `accepted` before, and what would be done to
/// which token, surveys left out. The same for plans that do the same, whenever they are made.
std::string PlanIdentity(const Plan& plan, const std::optional<CommitId>& accepted);

/// The one action that a key needs now, or nothing. Pure. Due times are in the action; they may lie in the future.
std::optional<Action> PlanKey(const TokenKey& key, const DesiredState& desired, const EntryState& state,
                              const PlanContext& context);

/// The actions of all keys that git declares or the ledger knows. Pure.
Plan MakePlan(std::shared_ptr<const DesiredState> desired, const LedgerView& ledger, const PlanContext& context);

}  // namespace tokensync
