/// `approve`: a person's word for a plan that waits, to the daemon, or into the ledger where none runs.
#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>

#include <array>

#include "approval.h"
#include "commands.h"
#include "config.h"
#include "control_client.h"
#include "exit_status.h"
#include "pass_answer.h"
#include "program_version.h"
#include "sqlite_ledger.h"
#include "system_clock.h"
#include "terminal.h"

namespace tokensync {

namespace {

std::string ThisUser() {
  std::array<char, 4096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  getpwuid_r(getuid(), &entry, buffer.data(), buffer.size(), &found);
  return fmt::format("{} (uid {})", found != nullptr ? found->pw_name : "?", getuid());
}

/// Throws EnvironmentError where no such plan waits.
void ApproveInLedger(const Config& config, const std::string& fingerprint) {
  SystemClock clock;
  const auto ledger = SqliteLedger::Open(config.ledger.path, {.endpoint = config.api.endpoint,
                                                              .source_url = config.source.url,
                                                              .program_version = kVersion,
                                                              .opened_at = clock.Now()});
  Checkpoint checkpoint = ledger->LoadCheckpoint();
  const std::optional<Notice> notice = ApproveHeldPlan(checkpoint, fingerprint, ThisUser(), clock.Now());
  if (!notice) {
    throw EnvironmentError(
        fmt::format("approving the plan {}: no plan with this fingerprint waits in the ledger {}; "
                    "`tokensyncd status` shows the one that does",
                    fingerprint, config.ledger.path.string()));
  }
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
