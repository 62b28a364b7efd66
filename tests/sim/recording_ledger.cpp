#include "recording_ledger.h"

#include <algorithm>

#include "broken_promise.h"

namespace tokensync {

void RecordingLedger::Record(std::span<const Change> changes) {
  BeforeWrite();
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
  memory_.Record(changes);
  largest_batch_ = std::max<std::uint64_t>(largest_batch_, changes.size());
  AfterWrite();
}

void RecordingLedger::SaveCheckpoint(const Checkpoint& checkpoint, const PassRecord* pass) {
  BeforeWrite();
  if (pass != nullptr) {
    Demand(!passes().contains(pass->pass), "two passes have one number");
    Demand(pass->pass == checkpoint.last_pass, "a pass is recorded beside its number");
  }
  Demand(checkpoint.last_pass >= this->checkpoint().last_pass, "the numbers of passes go back");
  memory_.SaveCheckpoint(checkpoint, pass);
  AfterWrite();
}

EntryState RecordingLedger::StateOf(const TokenKey& key) const {
  const auto found = entries().find(key);
  return found == entries().end() ? EntryState(None{}) : found->second;
}

void RecordingLedger::BeforeWrite() {
  end_.Step();
  if (fails && fails()) throw LedgerError("writing the ledger: the disk is full; the program ends");
  if (write_time) clock_.Spend(write_time());
}

void RecordingLedger::AfterWrite() {
  ++writes_;
  end_.Step();
}

}  // namespace tokensync
