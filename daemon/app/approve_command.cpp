/// `approve`: a person's word for a plan that waits, to the daemon, or into the ledger where none runs.
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include "approval.h"
#include "commands.h"
#include "config.h"
#include "control_client.h"
#include "control_server.h"
#include "exit_status.h"
#include "ledger_reader.h"
#include "pass_answer.h"
#include "program_version.h"
#include "sqlite_ledger.h"
#include "system_clock.h"
#include "terminal.h"

namespace tokensync {

namespace {

namespace fs = std::filesystem;

/// Whether the plan waits, and whether the files that are written stay their owner's. Makes and changes nothing.
void RequireHeldPlan(const fs::path& ledger, const std::string& fingerprint) {
  const auto held =
      LedgerReader::Exists(ledger) ? LedgerReader::Open(ledger)->LoadCheckpoint().held : std::optional<HeldPlan>();
  if (!held || !IsFingerprintOf(fingerprint, *held)) {
    throw EnvironmentError(
        fmt::format("approving the plan {}: no plan with this fingerprint waits in the ledger {}; "
                    "`tokensyncd status` shows the one that does",
                    fingerprint, ledger.string()));
  }
  struct stat status {};
  if (stat(ledger.c_str(), &status) == 0 && status.st_uid != geteuid()) {
    throw EnvironmentError(
        fmt::format("approving the plan {}: the ledger {} belongs to {}, and no daemon runs; start "
                    "the daemon, or do it as that user (sudo -u)",
                    fingerprint, ledger.string(), UserName(status.st_uid)));
  }
}

/// Throws EnvironmentError where no such plan waits.
void ApproveInLedger(const Config& config, const std::string& fingerprint) {
  RequireHeldPlan(config.ledger.path, fingerprint);
  SystemClock clock;
  const auto ledger = SqliteLedger::Open(config.ledger.path, {.endpoint = config.api.endpoint,
                                                              .source_url = config.source.url,
                                                              .program_version = kVersion,
                                                              .opened_at = clock.Now()});
  Checkpoint checkpoint = ledger->LoadCheckpoint();
  const std::string actor = ActorText(UserName(geteuid()), geteuid());
  const std::optional<Notice> notice = ApproveHeldPlan(checkpoint, fingerprint, actor, clock.Now());
  // Only another runner could have changed it since, which holds the ledger's lock.
  if (!notice) throw EnvironmentError(fmt::format("approving the plan {}: it does not wait any more", fingerprint));
  ledger->SaveCheckpoint(checkpoint, nullptr, std::span(&*notice, 1));
}

}  // namespace

int Execute(const ApproveCommand& command) {
  const Config config = LoadConfig(command.config);
  if (const auto told = ApprovePlan(config.control.socket, command.fingerprint, command.wait)) {
    return command.wait ? TellPass(*told) : kDone;
  }
  ApproveInLedger(config, command.fingerprint);
  WriteAll(STDOUT_FILENO, "Approved. No daemon runs: the next `tokensyncd sync` carries the plan out.\n");
  return kDone;
}

}  // namespace tokensync
