#include "state.h"

#include <array>

#include "overloaded.h"

namespace tokensync {

namespace {

using Next = std::optional<EntryState>;

/// After a call that surely had no effect: what was unknown before it stays unknown.
EntryState AfterNoEffect(const Submitting& state, const CreateNotDone& event) {
  const std::uint32_t spent = event.attempt_spent ? state.attempt : state.attempt - 1;
  if (state.unknown_since) {
    return Uncertain{.digest = state.digest, .attempt = spent, .since = *state.unknown_since, .due = event.due};
  }
  return Pending{.digest = state.digest, .attempts = spent, .due = event.due};
}

/// From a state in which the token surely does not exist through us.
Next FromNone(const Event& event) {
  if (const auto* e = std::get_if<CreateIntended>(&event)) {
    return Submitting{.digest = e->digest, .attempt = e->attempt, .since = e->at};
  }
  if (const auto* e = std::get_if<TokenAdopted>(&event)) return Confirmed{.digest = e->digest};
  if (const auto* e = std::get_if<TokenFound>(&event)) {
    return Uncertain{.digest = e->digest, .since = e->at, .due = e->at, .exists = true};
  }
  return std::nullopt;
}

Next From(const Pending& state, const Event& event) {
  if (std::holds_alternative<EntryWithdrawn>(event)) return None{};
  if (const auto* e = std::get_if<ClockSetBack>(&event)) {
    return Pending{.digest = state.digest, .attempts = state.attempts, .due = e->at};
  }
  return FromNone(event);
}

Next From(const Submitting& state, const Event& event) {
  return std::visit(
      Overloaded{
          [&](const TokenCreated&) -> Next { return Confirmed{.digest = state.digest}; },
          [&](const TokenExisted& e) -> Next {
            return Uncertain{
                .digest = state.digest, .attempt = state.attempt, .since = e.at, .due = e.due, .exists = true};
          },
          [&](const TokenAssumedOurs&) -> Next {
            if (!state.unknown_since) return std::nullopt;
            return Confirmed{.digest = state.digest};
          },
          [&](const CreateRefused&) -> Next { return Rejected{.digest = state.digest, .attempts = state.attempt}; },
          [&](const CreateNotDone& e) -> Next { return AfterNoEffect(state, e); },
          [&](const CreateLost& e) -> Next {
            return Uncertain{.digest = state.digest, .attempt = state.attempt, .since = e.at, .due = e.due};
          },
          [&](const RunInterrupted& e) -> Next {
            return Uncertain{.digest = state.digest, .attempt = state.attempt, .since = e.at, .due = e.at};
          },
          [](const auto&) -> Next { return std::nullopt; },
      },
      event);
}

Next From(const Uncertain& state, const Event& event) {
  const auto read_again_at = [&](TimePoint due) {
    Uncertain next = state;
    next.due = due;
    ++next.readings;
    return next;
  };
  return std::visit(
      Overloaded{
          [&](const ReadEqual&) -> Next { return Confirmed{.digest = state.digest}; },
          [&](const ReadDifferent& e) -> Next { return Conflicting{.digest = state.digest, .remote = e.remote}; },
          [&](const ReadAbsent& e) -> Next {
            Uncertain next = read_again_at(e.due);
            if (e.settled) ++next.absent_readings;
            if (next.absent_readings < kAbsentReadingsNeeded) return next;
            return Pending{.digest = state.digest, .attempts = state.attempt, .due = e.due};
          },
          [&](const ReadFailed& e) -> Next { return read_again_at(e.due); },
          [&](const ReadUnsettled& e) -> Next { return read_again_at(e.due); },
          [&](const ClockSetBack& e) -> Next {
            Uncertain next = state;
            next.since = next.due = e.at;
            next.absent_readings = 0;
            return next;
          },
          [&](const ExistenceUnreadable&) -> Next {
            if (!state.exists) return std::nullopt;
            return Conflicting{.digest = state.digest};
          },
          [&](const CreateIntended& e) -> Next {
            if (e.digest != state.digest) return std::nullopt;
            return Submitting{.digest = e.digest, .attempt = e.attempt, .since = e.at, .unknown_since = state.since};
          },
          [](const auto&) -> Next { return std::nullopt; },
      },
      event);
}

Next From(const Confirmed& state, const Event& event) {
  if (const auto* e = std::get_if<DriftReported>(&event)) return Confirmed{.digest = state.digest, .drift = e->drift};
  if (std::holds_alternative<DriftSettled>(event) && state.drift) return Confirmed{.digest = state.digest};
  return std::nullopt;
}

Next From(const Rejected&, const Event& event) {
  if (std::holds_alternative<EntryWithdrawn>(event)) return None{};
  return FromNone(event);
}

Next From(const Conflicting& state, const Event& event) {
  if (const auto* e = std::get_if<DriftReported>(&event)) {
    return Conflicting{.digest = state.digest, .remote = state.remote, .drift = e->drift};
  }
  if (std::holds_alternative<DriftSettled>(event) && state.drift) {
    return Conflicting{.digest = state.digest, .remote = state.remote};
  }
  if (const auto* e = std::get_if<ConflictReopened>(&event)) {
    return Uncertain{.digest = e->digest, .since = e->at, .due = e->at, .exists = true};
  }
  return std::nullopt;
}

Next From(const None&, const Event& event) {
  return FromNone(event);
}

}  // namespace

std::string_view StateName(const EntryState& state) {
  static constexpr std::array<std::string_view, std::variant_size_v<EntryState>> kNames = {
      "none", "pending", "submitting", "uncertain", "confirmed", "rejected", "conflicting"};
  return kNames[state.index()];
}

std::optional<Digest> DigestOf(const EntryState& state) {
  return std::visit(Overloaded{[](const None&) { return std::optional<Digest>(); },
                               [](const auto& known) { return std::optional<Digest>(known.digest); }},
                    state);
}

std::string_view EventName(const Event& event) {
  static constexpr std::array<std::string_view, std::variant_size_v<Event>> kNames = {
      "create-intended",   "token-created",   "token-existed",        "token-assumed-ours", "create-refused",
      "create-not-done",   "create-lost",     "run-interrupted",      "read-equal",         "read-different",
      "read-absent",       "read-failed",     "existence-unreadable", "drift-reported",     "drift-settled",
      "conflict-reopened", "entry-withdrawn", "read-unsettled",       "token-adopted",      "token-found",
      "clock-set-back"};
  return kNames[event.index()];
}

bool CarriesPayload(const Event& event) {
  return std::holds_alternative<CreateIntended>(event) || std::holds_alternative<ConflictReopened>(event) ||
         std::holds_alternative<TokenAdopted>(event) || std::holds_alternative<TokenFound>(event);
}

std::optional<EntryState> Advance(const EntryState& state, const Event& event) {
  return std::visit([&](const auto& current) { return From(current, event); }, state);
}

}  // namespace tokensync
