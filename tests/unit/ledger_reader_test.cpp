/// Reading a ledger: what it tells, beside a writer and without one.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <fstream>
#include <semaphore>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "ledger_contract_samples.h"
#include "ledger_test_support.h"
#include "text_limits.h"

namespace tokensync {
namespace {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

std::vector<std::uint64_t> SeqsOf(LedgerReader& reader, const HistoryQuery& query) {
  std::vector<std::uint64_t> seqs;
  reader.History(query, [&](const StoredRow& row) { seqs.push_back(SeqOf(row)); });
  return seqs;
}

TEST_CASE("whether there is a ledger is told apart from whether it can be read", "[ledger]") {
  const TemporaryFolder folder;
  CHECK_FALSE(LedgerReader::Exists(folder.Ledger()));
  CHECK_FALSE(LedgerReader::Exists(folder.path() / "missing" / "ledger.db"));
  CHECK_THAT(ReadRefusal(folder.Ledger()), Contains("there is none"));
  CHECK(fs::is_empty(folder.path()));
  CHECK_THAT(ReadRefusal(folder.path() / "missing" / "ledger.db"), Contains("does not exist"));

  std::ofstream(folder.Ledger()) << "";
  CHECK(LedgerReader::Exists(folder.Ledger()));
  CHECK_THAT(ReadRefusal(folder.Ledger()), Contains("it is empty"));
  CHECK(fs::file_size(folder.Ledger()) == 0);
  std::ofstream(folder.Ledger()) << std::string(5'000, 'x');
  CHECK_THAT(ReadRefusal(folder.Ledger()), Contains("it is no database"));
  const fs::path other = folder.path() / "other.db";
  Sql(other, "CREATE TABLE notes (text)");
  CHECK_THAT(ReadRefusal(other), Contains("not a ledger of tokensyncd"));
  TellStories(folder.path() / "good.db");
  fs::resize_file(folder.path() / "good.db", 4'096 * 5);
  CHECK_THAT(ReadRefusal(folder.path() / "good.db"), Contains("damaged"));
}

TEST_CASE("a reader sees entries, payloads, checkpoint and last pass as the ledger has them", "[ledger]") {
  const TemporaryFolder folder;
  TellStories(folder.Ledger());
  const auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
  const auto reader = LedgerReader::Open(folder.Ledger());
  CHECK(reader->Entries() == ledger->Entries());
  for (const LedgerEntry& entry : ledger->Entries()) CHECK(reader->Payload(entry.key) == ledger->Payload(entry.key));
  CHECK_FALSE(reader->Payload(KeyOf(5, 5, "5")));
  CHECK_FALSE(reader->LastPass());

  PassRecord pass{.pass = 3,
                  .cause = "signal",
                  .started = At(1),
                  .ended = At(2),
                  .commit = CommitNumber(4)->id,
                  .result = PassResult::kComplete,
                  .created = 1,
                  .confirmed = 2,
                  .adopted = 8,
                  .reported = 3,
                  .rejected = 4,
                  .conflicting = 5,
                  .unresolved = 6,
                  .bad_manifests = 7,
                  .error = ""};
  const Checkpoint checkpoint = FullCheckpoint();
  ledger->SaveCheckpoint(checkpoint, &pass);
  CHECK(reader->LoadCheckpoint() == checkpoint);
  CHECK(reader->SourceUrl() == SomeIdentity().source_url);
  const auto same = [](const PassRecord& left, const PassRecord& right) {
    return std::tie(left.pass, left.cause, left.started, left.ended, left.commit, left.result, left.created,
                    left.confirmed, left.adopted, left.reported, left.rejected, left.conflicting, left.unresolved,
                    left.bad_manifests, left.error) ==
           std::tie(right.pass, right.cause, right.started, right.ended, right.commit, right.result, right.created,
                    right.confirmed, right.adopted, right.reported, right.rejected, right.conflicting, right.unresolved,
                    right.bad_manifests, right.error);
  };
  CHECK(same(reader->LastPass().value(), pass));
  for (const PassResult result : {PassResult::kIncomplete, PassResult::kStopped, PassResult::kEnvironment,
                                  PassResult::kDenied, PassResult::kHeld}) {
    ++pass.pass;
    pass.result = result;
    pass.commit = {};
    pass.error = "cannot reach " + std::string(9'000, 'x');
    ledger->SaveCheckpoint(checkpoint, &pass);
    PassRecord cut = pass;
    cut.error = FitText(pass.error, kNoteBytesMax);
    CHECK(same(reader->LastPass().value(), cut));
  }
}

TEST_CASE("a record of the log comes back as it was given", "[ledger]") {
  const TemporaryFolder folder;
  const auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
  RandomHistory history(3, 9);
  std::vector<Change> changes = history.Next(300);
  for (std::size_t at = 0; at < changes.size(); at += 3) changes[at].record.signer = "ada@example.com";
  ledger->Record(changes);
  const std::vector<StoredRecord> stored = RecordsIn(folder.Ledger());
  REQUIRE(stored.size() == changes.size());
  for (std::size_t at = 0; at < changes.size(); ++at) {
    const LogRecord& given = changes[at].record;
    const LogRecord& kept = stored[at].record;
    REQUIRE(stored[at].seq == at + 1);
    REQUIRE(stored[at].event == EventName(changes[at].event));
    REQUIRE(stored[at].state_after == StateName(changes[at].after));
    REQUIRE(std::tie(kept.time, kept.pass, kept.key, kept.action, kept.digest, kept.other_digest, kept.attempt,
                     kept.signer, kept.path, kept.line, kept.duration, kept.detail) ==
            std::tie(given.time, given.pass, given.key, given.action, given.digest, given.other_digest, given.attempt,
                     given.signer, given.path, given.line, given.duration, given.detail));
    REQUIRE(std::tie(kept.answer.http_status, kept.answer.error_name, kept.answer.error_code, kept.answer.message,
                     kept.answer.cause) == std::tie(given.answer.http_status, given.answer.error_name,
                                                    given.answer.error_code, given.answer.message, given.answer.cause));
    REQUIRE((kept.commit == nullptr) == (given.commit == nullptr));
    if (kept.commit) {
      REQUIRE(std::tie(kept.commit->id, kept.commit->author, kept.commit->subject, kept.commit->time) ==
              std::tie(given.commit->id, given.commit->author, given.commit->subject, given.commit->time));
    }
  }
}

TEST_CASE("texts from outside are made fit before they are recorded and hashed", "[ledger]") {
  const TemporaryFolder folder;
  const auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
  Change change = Stories().front().changes.front();
  LogRecord& record = change.record;
  const std::string foreign = "\xFF<html>\x00" + std::string(100'000, 'x');
  record.path = record.detail = record.answer.message = record.answer.cause = record.answer.error_name = foreign;
  record.signer = foreign;
  record.commit = std::make_shared<const Commit>(
      Commit{.id = CommitNumber(1)->id, .author = "J\xF6rg", .subject = foreign, .time = At(0)});
  record.other_digest = DigestOfPayload(record.key, 5);
  ledger->Record({&change, 1});
  const auto reader = LedgerReader::Open(folder.Ledger());
  const LogRecord kept = RecordsIn(folder.Ledger()).at(0).record;
  CHECK(kept.signer == FitText(foreign, kNameBytesMax));
  CHECK(kept.path == FitText(foreign, kPathBytesMax));
  CHECK(kept.detail == FitText(foreign, kNoteBytesMax));
  CHECK(kept.answer.message == FitText(foreign, kNoteBytesMax));
  CHECK(kept.answer.cause == FitText(foreign, kNoteBytesMax));
  CHECK(kept.answer.error_name == FitText(foreign, kNameBytesMax));
  CHECK(kept.commit->subject == FitText(foreign, kNameBytesMax));
  CHECK(kept.commit->author == "J\xEF\xBF\xBDrg");
  CHECK(kept.other_digest == record.other_digest);
  CHECK_FALSE(reader->VerifyChain().broken);
}

TEST_CASE("history by token, commit, time and number gives what a filter over the whole log gives", "[ledger]") {
  const TemporaryFolder folder;
  const auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
  RandomHistory history(4, 9);
  const std::vector<Notice> notices = SomeNotices();
  for (int round = 0; round < 6; ++round) {
    ledger->Record(history.Next(100));
    ledger->SaveCheckpoint({}, nullptr, notices);
  }
  // A clock that was set back: times are not in the log's order.
  Change early = Stories().front().changes.front();
  early.record.key = KeyOf(9, 9, "9");
  early.record.time = At(-5'000);
  ledger->Record({&early, 1});
  const auto reader = LedgerReader::Open(folder.Ledger());
  struct Row {
    std::uint64_t seq;
    std::optional<TokenKey> token;
    std::string commit;
    TimePoint time;
  };
  std::vector<Row> all;
  const auto id = [](const std::shared_ptr<const Commit>& commit) { return commit ? commit->id.hex : "none"; };
  for (const StoredRow& stored : RowsOf(*reader)) {
    if (const auto* told = std::get_if<StoredRecord>(&stored)) {
      all.push_back({told->seq, told->record.key, id(told->record.commit), told->record.time});
    } else {
      const auto& [seq, notice, action, hash] = std::get<StoredNotice>(stored);
      all.push_back({seq, std::nullopt, id(notice.commit), notice.time});
    }
  }
  REQUIRE(all.size() == 631);

  std::mt19937 random(4);
  const std::vector<std::string> prefixes = {
      CommitNumber(3)->id.hex, std::string(39, '0'), "0", "f", "", CommitNumber(16)->id.hex.substr(0, 39)};
  std::set<std::size_t> sizes;
  for (int round = 0; round < 400; ++round) {
    HistoryQuery query;
    const Row& sample = all[random() % all.size()];
    if (random() % 2 == 0) query.token = sample.token;
    if (random() % 2 == 0) query.commit_prefix = prefixes[random() % prefixes.size()];
    if (random() % 2 == 0) query.since = sample.time;
    if (random() % 2 == 0) query.limit = random() % 20;
    std::vector<std::uint64_t> expected;
    for (const Row& row : all) {
      if (query.token && row.token != query.token) continue;
      if (query.commit_prefix && (row.commit == "none" || !row.commit.starts_with(*query.commit_prefix))) continue;
      if (query.since && row.time < *query.since) continue;
      expected.push_back(row.seq);
    }
    if (query.limit && expected.size() > *query.limit) {
      expected.erase(expected.begin(), expected.end() - static_cast<std::ptrdiff_t>(*query.limit));
    }
    sizes.insert(expected.size());
    REQUIRE(SeqsOf(*reader, query) == expected);
  }
  CHECK(sizes.size() > 20);
  CHECK(SeqsOf(*reader, {.token = {}, .commit_prefix = {}, .since = {}, .limit = ~std::uint64_t{0}}).size() == 631);
}

TEST_CASE("what a visitor throws comes out, and the reader goes on", "[ledger]") {
  const TemporaryFolder folder;
  TellStories(folder.Ledger());
  const auto reader = LedgerReader::Open(folder.Ledger());
  int seen = 0;
  CHECK_THROWS_AS(reader->History({}, [&](const StoredRow&) { throw ++seen; }), int);
  CHECK(seen == 1);
  CHECK(SeqsOf(*reader, {}).size() > 10);
}

TEST_CASE("attention goes to what is not settled, with the newest record of each", "[ledger]") {
  const TemporaryFolder folder;
  TellStories(folder.Ledger());
  const std::vector<Notice> notices = SomeNotices();
  SqliteLedger::Open(folder.Ledger(), SomeIdentity())->SaveCheckpoint({}, nullptr, notices);
  const auto reader = LedgerReader::Open(folder.Ledger());
  std::vector<std::pair<LedgerEntry, std::string>> expected;
  StateCounts counts;
  for (const Story& story : Stories()) {
    const Change& last = story.changes.back();
    if (std::holds_alternative<None>(last.after)) continue;
    const auto* confirmed = std::get_if<Confirmed>(&last.after);
    const auto* conflicting = std::get_if<Conflicting>(&last.after);
    counts.confirmed += confirmed ? 1 : 0;
    counts.conflicting += conflicting ? 1 : 0;
    counts.pending += std::holds_alternative<Pending>(last.after) ? 1 : 0;
    counts.submitting += std::holds_alternative<Submitting>(last.after) ? 1 : 0;
    counts.uncertain += std::holds_alternative<Uncertain>(last.after) ? 1 : 0;
    counts.rejected += std::holds_alternative<Rejected>(last.after) ? 1 : 0;
    counts.drifting += (confirmed && confirmed->drift) || (conflicting && conflicting->drift) ? 1 : 0;
    if (confirmed && !confirmed->drift) continue;
    expected.emplace_back(LedgerEntry{last.record.key, last.after}, EventName(last.event));
  }
  const auto found = reader->Attention(1'000);
  REQUIRE(found.size() == expected.size());
  for (std::size_t at = 0; at < found.size(); ++at) {
    CHECK(found[at].entry == expected[at].first);
    REQUIRE(found[at].last);
    CHECK(found[at].last->event == expected[at].second);
    CHECK(found[at].last->record.key == found[at].entry.key);
  }
  const auto first = reader->Attention(3);
  REQUIRE(first.size() == 3);
  CHECK(first[2].entry == found[2].entry);
  CHECK(reader->Attention(0).empty());

  const StateCounts counted = reader->CountByState();
  CHECK(counted.pending == counts.pending);
  CHECK(counted.submitting == counts.submitting);
  CHECK(counted.uncertain == counts.uncertain);
  CHECK(counted.confirmed == counts.confirmed);
  CHECK(counted.rejected == counts.rejected);
  CHECK(counted.conflicting == counts.conflicting);
  CHECK(counted.drifting == counts.drifting);
  CHECK(counted.attention == expected.size());
  CHECK(counted.Total() == Stories().size() - 1);
}

/// Reads again and again what a writer changes, until it has seen several moments of it: each is one between two
/// transactions of 10 records. `go_on` lets the writer write a little more.
void WatchWriter(const fs::path& path, const std::function<void()>& go_on) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  const auto reader = LedgerReader::Open(path);
  std::set<std::uint64_t> moments;
  while (moments.size() < 10) {
    REQUIRE(std::chrono::steady_clock::now() < deadline);
    go_on();
    const ChainVerdict verdict = reader->VerifyChain();
    if (verdict.broken) FAIL(verdict.broken->seq << ": " << verdict.broken->what);
    REQUIRE(verdict.records % 10 == 0);
    const std::uint64_t records = SeqsOf(*reader, {}).size();
    REQUIRE(records >= verdict.records);
    REQUIRE(records % 10 == 0);
    moments.insert(verdict.records);
  }
}

TEST_CASE("a reader beside a writer in another thread sees whole transactions", "[ledger][threads]") {
  const TemporaryFolder folder;
  const auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
  std::counting_semaphore<> allowed(4);
  std::atomic<bool> enough = false;
  std::thread writer([&] {
    RandomHistory history(5, 50);
    while (allowed.acquire(), !enough) ledger->Record(history.Next(10));
  });
  try {
    WatchWriter(folder.Ledger(), [&] { allowed.release(); });
  } catch (...) {
    FAIL_CHECK("the reader failed");
  }
  enough = true;
  allowed.release();
  writer.join();
}

TEST_CASE("a reader beside a writer in another process sees whole transactions", "[ledger]") {
  const TemporaryFolder folder;
  Child child([&](int to_parent) {
    // The pipe holds a few of these, then the writer waits until the reader took one.
    const std::string chunk(1'024, 'x');
    ::fcntl(to_parent, F_SETPIPE_SZ, 4'096);
    RandomHistory history(6, 50);
    const auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
    for (;;) {
      ledger->Record(history.Next(10));
      if (::write(to_parent, chunk.data(), chunk.size()) != static_cast<ssize_t>(chunk.size())) return 1;
    }
  });
  REQUIRE(child.Read(1'024).size() == 1'024);
  WatchWriter(folder.Ledger(), [&] { REQUIRE(child.Read(1'024).size() == 1'024); });
  child.Kill();
  child.Wait();
  // What the killed writer left is read as well.
  CHECK_FALSE(LedgerReader::Open(folder.Ledger())->VerifyChain().broken);
}

TEST_CASE("a ledger at rest is read by somebody who may not write in its folder", "[ledger]") {
  const TemporaryFolder folder;
  TellStories(folder.Ledger());
  REQUIRE_FALSE(fs::exists(folder.path() / "ledger.db-wal"));
  const std::string report = AsReaderOnly(folder, [&] {
    const auto reader = LedgerReader::Open(folder.Ledger());
    const ChainVerdict verdict = reader->VerifyChain();
    return fmt::format("{} entries, {} records, {}", reader->Entries().size(), SeqsOf(*reader, {}).size(),
                       verdict.broken ? verdict.broken->what : "holds");
  });
  std::size_t records = 0;
  for (const Story& story : Stories()) records += story.changes.size();
  CHECK(report == fmt::format("{} entries, {} records, holds", Stories().size() - 1, records));
  CHECK_FALSE(fs::exists(folder.path() / "ledger.db-wal"));
  CHECK_FALSE(fs::exists(folder.path() / "ledger.db-shm"));
}

TEST_CASE("a ledger in use is read by somebody who may not write in its folder", "[ledger]") {
  const TemporaryFolder folder;
  const auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
  for (const Story& story : Stories()) ledger->Record(story.changes);
  REQUIRE(fs::file_size(folder.path() / "ledger.db-wal") > 0);
  const std::string report = AsReaderOnly(
      folder, [&] { return fmt::format("{} entries", LedgerReader::Open(folder.Ledger())->Entries().size()); });
  CHECK(report == fmt::format("{} entries", Stories().size() - 1));
  ledger->SaveCheckpoint({}, nullptr);
}

TEST_CASE("a run that begins during a reading without shared memory is noticed", "[ledger]") {
  const TemporaryFolder folder;
  TellStories(folder.Ledger());
  LetOthersRead(folder);
  std::array<int, 2> ends{};
  REQUIRE(::pipe(ends.data()) == 0);
  Child child([&](int to_parent) {
    BecomeReaderOnly();
    const auto reader = LedgerReader::Open(folder.Ledger());
    char go = 0;
    if (::write(to_parent, "x", 1) != 1 || ::read(ends[0], &go, 1) != 1) return 1;
    std::string report = RefusalOf([&] { reader->Entries(); });
    report += fmt::format("\nanew: {}", LedgerReader::Open(folder.Ledger())->Entries().size());
    return ::write(to_parent, report.data(), report.size()) > 0 ? 0 : 1;
  });
  REQUIRE(child.Read(1) == "x");
  LetOwnerWrite(folder);
  const auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
  Change change = Stories().front().changes.front();
  change.record.key = KeyOf(9, 9, "9");
  ledger->Record({&change, 1});
  if (::geteuid() != 0) ::chmod(folder.path().c_str(), 0555);
  REQUIRE(::write(ends[1], "x", 1) == 1);
  const std::string report = child.Read(4'096);
  CHECK_THAT(report,
             Contains("a run began to change it meanwhile") && Contains(fmt::format("anew: {}", Stories().size())));
  CHECK(WEXITSTATUS(child.Wait()) == 0);
  ::close(ends[0]);
  ::close(ends[1]);
}

TEST_CASE("what a killed run left in the WAL is never passed over in silence", "[ledger]") {
  const TemporaryFolder folder;
  Child writer([&](int to_parent) {
    const auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
    for (const Story& story : Stories()) ledger->Record(story.changes);
    if (::write(to_parent, "x", 1) != 1) return 1;
    return ::pause();
  });
  REQUIRE(writer.Read(1) == "x");
  writer.Kill();
  writer.Wait();
  REQUIRE(fs::file_size(folder.path() / "ledger.db-wal") > 0);
  const bool shm = GENERATE(true, false);
  if (!shm) fs::remove(folder.path() / "ledger.db-shm");
  const std::string report = AsReaderOnly(folder, [&] {
    const std::string refusal = ReadRefusal(folder.Ledger());
    if (!refusal.empty()) return refusal;
    return fmt::format("{} entries", LedgerReader::Open(folder.Ledger())->Entries().size());
  });
  if (shm) {
    CHECK(report == fmt::format("{} entries", Stories().size() - 1));
  } else {
    CHECK_THAT(report, Contains("beside it lies a WAL") && Contains("run this as the user that runs tokensyncd"));
  }
  // Who may write there brings it in.
  CHECK(LedgerReader::Open(folder.Ledger())->Entries().size() == Stories().size() - 1);
}

TEST_CASE("a ledger that this user may not read is refused as that", "[ledger]") {
  const TemporaryFolder folder;
  TellStories(folder.Ledger());
  if (::geteuid() != 0) ::chmod(folder.Ledger().c_str(), 0);
  ::chmod(folder.path().c_str(), 0755);
  Child child([&](int to_parent) {
    BecomeReaderOnly();
    const std::string text = ReadRefusal(folder.Ledger());
    return ::write(to_parent, text.data(), text.size()) > 0 ? 0 : 1;
  });
  CHECK_THAT(child.Read(4'096), Contains("Permission denied") && Contains("as the user that runs tokensyncd"));
}

}  // namespace
}  // namespace tokensync
