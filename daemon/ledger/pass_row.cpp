#include "pass_row.h"

#include <SQLiteCpp/Database.h>

#include <array>
#include <string>
#include <string_view>
#include <utility>

#include "survey_rows.h"
#include "text_limits.h"

namespace tokensync {

namespace {

constexpr std::array<std::string_view, 5> kResultNames = {"complete", "incomplete", "stopped", "environment", "denied"};

PassResult ToResult(std::string_view name) {
  for (std::size_t at = 0; at < kResultNames.size(); ++at) {
    if (kResultNames[at] == name) return static_cast<PassResult>(at);
  }
  throw RowError("result is unknown");
}

std::optional<std::string> TextOf(const std::optional<CommitId>& commit) {
  return commit ? std::optional(commit->hex) : std::nullopt;
}

std::optional<CommitId> ToCommitId(const std::optional<std::string>& text) {
  return text ? std::optional(CommitId{*text}) : std::nullopt;
}

}  // namespace

void WriteCheckpoint(SQLite::Statement& update, const Checkpoint& checkpoint) {
  const std::optional<std::string> head_seen = TextOf(checkpoint.head_seen);
  const std::optional<std::string> head_applied = TextOf(checkpoint.head_applied);
  const StatementUse use(update);
  BindColumn(update, 1, head_seen);
  BindColumn(update, 2, head_applied);
  BindColumn(update, 3, FromUint64(checkpoint.last_pass));
  BindColumn(update, 4, std::int64_t{checkpoint.failures_in_a_row});
  BindColumn(update, 5, checkpoint.distrusted_since ? std::optional(ToMs(*checkpoint.distrusted_since)) : std::nullopt);
  update.exec();
}

void WritePass(SQLite::Statement& upsert, const PassRecord& pass) {
  const std::string cause = FitText(pass.cause, kNameBytesMax);
  const std::optional<std::string> commit = pass.commit.hex.empty() ? std::nullopt : std::optional(pass.commit.hex);
  const std::string result(kResultNames.at(static_cast<std::size_t>(pass.result)));
  const std::optional<std::string> error =
      pass.error.empty() ? std::nullopt : std::optional(FitText(pass.error, kNoteBytesMax));
  const StatementUse use(upsert);
  BindColumn(upsert, 1, FromUint64(pass.pass));
  BindColumn(upsert, 2, cause);
  BindColumn(upsert, 3, ToMs(pass.started));
  BindColumn(upsert, 4, ToMs(pass.ended));
  BindColumn(upsert, 5, commit);
  BindColumn(upsert, 6, result);
  BindColumn(upsert, 7, FromUint64(pass.created));
  BindColumn(upsert, 8, FromUint64(pass.confirmed));
  BindColumn(upsert, 9, FromUint64(pass.reported));
  BindColumn(upsert, 10, FromUint64(pass.rejected));
  BindColumn(upsert, 11, FromUint64(pass.conflicting));
  BindColumn(upsert, 12, FromUint64(pass.unresolved));
  BindColumn(upsert, 13, FromUint64(pass.bad_manifests));
  BindColumn(upsert, 14, error);
  BindColumn(upsert, 15, FromUint64(pass.adopted));
  upsert.exec();
}

void ForgetPasses(SQLite::Statement& remove, std::uint64_t newest) {
  const StatementUse use(remove);
  BindColumn(remove, 1, FromUint64(newest) - kPassesKept);
  remove.exec();
}

Checkpoint ReadCheckpoint(SQLite::Database& database) {
  SQLite::Statement query(
      database, "SELECT head_seen, head_applied, last_pass, failures_in_a_row, distrusted_since_ms FROM runner");
  if (!query.executeStep()) throw RowError("id, 1, is missing from the table runner");
  const auto distrusted_since_ms = ColumnAs<std::optional<std::int64_t>>(query, 4);
  SurveyRows surveys = ReadSurveyRows(database);
  return Checkpoint{
      .head_seen = ToCommitId(ColumnAs<std::optional<std::string>>(query, 0)),
      .head_applied = ToCommitId(ColumnAs<std::optional<std::string>>(query, 1)),
      .last_pass = ToUint64(ColumnAs<std::int64_t>(query, 2), "last_pass"),
      .failures_in_a_row = ToUint32(ColumnAs<std::int64_t>(query, 3), "failures_in_a_row"),
      .surveyed = std::move(surveys.surveyed),
      .unclaimed = std::move(surveys.unclaimed),
      .distrusted_since = distrusted_since_ms ? std::optional(FromMs(*distrusted_since_ms)) : std::nullopt};
}

std::optional<PassRecord> ReadLastPass(SQLite::Database& database) {
  SQLite::Statement query(
      database,
      "SELECT pass, cause, started_ms, ended_ms, commit_id, result, created, confirmed, reported, "
      "rejected, conflicting, unresolved, bad_manifests, error, adopted FROM pass ORDER BY pass DESC LIMIT 1");
  if (!query.executeStep()) return std::nullopt;
  const auto count = [&](int column) {
    return ToUint64(ColumnAs<std::int64_t>(query, column), query.getColumnName(column));
  };
  return PassRecord{.pass = count(0),
                    .cause = ColumnAs<std::string>(query, 1),
                    .started = FromMs(ColumnAs<std::int64_t>(query, 2)),
                    .ended = FromMs(ColumnAs<std::int64_t>(query, 3)),
                    .commit = CommitId{ColumnAs<std::optional<std::string>>(query, 4).value_or("")},
                    .result = ToResult(ColumnAs<std::string>(query, 5)),
                    .created = count(6),
                    .confirmed = count(7),
                    .adopted = count(14),
                    .reported = count(8),
                    .rejected = count(9),
                    .conflicting = count(10),
                    .unresolved = count(11),
                    .bad_manifests = count(12),
                    .error = ColumnAs<std::optional<std::string>>(query, 13).value_or("")};
}

}  // namespace tokensync
