#include "command_help.h"

namespace tokensync {

const char* const kProgramSummary =
    "tokensyncd makes the tokens of Sequence collections follow the manifests of a git repository:\n"
    "what they declare and the ledger does not know is created, once.";

const char* const kProgramFooter =
    "Exit status:\n"
    "  0   done, nothing left to do\n"
    "  2   plan: there is work\n"
    "  3   incomplete: something was refused, waits, or could not be decided; all else was done\n"
    "  64  the command line cannot be understood\n"
    "  65  bad data: validate found a problem, or the log's chain is broken\n"
    "  70  internal error\n"
    "  73  the ledger cannot be used\n"
    "  75  git, the service or the daemon cannot be reached; try again later\n"
    "  77  the service refuses our credential\n"
    "  78  the configuration cannot be used\n"
    "\n"
    "'tokensyncd COMMAND --help' tells more about a command; see also tokensyncd(8).";

const CommandHelp kRunHelp{
    .name = "run",
    .summary = "Run the daemon in the foreground",
    .details =
        "Makes a pass at the start, then whenever the branch is found changed (source.poll_interval), upon a webhook,\n"
        "upon 'tokensyncd trigger', and upon SIGHUP, which reads the configuration again. Logs to standard error, or "
        "to\n"
        "the journal when systemd provides it. SIGTERM ends it in order: calls in flight are awaited and recorded.",
    .footer =
        "Exit status:\n"
        "  0 stopped when asked to, 64 usage, 70 internal error, 73 ledger, 75 environment, 78 configuration\n"
        "\n"
        "Example:\n"
        "  tokensyncd run --config ./tokensyncd.yaml"};

const CommandHelp kSyncHelp{
    .name = "sync",
    .summary = "Make one pass, then exit",
    .details =
        "Reads the head of the configured branch, or REV, creates what is missing, resolves what is uncertain, and\n"
        "reports what differs. Shows progress on a terminal.",
    .footer =
        "Exit status:\n"
        "  0   done, nothing left to do (reports alone are no work)\n"
        "  3   incomplete: an entry is rejected, in conflict, uncertain or waiting, a manifest is bad, or the head is "
        "held\n"
        "  64 usage, 70 internal error, 73 ledger, 75 environment, 77 credential refused, 78 configuration\n"
        "\n"
        "Example:\n"
        "  tokensyncd sync && echo 'all tokens exist'"};

const CommandHelp kPlanHelp{.name = "plan",
                            .summary = "Show what a pass would do, without doing it",
                            .details =
                                "One line for each action, sorted by key, and a summary line:\n"
                                "  + create   ? resolve   ~ changed   - removed   = settled   x withdrawn\n"
                                "Changed and removed tokens are reported, not updated or deleted.",
                            .footer =
                                "Exit status:\n"
                                "  0   a pass would not call the service\n"
                                "  2   there is work\n"
                                "  3   a pass would do nothing, since the head is refused\n"
                                "  64 usage, 70 internal error, 73 ledger, 75 environment, 78 configuration\n"
                                "\n"
                                "Example:\n"
                                "  tokensyncd plan --diff --revision origin/season-2"};

const CommandHelp kValidateHelp{
    .name = "validate",
    .summary = "Check manifests, without configuration or network",
    .details = "Tells every problem of every manifest in the folders, or of the files, with file, line and column.",
    .footer =
        "Exit status:\n"
        "  0   all manifests are good\n"
        "  65  there are problems\n"
        "  64 usage, 70 internal error, 75 a path cannot be read\n"
        "\n"
        "Examples:\n"
        "  tokensyncd validate .\n"
        "  tokensyncd validate --format github collections/"};

const CommandHelp kStatusHelp{.name = "status",
                              .summary = "Show what the ledger holds and what waits",
                              .details =
                                  "Head seen and head applied, entries by state, the last pass, what waits and why, "
                                  "and whether the daemon runs.\n"
                                  "Works while the daemon runs, and without it.",
                              .footer =
                                  "Exit status:\n"
                                  "  0 shown, 64 usage, 70 internal error, 73 ledger, 78 configuration\n"
                                  "\n"
                                  "Example:\n"
                                  "  tokensyncd status --json"};

const CommandHelp kHistoryHelp{.name = "history",
                               .summary = "Show the log of changes, newest last",
                               .details =
                                   "Each record tells when, in which pass, by whose commit and which line of which "
                                   "manifest something became of a\n"
                                   "token, and what the service answered; and which heads were refused, rewritten or "
                                   "approved. Works while the daemon runs.",
                               .footer =
                                   "Exit status:\n"
                                   "  0 shown, 64 usage, 70 internal error, 73 ledger, 78 configuration\n"
                                   "\n"
                                   "Examples:\n"
                                   "  tokensyncd history --token 30957/888/200\n"
                                   "  tokensyncd history --since 2h --json"};

const CommandHelp kAuditHelp{
    .name = "audit",
    .summary = "Check that the log is whole and explains the ledger",
    .details =
        "Recomputes the hash chain of the log and folds the log into the state of every entry. Names the first record\n"
        "that does not hold.",
    .footer =
        "Exit status:\n"
        "  0   the log is whole\n"
        "  65  it is not\n"
        "  64 usage, 70 internal error, 73 ledger, 78 configuration\n"
        "\n"
        "Example:\n"
        "  tokensyncd audit"};

const CommandHelp kTriggerHelp{.name = "trigger",
                               .summary = "Tell the running daemon to make a pass now",
                               .details =
                                   "Returns when the daemon has taken it; a post-receive hook calls this. A trigger "
                                   "during a pass makes that pass\n"
                                   "look for the new head at its next safe point.",
                               .footer =
                                   "Exit status:\n"
                                   "  0   taken; with --wait: that pass is complete\n"
                                   "  3   with --wait: that pass is incomplete\n"
                                   "  75  no daemon answers, or the pass could not reach git or the service\n"
                                   "  77  with --wait: the service refuses our credential\n"
                                   "  64 usage, 70 internal error, 78 configuration\n"
                                   "\n"
                                   "Example, in hooks/post-receive:\n"
                                   "  tokensyncd trigger --wait"};

const CommandHelp kApproveHelp{.name = "approve",
                               .summary = "Let a plan run that was held back",
                               .details =
                                   "A plan is held back when the history of the branch was rewritten "
                                   "(source.on_rewrite: hold). 'tokensyncd status'\n"
                                   "shows why, with its fingerprint; 'tokensyncd plan' shows what it would do. The "
                                   "approval holds for exactly that\n"
                                   "plan, and is in the log with who gave it. With a running daemon the pass follows "
                                   "at once; without one, the next\n"
                                   "sync carries it out.",
                               .footer =
                                   "Exit status:\n"
                                   "  0   approved; with --wait: that pass is complete\n"
                                   "  3   with --wait: that pass is incomplete, or its plan is another by now\n"
                                   "  75  no such plan waits\n"
                                   "  64 usage, 70 internal error, 73 ledger, 77 credential refused, 78 configuration\n"
                                   "\n"
                                   "Example:\n"
                                   "  tokensyncd approve 3f9a0c5d1e72 --wait"};

const CommandHelp kBackupHelp{.name = "backup",
                              .summary = "Copy the ledger into a new file",
                              .details =
                                  "One moment of the ledger, checked, on the disk when the command returns. Works "
                                  "while the daemon runs, without\n"
                                  "holding it up, and without it. FILE must not be there yet. To restore: stop the "
                                  "daemon, put FILE in the place\n"
                                  "of the ledger, remove the ledger's -wal and -shm files, start the daemon.",
                              .footer =
                                  "Exit status:\n"
                                  "  0   the copy is made\n"
                                  "  73  the ledger cannot be read or does not hold, or FILE cannot be made\n"
                                  "  64 usage, 70 internal error, 78 configuration\n"
                                  "\n"
                                  "Example:\n"
                                  "  tokensyncd backup /var/backups/ledger-$(date +%F).db"};

}  // namespace tokensync
