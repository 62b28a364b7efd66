/// A copy of a ledger, made while it is in use or without a daemon: for `backup`.
#pragma once

#include <cstdint>
#include <filesystem>

#include "model.h"

namespace tokensync {

struct BackupReport {
  std::filesystem::path file;  ///< absolute
  std::uint64_t entries = 0;
  std::uint64_t records = 0;  ///< of the log
  Digest head;                ///< hash of the last record; of the chain's beginning where there is none
  std::uint64_t bytes = 0;
};

/// Copies one moment of the ledger into `target`, one file of its own, readable for its owner only, and checks the
/// copy: its structure, the end of its log, its entries against their sum. It holds nobody up and waits for nobody.
/// Where it returns, the copy is on the disk; a process that is killed meanwhile leaves at most a `<target>.tmp-…`. No
/// mark goes with it: a run on the copy knows that it is one.
///
/// Throws LedgerError, and leaves nothing: no ledger of ours, or one that this user cannot read; a target that is
/// there, whatever it is, since nothing is ever overwritten; no folder for it, no right to write, a full disk; a copy
/// that does not hold.
BackupReport BackUpLedger(const std::filesystem::path& ledger, const std::filesystem::path& target);

}  // namespace tokensync
