// The whole of Advance as a table: every state against every event, and where it leads. What is not in the table cannot
// happen.
#include "state.h"

#include <catch2/catch.hpp>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "samples.h"

using namespace tokensync;

namespace {

const Digest kOurs = SampleDigest(1);
const Digest kOther = SampleDigest(2);
const Drift kChanged{.declared = kOther};
const Drift kRemoved{};

using Named = std::pair<std::string, EntryState>;

// Every alternative, once for each way in which its fields decide something.
const std::vector<Named> kStates = {
    {"none", None{}},
    {"pending", Pending{.digest = kOurs, .attempts = 2, .due = At(10)}},
    {"submitting", Submitting{.digest = kOurs, .attempt = 3, .since = At(20)}},
    {"submitting again", Submitting{.digest = kOurs, .attempt = 3, .since = At(20), .unknown_since = At(5)}},
    {"uncertain", Uncertain{.digest = kOurs, .attempt = 3, .since = At(20), .due = At(30), .readings = 4}},
    {"uncertain, exists",
     Uncertain{.digest = kOurs, .attempt = 3, .since = At(20), .due = At(30), .readings = 4, .exists = true}},
    {"uncertain, absent once",
     Uncertain{.digest = kOurs, .attempt = 3, .since = At(20), .due = At(30), .readings = 4, .absent_readings = 1}},
    {"confirmed", Confirmed{.digest = kOurs}},
    {"confirmed, drift", Confirmed{.digest = kOurs, .drift = kChanged}},
    {"rejected", Rejected{.digest = kOurs, .attempts = 4}},
    {"conflicting", Conflicting{.digest = kOurs, .remote = kOther}},
    {"conflicting, unread", Conflicting{.digest = kOurs}},
    {"conflicting, drift", Conflicting{.digest = kOurs, .remote = kOther, .drift = kRemoved}},
};

const std::vector<std::pair<std::string, Event>> kEvents = {
    {"intended, same digest", CreateIntended{.digest = kOurs, .attempt = 7, .at = At(100)}},
    {"intended, other digest", CreateIntended{.digest = kOther, .attempt = 1, .at = At(100)}},
    {"created", TokenCreated{}},
    {"existed", TokenExisted{.at = At(100), .due = At(110)}},
    {"assumed ours", TokenAssumedOurs{}},
    {"refused", CreateRefused{}},
    {"not done, spent", CreateNotDone{.due = At(110), .attempt_spent = true}},
    {"not done, not spent", CreateNotDone{.due = At(110), .attempt_spent = false}},
    {"lost", CreateLost{.at = At(100), .due = At(110)}},
    {"interrupted", RunInterrupted{.at = At(100)}},
    {"equal", ReadEqual{}},
    {"different", ReadDifferent{.remote = kOther}},
    {"absent, unsettled", ReadAbsent{.due = At(110), .settled = false}},
    {"absent, settled", ReadAbsent{.due = At(110), .settled = true}},
    {"read failed", ReadFailed{.due = At(110)}},
    {"unreadable", ExistenceUnreadable{}},
    {"drift, changed", DriftReported{.drift = kChanged}},
    {"drift, removed", DriftReported{.drift = kRemoved}},
    {"drift settled", DriftSettled{}},
    {"reopened", ConflictReopened{.digest = kOther, .at = At(100)}},
    {"withdrawn", EntryWithdrawn{}},
    {"different, unsettled", ReadUnsettled{.due = At(110)}},
    {"adopted", TokenAdopted{.digest = kOther}},
    {"found", TokenFound{.digest = kOther, .at = At(100)}},
    {"clock set back", ClockSetBack{.at = At(100)}},
};

const EntryState kSentOurs = Submitting{.digest = kOurs, .attempt = 7, .since = At(100)};
const EntryState kSentOther = Submitting{.digest = kOther, .attempt = 1, .since = At(100)};
const EntryState kSentAgain = Submitting{.digest = kOurs, .attempt = 7, .since = At(100), .unknown_since = At(20)};
const EntryState kIsOurs = Confirmed{.digest = kOurs};
const EntryState kConflict = Conflicting{.digest = kOurs, .remote = kOther};
const EntryState kAdopted = Confirmed{.digest = kOther};
const EntryState kReopened = Uncertain{.digest = kOther, .since = At(100), .due = At(100), .exists = true};

Uncertain ReadAgain(std::uint32_t absent_readings, bool exists = false) {
  return {.digest = kOurs,
          .attempt = 3,
          .since = At(20),
          .due = At(110),
          .readings = 5,
          .absent_readings = absent_readings,
          .exists = exists};
}

Uncertain Lost(TimePoint due, bool exists = false) {
  return {.digest = kOurs, .attempt = 3, .since = At(100), .due = due, .exists = exists};
}

Uncertain DoubtBegun(bool exists = false) {
  return {.digest = kOurs, .attempt = 3, .since = At(100), .due = At(100), .readings = 4, .exists = exists};
}

Uncertain StillUnknown(std::uint32_t attempt) {
  return {.digest = kOurs, .attempt = attempt, .since = At(5), .due = At(110)};
}

const std::map<std::pair<std::string, std::string>, EntryState> kTable = {
    {{"none", "intended, same digest"}, kSentOurs},
    {{"none", "intended, other digest"}, kSentOther},
    {{"none", "adopted"}, kAdopted},
    {{"none", "found"}, kReopened},

    {{"pending", "intended, same digest"}, kSentOurs},
    {{"pending", "intended, other digest"}, kSentOther},
    {{"pending", "withdrawn"}, None{}},
    {{"pending", "adopted"}, kAdopted},
    {{"pending", "found"}, kReopened},
    {{"pending", "clock set back"}, Pending{.digest = kOurs, .attempts = 2, .due = At(100)}},

    {{"submitting", "created"}, kIsOurs},
    {{"submitting", "existed"}, Lost(At(110), true)},
    {{"submitting", "refused"}, Rejected{.digest = kOurs, .attempts = 3}},
    {{"submitting", "not done, spent"}, Pending{.digest = kOurs, .attempts = 3, .due = At(110)}},
    {{"submitting", "not done, not spent"}, Pending{.digest = kOurs, .attempts = 2, .due = At(110)}},
    {{"submitting", "lost"}, Lost(At(110))},
    {{"submitting", "interrupted"}, Lost(At(100))},

    {{"submitting again", "created"}, kIsOurs},
    {{"submitting again", "existed"}, Lost(At(110), true)},
    {{"submitting again", "assumed ours"}, kIsOurs},
    {{"submitting again", "refused"}, Rejected{.digest = kOurs, .attempts = 3}},
    {{"submitting again", "not done, spent"}, StillUnknown(3)},
    {{"submitting again", "not done, not spent"}, StillUnknown(2)},
    {{"submitting again", "lost"}, Lost(At(110))},
    {{"submitting again", "interrupted"}, Lost(At(100))},

    {{"uncertain", "intended, same digest"}, kSentAgain},
    {{"uncertain", "equal"}, kIsOurs},
    {{"uncertain", "different"}, kConflict},
    {{"uncertain", "absent, unsettled"}, ReadAgain(0)},
    {{"uncertain", "absent, settled"}, ReadAgain(1)},
    {{"uncertain", "read failed"}, ReadAgain(0)},
    {{"uncertain", "different, unsettled"}, ReadAgain(0)},
    {{"uncertain", "clock set back"}, DoubtBegun()},

    {{"uncertain, exists", "intended, same digest"}, kSentAgain},
    {{"uncertain, exists", "equal"}, kIsOurs},
    {{"uncertain, exists", "different"}, kConflict},
    {{"uncertain, exists", "absent, unsettled"}, ReadAgain(0, true)},
    {{"uncertain, exists", "absent, settled"}, ReadAgain(1, true)},
    {{"uncertain, exists", "read failed"}, ReadAgain(0, true)},
    {{"uncertain, exists", "different, unsettled"}, ReadAgain(0, true)},
    {{"uncertain, exists", "clock set back"}, DoubtBegun(true)},
    {{"uncertain, exists", "unreadable"}, Conflicting{.digest = kOurs}},

    {{"uncertain, absent once", "intended, same digest"}, kSentAgain},
    {{"uncertain, absent once", "equal"}, kIsOurs},
    {{"uncertain, absent once", "different"}, kConflict},
    {{"uncertain, absent once", "absent, unsettled"}, ReadAgain(1)},
    {{"uncertain, absent once", "absent, settled"}, Pending{.digest = kOurs, .attempts = 3, .due = At(110)}},
    {{"uncertain, absent once", "read failed"}, ReadAgain(1)},
    {{"uncertain, absent once", "different, unsettled"}, ReadAgain(1)},
    {{"uncertain, absent once", "clock set back"}, DoubtBegun()},

    {{"confirmed", "drift, changed"}, Confirmed{.digest = kOurs, .drift = kChanged}},
    {{"confirmed", "drift, removed"}, Confirmed{.digest = kOurs, .drift = kRemoved}},

    {{"confirmed, drift", "drift, changed"}, Confirmed{.digest = kOurs, .drift = kChanged}},
    {{"confirmed, drift", "drift, removed"}, Confirmed{.digest = kOurs, .drift = kRemoved}},
    {{"confirmed, drift", "drift settled"}, kIsOurs},

    {{"rejected", "intended, same digest"}, kSentOurs},
    {{"rejected", "intended, other digest"}, kSentOther},
    {{"rejected", "withdrawn"}, None{}},
    {{"rejected", "adopted"}, kAdopted},
    {{"rejected", "found"}, kReopened},

    {{"conflicting", "drift, changed"}, Conflicting{.digest = kOurs, .remote = kOther, .drift = kChanged}},
    {{"conflicting", "drift, removed"}, Conflicting{.digest = kOurs, .remote = kOther, .drift = kRemoved}},
    {{"conflicting", "reopened"}, kReopened},

    {{"conflicting, unread", "drift, changed"}, Conflicting{.digest = kOurs, .drift = kChanged}},
    {{"conflicting, unread", "drift, removed"}, Conflicting{.digest = kOurs, .drift = kRemoved}},
    {{"conflicting, unread", "reopened"}, kReopened},

    {{"conflicting, drift", "drift, changed"}, Conflicting{.digest = kOurs, .remote = kOther, .drift = kChanged}},
    {{"conflicting, drift", "drift, removed"}, Conflicting{.digest = kOurs, .remote = kOther, .drift = kRemoved}},
    {{"conflicting, drift", "drift settled"}, kConflict},
    {{"conflicting, drift", "reopened"}, kReopened},
};

}  // namespace

