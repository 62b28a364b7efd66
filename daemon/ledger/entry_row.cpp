#include "entry_row.h"

#include <string>
#include <utility>
#include <variant>

namespace tokensync {

namespace {

using OptionalInteger = std::optional<std::int64_t>;

/// The columns that depend on the state, as they are stored.
struct StateColumns {
  std::string state;
  Digest digest;
  OptionalInteger attempt;
  OptionalInteger due_ms;
  OptionalInteger since_ms;
  OptionalInteger unknown_since_ms;
  OptionalInteger readings;
  OptionalInteger absent_readings;
  OptionalInteger known_to_exist;
  std::optional<Digest> remote_digest;
  std::optional<std::string> drift;
  std::optional<Digest> drift_digest;
  bool operator==(const StateColumns&) const = default;
};

void SetDrift(StateColumns& columns, const std::optional<Drift>& drift) {
  if (!drift) return;
  columns.drift = drift->declared ? "changed" : "removed";
  columns.drift_digest = drift->declared;
}

struct ToColumns {
  StateColumns& columns;

  void operator()(const None&) const { Demand(false, "an entry in state none was to be stored"); }
  void operator()(const Pending& state) const {
    columns.digest = state.digest;
    columns.attempt = state.attempts;
    columns.due_ms = ToMs(state.due);
  }
  void operator()(const Submitting& state) const {
    columns.digest = state.digest;
    columns.attempt = state.attempt;
    columns.since_ms = ToMs(state.since);
    if (state.unknown_since) columns.unknown_since_ms = ToMs(*state.unknown_since);
  }
  void operator()(const Uncertain& state) const {
    columns.digest = state.digest;
    columns.attempt = state.attempt;
    columns.since_ms = ToMs(state.since);
    columns.due_ms = ToMs(state.due);
    columns.readings = state.readings;
    columns.absent_readings = state.absent_readings;
    columns.known_to_exist = state.exists ? 1 : 0;
  }
  void operator()(const Confirmed& state) const {
    columns.digest = state.digest;
    SetDrift(columns, state.drift);
  }
  void operator()(const Rejected& state) const {
    columns.digest = state.digest;
    columns.attempt = state.attempts;
  }
  void operator()(const Conflicting& state) const {
    columns.digest = state.digest;
    columns.remote_digest = state.remote;
    SetDrift(columns, state.drift);
  }
};

StateColumns ColumnsOf(const EntryState& state) {
  StateColumns columns;
  columns.state = StateName(state);
  std::visit(ToColumns{columns}, state);
  return columns;
}

std::int64_t Need(const OptionalInteger& value, const char* column) {
  if (!value) throw RowError(std::string(column) + " is missing");
  return *value;
}

std::uint32_t NeedCount(const OptionalInteger& value, const char* column) {
  return ToUint32(Need(value, column), column);
}

std::optional<Drift> DriftOf(const StateColumns& columns) {
  if (!columns.drift) return std::nullopt;
  return Drift{.declared = columns.drift_digest};
}

struct FromColumns {
  const StateColumns& columns;

  EntryState operator()(const None&) const { throw RowError("state is none"); }
  EntryState operator()(const Pending&) const {
    return Pending{.digest = columns.digest,
                   .attempts = NeedCount(columns.attempt, "attempt"),
                   .due = FromMs(Need(columns.due_ms, "due_ms"))};
  }
  EntryState operator()(const Submitting&) const {
    Submitting state{.digest = columns.digest,
                     .attempt = NeedCount(columns.attempt, "attempt"),
                     .since = FromMs(Need(columns.since_ms, "since_ms")),
                     .unknown_since = std::nullopt};
    if (columns.unknown_since_ms) state.unknown_since = FromMs(*columns.unknown_since_ms);
    return state;
  }
  EntryState operator()(const Uncertain&) const {
    return Uncertain{.digest = columns.digest,
                     .attempt = NeedCount(columns.attempt, "attempt"),
                     .since = FromMs(Need(columns.since_ms, "since_ms")),
                     .due = FromMs(Need(columns.due_ms, "due_ms")),
                     .readings = NeedCount(columns.readings, "readings"),
                     .absent_readings = NeedCount(columns.absent_readings, "absent_readings"),
                     .exists = Need(columns.known_to_exist, "known_to_exist") != 0};
  }
  EntryState operator()(const Confirmed&) const {
    return Confirmed{.digest = columns.digest, .drift = DriftOf(columns)};
  }
  EntryState operator()(const Rejected&) const {
    return Rejected{.digest = columns.digest, .attempts = NeedCount(columns.attempt, "attempt")};
  }
  EntryState operator()(const Conflicting&) const {
    return Conflicting{.digest = columns.digest, .remote = columns.remote_digest, .drift = DriftOf(columns)};
  }
};

/// Values one behind the other, each with its length or absence ahead.
struct ByteWriter {
  std::string bytes;

