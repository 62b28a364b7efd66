#include "memory_ledger.h"

#include <cstdio>
#include <cstdlib>
#include <utility>
#include <variant>

namespace tokensync {

namespace {

void Demand(bool kept, const char* what) {
  if (kept) return;
  std::fprintf(stderr, "MemoryLedger: defect: %s\n", what);
  std::abort();
}

}  // namespace

MemoryLedger::MemoryLedger(std::shared_ptr<MemoryLedgerStore> store) : store_(std::move(store)) {}

std::vector<LedgerEntry> MemoryLedger::Entries() {
  std::vector<LedgerEntry> entries;
  for (const auto& [key, state] : store_->entries) entries.push_back({key, state});
  return entries;
}

void MemoryLedger::Record(std::span<const Change> changes) {
  for (const Change& change : changes) {
    const TokenKey& key = change.record.key;
    const auto it = store_->entries.find(key);
    const EntryState before = it == store_->entries.end() ? EntryState(None{}) : it->second;
    Demand(Advance(before, change.event) == change.after, "a state does not follow from the recorded one");
    const bool carries = CarriesPayload(change.event);
    Demand(carries || !change.payload, "a payload with an event that has none");
    Demand(!carries || change.payload || DigestOf(before) == DigestOf(change.after), "an event without its payload");
    store_->log.push_back(change);
    if (std::holds_alternative<None>(change.after)) {
      store_->entries.erase(key);
      store_->payloads.erase(key);
      continue;
    }
    store_->entries.insert_or_assign(key, change.after);
    if (change.payload) store_->payloads.insert_or_assign(key, StoredPayload{*change.payload, change.is_private});
  }
}

std::optional<StoredPayload> MemoryLedger::Payload(const TokenKey& key) {
  const auto it = store_->payloads.find(key);
  return it == store_->payloads.end() ? std::nullopt : std::optional(it->second);
}

Checkpoint MemoryLedger::LoadCheckpoint() {
  return store_->checkpoint;
}

void MemoryLedger::SaveCheckpoint(const Checkpoint& checkpoint, const PassRecord* pass,
                                  std::span<const Notice> notices) {
  store_->checkpoint = checkpoint;
  if (pass != nullptr) store_->passes.insert_or_assign(pass->pass, *pass);
  store_->notices.insert(store_->notices.end(), notices.begin(), notices.end());
}

}  // namespace tokensync
