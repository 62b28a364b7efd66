#include "pass_text.h"

#include <fmt/format.h>

#include <vector>

#include "json_parts.h"
#include "paint.h"
#include "plan_text.h"
#include "text.h"
#include "time_text.h"

namespace tokensync {

namespace {

Ink InkOf(PassResult result) {
  switch (result) {
    case PassResult::kComplete:
      return Ink::kGreen;
    case PassResult::kIncomplete:
    case PassResult::kStopped:
    case PassResult::kHeld:
      return Ink::kYellow;
    case PassResult::kEnvironment:
    case PassResult::kDenied:
      return Ink::kRed;
  }
  return Ink::kPlain;
}

/// What keeps a pass from being complete.
std::vector<std::string> LeftOver(const PassSummary& summary) {
  std::vector<std::string> parts;
  if (summary.waiting > 0) {
    std::string waiting = fmt::format("{} to be tried again", summary.waiting);
    if (summary.next_due && *summary.next_due > summary.record.ended) {
      waiting += fmt::format(" (next in {})", FormatDuration(*summary.next_due - summary.record.ended));
    }
    parts.push_back(std::move(waiting));
  }
  if (summary.counts.rejected > 0) parts.push_back(fmt::format("{} rejected", summary.counts.rejected));
  if (summary.counts.conflicting > 0) parts.push_back(fmt::format("{} in conflict", summary.counts.conflicting));
  if (summary.counts.held > 0) {
    parts.push_back(fmt::format("{} held by a manifest that cannot be read", summary.counts.held));
  }
  if (summary.record.bad_manifests > 0) {
    parts.push_back(Counted(summary.record.bad_manifests, "bad manifest", "bad manifests"));
  }
  return parts;
}

JsonObject RecordMembers(const PassRecord& record) {
  return JsonObject{{"pass", JsonNumber(record.pass)},
                    {"cause", JsonText(record.cause)},
                    {"started", FormatTime(record.started)},
                    {"ended", FormatTime(record.ended)},
                    {"commit", JsonText(record.commit.hex)},
                    {"result", std::string(PassResultName(record.result))},
                    {"created", JsonNumber(record.created)},
                    {"confirmed", JsonNumber(record.confirmed)},
                    {"adopted", JsonNumber(record.adopted)},
                    {"reported", JsonNumber(record.reported)},
                    {"rejected", JsonNumber(record.rejected)},
                    {"conflicting", JsonNumber(record.conflicting)},
                    {"unresolved", JsonNumber(record.unresolved)},
                    {"bad_manifests", JsonNumber(record.bad_manifests)},
                    {"error", JsonText(record.error)}};
}

}  // namespace

std::string_view PassResultName(PassResult result) {
  switch (result) {
    case PassResult::kComplete:
      return "complete";
    case PassResult::kIncomplete:
      return "incomplete";
    case PassResult::kStopped:
      return "stopped";
    case PassResult::kEnvironment:
      return "environment";
    case PassResult::kDenied:
      return "denied";
    case PassResult::kHeld:
      return "held";
  }
  return "";
}

std::string_view StopReasonName(StopReason reason) {
  switch (reason) {
    case StopReason::kUnreachable:
      return "unreachable";
    case StopReason::kFailing:
      return "failing";
    case StopReason::kCredential:
      return "credential";
    case StopReason::kEndpoint:
      return "endpoint";
    case StopReason::kQuota:
      return "quota";
  }
  return "";
}

std::string PassDoneText(const PassRecord& record) {
  std::vector<std::string> parts;
  const auto add = [&](std::uint64_t count, std::string_view what) {
    if (count > 0) parts.push_back(fmt::format("{} {}", count, what));
  };
  add(record.created, "created");
  add(record.adopted, "adopted");
  add(record.confirmed, "confirmed by reading");
  add(record.reported, "reported");
  add(record.rejected, "rejected");
  add(record.conflicting, "in conflict");
  return parts.empty() ? "nothing changed" : Joined(parts);
}

std::string PassSummaryText(const PassSummary& summary, const Terminal& terminal) {
  const PassRecord& record = summary.record;
  const std::string at = record.commit.hex.empty() ? "" : " at " + ShortHex(record.commit.hex);
  std::string text = fmt::format("Pass {}{}: {}; {} in sync ({}).\n", record.pass, at, PassDoneText(record),
                                 summary.counts.in_sync, FormatDuration(record.ended - record.started));
  const std::string left = Joined(LeftOver(summary));
  const Ink ink = InkOf(record.result);
  if (record.result == PassResult::kHeld) {
    text += fmt::format("{} {}\n", Painted(terminal, ink, "Held:"), PrintableText(record.error));
  } else if (!record.error.empty()) {
    text += fmt::format("{} {}{}\n", Painted(terminal, ink, "Ended early:"), PrintableText(record.error),
                        left.empty() ? "" : "; " + left);
  } else if (record.result == PassResult::kStopped) {
    text +=
        fmt::format("{}{}\n", Painted(terminal, ink, "Stopped when asked to"), left.empty() ? "." : ": " + left + ".");
  } else if (!left.empty()) {
    text += fmt::format("{} {}.\n", Painted(terminal, ink, "Incomplete:"), left);
  }
  return text;
}

JsonValue PassRecordJson(const PassRecord& record) {
  return RecordMembers(record);
}

JsonValue PassSummaryJson(const PassSummary& summary) {
  JsonObject members = RecordMembers(summary.record);
  members["counts"] = PlanCountsJson(summary.counts);
  members["waiting"] = JsonNumber(summary.waiting);
  members["next_due"] = JsonTime(summary.next_due);
  members["changed"] = summary.changed;
  members["stop_reason"] =
      summary.stop_reason ? JsonValue(std::string(StopReasonName(*summary.stop_reason))) : JsonValue();
  return members;
}

}  // namespace tokensync