  void Put(std::int64_t value) {
    for (int shift = 56; shift >= 0; shift -= 8) {
      bytes.push_back(static_cast<char>(static_cast<std::uint64_t>(value) >> shift & 0xFFU));
    }
  }
  void Put(const std::string& value) {
    Put(static_cast<std::int64_t>(value.size()));
    bytes += value;
  }
  void Put(const Digest& value) { bytes.append(value.bytes.begin(), value.bytes.end()); }
  template <class Value>
  void Put(const std::optional<Value>& value) {
    bytes.push_back(value ? '\1' : '\0');
    if (value) Put(*value);
  }
};

/// The columns behind the key, in the order of kEntryColumns.
template <class Visitor>
void EachColumn(const StateColumns& columns, const Visitor& visit) {
  visit(columns.state);
  visit(columns.digest);
  visit(columns.attempt);
  visit(columns.due_ms);
  visit(columns.since_ms);
  visit(columns.unknown_since_ms);
  visit(columns.readings);
  visit(columns.absent_readings);
  visit(columns.known_to_exist);
  visit(columns.remote_digest);
  visit(columns.drift);
  visit(columns.drift_digest);
}

/// An empty state of the alternative with that name.
template <std::size_t Index = 0>
EntryState AlternativeNamed(std::string_view name) {
  if constexpr (Index == std::variant_size_v<EntryState>) {
    throw RowError("state is unknown");
  } else {
    EntryState state{std::in_place_index<Index>};
    return StateName(state) == name ? state : AlternativeNamed<Index + 1>(name);
  }
}

}  // namespace

void BindKey(SQLite::Statement& statement, int first, const TokenKey& key) {
  BindColumn(statement, first, FromUint64(key.project.value));
  BindColumn(statement, first + 1, FromUint64(key.collection.value));
  BindColumn(statement, first + 2, static_cast<std::int64_t>(key.token.text().size()));
  BindColumn(statement, first + 3, key.token.text());
}

void WriteEntry(SQLite::Statement& upsert, const TokenKey& key, const EntryState& state) {
  const StateColumns columns = ColumnsOf(state);
  const StatementUse use(upsert);
  BindKey(upsert, 1, key);
  int index = 5;
  EachColumn(columns, [&](const auto& value) { BindColumn(upsert, index++, value); });
  upsert.exec();
}

std::string EntryBytes(const TokenKey& key, const EntryState& state) {
  const StateColumns columns = ColumnsOf(state);
  ByteWriter writer;
  writer.bytes.reserve(256);
  writer.Put(FromUint64(key.project.value));
  writer.Put(FromUint64(key.collection.value));
  writer.Put(key.token.text());
  EachColumn(columns, [&](const auto& value) { writer.Put(value); });
  return std::move(writer.bytes);
}

LedgerEntry ReadEntry(SQLite::Statement& query) {
  const TokenKey key =
      ToTokenKey(ColumnAs<std::int64_t>(query, 0), ColumnAs<std::int64_t>(query, 1), ColumnAs<std::string>(query, 3));
  StateColumns columns;
  ReadColumn(query, 4, columns.state);
  ReadColumn(query, 5, columns.digest);
  ReadColumn(query, 6, columns.attempt);
  ReadColumn(query, 7, columns.due_ms);
  ReadColumn(query, 8, columns.since_ms);
  ReadColumn(query, 9, columns.unknown_since_ms);
  ReadColumn(query, 10, columns.readings);
  ReadColumn(query, 11, columns.absent_readings);
  ReadColumn(query, 12, columns.known_to_exist);
  ReadColumn(query, 13, columns.remote_digest);
  ReadColumn(query, 14, columns.drift);
  ReadColumn(query, 15, columns.drift_digest);
  EntryState state = std::visit(FromColumns{columns}, AlternativeNamed(columns.state));
  // Whatever the row holds besides what its state has would be lost silently.
  if (ColumnsOf(state) != columns) throw RowError("columns do not fit its state");
  return LedgerEntry{key, std::move(state)};
}

}  // namespace tokensync
