/// A ledger that can be watched, that can fail, and that outlives the run that writes it.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <vector>

#include "ledger_disk.h"
#include "memory_ledger.h"
#include "sudden_end.h"
#include "virtual_clock.h"

namespace tokensync {

/// All of a ledger, to be put back later.
struct LedgerCopy {
  MemoryLedgerStore store{};
  std::shared_ptr<const LedgerDisk::Copy> disk{};
};

/// A decorator of MemoryLedger: what it is told lasts, also beyond a Crash. Where there is a disk, that holds the same,
/// and is what the program under test reads. Throws BrokenPromise where a change does not follow from what is recorded,
/// and where the disk says something else than memory.
class RecordingLedger final : public Ledger {
 public:
  RecordingLedger(SuddenEnd& end, VirtualClock& clock) : end_(end), clock_(clock) {}

  /// Where the ledger is kept beside the memory. To be set before the first process.
  std::unique_ptr<LedgerDisk> disk{};
  /// Told each change before it is recorded, with the state that it is made from.
  std::function<void(const EntryState& before, const Change& change)> on_change{};
  /// Told before another head counts as accepted.
  std::function<void(const Checkpoint& before, const Checkpoint& after)> on_head{};
  /// Asked before each write; true makes it fail with LedgerError, recording nothing.
  std::function<bool()> fails{};
  /// How long the next write takes.
  std::function<Duration()> write_time{};

  /// A process starts, and ends.
  void Open();
  void Cut();

  std::vector<LedgerEntry> Entries() override;
  void Record(std::span<const Change> changes) override;
  std::optional<StoredPayload> Payload(const TokenKey& key) override;
  Checkpoint LoadCheckpoint() override;
  void SaveCheckpoint(const Checkpoint& checkpoint, const PassRecord* pass, std::span<const Notice> notices) override;

  LedgerCopy Copy() const;
  /// Another ledger stands in this one's place, and is found to be another at the next start.
  void Replace(LedgerCopy copy);

  // What a test wants to know.
  EntryState StateOf(const TokenKey& key) const;
  const MemoryLedgerStore& store() const { return memory_.store(); }
  const std::vector<Change>& log() const { return store().log; }
  const std::map<std::uint64_t, PassRecord>& passes() const { return store().passes; }
  const std::map<TokenKey, EntryState>& entries() const { return store().entries; }
  const Checkpoint& checkpoint() const { return store().checkpoint; }
  std::uint64_t writes() const { return writes_; }
  std::uint64_t largest_batch() const { return largest_batch_; }

 private:
  void CheckChanges(std::span<const Change> changes) const;
  void Write(const std::function<void(Ledger&)>& write, const std::function<void()>& check);

  SuddenEnd& end_;
  VirtualClock& clock_;
  MemoryLedger memory_;
  Ledger* opened_ = nullptr;  // on the disk
  std::uint64_t writes_ = 0;
  std::uint64_t largest_batch_ = 0;
};

}  // namespace tokensync
