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

constexpr std::array<std::string_view, 6> kResultNames = {"complete",    "incomplete", "stopped",
                                                          "environment", "denied",     "held"};

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

/// The columns of a held plan: all of them or none.
struct HeldColumns {
  std::optional<std::string> fingerprint, commit, why;
  std::optional<std::int64_t> since_ms, approved;

  explicit HeldColumns(const std::optional<HeldPlan>& held) {
    if (!held) return;
    fingerprint = held->fingerprint;
    commit = held->commit.hex;
    since_ms = ToMs(held->since);
    why = FitText(held->why, kNoteBytesMax);
    approved = held->approved ? 1 : 0;
  }
};

std::optional<HeldPlan> ReadHeldPlan(SQLite::Statement& query, int first) {
  auto fingerprint = ColumnAs<std::optional<std::string>>(query, first);
  if (!fingerprint) return std::nullopt;
  return HeldPlan{.fingerprint = *std::move(fingerprint),
                  .commit = CommitId{ColumnAs<std::string>(query, first + 1)},
                  .since = FromMs(ColumnAs<std::int64_t>(query, first + 2)),
                  .why = ColumnAs<std::string>(query, first + 3),
                  .approved = ColumnAs<std::int64_t>(query, first + 4) != 0};
}

std::optional<RefusedHead> ReadRefusedHead(SQLite::Statement& query, int first) {
  auto commit = ColumnAs<std::optional<std::string>>(query, first);
  if (!commit) return std::nullopt;
  return RefusedHead{.commit = CommitId{*std::move(commit)}, .why = ColumnAs<std::string>(query, first + 1)};
}

}  // namespace

void WriteCheckpoint(SQLite::Statement& update, const Checkpoint& checkpoint) {
  const std::optional<std::string> head_seen = TextOf(checkpoint.head_seen);
  const std::optional<std::string> head_applied = TextOf(checkpoint.head_applied);
  const std::optional<std::string> head_accepted = TextOf(checkpoint.head_accepted);
  const std::optional<std::string> head_vouched = TextOf(checkpoint.head_vouched);
  const HeldColumns held(checkpoint.held);
  std::optional<std::string> refused_commit, refused_why;
  if (checkpoint.refused) {
    refused_commit = checkpoint.refused->commit.hex;
    refused_why = FitText(checkpoint.refused->why, kNoteBytesMax);
  }
  const StatementUse use(update);
  BindColumn(update, 1, head_seen);
  BindColumn(update, 2, head_applied);
  BindColumn(update, 3, FromUint64(checkpoint.last_pass));
  BindColumn(update, 4, std::int64_t{checkpoint.failures_in_a_row});
  BindColumn(update, 5, checkpoint.distrusted_since ? std::optional(ToMs(*checkpoint.distrusted_since)) : std::nullopt);
  BindColumn(update, 6, head_accepted);
  BindColumn(update, 7, head_vouched);
  BindColumn(update, 8, held.fingerprint);
  BindColumn(update, 9, held.commit);
  BindColumn(update, 10, held.since_ms);
  BindColumn(update, 11, held.why);
  BindColumn(update, 12, held.approved);
  BindColumn(update, 13, refused_commit);
  BindColumn(update, 14, refused_why);
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
      database,
      "SELECT head_seen, head_applied, last_pass, failures_in_a_row, distrusted_since_ms, head_accepted, head_vouched, "
      "held_fingerprint, held_commit, held_since_ms, held_why, held_approved, refused_commit, refused_why FROM runner");
  if (!query.executeStep()) throw RowError("id, 1, is missing from the table runner");
  const auto distrusted_since_ms = ColumnAs<std::optional<std::int64_t>>(query, 4);
  SurveyRows surveys = ReadSurveyRows(database);
  return Checkpoint{
      .head_seen = ToCommitId(ColumnAs<std::optional<std::string>>(query, 0)),
      .head_applied = ToCommitId(ColumnAs<std::optional<std::string>>(query, 1)),
      .head_accepted = ToCommitId(ColumnAs<std::optional<std::string>>(query, 5)),
      .head_vouched = ToCommitId(ColumnAs<std::optional<std::string>>(query, 6)),
      .held = ReadHeldPlan(query, 7),
      .refused = ReadRefusedHead(query, 12),
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
