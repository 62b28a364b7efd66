#include "planner.h"

#include <algorithm>
#include <array>

#include "overloaded.h"

namespace tokensync {

namespace {

using Next = std::optional<Action>;

/// What git says of a key: an entry, surely nothing, or nothing that can be relied on.
struct Declaration {
  const Entry* entry = nullptr;
  bool held = false;

  bool Absent() const { return entry == nullptr && !held; }
  bool Says(const Digest& digest) const { return entry != nullptr && entry->digest == digest; }
};

Declaration DeclarationOf(const TokenKey& key, const DesiredState& desired) {
  Declaration declaration{.entry = desired.Find(key)};
  // The key could be in a file that cannot be read, whichever file it was in before: absence is never inferred from
  // failure.
  declaration.held = declaration.entry == nullptr && (!desired.unreadable.empty() || desired.IsAmbiguous(key));
  return declaration;
}

Next CompareWith(const TokenKey& key, const Declaration& git) {
  return Resolve{.key = key, .entry = git.entry, .digest = git.entry->digest, .reopen = true};
}

/// A create, or a comparison where it is known that the token exists.
Next CreateAt(const TokenKey& key, const Declaration& git, std::uint32_t attempt, TimePoint due,
              const PlanContext& context) {
  if (context.unclaimed != nullptr) {
    const auto tokens = context.unclaimed->find(key.Collection());
    if (tokens != context.unclaimed->end() && tokens->second.contains(key.token)) return CompareWith(key, git);
  }
  return Create{.key = key, .entry = git.entry, .attempt = attempt, .due = due};
}

Next ReportOf(const TokenKey& key, const Declaration& git, ReportKind kind, const Digest& recorded) {
  return Report{.key = key, .entry = git.entry, .kind = kind, .recorded = recorded};
}

/// The report that is owed for a recorded token, given what was reported last.
Next ReportDrift(const TokenKey& key, const Declaration& git, const Digest& recorded,
                 const std::optional<Drift>& reported) {
  if (git.held) return std::nullopt;
  if (git.Says(recorded)) {
    return reported ? ReportOf(key, git, ReportKind::kSettled, recorded) : std::nullopt;
  }
  Drift drift;
  if (git.entry != nullptr) drift.declared = git.entry->digest;
  if (reported == drift) return std::nullopt;
  return ReportOf(key, git, git.entry != nullptr ? ReportKind::kChanged : ReportKind::kRemoved, recorded);
}

Next ForState(const TokenKey& key, const Declaration& git, const None&, const PlanContext& context) {
  return git.entry != nullptr ? CreateAt(key, git, 1, TimePoint{}, context) : std::nullopt;
}

Next ForState(const TokenKey& key, const Declaration& git, const Pending& state, const PlanContext& context) {
  if (git.Says(state.digest)) return CreateAt(key, git, state.attempts + 1, state.due, context);
  if (git.entry != nullptr) return CreateAt(key, git, 1, TimePoint{}, context);
  return git.Absent() ? ReportOf(key, git, ReportKind::kWithdrawn, state.digest) : std::nullopt;
}

Next ForState(const TokenKey& key, const Declaration& git, const Submitting& state, const PlanContext& context) {
  return Resolve{.key = key,
                 .entry = git.entry,
                 .digest = state.digest,
                 .attempt = state.attempt,
                 .due = TimePoint{},
                 .by = context.can_read ? ResolveBy::kReading : ResolveBy::kResending};
}

Next ForState(const TokenKey& key, const Declaration& git, const Uncertain& state, const PlanContext& context) {
  Resolve resolve{.key = key, .entry = git.entry, .digest = state.digest, .attempt = state.attempt, .due = state.due};
  if (!context.can_read) {
    resolve.by = state.exists ? ResolveBy::kConcluding : ResolveBy::kResending;
    // A call that is still on its way must not meet its own repetition.
    if (resolve.by == ResolveBy::kResending)
      resolve.due = std::max(state.due, std::max(state.since, context.running_since) + context.settling);
  }
  return resolve;
}

Next ForState(const TokenKey& key, const Declaration& git, const Confirmed& state, const PlanContext&) {
  return ReportDrift(key, git, state.digest, state.drift);
}

Next ForState(const TokenKey& key, const Declaration& git, const Rejected& state, const PlanContext& context) {
  if (git.entry != nullptr && !git.Says(state.digest)) return CreateAt(key, git, 1, TimePoint{}, context);
  return git.Absent() ? ReportOf(key, git, ReportKind::kWithdrawn, state.digest) : std::nullopt;
}

Next ForState(const TokenKey& key, const Declaration& git, const Conflicting& state, const PlanContext& context) {
  if (git.entry != nullptr && !git.Says(state.digest) && context.can_read) {
    return CompareWith(key, git);
  }
  return ReportDrift(key, git, state.digest, state.drift);
}

void Count(PlanCounts& counts, const Declaration& git, const EntryState& state, const Next& action) {
  if (action) {
    CountAction(counts, *action);
    if (!std::holds_alternative<Report>(*action)) return;
  }
  if (git.held) {
    ++counts.held;
    return;
  }
  if (const auto* confirmed = std::get_if<Confirmed>(&state)) {
    ++(git.Says(confirmed->digest) ? counts.in_sync : counts.drifting);
  } else if (git.entry != nullptr && std::holds_alternative<Rejected>(state)) {
    ++counts.rejected;
  } else if (git.entry != nullptr && std::holds_alternative<Conflicting>(state)) {
    ++counts.conflicting;
  }
}

/// Each collection that is not cleared and has a call to make gets its survey. A resolution counts too: it can turn
/// into a create before the next plan is made.
void AddSurveys(Plan& plan, const std::set<CollectionKey>& cleared) {
  std::set<CollectionKey> missing;
  for (const Action& action : plan.actions) {
    if (std::holds_alternative<Report>(action)) continue;
    if (const CollectionKey collection = KeyOf(action).Collection(); !cleared.contains(collection)) {
      missing.insert(collection);
    }
  }
  for (const CollectionKey& collection : missing) {
    plan.actions.push_back(SurveyCollection{.key = TokenKey::OfCollection(collection)});
  }
  plan.counts.survey = missing.size();
  const auto by_key = [](const Action& a, const Action& b) { return KeyOf(a) < KeyOf(b); };
  const auto surveys = plan.actions.end() - static_cast<std::ptrdiff_t>(missing.size());
  std::inplace_merge(plan.actions.begin(), surveys, plan.actions.end(), by_key);
}

}  // namespace

const EntryState& LedgerView::StateOf(const TokenKey& key) const {
  static const EntryState kNone = None{};
  const auto found = entries_.find(key);
  return found == entries_.end() ? kNone : found->second;
}

void LedgerView::Set(const TokenKey& key, EntryState state) {
  if (std::holds_alternative<None>(state)) {
    entries_.erase(key);
  } else {
    entries_.insert_or_assign(key, std::move(state));
  }
}

const TokenKey& KeyOf(const Action& action) {
  return std::visit([](const auto& a) -> const TokenKey& { return a.key; }, action);
}

const Entry* EntryOf(const Action& action) {
  return std::visit(Overloaded{[](const SurveyCollection&) -> const Entry* { return nullptr; },
                               [](const auto& a) { return a.entry; }},
                    action);
}

std::string_view ActionName(const Action& action) {
  static constexpr std::array<std::string_view, std::variant_size_v<Action>> kNames = {"create", "resolve", "report",
                                                                                       "survey"};
  return kNames[action.index()];
}

std::string_view ReportName(ReportKind kind) {
  switch (kind) {
    case ReportKind::kChanged:
      return "changed";
    case ReportKind::kRemoved:
      return "removed";
    case ReportKind::kSettled:
      return "settled";
    case ReportKind::kWithdrawn:
      return "withdrawn";
  }
  return "";
}

void CountAction(PlanCounts& counts, const Action& action) {
  if (std::holds_alternative<Create>(action)) ++counts.create;
  if (std::holds_alternative<Resolve>(action)) ++counts.resolve;
  if (std::holds_alternative<SurveyCollection>(action)) ++counts.survey;
  const auto* report = std::get_if<Report>(&action);
  if (report == nullptr) return;
  switch (report->kind) {
    case ReportKind::kChanged:
      ++counts.changed;
      break;
    case ReportKind::kRemoved:
      ++counts.removed;
      break;
    case ReportKind::kSettled:
      ++counts.settled;
      break;
    case ReportKind::kWithdrawn:
      ++counts.withdrawn;
      break;
  }
}

std::string PlanIdentity(const Plan& plan, const std::optional<CommitId>& accepted) {
  std::string text = "commit " + plan.desired->commit.hex + "\nafter " + (accepted ? accepted->hex : "nothing") + "\n";
  for (const Action& action : plan.actions) {
    if (std::holds_alternative<SurveyCollection>(action)) continue;
    text += std::string(ActionName(action)) + " " + KeyOf(action).Text();
    if (const auto* report = std::get_if<Report>(&action)) text += " " + std::string(ReportName(report->kind));
    if (const auto* resolve = std::get_if<Resolve>(&action)) text += " " + resolve->digest.Hex();
    if (const Entry* entry = EntryOf(action)) text += " declared " + entry->digest.Hex();
    text += "\n";
  }
  return text;
}

std::optional<Action> PlanKey(const TokenKey& key, const DesiredState& desired, const EntryState& state,
                              const PlanContext& context) {
  const Declaration git = DeclarationOf(key, desired);
  return std::visit([&](const auto& current) { return ForState(key, git, current, context); }, state);
}

Plan MakePlan(std::shared_ptr<const DesiredState> desired, const LedgerView& ledger, const PlanContext& context) {
  Plan plan{.desired = std::move(desired), .actions = {}, .counts = {}};
  const auto add = [&](const TokenKey& key, const EntryState& state) {
    const Declaration git = DeclarationOf(key, *plan.desired);
    auto action = std::visit([&](const auto& current) { return ForState(key, git, current, context); }, state);
    Count(plan.counts, git, state, action);
    if (action) plan.actions.push_back(std::move(*action));
  };
  auto known = ledger.entries().begin();
  const auto known_end = ledger.entries().end();
  static const EntryState kNone = None{};
  for (const Entry& entry : plan.desired->entries) {
    for (; known != known_end && known->first < entry.key; ++known) add(known->first, known->second);
    if (known != known_end && known->first == entry.key) {
      add(known->first, known->second);
      ++known;
    } else {
      add(entry.key, kNone);
    }
  }
  for (; known != known_end; ++known) add(known->first, known->second);
  if (context.cleared != nullptr) AddSurveys(plan, *context.cleared);
  return plan;
}

}  // namespace tokensync
