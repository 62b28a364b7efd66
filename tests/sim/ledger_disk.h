/// What a world's ledger is kept on beside the memory of the test.
#pragma once

#include <functional>
#include <memory>

#include "memory_ledger.h"
#include "ports.h"

namespace tokensync {

/// A ledger on something that lasts, and that can suffer what a disk can. One process at a time has it open. What the
/// ledger itself throws comes out; BrokenPromise where it is not what it has to be.
class LedgerDisk {
 public:
  /// What can be put in the ledger's place later.
  class Copy {
   public:
    virtual ~Copy() = default;
  };

  virtual ~LedgerDisk() = default;

  /// A process starts, and opens the ledger.
  virtual Ledger& Open(TimePoint now) = 0;

  /// The process ends without a word, or the machine does: what was written lasts as far as it must, and no further.
  virtual void Cut() = 0;

  /// The next Cut comes in the middle of this write, before it is durable.
  virtual void Tear(const std::function<void(Ledger&)>& write) = 0;

  virtual std::shared_ptr<const Copy> MakeCopy() = 0;

  /// While no process runs, the copy is put in the ledger's place; an empty one where `copy` is null.
  virtual void Replace(const Copy* copy, TimePoint now) = 0;

  /// Throws BrokenPromise where an auditor finds anything but this.
  virtual void Audit(const MemoryLedgerStore& expected) = 0;
};

}  // namespace tokensync
