/// Changes to record: told ones that lead to each state, and random ones. Notices, and what a checkpoint may hold.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "ports.h"

namespace tokensync {

/// A time, so many milliseconds after a fixed one.
TimePoint At(std::int64_t ms);

TokenKey KeyOf(std::uint64_t project, std::uint64_t collection, const std::string& token_id);

/// The payload of a token's text with that version number, and its digest (not private).
std::string PayloadOf(const TokenKey& key, std::uint32_t version);
Digest DigestOfPayload(const TokenKey& key, std::uint32_t version);

std::shared_ptr<const Commit> CommitNumber(std::uint32_t number);

/// The change that `event` makes of `before`, with a full log record; with the payload of `version` where the event is
/// one that has one. Aborts where the event cannot happen.
Change ChangeBy(const EntryState& before, const TokenKey& key, Event event, std::uint32_t version = 1);

/// One way to each alternative of EntryState with each combination of its optional parts. The last event makes it.
struct Story {
  std::string name;
  std::vector<Change> changes;  ///< of one key
};
std::vector<Story> Stories();

/// A notice of each kind; each member is set in some of them, and as empty as can be in others.
std::vector<Notice> SomeNotices();

/// A checkpoint in which each member is set.
Checkpoint FullCheckpoint();

/// A model of the ledger that grows by random changes, each of which can happen. Two with one seed do the same.
class RandomHistory {
 public:
  RandomHistory(std::uint64_t seed, std::uint32_t keys) : random_(seed), key_count_(keys) {}

  /// The next changes, which the model has then taken.
  std::vector<Change> Next(std::size_t count);

  const std::map<TokenKey, EntryState>& entries() const { return entries_; }
  const std::map<TokenKey, StoredPayload>& payloads() const { return payloads_; }
  /// As Ledger::Entries() gives them.
  std::vector<LedgerEntry> EntryList() const;

 private:
  std::uint32_t Pick(std::uint32_t below);
  Event AnyEvent(const TokenKey& key, const EntryState& state);
  Change One();

  std::mt19937_64 random_;
  std::uint32_t key_count_;
  std::int64_t now_ms_ = 0;
  std::map<TokenKey, EntryState> entries_;
  std::map<TokenKey, StoredPayload> payloads_;
};

bool operator==(const LedgerEntry& left, const LedgerEntry& right);
bool operator==(const StoredPayload& left, const StoredPayload& right);
/// With commits compared by what they say.
bool operator==(const Notice& left, const Notice& right);

}  // namespace tokensync
