/// `status`: what the ledger holds, and what the daemon does.
#include <unistd.h>

#include "commands.h"
#include "config.h"
#include "control_client.h"
#include "exit_status.h"
#include "ledger_reader.h"
#include "status_text.h"
#include "system_clock.h"
#include "text.h"

namespace tokensync {

namespace {

constexpr std::uint64_t kAttentionShown = 50;

std::string ReasonOf(const AttentionItem& item) {
  if (!item.last) return "";
  const LogRecord& record = item.last->record;
  std::string reason = item.last->event;
  const std::string& said = record.detail.empty() ? record.answer.message : record.detail;
  if (!record.answer.error_name.empty()) reason += " " + record.answer.error_name;
  if (!said.empty()) reason += ": " + said;
  if (!record.answer.cause.empty()) reason += " (" + record.answer.cause + ")";
  return reason;
}

std::optional<TimePoint> DueOf(const EntryState& state) {
  if (const auto* pending = std::get_if<Pending>(&state)) return pending->due;
  if (const auto* uncertain = std::get_if<Uncertain>(&state)) return uncertain->due;
  return std::nullopt;
}

StatusView ViewOf(const Config& config) {
  const auto reader = LedgerReader::Open(config.ledger.path);
  StatusView view;
  view.source_url = config.source.url;
  view.ref = config.source.ref;
  view.endpoint = config.api.endpoint;
  view.checkpoint = reader->LoadCheckpoint();
  const StateCounts counts = reader->CountByState();
  view.entries = {{"confirmed", counts.confirmed}, {"pending", counts.pending},   {"submitting", counts.submitting},
                  {"uncertain", counts.uncertain}, {"rejected", counts.rejected}, {"conflicting", counts.conflicting},
                  {"drifting", counts.drifting}};
  view.last_pass = reader->LastPass();
  if (view.checkpoint.failures_in_a_row > 0 && view.last_pass) view.last_error = view.last_pass->error;
  view.waiting_count = counts.attention;
  for (const AttentionItem& item : reader->Attention(kAttentionShown)) {
    view.waiting.push_back({.key = item.entry.key,
                            .state = std::string(StateName(item.entry.state)),
                            .reason = ReasonOf(item),
                            .due = DueOf(item.entry.state)});
  }
  try {
    view.live = QueryStatus(config.control.socket);
  } catch (const EnvironmentError& error) {
    view.daemon_unknown = error.what();
  }
  return view;
}

}  // namespace

int Execute(const StatusCommand& command) {
  const StatusView view = ViewOf(LoadConfig(command.config));
  const std::string text = command.json ? PrintableJson(StatusJson(view))
                                        : StatusText(view, SystemClock().Now(), Terminal::Of(STDOUT_FILENO));
  WriteAll(STDOUT_FILENO, text);
  return kDone;
}

}  // namespace tokensync
