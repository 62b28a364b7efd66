/// `backup`: a copy of the ledger.
#include <fmt/format.h>
#include <unistd.h>

#include "commands.h"
#include "config.h"
#include "exit_status.h"
#include "json.h"
#include "ledger_backup.h"
#include "terminal.h"
#include "text.h"

namespace tokensync {

int Execute(const BackupCommand& command) {
  const Config config = LoadConfig(command.config);
  const BackupReport report = BackUpLedger(config.ledger.path, command.file);
  const std::string file = report.file.string();
  if (command.json) {
    WriteAll(STDOUT_FILENO, PrintableJson(JsonObject{{"path", ValidText(file)},
                                                     {"entries", static_cast<double>(report.entries)},
                                                     {"records", static_cast<double>(report.records)},
                                                     {"head", report.head.Hex()},
                                                     {"bytes", static_cast<double>(report.bytes)}}));
  } else {
    WriteAll(STDOUT_FILENO, fmt::format("{}: {} entries, {} records up to {}, {} bytes\n", PrintableText(file),
                                        report.entries, report.records, report.head.Hex(), report.bytes));
  }
  return kDone;
}

}  // namespace tokensync
