/// Values of this program to SQL columns and back, strictly: a column holds the type that it should, or its row is not
/// ours. For the files of this folder only.
#pragma once

#include <SQLiteCpp/Statement.h>

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

#include "model.h"

namespace tokensync {

/// A row that this program cannot have written. what(): which column, and why; to go on after "a row whose ".
class RowError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Binds a value, or NULL. Texts and digests are not copied: they outlive the statement's execution.
void BindColumn(SQLite::Statement& statement, int index, std::int64_t value);
void BindColumn(SQLite::Statement& statement, int index, const std::string& value);
void BindColumn(SQLite::Statement& statement, int index, const Digest& value);
template <class Value>
void BindColumn(SQLite::Statement& statement, int index, const std::optional<Value>& value) {
  if (value) {
    BindColumn(statement, index, *value);
  } else {
    statement.bind(index);
  }
}

/// Reads a column of the present row. Throws RowError on another type, NULL where the value is not optional, an integer
/// beyond ±2^53, a text that is not UTF-8, a blob that is no digest.
void ReadColumn(SQLite::Statement& statement, int index, std::int64_t& value);
void ReadColumn(SQLite::Statement& statement, int index, std::string& value);
void ReadColumn(SQLite::Statement& statement, int index, Digest& value);
template <class Value>
void ReadColumn(SQLite::Statement& statement, int index, std::optional<Value>& value) {
  if (statement.isColumnNull(index)) {
    value.reset();
  } else {
    ReadColumn(statement, index, value.emplace());
  }
}

/// A column as a value.
template <class Value>
Value ColumnAs(SQLite::Statement& statement, int index) {
  Value value{};
  ReadColumn(statement, index, value);
  return value;
}

/// Lets go of what a statement holds (locks, the present row) at the end of a use, also when that ends by an exception.
class StatementUse {
 public:
  explicit StatementUse(SQLite::Statement& statement) : statement_(statement) {}
  ~StatementUse() { statement_.tryReset(); }
  StatementUse(const StatementUse&) = delete;
  StatementUse& operator=(const StatementUse&) = delete;

 private:
  SQLite::Statement& statement_;
};

/// Milliseconds since 1970, as the columns named …_ms hold them.
inline std::int64_t ToMs(TimePoint time) {
  return time.time_since_epoch().count();
}
inline TimePoint FromMs(std::int64_t ms) {
  return TimePoint(Duration(ms));
}

/// A column that counts, as the number that it must fit into. Throws RowError, naming `what`.
std::uint32_t ToUint32(std::int64_t value, const char* what);
std::uint64_t ToUint64(std::int64_t value, const char* what);

/// A number on its way into a column. A programmer's error beyond 2^53.
std::int64_t FromUint64(std::uint64_t value);

/// A key from its columns. Throws RowError.
TokenKey ToTokenKey(std::int64_t project, std::int64_t collection, const std::string& token_id);

/// Ends the program where a caller broke the contract of this folder; `what` says how.
void Demand(bool kept, const char* what);

}  // namespace tokensync
