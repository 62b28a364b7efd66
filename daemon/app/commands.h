/// What the commands do. Each returns the exit status and throws ConfigError, EnvironmentError or LedgerError.
#pragma once

#include "command_line.h"

namespace tokensync {

int Execute(const RunCommand& command);
int Execute(const SyncCommand& command);
int Execute(const PlanCommand& command);
int Execute(const ValidateCommand& command);
int Execute(const StatusCommand& command);
int Execute(const HistoryCommand& command);
int Execute(const AuditCommand& command);
int Execute(const TriggerCommand& command);
int Execute(const ApproveCommand& command);
int Execute(const BackupCommand& command);

}  // namespace tokensync
