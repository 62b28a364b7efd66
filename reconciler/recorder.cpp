#include "recorder.h"

#include <cstdlib>
#include <utility>

#include "overloaded.h"

namespace tokensync {

namespace {

std::optional<Digest> OtherDigest(const Event& event) {
  if (const auto* different = std::get_if<ReadDifferent>(&event)) return different->remote;
  if (const auto* drift = std::get_if<DriftReported>(&event)) return drift->drift.declared;
  return std::nullopt;
}

void Tally(PassRecord& record, const Event& event) {
  std::visit(
      Overloaded{[&](const TokenCreated&) { ++record.created; }, [&](const ReadEqual&) { ++record.confirmed; },
                 [&](const TokenAssumedOurs&) { ++record.confirmed; }, [&](const TokenAdopted&) { ++record.adopted; },
                 [&](const CreateRefused&) { ++record.rejected; }, [&](const ReadDifferent&) { ++record.conflicting; },
                 [&](const ExistenceUnreadable&) { ++record.conflicting; },
                 [&](const DriftReported&) { ++record.reported; }, [](const auto&) {}},
      event);
}

}  // namespace

void PassRecorder::Append(const Event& event, LogRecord record, std::optional<StoredPayload> payload) {
  std::optional<EntryState> after = Advance(view_.StateOf(record.key), event);
  if (!after) std::abort();
  if (const auto other = OtherDigest(event)) record.other_digest = other;
  Tally(tally, event);
  view_.Set(record.key, *after);
  Change change{.event = event, .after = std::move(*after), .record = std::move(record)};
  if (payload) {
    change.payload = std::move(payload->payload);
    change.is_private = payload->is_private;
  }
  batch_.push_back(std::move(change));
}

void PassRecorder::FlushFull() {
  if (batch_.size() >= batch_max_) Flush();
}

void PassRecorder::Flush() {
  if (batch_.empty()) return;
  TakeNumber();
  ledger_.Record(batch_);
  observer_.OnRecorded(batch_);
  batch_.clear();
}

/// Before the first record: a pass that dies on the way never shares its number with the next.
void PassRecorder::TakeNumber() {
  if (changed_) return;
  checkpoint_.last_pass = tally.pass;
  ledger_.SaveCheckpoint(checkpoint_, nullptr);
  changed_ = true;
}

void PassRecorder::SaveSurvey(const CollectionKey& collection, TimePoint now, std::set<TokenId> unclaimed) {
  Flush();
  if (unclaimed.empty()) {
    checkpoint_.unclaimed.erase(collection);
  } else {
    checkpoint_.unclaimed.insert_or_assign(collection, std::move(unclaimed));
  }
  checkpoint_.surveyed.insert_or_assign(collection, now);
  checkpoint_.last_pass = tally.pass;
  ledger_.SaveCheckpoint(checkpoint_, nullptr);
  changed_ = true;
}

void PassRecorder::SaveHead(const Checkpoint& next, std::span<const Notice> notices) {
  Flush();
  Checkpoint numbered = next;
  numbered.last_pass = tally.pass;
  ledger_.SaveCheckpoint(numbered, nullptr, notices);
  checkpoint_ = std::move(numbered);
  changed_ = true;
  for (const Notice& notice : notices) observer_.OnNotice(notice);
}

void PassRecorder::SavePass(const Checkpoint& next) {
  if (!changed_ && next == checkpoint_) return;
  Checkpoint numbered = next;
  numbered.last_pass = tally.pass;
  ledger_.SaveCheckpoint(numbered, &tally);
  checkpoint_ = std::move(numbered);
  changed_ = true;
}

}  // namespace tokensync
