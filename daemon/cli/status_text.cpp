#include "status_text.h"

#include <fmt/format.h>

#include <algorithm>

#include "approval.h"
#include "json_parts.h"
#include "paint.h"
#include "pass_text.h"
#include "plan_text.h"
#include "text.h"
#include "time_text.h"

namespace tokensync {

namespace {

constexpr std::size_t kNameColumns = 11;
constexpr std::size_t kStateColumns = 11;
constexpr std::size_t kKeyColumnsMax = 40;

Ink InkOf(std::string_view state) {
  if (state == "rejected" || state == "conflicting") return Ink::kRed;
  if (state == "confirmed") return Ink::kGreen;
  return Ink::kYellow;
}

std::string Row(const Terminal& terminal, std::string_view name, std::string_view value) {
  return Painted(terminal, Ink::kBold, FitColumns(name, kNameColumns)) + std::string(value) + '\n';
}

std::string CommitText(const std::optional<CommitId>& commit) {
  return commit ? PrintableText(commit->hex) : "none yet";
}

std::string HeadsText(const Checkpoint& checkpoint, const Terminal& terminal) {
  if (checkpoint.head_seen && checkpoint.head_seen == checkpoint.head_applied) {
    return Row(terminal, "Head", CommitText(checkpoint.head_seen) + " (applied)");
  }
  return Row(terminal, "Head seen", CommitText(checkpoint.head_seen)) +
         Row(terminal, "applied", CommitText(checkpoint.head_applied));
}

/// Why the head is not applied, where something other than work is in its way.
std::string HeldText(const Checkpoint& checkpoint, const Terminal& terminal) {
  if (const auto& refused = checkpoint.refused) {
    return Row(terminal, "Refused",
               Painted(terminal, Ink::kRed,
                       fmt::format("{}: {}", PrintableText(refused->commit.hex), PrintableText(refused->why))));
  }
  if (const auto& held = checkpoint.held) {
    const std::string fingerprint = PrintableText(held->fingerprint.substr(0, kShownFingerprint));
    return Row(terminal, "Held",
               Painted(terminal, Ink::kRed,
                       held->approved ? fmt::format("plan {} is approved; the next pass carries it out", fingerprint)
                                      : PrintableText(WaitText(*held))));
  }
  return "";
}

std::string EntriesText(const StatusView& view, const Terminal& terminal) {
  std::vector<std::string> parts;
  for (const auto& [state, count] : view.entries) {
    parts.push_back(Painted(terminal, InkOf(state), fmt::format("{} {}", count, PrintableText(state))));
  }
  return parts.empty() ? "none" : Joined(parts);
}

std::string PassLine(const PassRecord& pass, TimePoint now) {
  return fmt::format("{} ({}), {}, {} ago: {}", pass.pass, PrintableText(pass.cause), PassResultName(pass.result),
                     FormatDuration(std::max(now - pass.ended, Duration(0))), PassDoneText(pass));
}

/// What the daemon says, but for what it says is not so; what is nested stands as JSON.
std::string LiveText(const JsonValue& live) {
  std::vector<std::string> parts;
  if (const JsonObject* members = live.AsObject()) {
    for (const auto& [name, value] : *members) {
      if (value.AsBool() != nullptr && !*value.AsBool()) continue;
      std::string text = value.AsString() != nullptr ? PrintableText(*value.AsString()) : PrintableJson(value);
      if (!text.empty() && text.back() == '\n') text.pop_back();
      if (!value.IsNull()) parts.push_back(fmt::format("{} {}", PrintableText(name), text));
    }
  }
  return parts.empty() ? "runs" : "runs: " + Joined(parts);
}

std::string DaemonText(const StatusView& view) {
  if (view.live) return LiveText(*view.live);
  return view.daemon_unknown.empty() ? "does not run" : "not known: " + PrintableText(view.daemon_unknown);
}

std::string WaitingText(const StatusView& view, TimePoint now, const Terminal& terminal) {
  const std::uint64_t count = std::max<std::uint64_t>(view.waiting_count, view.waiting.size());
  if (count == 0) return "";
  std::string text = Row(terminal, "Waiting", std::to_string(count));
  std::size_t key_columns = 0;
  for (const WaitingEntry& entry : view.waiting) {
    key_columns = std::max(key_columns, std::min(entry.key.Text().size(), kKeyColumnsMax));
  }
  for (const WaitingEntry& entry : view.waiting) {
    std::string note = PrintableText(entry.reason);
    if (entry.due) {
      const std::string due = *entry.due > now ? "due in " + FormatDuration(*entry.due - now) : "due now";
      note = note.empty() ? due : due + ": " + note;
    }
    text += fmt::format("  {}  {:<{}}{}\n",
                        Painted(terminal, InkOf(entry.state), FitColumns(PrintableText(entry.state), kStateColumns)),
                        entry.key.Text(), note.empty() ? 0 : key_columns, note.empty() ? "" : "  " + note);
  }
  if (count > view.waiting.size()) text += fmt::format("  … and {} more\n", count - view.waiting.size());
  return text;
}

}  // namespace

std::string StatusText(const StatusView& view, TimePoint now, const Terminal& terminal) {
  const Checkpoint& checkpoint = view.checkpoint;
  std::string text =
      Row(terminal, "Source", fmt::format("{}, {}", PrintableText(view.source_url), PrintableText(view.ref.Text())));
  text += Row(terminal, "Endpoint", PrintableText(view.endpoint));
  text += HeadsText(checkpoint, terminal) + HeldText(checkpoint, terminal);
  text += Row(terminal, "Entries", EntriesText(view, terminal));
  text += Row(terminal, "Last pass", view.last_pass ? PassLine(*view.last_pass, now) : "none yet");
  if (checkpoint.failures_in_a_row > 0) {
    text += Row(terminal, "Failures",
                Painted(terminal, Ink::kRed,
                        fmt::format("{} in a row{}{}", checkpoint.failures_in_a_row,
                                    view.last_error.empty() ? "" : ": ", PrintableText(view.last_error))));
  }
  text += Row(terminal, "Daemon", DaemonText(view));
  return text + WaitingText(view, now, terminal);
}

JsonValue StatusJson(const StatusView& view) {
  const Checkpoint& checkpoint = view.checkpoint;
  const auto commit = [](const std::optional<CommitId>& id) { return id ? JsonText(id->hex) : JsonValue(); };
  JsonObject entries;
  for (const auto& [state, count] : view.entries) entries[ValidUtf8(state)] = JsonNumber(count);
  JsonArray waiting;
  for (const WaitingEntry& entry : view.waiting) {
    waiting.emplace_back(JsonObject{{"key", entry.key.Text()},
                                    {"state", JsonText(entry.state)},
                                    {"reason", JsonText(entry.reason)},
                                    {"due", JsonTime(entry.due)}});
  }
  return JsonObject{
      {"source",
       JsonObject{{"url", ValidUtf8(view.source_url)},
                  {"branch", view.ref.kind == SourceRef::Kind::kBranch ? JsonText(view.ref.text) : JsonValue()},
                  {"ref", ValidUtf8(view.ref.Text())}}},
      {"endpoint", ValidUtf8(view.endpoint)},
      {"head_seen", commit(checkpoint.head_seen)},
      {"head_applied", commit(checkpoint.head_applied)},
      {"head_accepted", commit(checkpoint.head_accepted)},
      {"held", HeldPlanJson(checkpoint.held)},
      {"refused", RefusedHeadJson(checkpoint.refused)},
      {"entries", std::move(entries)},
      {"last_pass", view.last_pass ? PassRecordJson(*view.last_pass) : JsonValue()},
      {"failures_in_a_row", JsonNumber(checkpoint.failures_in_a_row)},
      {"last_error", JsonText(view.last_error)},
      {"waiting", std::move(waiting)},
      {"waiting_count", JsonNumber(std::max<std::uint64_t>(view.waiting_count, view.waiting.size()))},
      {"daemon_runs", view.daemon_unknown.empty() || view.live ? JsonValue(view.live.has_value()) : JsonValue()},
      {"daemon", view.live ? *view.live : JsonValue()}};
}

}  // namespace tokensync
