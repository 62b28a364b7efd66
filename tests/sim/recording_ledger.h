/// A ledger that can be watched, that can fail, and that outlives the run that writes it.
#pragma once

#include <functional>
#include <vector>

#include "memory_ledger.h"
#include "sudden_end.h"
#include "virtual_clock.h"

namespace tokensync {

/// A decorator of MemoryLedger: what it is told lasts, also beyond a Crash. Throws BrokenPromise where a change does
/// not follow from what is recorded.
class RecordingLedger final : public Ledger {
 public:
  RecordingLedger(SuddenEnd& end, VirtualClock& clock) : end_(end), clock_(clock) {}

  /// Told each change before it is recorded, with the state that it is made from.
  std::function<void(const EntryState& before, const Change& change)> on_change{};
  /// Asked before each write; true makes it fail with LedgerError, recording nothing.
  std::function<bool()> fails{};
  /// How long the next write takes.
  std::function<Duration()> write_time{};

  std::vector<LedgerEntry> Entries() override { return memory_.Entries(); }
  void Record(std::span<const Change> changes) override;
  std::optional<StoredPayload> Payload(const TokenKey& key) override { return memory_.Payload(key); }
  Checkpoint LoadCheckpoint() override { return memory_.LoadCheckpoint(); }
  void SaveCheckpoint(const Checkpoint& checkpoint, const PassRecord* pass) override;

  // What a test wants to know.
  EntryState StateOf(const TokenKey& key) const;
  const std::vector<Change>& log() const { return memory_.store().log; }
  const std::map<std::uint64_t, PassRecord>& passes() const { return memory_.store().passes; }
  const std::map<TokenKey, EntryState>& entries() const { return memory_.store().entries; }
  const Checkpoint& checkpoint() const { return memory_.store().checkpoint; }
  std::uint64_t writes() const { return writes_; }
  std::uint64_t largest_batch() const { return largest_batch_; }

 private:
  void BeforeWrite();
  void AfterWrite();

  SuddenEnd& end_;
  VirtualClock& clock_;
  MemoryLedger memory_;
  std::uint64_t writes_ = 0;
  std::uint64_t largest_batch_ = 0;
};

}  // namespace tokensync
