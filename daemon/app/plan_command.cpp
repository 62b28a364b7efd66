/// `plan`: what a pass would do, without doing it.
#include <unistd.h>

#include <system_error>

#include "approval.h"
#include "commands.h"
#include "engine.h"
#include "exit_status.h"
#include "json_text.h"
#include "ledger_reader.h"
#include "plan_text.h"
#include "problem_text.h"
#include "sha256.h"
#include "source_continuity.h"
#include "text.h"

namespace tokensync {

namespace {

/// The ledger as it is now; an empty one where there is none yet.
struct ReadLedger {
  std::unique_ptr<LedgerReader> reader;
  LedgerView view;
  Checkpoint checkpoint;
  std::set<CollectionKey> surveyed;
};

ReadLedger ReadLedgerAt(const std::filesystem::path& path) {
  ReadLedger ledger;
  if (!LedgerReader::Exists(path)) return ledger;
  ledger.reader = LedgerReader::Open(path);
  for (LedgerEntry& entry : ledger.reader->Entries()) ledger.view.Set(entry.key, std::move(entry.state));
  ledger.checkpoint = ledger.reader->LoadCheckpoint();
  for (const auto& [collection, time] : ledger.checkpoint.surveyed) ledger.surveyed.insert(collection);
  return ledger;
}

/// What changes field by field, for each reported change.
std::map<TokenKey, std::string> Diffs(const Plan& plan, LedgerReader& ledger, ManifestSource& source,
                                      const Terminal& terminal) {
  std::map<TokenKey, std::string> diffs;
  for (const Action& action : plan.actions) {
    const auto* report = std::get_if<Report>(&action);
    if (report == nullptr || report->kind != ReportKind::kChanged) continue;
    const std::optional<StoredPayload> recorded = ledger.Payload(report->key);
    if (!recorded) continue;
    const JsonValue declared = ParseJson(source.Payload(*report->entry));
    diffs[report->key] = DiffText(ParseJson(recorded->payload), declared, terminal);
    if (recorded->is_private != report->entry->is_private) {
      diffs[report->key] += DiffText(JsonObject{{"private", recorded->is_private}},
                                     JsonObject{{"private", report->entry->is_private}}, terminal);
    }
  }
  return diffs;
}

/// Refuses what a pass would refuse.
void RequireFollowed(const Config& config, const ReadLedger& ledger, ManifestSource& source, const CommitId& head) {
  if (!ledger.reader) return;
  const std::string followed = ledger.reader->SourceUrl();
  if (followed == config.source.url) return;
  RequireContinuity(
      config,
      {.url = followed, .head_seen = ledger.checkpoint.head_seen, .has_entries = !ledger.view.entries().empty()},
      source, head);
}

/// The plan as one that waits, where a pass would hold it back.
std::optional<HeldPlan> HoldOf(const Config& config, const Plan& plan, const Checkpoint& checkpoint,
                               ManifestSource& source, TimePoint now) {
  const std::optional<CommitId>& accepted = checkpoint.head_accepted;
  const bool may_wait = config.source.on_rewrite == OnRewrite::kHold && accepted && !plan.actions.empty();
  if (!may_wait || source.Descends(plan.desired->commit, *accepted)) return std::nullopt;
  HeldPlan held = HoldBack(plan, *accepted, Sha256, now);
  if (checkpoint.held && checkpoint.held->fingerprint == held.fingerprint) held = *checkpoint.held;
  return held;
}

}  // namespace

int Execute(const PlanCommand& command) {
  const Config config = LoadConfig(command.config);
  SystemClock clock;
  GitManifestSource source(config, [] {});
  const CommitId head = source.FetchHead();
  const CommitId commit = command.revision ? source.Resolve(*command.revision) : head;
  const PassPolicy policy = PassPolicyOf(config, Duration(0));
  ReadLedger ledger = ReadLedgerAt(config.ledger.path);
  RequireFollowed(config, ledger, source, head);
  const Vouching vouching = source.Vouch(commit, ledger.checkpoint.head_vouched);
  if (!vouching.refusal.empty()) {
    if (command.json) {
      const RefusedHead refused{.commit = commit, .why = vouching.refusal};
      WriteAll(STDOUT_FILENO, PrintableJson(JsonObject{{"commit", commit.hex}, {"refused", RefusedHeadJson(refused)}}));
    } else {
      WriteAll(STDOUT_FILENO, "Refused: " + vouching.refusal + "; a pass would do nothing\n");
    }
    return kIncomplete;
  }
  const Plan plan = MakePlan(source.Read(commit), ledger.view,
                             {.can_read = policy.executor.read_back,
                              .settling = policy.executor.settling,
                              .cleared = policy.executor.survey ? &ledger.surveyed : nullptr,
                              .unclaimed = &ledger.checkpoint.unclaimed});
  const std::optional<HeldPlan> held =
      command.revision ? std::nullopt : HoldOf(config, plan, ledger.checkpoint, source, clock.Now());
  const Terminal terminal = Terminal::Of(STDOUT_FILENO);
  if (command.json) {
    WriteAll(STDOUT_FILENO, PrintableJson(PlanJson(plan, held)));
  } else {
    PlanExtras extras;
    if (held) extras.hold = held->approved ? "approved; the next pass carries it out\n" : WaitText(*held) + "\n";
    for (const Problem& problem : plan.desired->problems)
      extras.problems += ProblemText(problem, terminal.colour) + "\n";
    if (command.diff && ledger.reader) extras.diffs = Diffs(plan, *ledger.reader, source, terminal);
    WriteAll(STDOUT_FILENO, PlanText(plan, clock.Now(), terminal, extras));
  }
  if (plan.CallsService()) return kWorkToDo;
  return kDone;
}

}  // namespace tokensync
