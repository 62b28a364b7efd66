/// The texts of --help beside the options: what a command does, its exit statuses, an example. For the files of this
/// folder only.
#pragma once

namespace tokensync {

struct CommandHelp {
  const char* name;
  const char* summary;  ///< one line, for the list of commands
  const char* details;  ///< what it does beyond that
  const char* footer;   ///< exit statuses and an example
};

extern const char* const kProgramSummary;
extern const char* const kProgramFooter;

extern const CommandHelp kRunHelp;
extern const CommandHelp kSyncHelp;
extern const CommandHelp kPlanHelp;
extern const CommandHelp kValidateHelp;
extern const CommandHelp kStatusHelp;
extern const CommandHelp kHistoryHelp;
extern const CommandHelp kAuditHelp;
extern const CommandHelp kTriggerHelp;
extern const CommandHelp kApproveHelp;
extern const CommandHelp kBackupHelp;

}  // namespace tokensync
