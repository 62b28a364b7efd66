/// What surveys found, as the rows of `survey` and `unclaimed`. For this folder only.
#pragma once

#include <SQLiteCpp/Statement.h>

#include "columns.h"
#include "ports.h"

namespace SQLite {
class Database;
}

namespace tokensync {

/// The part of a checkpoint that surveys make.
struct SurveyRows {
  std::map<CollectionKey, TimePoint> surveyed;
  std::map<CollectionKey, std::set<TokenId>> unclaimed;

  static SurveyRows Of(const Checkpoint& checkpoint) { return {checkpoint.surveyed, checkpoint.unclaimed}; }
};

/// The statements that change the two tables.
class SurveyWriter {
 public:
  explicit SurveyWriter(SQLite::Database& database);

  /// Brings the tables from `before` to `after`, row by row where they differ.
  void Write(const SurveyRows& before, const SurveyRows& after);

 private:
  SQLite::Statement upsert_survey_;
  SQLite::Statement delete_survey_;
  SQLite::Statement insert_unclaimed_;
  SQLite::Statement delete_unclaimed_;
};

/// Throws RowError.
SurveyRows ReadSurveyRows(SQLite::Database& database);

/// Forgets all of it.
void DeleteSurveyRows(SQLite::Database& database);

}  // namespace tokensync
