#include "event_columns.h"

#include <fmt/format.h>

#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

namespace tokensync {

namespace {

/// Both directions by one list of fields for each event: `EachField` names an event's members one by one, and a
/// visitor writes or reads them.
template <class Visitor>
void EachField(CreateIntended& event, Visitor& visit) {
  visit.Value(event.digest, &EventColumns::digest);
  visit.Value(event.attempt, &EventColumns::attempt);
  visit.Value(event.at, &EventColumns::at_ms);
}
template <class Visitor>
void EachField(TokenExisted& event, Visitor& visit) {
  visit.Value(event.at, &EventColumns::at_ms);
  visit.Value(event.due, &EventColumns::due_ms);
}
template <class Visitor>
void EachField(CreateNotDone& event, Visitor& visit) {
  visit.Value(event.due, &EventColumns::due_ms);
  visit.Value(event.attempt_spent, &EventColumns::spent);
}
template <class Visitor>
void EachField(CreateLost& event, Visitor& visit) {
  visit.Value(event.at, &EventColumns::at_ms);
  visit.Value(event.due, &EventColumns::due_ms);
}
template <class Visitor>
void EachField(RunInterrupted& event, Visitor& visit) {
  visit.Value(event.at, &EventColumns::at_ms);
}
template <class Visitor>
void EachField(ReadDifferent& event, Visitor& visit) {
  visit.Value(event.remote, &EventColumns::digest);
}
template <class Visitor>
void EachField(ReadAbsent& event, Visitor& visit) {
  visit.Value(event.due, &EventColumns::due_ms);
  visit.Value(event.settled, &EventColumns::settled);
}
template <class Visitor>
void EachField(ReadFailed& event, Visitor& visit) {
  visit.Value(event.due, &EventColumns::due_ms);
}
template <class Visitor>
void EachField(DriftReported& event, Visitor& visit) {
  visit.Value(event.drift, &EventColumns::drift);
}
template <class Visitor>
void EachField(ConflictReopened& event, Visitor& visit) {
  visit.Value(event.digest, &EventColumns::digest);
  visit.Value(event.at, &EventColumns::at_ms);
}
template <class Visitor>
void EachField(ReadUnsettled& event, Visitor& visit) {
  visit.Value(event.due, &EventColumns::due_ms);
}
template <class Visitor>
void EachField(TokenAdopted& event, Visitor& visit) {
  visit.Value(event.digest, &EventColumns::digest);
}
template <class Visitor>
void EachField(TokenFound& event, Visitor& visit) {
  visit.Value(event.digest, &EventColumns::digest);
  visit.Value(event.at, &EventColumns::at_ms);
}
template <class Visitor>
void EachField(ClockSetBack& event, Visitor& visit) {
  visit.Value(event.at, &EventColumns::at_ms);
}
/// The other events say all by their name. An event that gets a member must not fall through to here.
template <class Alternative, class Visitor>
void EachField(Alternative&, Visitor&) {
  static_assert(std::is_empty_v<Alternative>);
}

using OptionalInteger = std::optional<std::int64_t>;

struct Writer {
  EventColumns& columns;

  void Value(const Digest& value, std::optional<Digest> EventColumns::*column) { columns.*column = value; }
  void Value(TimePoint value, OptionalInteger EventColumns::*column) { columns.*column = ToMs(value); }
  void Value(std::uint32_t value, OptionalInteger EventColumns::*column) { columns.*column = value; }
  void Value(bool value, OptionalInteger EventColumns::*column) { columns.*column = value ? 1 : 0; }
  void Value(const Drift& value, std::optional<std::string> EventColumns::*column) {
    columns.*column = value.declared ? "changed" : "removed";
    columns.digest = value.declared;
  }
};

struct Reader {
  const EventColumns& columns;

  template <class Stored>
  const Stored& Need(std::optional<Stored> EventColumns::*column) const {
    if (!(columns.*column)) throw RowError(fmt::format("event {} lacks a value", columns.event));
    return *(columns.*column);
  }
  void Value(Digest& value, std::optional<Digest> EventColumns::*column) const { value = Need(column); }
  void Value(TimePoint& value, OptionalInteger EventColumns::*column) const { value = FromMs(Need(column)); }
  void Value(std::uint32_t& value, OptionalInteger EventColumns::*column) const {
    value = ToUint32(Need(column), "event_attempt");
  }
  void Value(bool& value, OptionalInteger EventColumns::*column) const { value = Need(column) != 0; }
  void Value(Drift& value, std::optional<std::string> EventColumns::*column) const {
    Need(column);
    value.declared = columns.digest;
  }
};

/// An empty event of the alternative with that name.
template <std::size_t Index = 0>
Event AlternativeNamed(std::string_view name) {
  if constexpr (Index == std::variant_size_v<Event>) {
    throw RowError("event is unknown");
  } else {
    Event event{std::in_place_index<Index>};
    return EventName(event) == name ? event : AlternativeNamed<Index + 1>(name);
  }
}

}  // namespace

EventColumns ToColumns(const Event& event) {
  EventColumns columns;
  columns.event = EventName(event);
  Writer writer{columns};
  Event copy = event;
  std::visit([&](auto& alternative) { EachField(alternative, writer); }, copy);
  return columns;
}

Event FromColumns(const EventColumns& columns) {
  Event event = AlternativeNamed(columns.event);
  Reader reader{columns};
  std::visit([&](auto& alternative) { EachField(alternative, reader); }, event);
  if (ToColumns(event) != columns) throw RowError(fmt::format("event {} has a value too many", columns.event));
  return event;
}

}  // namespace tokensync
