#include "columns.h"

#include <SQLiteCpp/Column.h>
#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string_view>

#include "text_limits.h"

namespace tokensync {

namespace {

/// What the log's hashes, computed over doubles, tell apart.
constexpr auto kIntegerMax = static_cast<std::int64_t>(kSafeIntegerMax);

[[noreturn]] void Refuse(SQLite::Statement& statement, int index, const char* why) {
  throw RowError(fmt::format("{} {}", statement.getColumnName(index), why));
}

}  // namespace

void BindColumn(SQLite::Statement& statement, int index, std::int64_t value) {
  Demand(value >= -kIntegerMax && value <= kIntegerMax, "a number or time beyond 2^53 was given to the ledger");
  statement.bind(index, value);
}

void BindColumn(SQLite::Statement& statement, int index, const std::string& value) {
  statement.bindNoCopy(index, value);
}

void BindColumn(SQLite::Statement& statement, int index, const Digest& value) {
  statement.bindNoCopy(index, value.bytes.data(), static_cast<int>(value.bytes.size()));
}

void ReadColumn(SQLite::Statement& statement, int index, std::int64_t& value) {
  const SQLite::Column column = statement.getColumn(index);
  if (!column.isInteger()) Refuse(statement, index, "is not an integer");
  value = column.getInt64();
  if (value < -kIntegerMax || value > kIntegerMax) Refuse(statement, index, "is beyond 2^53");
}

void ReadColumn(SQLite::Statement& statement, int index, std::string& value) {
  const SQLite::Column column = statement.getColumn(index);
  if (!column.isText()) Refuse(statement, index, "is not a text");
  const char* text = column.getText();
  value.assign(text, static_cast<std::size_t>(column.getBytes()));
  if (!IsValidUtf8(value)) Refuse(statement, index, "is not UTF-8");
}

void ReadColumn(SQLite::Statement& statement, int index, Digest& value) {
  const SQLite::Column column = statement.getColumn(index);
  if (!column.isBlob() || column.getBytes() != static_cast<int>(value.bytes.size())) {
    Refuse(statement, index, "is not a SHA-256");
  }
  std::memcpy(value.bytes.data(), column.getBlob(), value.bytes.size());
}

std::uint32_t ToUint32(std::int64_t value, const char* what) {
  if (value < 0 || value > std::numeric_limits<std::uint32_t>::max()) {
    throw RowError(fmt::format("{} is out of range", what));
  }
  return static_cast<std::uint32_t>(value);
}

std::uint64_t ToUint64(std::int64_t value, const char* what) {
  if (value < 0) throw RowError(fmt::format("{} is out of range", what));
  return static_cast<std::uint64_t>(value);
}

std::int64_t FromUint64(std::uint64_t value) {
  Demand(value <= kSafeIntegerMax, "a number beyond 2^53 was given to the ledger");
  return static_cast<std::int64_t>(value);
}

TokenKey ToTokenKey(std::int64_t project, std::int64_t collection, const std::string& token_id) {
  auto token = TokenId::Parse(token_id);
  if (!token) throw RowError("token_id is no token id");
  return TokenKey{ProjectId{ToUint64(project, "project")}, CollectionId{ToUint64(collection, "collection")},
                  *std::move(token)};
}

void Demand(bool kept, const char* what) {
  if (kept) return;
  std::fprintf(stderr, "tokensyncd: defect: %s\n", what);
  std::abort();
}

}  // namespace tokensync
