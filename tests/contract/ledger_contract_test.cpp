/// What ports.h promises of a Ledger, for the real one and its double.
#include <catch2/catch.hpp>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "ledger_contract_samples.h"
#include "ledger_test_support.h"
#include "memory_ledger.h"
#include "sha256.h"

namespace tokensync {
namespace {

/// Where a ledger is kept; each Open() gives the one that is kept there.
class SqliteShelf {
 public:
  std::unique_ptr<Ledger> Open() { return SqliteLedger::Open(folder_.Ledger(), SomeIdentity()); }
  std::vector<Notice> Notices() { return NoticesIn(folder_.Ledger()); }
  std::optional<PassRecord> LastPass() { return LedgerReader::Open(folder_.Ledger())->LastPass(); }

 private:
  TemporaryFolder folder_;
};

class MemoryShelf {
 public:
  std::unique_ptr<Ledger> Open() { return std::make_unique<MemoryLedger>(store_); }
  std::vector<Notice> Notices() { return store_->notices; }
  std::optional<PassRecord> LastPass() {
    return store_->passes.empty() ? std::nullopt : std::optional(store_->passes.rbegin()->second);
  }

 private:
  std::shared_ptr<MemoryLedgerStore> store_ = std::make_shared<MemoryLedgerStore>();
};

Change Intend(const TokenKey& key, std::uint32_t version = 1) {
  return ChangeBy(None{}, key, CreateIntended{.digest = DigestOfPayload(key, version), .attempt = 1, .at = At(1)},
                  version);
}

PassRecord SomePass(std::uint64_t number) {
  return PassRecord{.pass = number,
                    .cause = "poll",
                    .started = At(1),
                    .ended = At(2),
                    .commit = CommitNumber(7)->id,
                    .result = PassResult::kIncomplete,
                    .created = 1,
                    .confirmed = 2,
                    .adopted = 8,
                    .reported = 3,
                    .rejected = 4,
                    .conflicting = 5,
                    .unresolved = 6,
                    .bad_manifests = 7,
                    .error = ""};
}

#define LEDGERS SqliteShelf, MemoryShelf

TEMPLATE_TEST_CASE("a new ledger knows nothing", "[ledger]", LEDGERS) {
  TestType shelf;
  const auto ledger = shelf.Open();
  CHECK(ledger->Entries().empty());
  CHECK(ledger->LoadCheckpoint() == Checkpoint{});
  CHECK_FALSE(ledger->Payload(KeyOf(1, 2, "3")));
}

TEMPLATE_TEST_CASE("every state comes back as it was recorded, also after reopening", "[ledger]", LEDGERS) {
  for (const Story& story : Stories()) {
    INFO(story.name);
    TestType shelf;
    std::vector<LedgerEntry> expected;
    const Change& last = story.changes.back();
    if (!std::holds_alternative<None>(last.after)) expected.push_back({last.record.key, last.after});
    {
      const auto ledger = shelf.Open();
      ledger->Record(story.changes);
      CHECK(ledger->Entries() == expected);
    }
    CHECK(shelf.Open()->Entries() == expected);
  }
}

TEMPLATE_TEST_CASE("the stories lead to every state and tell every event", "[ledger]", MemoryShelf) {
  std::vector<bool> states(std::variant_size_v<EntryState>), events(std::variant_size_v<Event>);
  for (const Story& story : Stories()) {
    states[story.changes.back().after.index()] = true;
    for (const Change& change : story.changes) events[change.event.index()] = true;
  }
  CHECK(states == std::vector<bool>(states.size(), true));
  CHECK(events == std::vector<bool>(events.size(), true));
}

TEMPLATE_TEST_CASE("changes one by one lead to the same as changes together", "[ledger]", LEDGERS) {
  TestType together, one_by_one;
  const auto left = together.Open();
  const auto right = one_by_one.Open();
  for (const Story& story : Stories()) {
    left->Record(story.changes);
    for (const Change& change : story.changes) right->Record({&change, 1});
  }
  CHECK(left->Entries() == right->Entries());
  CHECK(left->Entries().size() == Stories().size() - 1);
}

TEMPLATE_TEST_CASE("recording nothing is nothing", "[ledger]", LEDGERS) {
  TestType shelf;
  const auto ledger = shelf.Open();
  ledger->Record({});
  CHECK(ledger->Entries().empty());
}

TEMPLATE_TEST_CASE("entries come sorted by project, collection and the token's number", "[ledger]", LEDGERS) {
  const std::string biggest = "115792089237316195423570985008687907853269984665640564039457584007913129639935";
  const std::vector<TokenKey> sorted = {
      KeyOf(1, 2, "0"),     KeyOf(1, 2, "9"),  KeyOf(1, 2, "10"), KeyOf(1, 2, "18446744073709551616"),
      KeyOf(1, 2, biggest), KeyOf(1, 10, "1"), KeyOf(2, 1, "1"),  KeyOf(kSafeIntegerMax, kSafeIntegerMax, "1")};
  TestType shelf;
  const auto ledger = shelf.Open();
  std::vector<Change> changes;
  for (const std::size_t at : std::initializer_list<std::size_t>{3, 0, 7, 5, 1, 4, 6, 2})
    changes.push_back(Intend(sorted[at]));
  ledger->Record(changes);
  std::vector<TokenKey> found;
  for (const LedgerEntry& entry : ledger->Entries()) found.push_back(entry.key);
  CHECK(found == sorted);
}

TEMPLATE_TEST_CASE("the payload of the last intent is kept until the next one, or until the entry is gone", "[ledger]",
                   LEDGERS) {
  TestType shelf;
  const TokenKey key = KeyOf(1, 2, "3");
  EntryState state = None{};
  auto ledger = shelf.Open();
  const auto record = [&](const Event& event, std::uint32_t version, bool with_payload, bool is_private) {
    Change change = ChangeBy(state, key, event, version);
    if (!with_payload) change.payload.reset();
    change.is_private = is_private;
    ledger->Record({&change, 1});
    state = change.after;
  };
  const auto payload = [&] { return ledger->Payload(key); };

  const Digest secret = PayloadDigest(PayloadOf(key, 1), true);
  record(CreateIntended{.digest = secret, .attempt = 1, .at = At(1)}, 1, true, true);
  CHECK(payload() == StoredPayload{PayloadOf(key, 1), true});
  record(CreateNotDone{.due = At(5), .attempt_spent = true}, 1, false, false);
  CHECK(payload() == StoredPayload{PayloadOf(key, 1), true});
  record(CreateIntended{.digest = secret, .attempt = 2, .at = At(6)}, 1, false, false);
  CHECK(payload() == StoredPayload{PayloadOf(key, 1), true});
  record(CreateNotDone{.due = At(7), .attempt_spent = true}, 1, false, false);
  record(CreateIntended{.digest = DigestOfPayload(key, 2), .attempt = 1, .at = At(8)}, 2, true, false);
  CHECK(payload() == StoredPayload{PayloadOf(key, 2), false});
  record(CreateLost{.at = At(8), .due = At(9)}, 2, false, false);
  record(ReadDifferent{.remote = DigestOfPayload(key, 9)}, 2, false, false);
  record(ConflictReopened{.digest = DigestOfPayload(key, 3), .at = At(10)}, 3, true, false);
  ledger.reset();
  ledger = shelf.Open();
  CHECK(payload() == StoredPayload{PayloadOf(key, 3), false});
  CHECK_FALSE(ledger->Payload(KeyOf(1, 2, "33")));
}

TEMPLATE_TEST_CASE("an entry that is withdrawn leaves nothing behind", "[ledger]", LEDGERS) {
  TestType shelf;
  const auto ledger = shelf.Open();
  const Story story = Stories().back();
  REQUIRE(story.name == "withdrawn");
  const TokenKey key = story.changes.front().record.key;
  ledger->Record(story.changes);
  CHECK(ledger->Entries().empty());
  CHECK_FALSE(ledger->Payload(key));
  const Change again = Intend(key, 2);
  ledger->Record({&again, 1});
  CHECK(ledger->Payload(key) == StoredPayload{PayloadOf(key, 2), false});
}

TEMPLATE_TEST_CASE("a payload of any length and with every character comes back", "[ledger]", LEDGERS) {
  TestType shelf;
  const auto ledger = shelf.Open();
  const TokenKey key = KeyOf(1, 2, "3");
  const std::string payload =
      std::string("quote ' \" and \xE2\x82\xAC and \xF0\x9F\x90\x89 ") + std::string(3 << 20, 'x');
  Change change =
      ChangeBy(None{}, key, CreateIntended{.digest = PayloadDigest(payload, false), .attempt = 1, .at = At(1)});
  change.payload = payload;
  ledger->Record({&change, 1});
  CHECK(ledger->Payload(key)->payload == *change.payload);
}

TEMPLATE_TEST_CASE("what is adopted or found in a survey keeps what it was compared with", "[ledger]", LEDGERS) {
  TestType shelf;
  const TokenKey adopted = KeyOf(1, 2, "3"), found = KeyOf(1, 2, "4");
  const std::vector<Change> changes = {
      ChangeBy(None{}, adopted, TokenAdopted{.digest = DigestOfPayload(adopted, 1)}),
      ChangeBy(None{}, found, TokenFound{.digest = DigestOfPayload(found, 1), .at = At(5)})};
  shelf.Open()->Record(changes);
  const auto ledger = shelf.Open();
  CHECK(ledger->Payload(adopted) == StoredPayload{PayloadOf(adopted, 1), false});
  CHECK(ledger->Payload(found) == StoredPayload{PayloadOf(found, 1), false});
  CHECK(ledger->Entries() == std::vector<LedgerEntry>{{adopted, changes[0].after}, {found, changes[1].after}});
}

TEMPLATE_TEST_CASE("surveyed collections come, change and go with the checkpoint", "[ledger]", LEDGERS) {
  TestType shelf;
  std::mt19937 random(5);
  Checkpoint checkpoint{.distrusted_since = At(-5)};
  auto ledger = shelf.Open();
  for (int round = 0; round < 20; ++round) {
    for (int step = 0; step < 10; ++step) {
      const CollectionKey key{ProjectId{1 + random() % 2}, CollectionId{random() % 12}};
      if (random() % 3 == 0) {
        checkpoint.surveyed.erase(key);
        checkpoint.unclaimed.erase(key);
      } else {
        checkpoint.surveyed[key] = At(random() % 4);
        std::set<TokenId> tokens;
        for (auto count = random() % 3; count > 0; --count)
          tokens.insert(*TokenId::Parse(std::to_string(random() % 20)));
        if (!tokens.empty()) checkpoint.unclaimed[key] = std::move(tokens);
      }
    }
    if (random() % 5 == 0) checkpoint.distrusted_since.reset();
    ledger->SaveCheckpoint(checkpoint, nullptr);
    if (random() % 2 == 0) {
      ledger.reset();
      ledger = shelf.Open();
    }
    REQUIRE(ledger->LoadCheckpoint() == checkpoint);
  }
  checkpoint.surveyed.clear();
  checkpoint.unclaimed.clear();
  ledger->SaveCheckpoint(checkpoint, nullptr);
  CHECK(ledger->LoadCheckpoint() == checkpoint);
}

TEMPLATE_TEST_CASE("the checkpoint and its pass are remembered", "[ledger]", LEDGERS) {
  TestType shelf;
  const Checkpoint first{.head_seen = CommitNumber(1)->id,
                         .head_applied = {},
                         .last_pass = 1,
                         .failures_in_a_row = 3,
                         .surveyed = {{{ProjectId{1}, CollectionId{2}}, At(3)}},
                         .distrusted_since = At(2)};
  const Checkpoint second{.head_seen = CommitNumber(2)->id,
                          .head_applied = CommitNumber(1)->id,
                          .last_pass = kSafeIntegerMax,
                          .failures_in_a_row = 0};
  {
    const auto ledger = shelf.Open();
    ledger->SaveCheckpoint(first, nullptr);
    CHECK(ledger->LoadCheckpoint() == first);
    const PassRecord pass = SomePass(5);
    ledger->SaveCheckpoint(second, &pass);
    ledger->SaveCheckpoint(second, &pass);
    CHECK(ledger->LoadCheckpoint() == second);
  }
  CHECK(shelf.Open()->LoadCheckpoint() == second);
}

TEMPLATE_TEST_CASE("each part of a checkpoint comes and goes with it", "[ledger]", LEDGERS) {
  const Checkpoint full = FullCheckpoint();
  std::vector<Checkpoint> checkpoints(9, full);
  checkpoints[0].head_seen.reset();
  checkpoints[1].head_applied.reset();
  checkpoints[2].head_accepted.reset();
  checkpoints[3].head_vouched.reset();
  checkpoints[4].held.reset();
  checkpoints[5].held->approved = false;
  checkpoints[6].refused.reset();
  checkpoints[7].held->why.clear();
  checkpoints[7].refused->why.clear();
  checkpoints[8] = {};
  TestType shelf;
  for (const Checkpoint& checkpoint : checkpoints) {
    for (const Checkpoint& saved : {full, checkpoint}) {
      {
        const auto ledger = shelf.Open();
        ledger->SaveCheckpoint(saved, nullptr);
        CHECK(ledger->LoadCheckpoint() == saved);
      }
      CHECK(shelf.Open()->LoadCheckpoint() == saved);
    }
  }
}

TEMPLATE_TEST_CASE("notices are recorded in order, with the checkpoint and the pass that they come with", "[ledger]",
                   LEDGERS) {
  TestType shelf;
  const std::vector<Notice> notices = SomeNotices();
  std::vector<Notice> expected;
  auto ledger = shelf.Open();
  for (std::uint64_t pass = 1; pass <= 4; ++pass) {
    INFO("pass " << pass);
    // None, all in one, and one after the other between changes.
    const Change change = Intend(KeyOf(1, 2, std::to_string(pass)));
    ledger->Record({&change, 1});
    const std::span<const Notice> some = pass == 1   ? std::span<const Notice>()
                                         : pass == 2 ? std::span(notices)
                                                     : std::span(notices).subspan(pass, 1);
    const PassRecord record = SomePass(pass);
    Checkpoint checkpoint = FullCheckpoint();
    checkpoint.last_pass = pass;
    ledger->SaveCheckpoint(checkpoint, &record, some);
    expected.insert(expected.end(), some.begin(), some.end());
    if (pass % 2 == 0) {
      ledger.reset();
      ledger = shelf.Open();
    }
    CHECK(shelf.Notices() == expected);
    CHECK(shelf.LastPass()->pass == pass);
    CHECK(ledger->LoadCheckpoint() == checkpoint);
    CHECK(ledger->Entries().size() == pass);
  }
  ledger->SaveCheckpoint({}, nullptr, notices);
  expected.insert(expected.end(), notices.begin(), notices.end());
  CHECK(shelf.Notices() == expected);
  CHECK(shelf.LastPass()->pass == 4);
}

TEMPLATE_TEST_CASE("a change that the contract forbids ends the program", "[ledger]", LEDGERS) {
  const TokenKey key = KeyOf(1, 2, "3");
  const Change lawful = Intend(key);
  Change change = lawful;
  const auto recording = [&](const std::vector<Change>& before) {
    return Aborts([&, before] {
      TestType shelf;
      const auto ledger = shelf.Open();
      ledger->Record(before);
      ledger->Record({&change, 1});
    });
  };
  CHECK_FALSE(recording({}));

  SECTION("a state that does not follow from the event") {
    change.after = Confirmed{.digest = DigestOfPayload(key, 1), .drift = std::nullopt};
    CHECK(recording({}));
  }
  SECTION("a state that does not follow from the recorded one") {
    CHECK(recording({lawful}));
  }
  SECTION("none with a payload") {
    const Change refused = ChangeBy(lawful.after, key, CreateRefused{});
    change = ChangeBy(refused.after, key, EntryWithdrawn{});
    CHECK_FALSE(recording({lawful, refused}));
    change.payload = PayloadOf(key, 1);
    CHECK(recording({lawful, refused}));
  }
  SECTION("an intent without its payload") {
    change.payload.reset();
    CHECK(recording({}));
  }
  SECTION("an event that cannot happen to a token that is not known") {
    change = ChangeBy(lawful.after, key, TokenCreated{});
    CHECK_FALSE(recording({lawful}));
    CHECK(recording({}));
  }
}

TEMPLATE_TEST_CASE("random histories leave what the model says, after any reopening", "[ledger]", LEDGERS) {
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    INFO("seed " << seed);
    TestType shelf;
    RandomHistory history(seed, 12);
    std::mt19937_64 sizes(seed);
    auto ledger = shelf.Open();
    for (int round = 0; round < 12; ++round) {
      ledger->Record(history.Next(1 + sizes() % 40));
      if (sizes() % 3 == 0) {
        ledger.reset();
        ledger = shelf.Open();
      }
      REQUIRE(ledger->Entries() == history.EntryList());
      for (const auto& [key, payload] : history.payloads()) REQUIRE(ledger->Payload(key) == payload);
    }
  }
}

}  // namespace
}  // namespace tokensync