TEST_CASE("each state goes where the table says on each event, and nowhere on every other") {
  std::size_t used = 0;
  for (const auto& [state_name, state] : kStates) {
    for (const auto& [event_name, event] : kEvents) {
      INFO(state_name << " <- " << event_name);
      const auto expected = kTable.find({state_name, event_name});
      const std::optional<EntryState> after = Advance(state, event);
      REQUIRE(after.has_value() == (expected != kTable.end()));
      if (!after) continue;
      ++used;
      CHECK(*after == expected->second);
    }
  }
  CHECK(used == kTable.size());
}

TEST_CASE("the table tries every state and every event there is") {
  std::map<std::size_t, std::string> states;
  for (const auto& [name, state] : kStates) states.emplace(state.index(), name);
  CHECK(states.size() == std::variant_size_v<EntryState>);
  std::map<std::size_t, std::string> events;
  for (const auto& [name, event] : kEvents) events.emplace(event.index(), name);
  CHECK(events.size() == std::variant_size_v<Event>);
}

TEST_CASE("every state and event has a name of its own") {
  std::map<std::string_view, std::size_t> states;
  for (const auto& [name, state] : kStates) {
    CHECK(states.emplace(StateName(state), state.index()).first->second == state.index());
    CHECK(name.rfind(StateName(state), 0) == 0);
  }
  CHECK(states.size() == std::variant_size_v<EntryState>);
  std::map<std::string_view, std::size_t> events;
  for (const auto& [name, event] : kEvents) {
    CHECK(events.emplace(EventName(event), event.index()).first->second == event.index());
  }
  CHECK(events.size() == std::variant_size_v<Event>);
}

TEST_CASE("a state is about its digest, and none about nothing") {
  for (const auto& [name, state] : kStates) {
    INFO(name);
    if (std::holds_alternative<None>(state)) {
      CHECK_FALSE(DigestOf(state));
    } else {
      CHECK(DigestOf(state) == kOurs);
    }
  }
}

TEST_CASE("nothing but a reading, a confirmation or a repetition ends the doubt about a lost call") {
  for (const auto& [name, event] : kEvents) {
    const auto after = Advance(kStates[4].second, event);
    if (!after || std::holds_alternative<Uncertain>(*after)) continue;
    INFO(name);
    CHECK((std::holds_alternative<ReadEqual>(event) || std::holds_alternative<ReadDifferent>(event) ||
           std::holds_alternative<CreateIntended>(event)));
  }
}
