/// How fast the ledger is; prints, and asserts nothing. Run with the tag [.bench].
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <vector>

#include "ledger_contract_samples.h"
#include "ledger_test_support.h"

namespace tokensync {
namespace {

class Watch {
 public:
  double Seconds() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count(); }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

/// Creates tokens, intent and outcome, `batch` of them in a transaction.
void CreateTokens(Ledger& ledger, int first, int count, int batch) {
  std::vector<Change> changes;
  const auto record = [&] {
    ledger.Record(changes);
    changes.clear();
  };
  for (int at = 0; at < count; at += batch) {
    std::vector<TokenKey> keys;
    for (int token = at; token < std::min(count, at + batch); ++token) {
      keys.push_back(KeyOf(1, 2, std::to_string(first + token)));
      changes.push_back(ChangeBy(None{}, keys.back(),
                                 CreateIntended{.digest = DigestOfPayload(keys.back(), 1), .attempt = 1, .at = At(1)}));
    }
    std::vector<EntryState> states;
    for (const Change& change : changes) states.push_back(change.after);
    record();
    for (std::size_t token = 0; token < keys.size(); ++token) {
      changes.push_back(ChangeBy(states[token], keys[token], TokenCreated{}));
    }
    record();
  }
}

TEST_CASE("how fast the ledger records and reads", "[.bench]") {
  const TemporaryFolder folder;
  auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
  int first = 0;
  for (const auto& [count, batch] :
       {std::pair(3'000, 1), std::pair(30'000, 16), std::pair(100'000, 100), std::pair(250'000, 500)}) {
    const Watch watch;
    CreateTokens(*ledger, first, count, batch);
    first += count;
    fmt::print("{:>4} changes a commit: {:>8.0f} commits/s, {:>8.0f} rows/s\n", batch,
               2.0 * count / batch / watch.Seconds(), 2.0 * count / watch.Seconds());
  }
  const auto tell = [](const char* what, const Watch& watch) {
    fmt::print("{:<32} {:8.1f} ms\n", what, watch.Seconds() * 1e3);
  };
  ledger.reset();
  fmt::print("file of {} MB, {} entries\n", std::filesystem::file_size(folder.Ledger()) >> 20, first);
  const Watch open;
  ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
  tell("open", open);
  const Watch entries;
  const std::size_t size = ledger->Entries().size();
  tell("entries", entries);
  const auto reader = LedgerReader::Open(folder.Ledger());
  const Watch count;
  reader->CountByState();
  tell("count by state", count);
  const Watch attention;
  reader->Attention(20);
  tell("attention", attention);
  const Watch token;
  reader->History({.token = KeyOf(1, 2, "77777"), .commit_prefix = {}, .since = {}, .limit = {}},
                  [](const StoredRow&) {});
  tell("history of a token", token);
  const Watch last;
  reader->History({.token = {}, .commit_prefix = {}, .since = {}, .limit = 20}, [](const StoredRow&) {});
  tell("last 20 of the history", last);
  const Watch commit;
  reader->History({.token = {}, .commit_prefix = "00", .since = {}, .limit = 20}, [](const StoredRow&) {});
  tell("last 20 of a commit", commit);
  const Watch since;
  reader->History({.token = {}, .commit_prefix = {}, .since = At(2), .limit = {}}, [](const StoredRow&) {});
  tell("history since just now", since);
  const Watch audit;
  const bool holds = !reader->VerifyChain().broken;
  tell("audit", audit);
  const Watch quick;
  Sql(folder.Ledger(), "PRAGMA quick_check");
  tell("quick_check", quick);
  CHECK(holds);
  CHECK(size == static_cast<std::size_t>(first));
}

}  // namespace
}  // namespace tokensync
