#include "ledger_text.h"

#include <fmt/format.h>

#include "overloaded.h"

namespace tokensync {

namespace {

std::int64_t Ms(TimePoint time) {
  return time.time_since_epoch().count();
}

std::string Ms(const std::optional<TimePoint>& time) {
  return time ? fmt::format("{}", Ms(*time)) : "-";
}

std::string Hex(const std::optional<Digest>& digest) {
  return digest ? digest->Hex() : "-";
}

std::string Hex(const std::optional<CommitId>& commit) {
  return commit ? commit->hex : "-";
}

std::string DriftText(const std::optional<Drift>& drift) {
  return drift ? "differs from " + Hex(drift->declared) : "-";
}

std::string StateText(const EntryState& state) {
  const std::string fields = std::visit(
      Overloaded{
          [](const None&) { return std::string(); },
          [](const Pending& s) { return fmt::format("{} {}", s.attempts, Ms(s.due)); },
          [](const Submitting& s) { return fmt::format("{} {} {}", s.attempt, Ms(s.since), Ms(s.unknown_since)); },
          [](const Uncertain& s) {
            return fmt::format("{} {} {} {} {} {}", s.attempt, Ms(s.since), Ms(s.due), s.readings, s.absent_readings,
                               s.exists);
          },
          [](const Confirmed& s) { return DriftText(s.drift); },
          [](const Rejected& s) { return fmt::format("{}", s.attempts); },
          [](const Conflicting& s) { return Hex(s.remote) + " " + DriftText(s.drift); },
      },
      state);
  return fmt::format("{} {} {}", StateName(state), Hex(DigestOf(state)), fields);
}

std::string PassText(const PassRecord& pass) {
  return fmt::format("pass {}: {} from {} to {} over {}: {}: {} {} {} {} {} {} {} {}; {}", pass.pass, pass.cause,
                     Ms(pass.started), Ms(pass.ended), pass.commit.hex, static_cast<int>(pass.result), pass.created,
                     pass.confirmed, pass.adopted, pass.reported, pass.rejected, pass.conflicting, pass.unresolved,
                     pass.bad_manifests, pass.error);
}

std::string CheckpointText(const Checkpoint& checkpoint) {
  std::string text = fmt::format("head seen {}, applied {}, pass {}, {} failures, distrusted {}\n",
                                 Hex(checkpoint.head_seen), Hex(checkpoint.head_applied), checkpoint.last_pass,
                                 checkpoint.failures_in_a_row, Ms(checkpoint.distrusted_since));
  text += fmt::format("accepted {}, vouched {}\n", Hex(checkpoint.head_accepted), Hex(checkpoint.head_vouched));
  if (const auto& held = checkpoint.held) {
    text += fmt::format("held {} at {} since {}, {}: {}\n", held->fingerprint, held->commit.hex, Ms(held->since),
                        held->approved, held->why);
  }
  if (const auto& refused = checkpoint.refused) {
    text += fmt::format("refused {}: {}\n", refused->commit.hex, refused->why);
  }
  for (const auto& [collection, time] : checkpoint.surveyed) {
    text += fmt::format("surveyed {} at {}\n", collection.Text(), Ms(time));
  }
  for (const auto& [collection, tokens] : checkpoint.unclaimed) {
    for (const TokenId& token : tokens) text += fmt::format("unclaimed {}/{}\n", collection.Text(), token.text());
  }
  return text;
}

}  // namespace

std::string RecordText(const LogRecord& record, std::string_view event, std::string_view state_after) {
  std::string text =
      fmt::format("{} pass {} {} {} {} -> {}: {} {} attempt {}", Ms(record.time), record.pass, record.key.Text(),
                  record.action, event, state_after, Hex(record.digest), Hex(record.other_digest), record.attempt);
  if (record.commit) {
    const Commit& commit = *record.commit;
    text += fmt::format(", commit {} of {} at {}: {}", commit.id.hex, commit.author, Ms(commit.time), commit.subject);
  }
  if (!record.signer.empty()) text += ", signed by " + record.signer;
  const ServiceAnswer& answer = record.answer;
  return text + fmt::format(", {}:{}, {} {} {} {} {}, {} ms, {}\n", record.path, record.line,
                            answer.http_status.value_or(0), answer.error_name, answer.error_code.value_or(-1),
                            answer.message, answer.cause, record.duration.count(), record.detail);
}

std::string NoticeText(const Notice& notice) {
  return fmt::format("{} pass {} {} {} signer {} actor {}: {}\n", Ms(notice.time), notice.pass, NoticeName(notice.kind),
                     notice.commit ? notice.commit->id.hex : "-", notice.signer, notice.actor, notice.detail);
}

std::string LedgerText(const MemoryLedgerStore& store) {
  std::string text;
  for (const Change& change : store.log) {
    text += RecordText(change.record, EventName(change.event), StateText(change.after));
    if (change.payload) text += fmt::format("with {} {}\n", *change.payload, change.is_private);
  }
  for (const Notice& notice : store.notices) text += NoticeText(notice);
  for (const auto& [key, state] : store.entries) text += fmt::format("{} {}\n", key.Text(), StateText(state));
  for (const auto& [key, payload] : store.payloads) {
    text += fmt::format("{} {} {}\n", key.Text(), payload.payload, payload.is_private);
  }
  text += CheckpointText(store.checkpoint);
  for (const auto& [number, pass] : store.passes) text += PassText(pass) + "\n";
  return text;
}

}  // namespace tokensync
