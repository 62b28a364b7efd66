/// What a pass writes down: changes in batches, the pass's number before the first of them, and the checkpoint.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "pass.h"

namespace tokensync {

class PassRecorder {
 public:
  /// All of these outlive the recorder. `batch_max`: changes in one transaction at most.
  PassRecorder(Ledger& ledger, PassObserver& observer, LedgerView& view, Checkpoint& checkpoint, std::size_t batch_max)
      : ledger_(ledger), observer_(observer), view_(view), checkpoint_(checkpoint), batch_max_(batch_max) {}

  /// Counts the event, and makes it true in the view at once; it is durable after Flush(). Aborts where it cannot
  /// happen in the entry's state.
  void Append(const Event& event, LogRecord record, std::optional<StoredPayload> payload = std::nullopt);

  /// Flush() where a batch is full: between changes that no call waits for.
  void FlushFull();

  /// All that was appended is durable on return. Throws LedgerError.
  void Flush();

  /// The collection was read as a whole, and all that follows from it was appended. `unclaimed`: what it holds beside
  /// that. Durable on return.
  void SaveSurvey(const CollectionKey& collection, TimePoint now, std::set<TokenId> unclaimed);

  /// Saves the checkpoint with the notices, after all that was appended. Durable on return.
  void SaveHead(const Checkpoint& next, std::span<const Notice> notices);

  /// Saves the checkpoint and the record of the pass, where anything is new: a pass over an unchanged world writes
  /// nothing.
  void SavePass(const Checkpoint& next);

  /// Whether this pass wrote anything.
  bool changed() const { return changed_; }

  /// The pass's own record.
  PassRecord tally;

 private:
  void TakeNumber();

  Ledger& ledger_;
  PassObserver& observer_;
  LedgerView& view_;
  Checkpoint& checkpoint_;
  std::size_t batch_max_;
  std::vector<Change> batch_;
  bool changed_ = false;
};

}  // namespace tokensync
