#include "change_log.h"

#include <fmt/format.h>

#include "overloaded.h"

namespace tokensync {

namespace {

/// What an event is to a reader of the log.
struct Telling {
  LogLevel level;
  std::string_view verb;
};

Telling TellingOf(const Event& event) {
  using enum LogLevel;
  return std::visit(
      Overloaded{[](const CreateIntended&) {
                   return Telling{kDebug, "creating"};
                 },
                 [](const TokenCreated&) {
                   return Telling{kInfo, "created"};
                 },
                 [](const TokenExisted&) {
                   return Telling{kInfo, "exists already:"};
                 },
                 [](const TokenAssumedOurs&) {
                   return Telling{kInfo, "exists, taken for the one that was sent:"};
                 },
                 [](const CreateRefused&) {
                   return Telling{kWarning, "refused"};
                 },
                 [](const CreateNotDone&) {
                   return Telling{kInfo, "not created yet:"};
                 },
                 [](const CreateLost&) {
                   return Telling{kWarning, "lost the answer for"};
                 },
                 [](const RunInterrupted&) {
                   return Telling{kWarning, "interrupted in mid-call:"};
                 },
                 [](const ReadEqual&) {
                   return Telling{kInfo, "confirmed"};
                 },
                 [](const ReadDifferent&) {
                   return Telling{kWarning, "conflict: the service holds another"};
                 },
                 [](const ReadAbsent&) {
                   return Telling{kInfo, "the service does not hold"};
                 },
                 [](const ReadFailed&) {
                   return Telling{kInfo, "could not read"};
                 },
                 [](const ExistenceUnreadable&) {
                   return Telling{kWarning, "conflict: exists and cannot be read:"};
                 },
                 [](const DriftReported& report) {
                   return Telling{kWarning, report.drift.declared ? "changed in git:" : "removed from git:"};
                 },
                 [](const DriftSettled&) {
                   return Telling{kInfo, "git agrees again with"};
                 },
                 [](const ConflictReopened&) {
                   return Telling{kDebug, "comparing with git's new text:"};
                 },
                 [](const EntryWithdrawn&) {
                   return Telling{kInfo, "withdrawn"};
                 },
                 [](const ReadUnsettled&) {
                   return Telling{kInfo, "another one is there for now:"};
                 },
                 [](const TokenAdopted&) {
                   return Telling{kInfo, "exists already, adopted"};
                 },
                 [](const TokenFound&) {
                   return Telling{kInfo, "exists already, comparing:"};
                 },
                 [](const ClockSetBack&) {
                   return Telling{kWarning, "the clock was set back, waiting anew for"};
                 }},
      event);
}

}  // namespace

std::string MessageOf(const Change& change) {
  return fmt::format("{} {}", TellingOf(change.event).verb, change.record.key.Text());
}

LogLevel LevelOf(const Change& change) {
  return TellingOf(change.event).level;
}

std::string MessageOf(const Notice& notice) {
  switch (notice.kind) {
    case NoticeKind::kHeadRefused:
      return "the head is refused";
    case NoticeKind::kHistoryRewritten:
      return "the history was rewritten; the new one is applied";
    case NoticeKind::kPlanHeld:
      return "a plan waits for an approval";
    case NoticeKind::kPlanApproved:
      return "a plan was approved";
  }
  return "";
}

LogLevel LevelOf(const Notice& notice) {
  switch (notice.kind) {
    case NoticeKind::kHeadRefused:
    case NoticeKind::kPlanHeld:
      return LogLevel::kError;
    case NoticeKind::kHistoryRewritten:
      return LogLevel::kWarning;
    case NoticeKind::kPlanApproved:
      return LogLevel::kInfo;
  }
  return LogLevel::kError;
}

std::vector<LogField> FieldsOf(const Notice& notice) {
  std::vector<LogField> fields;
  const auto text = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) fields.emplace_back(name, value);
  };
  if (notice.pass > 0) fields.emplace_back("pass", notice.pass);
  fields.emplace_back("event", NoticeName(notice.kind));
  if (notice.commit) {
    text("commit", notice.commit->id.hex);
    text("author", notice.commit->author);
    text("subject", notice.commit->subject);
  }
  text("signer", notice.signer);
  text("actor", notice.actor);
  text("detail", notice.detail);
  return fields;
}

std::vector<LogField> FieldsOf(const Change& change) {
  const LogRecord& record = change.record;
  const ServiceAnswer& answer = record.answer;
  std::vector<LogField> fields;
  const auto text = [&](std::string_view name, std::string_view value) {
    if (!value.empty()) fields.emplace_back(name, value);
  };
  fields.emplace_back("pass", record.pass);
  fields.emplace_back("key", record.key.Text());
  text("action", record.action);
  fields.emplace_back("event", EventName(change.event));
  fields.emplace_back("state", StateName(change.after));
  if (record.attempt > 0) fields.emplace_back("attempt", record.attempt);
  text("path", record.path);
  if (record.line > 0) fields.emplace_back("line", record.line);
  if (record.commit) {
    text("commit", record.commit->id.hex);
    text("author", record.commit->author);
    text("subject", record.commit->subject);
  }
  if (answer.http_status) fields.emplace_back("http_status", *answer.http_status);
  text("error_name", answer.error_name);
  if (answer.error_code) fields.emplace_back("error_code", *answer.error_code);
  text("message", answer.message);
  text("cause", answer.cause);
  if (record.duration > Duration(0)) fields.emplace_back("duration_ms", record.duration.count());
  text("detail", record.detail);
  text("signer", record.signer);
  if (record.digest) fields.emplace_back("digest", record.digest->Hex());
  if (record.other_digest) fields.emplace_back("other_digest", record.other_digest->Hex());
  return fields;
}

}  // namespace tokensync
