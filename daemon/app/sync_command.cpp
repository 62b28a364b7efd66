/// `sync`: one pass, then exit.
#include <unistd.h>

#include "commands.h"
#include "engine.h"
#include "exit_status.h"
#include "pass_text.h"
#include "signals.h"

namespace tokensync {

namespace {
// A person or a CI job waits for the end: long enough for a lost call to settle and be read twice at the default
// time-out, and for a service that asks for a minute.
constexpr Duration kPatience = std::chrono::minutes(5);
}  // namespace

int Execute(const SyncCommand& command) {
  BlockSignals();
  const Config config = LoadConfig(command.config);
  RequireApiToken(config);
  Log log(config.log.level, config.log.format);
  SystemClock clock;
  Triggers triggers(clock, [] {});
  Engine engine(config, log, clock, triggers, {.patience = kPatience, .terminal = Terminal::Of(STDERR_FILENO)});
  const SignalThread signals({.stop = [&] { triggers.RequestStop(); }, .reload = [] {}});
  const PassSummary summary = engine.Pass("sync", command.revision);
  WriteAll(STDOUT_FILENO, PassSummaryText(summary, Terminal::Of(STDOUT_FILENO)));
  return ExitStatusOf(summary);
}

}  // namespace tokensync
