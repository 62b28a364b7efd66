/// Notices: rows of the log that are not about a token.
#include <catch2/catch.hpp>
#include <memory>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "ledger_contract_samples.h"
#include "ledger_test_support.h"
#include "text_limits.h"

namespace tokensync {
namespace {

TEST_CASE("a notice comes back as it was given, between the records that it was recorded between", "[ledger]") {
  const TemporaryFolder folder;
  const auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
  const std::vector<Notice> notices = SomeNotices();
  RandomHistory history(6, 9);
  ledger->Record(history.Next(2));
  ledger->SaveCheckpoint({}, nullptr, notices);
  ledger->Record(history.Next(1));
  const auto reader = LedgerReader::Open(folder.Ledger());
  const std::vector<StoredRow> rows = RowsOf(*reader);
  REQUIRE(rows.size() == 8);
  CHECK(std::holds_alternative<StoredRecord>(rows[1]));
  CHECK(std::holds_alternative<StoredRecord>(rows[7]));
  std::set<std::string> hashes;
  for (std::size_t at = 0; at < notices.size(); ++at) {
    const auto& stored = std::get<StoredNotice>(rows.at(2 + at));
    CHECK(stored.notice == notices[at]);
    CHECK(stored.seq == 3 + at);
    CHECK(stored.action == (NoticeName(stored.notice.kind).starts_with("plan") ? "plan" : "head"));
    hashes.insert(stored.hash.Hex());
  }
  CHECK(hashes.size() == notices.size());
  // Two rows about one commit share it.
  CHECK(std::get<StoredNotice>(rows[4]).notice.commit == std::get<StoredNotice>(rows[6]).notice.commit);
  CHECK_FALSE(reader->VerifyChain().broken);
}

TEST_CASE("a notice of a commit that is known by its id alone tells what was recorded of it before", "[ledger]") {
  const TemporaryFolder folder;
  const auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
  const Change change = Stories().front().changes.front();
  ledger->Record({&change, 1});
  auto bare = std::make_shared<Commit>();
  bare->id = change.record.commit->id;
  const Notice notice{.time = At(1), .kind = NoticeKind::kHeadRefused, .commit = bare};
  ledger->SaveCheckpoint({}, nullptr, {&notice, 1});
  CHECK(NoticesIn(folder.Ledger()).at(0).commit->author == change.record.commit->author);
}

TEST_CASE("the texts of notices and of what is held or refused are made fit", "[ledger]") {
  const TemporaryFolder folder;
  const auto ledger = SqliteLedger::Open(folder.Ledger(), SomeIdentity());
  const std::string foreign = "\xFF<html>\x01" + std::string(100'000, 'x');
  Notice notice = SomeNotices().front();
  notice.signer = notice.actor = notice.detail = foreign;
  Checkpoint checkpoint = FullCheckpoint();
  checkpoint.held->why = checkpoint.refused->why = foreign;
  ledger->SaveCheckpoint(checkpoint, nullptr, {&notice, 1});
  const Notice kept = NoticesIn(folder.Ledger()).at(0);
  CHECK(kept.signer == FitText(foreign, kNameBytesMax));
  CHECK(kept.actor == FitText(foreign, kNameBytesMax));
  CHECK(kept.detail == FitText(foreign, kNoteBytesMax));
  checkpoint.held->why = checkpoint.refused->why = FitText(foreign, kNoteBytesMax);
  CHECK(ledger->LoadCheckpoint() == checkpoint);
  CHECK_FALSE(LedgerReader::Open(folder.Ledger())->VerifyChain().broken);
}

}  // namespace
}  // namespace tokensync
