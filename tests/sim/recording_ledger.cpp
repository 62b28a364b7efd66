#include "recording_ledger.h"

#include <algorithm>
#include <utility>

#include "broken_promise.h"

namespace tokensync {

namespace {

bool SameEntries(const std::vector<LedgerEntry>& left, const std::vector<LedgerEntry>& right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](const auto& a, const auto& b) { return a.key == b.key && a.state == b.state; });
}

bool SamePayload(const std::optional<StoredPayload>& left, const std::optional<StoredPayload>& right) {
  if (!left || !right) return left.has_value() == right.has_value();
  return left->payload == right->payload && left->is_private == right->is_private;
}

}  // namespace

void RecordingLedger::Open() {
  if (disk) opened_ = &disk->Open(clock_.Now());
}

void RecordingLedger::Cut() {
  opened_ = nullptr;
  if (disk) disk->Cut();
}

std::vector<LedgerEntry> RecordingLedger::Entries() {
  std::vector<LedgerEntry> entries = memory_.Entries();
  if (opened_ != nullptr) {
    Demand(SameEntries(opened_->Entries(), entries), "the entries on the disk are not those that were recorded");
  }
  return entries;
}

std::optional<StoredPayload> RecordingLedger::Payload(const TokenKey& key) {
  std::optional<StoredPayload> payload = memory_.Payload(key);
  if (opened_ != nullptr) {
    Demand(SamePayload(opened_->Payload(key), payload), "a payload on the disk is not the one that was recorded");
  }
  return payload;
}

Checkpoint RecordingLedger::LoadCheckpoint() {
  Checkpoint checkpoint = memory_.LoadCheckpoint();
  if (opened_ != nullptr) {
    Demand(opened_->LoadCheckpoint() == checkpoint, "the checkpoint on the disk is not the one that was saved");
  }
  return checkpoint;
}

void RecordingLedger::Record(std::span<const Change> changes) {
  Write([&](Ledger& ledger) { ledger.Record(changes); }, [&] { CheckChanges(changes); });
  largest_batch_ = std::max<std::uint64_t>(largest_batch_, changes.size());
}

void RecordingLedger::CheckChanges(std::span<const Change> changes) const {
  std::map<TokenKey, EntryState> states;
  for (const Change& change : changes) {
    const TokenKey& key = change.record.key;
    const auto known = states.find(key);
    const EntryState before = known == states.end() ? StateOf(key) : known->second;
    Demand(Advance(before, change.event) == change.after, "a recorded state does not follow from the one before it");
    Demand(change.record.pass == checkpoint().last_pass, "a record carries a pass number that was not taken before");
    if (on_change) on_change(before, change);
    states.insert_or_assign(key, change.after);
  }
}

void RecordingLedger::SaveCheckpoint(const Checkpoint& checkpoint, const PassRecord* pass,
                                     std::span<const Notice> notices) {
  Write([&](Ledger& ledger) { ledger.SaveCheckpoint(checkpoint, pass, notices); },
        [&] {
          if (on_head && checkpoint.head_accepted != this->checkpoint().head_accepted) {
            on_head(this->checkpoint(), checkpoint);
          }
          Demand(checkpoint.last_pass >= this->checkpoint().last_pass, "the numbers of passes go back");
          if (pass == nullptr) return;
          Demand(!passes().contains(pass->pass), "two passes have one number");
          Demand(pass->pass == checkpoint.last_pass, "a pass is recorded beside its number");
        });
}

void RecordingLedger::Write(const std::function<void(Ledger&)>& write, const std::function<void()>& check) {
  try {
    end_.Step();
  } catch (const Crash&) {
    if (opened_ != nullptr) disk->Tear(write);
    throw;
  }
  if (fails && fails()) throw LedgerError("writing the ledger: the disk is full; the program ends");
  if (write_time) clock_.Spend(write_time());
  check();
  if (opened_ != nullptr) write(*opened_);
  write(memory_);
  ++writes_;
  end_.Step();
}

LedgerCopy RecordingLedger::Copy() const {
  return {.store = store(), .disk = disk ? disk->MakeCopy() : nullptr};
}

void RecordingLedger::Replace(LedgerCopy copy) {
  const TimePoint now = clock_.Now();
  copy.store.checkpoint.surveyed.clear();
  copy.store.checkpoint.unclaimed.clear();
  copy.store.checkpoint.distrusted_since = now;
  memory_ = MemoryLedger(std::make_shared<MemoryLedgerStore>(std::move(copy.store)));
  if (disk) disk->Replace(copy.disk.get(), now);
}

EntryState RecordingLedger::StateOf(const TokenKey& key) const {
  const auto found = entries().find(key);
  return found == entries().end() ? EntryState(None{}) : found->second;
}

}  // namespace tokensync
