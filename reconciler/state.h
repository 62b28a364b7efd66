/// What the ledger knows of a token, and what can happen to it. The state table of DESIGN.md, as types.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include "model.h"

namespace tokensync {

/// A difference between git and the service that is reported and otherwise left alone.
struct Drift {
  /// The digest that git declares now; empty when git no longer declares the token.
  std::optional<Digest> declared{};
  bool operator==(const Drift&) const = default;
};

/// Nothing is known: never sent, or withdrawn before it existed.
struct None {
  bool operator==(const None&) const = default;
};

/// To be sent (again); the token surely does not exist through us.
struct Pending {
  Digest digest{};
  std::uint32_t attempts = 0;  ///< calls that were spent on this digest
  TimePoint due{};             ///< not to be sent before
  bool operator==(const Pending&) const = default;
};

/// The intent is durable, and the call may be on its way. Found at a start: the run before ended in mid-call.
struct Submitting {
  Digest digest{};
  std::uint32_t attempt = 0;  ///< 1 for the first call
  TimePoint since{};
  /// Set when this call repeats one whose fate is not known, on a service that cannot be read: since when it is not.
  std::optional<TimePoint> unknown_since{};
  bool operator==(const Submitting&) const = default;
};

/// A call was sent and its effect is not known, or the service says that the token exists: to be read back.
struct Uncertain {
  Digest digest{};
  std::uint32_t attempt = 0;
  TimePoint since{};                  ///< when the call had surely ended on our side
  TimePoint due{};                    ///< not to be read before
  std::uint32_t readings = 0;         ///< readings so far, failed ones included
  std::uint32_t absent_readings = 0;  ///< settled readings that found nothing
  bool exists = false;                ///< the service refused the create because the token exists
  bool operator==(const Uncertain&) const = default;
};

/// The service holds what the digest says.
struct Confirmed {
  Digest digest{};
  std::optional<Drift> drift{};
  bool operator==(const Confirmed&) const = default;
};

/// The service refused this digest for good.
struct Rejected {
  Digest digest{};
  std::uint32_t attempts = 0;
  bool operator==(const Rejected&) const = default;
};

/// The service holds another token under this key. It is never overwritten unasked.
struct Conflicting {
  Digest digest{};                 ///< what we declared
  std::optional<Digest> remote{};  ///< what the service holds; empty where it cannot be read
  std::optional<Drift> drift{};    ///< reported since: git declares something else, or nothing
  bool operator==(const Conflicting&) const = default;
};

using EntryState = std::variant<None, Pending, Submitting, Uncertain, Confirmed, Rejected, Conflicting>;

/// "none", "pending", "submitting", "uncertain", "confirmed", "rejected", "conflicting": in SQL, logs and JSON.
std::string_view StateName(const EntryState& state);

/// The digest that the state is about; none for None.
std::optional<Digest> DigestOf(const EntryState& state);

// Events. Each is recorded in the log with the state that it leads to; folding the log gives the ledger.

/// The intent to send this digest was recorded; the call leaves after that.
struct CreateIntended {
  Digest digest{};
  std::uint32_t attempt = 0;
  TimePoint at{};
};
/// The service confirmed the create.
struct TokenCreated {};
/// The service says that the token exists already.
struct TokenExisted {
  TimePoint at{};
  TimePoint due{};
};
/// A repeated create was answered with "exists", by a service that cannot be read: taken for the one we had sent.
struct TokenAssumedOurs {};
/// The service refused the create for good.
struct CreateRefused {};
/// The call surely had no effect.
struct CreateNotDone {
  TimePoint due{};
  bool attempt_spent = true;
};
/// The call may have had an effect.
struct CreateLost {
  TimePoint at{};
  TimePoint due{};
};
/// A start found the entry in mid-call.
struct RunInterrupted {
  TimePoint at{};
};
/// Read back: what we declared is there.
struct ReadEqual {};
/// Read back: something else is there.
struct ReadDifferent {
  Digest remote{};
};
/// Read back: something else is there, and a late request can still be applied and replace it.
struct ReadUnsettled {
  TimePoint due{};
};
/// Read back: nothing is there. `settled`: no late request can be applied any more.
struct ReadAbsent {
  TimePoint due{};
  bool settled = false;
};
/// The reading gave no answer.
struct ReadFailed {
  TimePoint due{};
};
/// The service cannot be read and says that the token exists: its content is not known to be ours.
struct ExistenceUnreadable {};
/// Git differs from what the service holds; the policy is to report it.
struct DriftReported {
  Drift drift{};
};
/// Git agrees again with what was reported.
struct DriftSettled {};
/// A conflicting key is declared with a new text: to be read and compared with that.
struct ConflictReopened {
  Digest digest{};
  TimePoint at{};
};
/// Git no longer declares a token that was never created.
struct EntryWithdrawn {};
/// The collection was listed before anything was created in it, and holds the token as git declares it.
struct TokenAdopted {
  Digest digest{};
};
/// The collection was listed, and holds another token under this key: to be read and compared with the declared one.
struct TokenFound {
  Digest digest{};
  TimePoint at{};
};
/// The clock was set back, so that the entry would wait for a time that nobody meant: what it waits for begins anew.
struct ClockSetBack {
  TimePoint at{};
};

using Event =
    std::variant<CreateIntended, TokenCreated, TokenExisted, TokenAssumedOurs, CreateRefused, CreateNotDone, CreateLost,
                 RunInterrupted, ReadEqual, ReadDifferent, ReadAbsent, ReadFailed, ExistenceUnreadable, DriftReported,
                 DriftSettled, ConflictReopened, EntryWithdrawn, ReadUnsettled, TokenAdopted, TokenFound, ClockSetBack>;

/// "create-intended", "token-created", …: the event's name in SQL, logs and JSON.
std::string_view EventName(const Event& event);

/// Whether the event goes with a payload, that is with what is sent or compared from then on.
bool CarriesPayload(const Event& event);

/// Settled readings without a token that make an uncertain entry pending again.
inline constexpr std::uint32_t kAbsentReadingsNeeded = 2;

/// The state after `event`. Total: nothing where the event cannot happen in that state, which is a programmer's error
/// in a run and a broken log in an audit.
std::optional<EntryState> Advance(const EntryState& state, const Event& event);

}  // namespace tokensync
