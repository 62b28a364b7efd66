/// A Ledger without a disk, as strict as the real one: it passes the same contract suite.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "ports.h"

namespace tokensync {

/// Whether what is sent or compared is recorded with such an event.
bool CarriesPayload(const Event& event);

/// What is left when a MemoryLedger dies: its disk, so to speak.
struct MemoryLedgerStore {
  std::map<TokenKey, EntryState> entries;
  std::map<TokenKey, StoredPayload> payloads;
  std::vector<Change> log;      ///< every change that was recorded, in order
  std::vector<Notice> notices;  ///< likewise
  Checkpoint checkpoint;
  std::map<std::uint64_t, PassRecord> passes;
};

/// Never throws. A programmer's error aborts, as in SqliteLedger.
class MemoryLedger final : public Ledger {
 public:
  /// A ledger over what another one left, or an empty one.
  explicit MemoryLedger(std::shared_ptr<MemoryLedgerStore> store = std::make_shared<MemoryLedgerStore>());

  std::vector<LedgerEntry> Entries() override;
  void Record(std::span<const Change> changes) override;
  std::optional<StoredPayload> Payload(const TokenKey& key) override;
  Checkpoint LoadCheckpoint() override;
  void SaveCheckpoint(const Checkpoint& checkpoint, const PassRecord* pass,
                      std::span<const Notice> notices = {}) override;

  const MemoryLedgerStore& store() const { return *store_; }

 private:
  std::shared_ptr<MemoryLedgerStore> store_;
};

}  // namespace tokensync
