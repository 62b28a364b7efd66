#include "survey_rows.h"

#include <SQLiteCpp/Database.h>

#include "entry_row.h"

namespace tokensync {

namespace {

void BindCollection(SQLite::Statement& statement, const CollectionKey& key) {
  BindColumn(statement, 1, FromUint64(key.project.value));
  BindColumn(statement, 2, FromUint64(key.collection.value));
}

CollectionKey ReadCollection(SQLite::Statement& query) {
  return {ProjectId{ToUint64(ColumnAs<std::int64_t>(query, 0), "project")},
          CollectionId{ToUint64(ColumnAs<std::int64_t>(query, 1), "collection")}};
}

/// Executes the statement for each token of `some` that `others` lacks.
void EachOnlyIn(const SurveyRows& some, const SurveyRows& others, SQLite::Statement& statement) {
  static const std::set<TokenId> kNone;
  for (const auto& [collection, tokens] : some.unclaimed) {
    const auto other = others.unclaimed.find(collection);
    const std::set<TokenId>& known = other == others.unclaimed.end() ? kNone : other->second;
    if (tokens == known) continue;
    for (const TokenId& token : tokens) {
      if (known.contains(token)) continue;
      const TokenKey key{collection.project, collection.collection, token};
      const StatementUse use(statement);
      BindKey(statement, 1, key);
      statement.exec();
    }
  }
}

}  // namespace

SurveyWriter::SurveyWriter(SQLite::Database& database)
    : upsert_survey_(database,
                     "INSERT INTO survey (project, collection, surveyed_ms) VALUES (?, ?, ?) "
                     "ON CONFLICT DO UPDATE SET surveyed_ms = excluded.surveyed_ms"),
      delete_survey_(database, "DELETE FROM survey WHERE project = ? AND collection = ?"),
      insert_unclaimed_(database,
                        "INSERT INTO unclaimed (project, collection, token_len, token_id) VALUES (?, ?, ?, ?)"),
      delete_unclaimed_(database,
                        "DELETE FROM unclaimed WHERE project = ? AND collection = ? AND token_len = ? AND "
                        "token_id = ?") {}

void SurveyWriter::Write(const SurveyRows& before, const SurveyRows& after) {
  for (const auto& [key, time] : after.surveyed) {
    const auto known = before.surveyed.find(key);
    if (known != before.surveyed.end() && known->second == time) continue;
    const StatementUse use(upsert_survey_);
    BindCollection(upsert_survey_, key);
    BindColumn(upsert_survey_, 3, ToMs(time));
    upsert_survey_.exec();
  }
  for (const auto& [key, time] : before.surveyed) {
    if (after.surveyed.contains(key)) continue;
    const StatementUse use(delete_survey_);
    BindCollection(delete_survey_, key);
    delete_survey_.exec();
  }
  EachOnlyIn(before, after, delete_unclaimed_);
  EachOnlyIn(after, before, insert_unclaimed_);
}

SurveyRows ReadSurveyRows(SQLite::Database& database) {
  SurveyRows rows;
  SQLite::Statement surveys(database, "SELECT project, collection, surveyed_ms FROM survey");
  while (surveys.executeStep()) {
    rows.surveyed.emplace(ReadCollection(surveys), FromMs(ColumnAs<std::int64_t>(surveys, 2)));
  }
  SQLite::Statement tokens(database, "SELECT project, collection, token_id FROM unclaimed");
  while (tokens.executeStep()) {
    const auto token = TokenId::Parse(ColumnAs<std::string>(tokens, 2));
    if (!token) throw RowError("token_id is no token id");
    rows.unclaimed[ReadCollection(tokens)].insert(*token);
  }
  return rows;
}

void DeleteSurveyRows(SQLite::Database& database) {
  database.exec("DELETE FROM survey");
  database.exec("DELETE FROM unclaimed");
}

}  // namespace tokensync
