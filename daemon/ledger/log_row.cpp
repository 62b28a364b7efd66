#include "log_row.h"

#include <limits>
#include <type_traits>
#include <utility>

#include "json.h"
#include "sha256.h"
#include "text_limits.h"

namespace tokensync {

namespace {

/// Every column of the log with its member, in one order for writing, reading and hashing: none can be forgotten in one
/// of them. `Row` is LogRow or const LogRow.
template <class Row, class Visitor>
void EachColumn(Row& row, Visitor&& visit) {
  visit("seq", row.seq);
  visit("time_ms", row.time_ms);
  visit("pass", row.pass);
  visit("project", row.project);
  visit("collection", row.collection);
  visit("token_id", row.token_id);
  visit("action", row.action);
  visit("event", row.event.event);
  visit("event_digest", row.event.digest);
  visit("event_attempt", row.event.attempt);
  visit("event_at_ms", row.event.at_ms);
  visit("event_due_ms", row.event.due_ms);
  visit("event_settled", row.event.settled);
  visit("event_spent", row.event.spent);
  visit("event_drift", row.event.drift);
  visit("state_after", row.state_after);
  visit("digest", row.digest);
  visit("other_digest", row.other_digest);
  visit("attempt", row.attempt);
  visit("commit_no", row.commit_no);
  visit("signer", row.signer);
  visit("actor", row.actor);
  visit("path", row.path);
  visit("line", row.line);
  visit("http_status", row.http_status);
  visit("error_name", row.error_name);
  visit("error_code", row.error_code);
  visit("message", row.message);
  visit("cause", row.cause);
  visit("duration_ms", row.duration_ms);
  visit("detail", row.detail);
  visit("prev_hash", row.prev_hash);
  visit("hash", row.hash);
}

/// `column` of each column's name, with commas.
template <class Column>
std::string ColumnList(Column&& column) {
  std::string list;
  const LogRow row;
  EachColumn(row, [&](std::string_view name, const auto&) {
    if (!list.empty()) list += ", ";
    list += column(name);
  });
  return list;
}

std::string ActionOf(NoticeKind kind) {
  switch (kind) {
    case NoticeKind::kHeadRefused:
    case NoticeKind::kHistoryRewritten:
      return "head";
    case NoticeKind::kPlanHeld:
    case NoticeKind::kPlanApproved:
      return "plan";
  }
  return "";
}

NoticeKind ToNoticeKind(std::string_view name) {
  for (int at = 0;; ++at) {
    const auto kind = static_cast<NoticeKind>(at);
    const std::string_view known = NoticeName(kind);
    if (known.empty()) throw RowError("event is that of no notice, though it names no token");
    if (known == name) return kind;
  }
}

JsonValue ToJson(std::int64_t value) {
  return static_cast<double>(value);
}
JsonValue ToJson(const std::string& value) {
  return value;
}
JsonValue ToJson(const Digest& value) {
  return value.Hex();
}

/// An absent text is NULL in the ledger, and empty in the program.
std::optional<std::string> Note(const std::string& text, std::size_t bytes_max) {
  if (text.empty()) return std::nullopt;
  return FitText(text, bytes_max);
}

std::optional<int> ToInt(const std::optional<std::int64_t>& value, const char* what) {
  if (!value) return std::nullopt;
  if (*value < std::numeric_limits<int>::min() || *value > std::numeric_limits<int>::max()) {
    throw RowError(std::string(what) + " is out of range");
  }
  return static_cast<int>(*value);
}

}  // namespace

Digest LogBeginning(const std::string& endpoint, std::int64_t created_ms) {
  return Sha256(CanonicalJson(JsonObject{
      {"created_ms", ToJson(created_ms)}, {"endpoint", endpoint}, {"log", "tokensyncd log, hashed as of layout 1"}}));
}

Digest HashOf(const LogRow& row) {
  JsonObject form;
  EachColumn(row, [&](const char* name, const auto& value) {
    if (std::string_view(name) == "hash") return;
    if constexpr (requires { value.has_value(); }) {
      if (value) form.emplace(name, ToJson(*value));
    } else {
      form.emplace(name, ToJson(value));
    }
  });
  if (row.commit) {
    form.emplace("commit_id", row.commit->id);
    form.emplace("commit_author", row.commit->author);
    form.emplace("commit_subject", row.commit->subject);
    form.emplace("commit_time_ms", ToJson(row.commit->time_ms));
  }
  return Sha256(CanonicalJson(std::move(form)));
}

LogRow ToLogRow(const Change& change) {
  const LogRecord& record = change.record;
  LogRow row;
  row.time_ms = ToMs(record.time);
  row.pass = FromUint64(record.pass);
  row.project = FromUint64(record.key.project.value);
  row.collection = FromUint64(record.key.collection.value);
  row.token_id = record.key.token.text();
  row.action = FitText(record.action, kNameBytesMax);
  row.event = ToColumns(change.event);
  row.state_after = StateName(change.after);
  row.digest = record.digest;
  row.other_digest = record.other_digest;
  row.attempt = record.attempt;
  row.signer = Note(record.signer, kNameBytesMax);
  row.path = Note(record.path, kPathBytesMax);
  row.line = record.line;
  row.http_status = record.answer.http_status;
  row.error_name = Note(record.answer.error_name, kNameBytesMax);
  row.error_code = record.answer.error_code;
  row.message = Note(record.answer.message, kNoteBytesMax);
  row.cause = Note(record.answer.cause, kNoteBytesMax);
  row.duration_ms = record.duration.count();
  row.detail = Note(record.detail, kNoteBytesMax);
  return row;
}

LogRow ToLogRow(const Notice& notice) {
  LogRow row;
  row.time_ms = ToMs(notice.time);
  row.pass = FromUint64(notice.pass);
  row.action = ActionOf(notice.kind);
  row.event.event = NoticeName(notice.kind);
  row.signer = Note(notice.signer, kNameBytesMax);
  row.actor = Note(notice.actor, kNameBytesMax);
  row.detail = Note(notice.detail, kNoteBytesMax);
  return row;
}

bool IsNotice(const LogRow& row) {
  const int absent = !row.project + !row.collection + !row.token_id + !row.state_after;
  if (absent != 0 && absent != 4) {
    throw RowError("project, collection, token_id and state_after are neither all there nor all absent");
  }
  return absent != 0;
}

TokenKey KeyOf(const LogRow& row) {
  if (IsNotice(row)) throw RowError("token_id is absent");
  return ToTokenKey(*row.project, *row.collection, *row.token_id);
}

LogRecord ToLogRecord(const LogRow& row) {
  LogRecord record{.time = FromMs(row.time_ms),
                   .pass = ToUint64(row.pass, "pass"),
                   .key = KeyOf(row),
                   .action = row.action,
                   .digest = row.digest,
                   .other_digest = row.other_digest,
                   .attempt = ToUint32(row.attempt, "attempt"),
                   .commit = nullptr,
                   .signer = row.signer.value_or(""),
                   .path = row.path.value_or(""),
                   .line = ToUint32(row.line, "line"),
                   .answer = {},
                   .duration = Duration(row.duration_ms),
                   .detail = row.detail.value_or("")};
  record.answer.http_status = ToInt(row.http_status, "http_status");
  record.answer.error_name = row.error_name.value_or("");
  record.answer.error_code = ToInt(row.error_code, "error_code");
  record.answer.message = row.message.value_or("");
  record.answer.cause = row.cause.value_or("");
  return record;
}

Notice ToNotice(const LogRow& row) {
  if (!IsNotice(row)) throw RowError("token_id is there, though it is a notice");
  Notice notice{.time = FromMs(row.time_ms),
                .pass = ToUint64(row.pass, "pass"),
                .kind = ToNoticeKind(row.event.event),
                .commit = nullptr,
                .signer = row.signer.value_or(""),
                .actor = row.actor.value_or(""),
                .detail = row.detail.value_or("")};
  EventColumns name_alone;
  name_alone.event = row.event.event;
  if (row.event != name_alone) throw RowError("event is a notice's with a value too many");
  return notice;
}

std::string InsertLogRow() {
  return "INSERT INTO log (" + ColumnList([](std::string_view name) { return std::string(name); }) + ") VALUES (" +
         ColumnList([](std::string_view) { return "?"; }) + ")";
}

void BindLogRow(SQLite::Statement& insert, const LogRow& row) {
  int index = 0;
  EachColumn(row, [&](const char*, const auto& value) { BindColumn(insert, ++index, value); });
}

std::string SelectLogRows(std::int64_t layout) {
  return "SELECT " + ColumnList([&](std::string_view name) {
           const bool is_there = layout >= kLayoutOfNotices || (name != "signer" && name != "actor");
           return is_there ? "log." + std::string(name) : "NULL AS " + std::string(name);
         }) +
         ", git_commit.id, git_commit.author, git_commit.subject, git_commit.time_ms "
         "FROM log LEFT JOIN git_commit USING (commit_no)";
}

LogRow ReadLogRow(SQLite::Statement& query) {
  LogRow row;
  int index = 0;
  EachColumn(row, [&](const char*, auto& value) { ReadColumn(query, index++, value); });
  if (row.commit_no) {
    CommitRow commit;
    ReadColumn(query, index, commit.id);
    ReadColumn(query, index + 1, commit.author);
    ReadColumn(query, index + 2, commit.subject);
    ReadColumn(query, index + 3, commit.time_ms);
    row.commit = std::move(commit);
  }
  return row;
}

}  // namespace tokensync
