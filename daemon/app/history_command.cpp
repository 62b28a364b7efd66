/// `history`: the log. `audit`: whether it holds.
#include <fmt/format.h>
#include <unistd.h>

#include "commands.h"
#include "config.h"
#include "exit_status.h"
#include "history_text.h"
#include "ledger_reader.h"
#include "terminal.h"
#include "text.h"

namespace tokensync {

namespace {
/// The reader of our output went away: nothing is left to do.
struct OutputClosed {};
}  // namespace

int Execute(const HistoryCommand& command) {
  const Config config = LoadConfig(command.config);
  const auto reader = LedgerReader::Open(config.ledger.path);
  const Terminal terminal = Terminal::Of(STDOUT_FILENO);
  const auto write = [](const std::string& text) {
    if (!WriteAll(STDOUT_FILENO, text)) throw OutputClosed{};
  };
  try {
    if (!command.json) write(HistoryHeader(terminal));
    const HistoryQuery query{
        .token = command.token, .commit_prefix = command.commit, .since = command.since, .limit = command.limit};
    const auto show = [&](const auto& row) {
      write(command.json ? PrintableJson(HistoryJson(row)) : HistoryLine(row, terminal));
    };
    reader->History(query, [&](const StoredRow& stored) {
      if (const auto* record = std::get_if<StoredRecord>(&stored)) {
        const std::string hash = record->hash.Hex();
        show(HistoryRow{.seq = record->seq,
                        .record = record->record,
                        .event = record->event,
                        .state = record->state_after,
                        .hash = hash});
      } else {
        const auto& notice = std::get<StoredNotice>(stored);
        const std::string hash = notice.hash.Hex();
        show(HistoryNotice{.seq = notice.seq, .notice = notice.notice, .action = notice.action, .hash = hash});
      }
    });
  } catch (const OutputClosed&) {
  }
  return kDone;
}

int Execute(const AuditCommand& command) {
  const Config config = LoadConfig(command.config);
  const ChainVerdict verdict = LedgerReader::Open(config.ledger.path)->VerifyChain();
  if (command.json) {
    JsonObject told = {{"records", static_cast<double>(verdict.records)},
                       {"entries", static_cast<double>(verdict.entries)},
                       {"broken", nullptr}};
    if (verdict.broken) {
      told["broken"] = JsonObject{{"seq", static_cast<double>(verdict.broken->seq)},
                                  {"key", verdict.broken->key ? JsonValue(verdict.broken->key->Text()) : JsonValue()},
                                  {"what", verdict.broken->what}};
    }
    WriteAll(STDOUT_FILENO, PrintableJson(told));
  } else if (verdict.broken) {
    const auto& broken = *verdict.broken;
    WriteAll(STDOUT_FILENO,
             fmt::format("BROKEN: {}{}{}; the {} records before it hold\n",
                         broken.seq == 0 ? std::string("the ledger") : fmt::format("record {}", broken.seq),
                         broken.key ? fmt::format(" ({})", broken.key->Text()) : std::string(), ": " + broken.what,
                         verdict.records));
  } else {
    WriteAll(STDOUT_FILENO,
             fmt::format("{} records hold; {} entries are what the log says\n", verdict.records, verdict.entries));
  }
  return verdict.broken ? kBadData : kDone;
}

}  // namespace tokensync
