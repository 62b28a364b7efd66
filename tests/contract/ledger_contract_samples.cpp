#include "ledger_contract_samples.h"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <tuple>
#include <utility>
#include <variant>

#include "memory_ledger.h"
#include "sha256.h"

namespace tokensync {

namespace {

/// Appends the event to the story, carrying its state on.
struct StoryTeller {
  TokenKey key;
  EntryState state = None{};
  std::vector<Change> changes{};

  StoryTeller& Then(Event event, std::uint32_t version = 1) {
    changes.push_back(ChangeBy(state, key, std::move(event), version));
    state = changes.back().after;
    return *this;
  }
  StoryTeller& Sent() { return Then(CreateIntended{.digest = DigestOfPayload(key, 1), .attempt = 1, .at = At(1)}); }
  StoryTeller& Lost() { return Sent().Then(CreateLost{.at = At(2), .due = At(60'002)}); }
  StoryTeller& Created() { return Sent().Then(TokenCreated{}); }
  StoryTeller& Conflict() { return Lost().Then(ReadDifferent{.remote = DigestOfPayload(key, 9)}); }
  StoryTeller& Unreadable() { return Sent().Then(TokenExisted{.at = At(2), .due = At(3)}).Then(ExistenceUnreadable{}); }
};

}  // namespace

TimePoint At(std::int64_t ms) {
  return TimePoint(Duration(1'700'000'000'000 + ms));
}

TokenKey KeyOf(std::uint64_t project, std::uint64_t collection, const std::string& token_id) {
  const auto token = TokenId::Parse(token_id);
  if (!token) std::abort();
  return TokenKey{ProjectId{project}, CollectionId{collection}, *token};
}

std::string PayloadOf(const TokenKey& key, std::uint32_t version) {
  return fmt::format(R"({{"name":"Drache № {}","tokenId":"{}"}})", version, key.token.text());
}

Digest DigestOfPayload(const TokenKey& key, std::uint32_t version) {
  return PayloadDigest(PayloadOf(key, version), false);
}

std::shared_ptr<const Commit> CommitNumber(std::uint32_t number) {
  return std::make_shared<const Commit>(Commit{.id = {fmt::format("{:040x}", number)},
                                               .author = fmt::format("Author {} <a{}@example.com>", number, number % 7),
                                               .subject = fmt::format("tokens: change {}", number),
                                               .time = At(number)});
}

Change ChangeBy(const EntryState& before, const TokenKey& key, Event event, std::uint32_t version) {
  auto after = Advance(before, event);
  if (!after) std::abort();
  const bool with_payload = CarriesPayload(event);
  Change change{.event = std::move(event),
                .after = *std::move(after),
                .record = {.time = At(version),
                           .pass = version,
                           .key = key,
                           .action = "create",
                           .digest = DigestOfPayload(key, version),
                           .other_digest = std::nullopt,
                           .attempt = 1,
                           .commit = CommitNumber(version),
                           .path = "dragons/" + key.token.text() + ".yaml",
                           .line = 3,
                           .answer = {.http_status = 200,
                                      .error_name = "WebrpcEndpoint",
                                      .error_code = -4,
                                      .message = "fine",
                                      .cause = "none"},
                           .duration = Duration(17),
                           .detail = "a detail"},
                .payload = std::nullopt,
                .is_private = false};
  if (with_payload) change.payload = PayloadOf(key, version);
  return change;
}

std::vector<Story> Stories() {
  std::vector<Story> stories;
  std::uint32_t token = 0;
  const auto tell = [&](const char* name, auto&& story) {
    StoryTeller teller{.key = KeyOf(1, 2, std::to_string(++token))};
    story(teller);
    stories.push_back({name, std::move(teller.changes)});
  };
  tell("submitting", [](StoryTeller& s) { s.Sent(); });
  tell("submitting again, on a service that cannot be read", [](StoryTeller& s) {
    s.Lost().Then(CreateIntended{.digest = DigestOfPayload(s.key, 1), .attempt = 2, .at = At(3)});
  });
  tell("assumed ours", [](StoryTeller& s) {
    s.Lost()
        .Then(CreateIntended{.digest = DigestOfPayload(s.key, 1), .attempt = 2, .at = At(3)})
        .Then(TokenAssumedOurs{});
  });
  tell("pending", [](StoryTeller& s) { s.Sent().Then(CreateNotDone{.due = At(9), .attempt_spent = true}); });
  tell("pending, no attempt spent",
       [](StoryTeller& s) { s.Sent().Then(CreateNotDone{.due = At(9), .attempt_spent = false}); });
  tell("pending after two readings", [](StoryTeller& s) {
    s.Lost().Then(ReadAbsent{.due = At(5), .settled = true}).Then(ReadAbsent{.due = At(6), .settled = true});
  });
  tell("uncertain", [](StoryTeller& s) { s.Lost(); });
  tell("uncertain after an interruption", [](StoryTeller& s) { s.Sent().Then(RunInterrupted{.at = At(4)}); });
  tell("uncertain, known to exist", [](StoryTeller& s) { s.Sent().Then(TokenExisted{.at = At(2), .due = At(3)}); });
  tell("uncertain, read in vain", [](StoryTeller& s) {
    s.Lost()
        .Then(ReadFailed{.due = At(5)})
        .Then(ReadAbsent{.due = At(6), .settled = false})
        .Then(ReadAbsent{.due = At(7), .settled = true});
  });
  tell("uncertain, read too early", [](StoryTeller& s) { s.Lost().Then(ReadUnsettled{.due = At(8)}); });
  tell("uncertain, found in a survey", [](StoryTeller& s) {
    s.Sent().Then(CreateRefused{}).Then(TokenFound{.digest = DigestOfPayload(s.key, 2), .at = At(9)}, 2);
  });
  tell("pending, the clock set back", [](StoryTeller& s) {
    s.Sent().Then(CreateNotDone{.due = At(9), .attempt_spent = true}).Then(ClockSetBack{.at = At(2)});
  });
  tell("uncertain, the clock set back", [](StoryTeller& s) { s.Lost().Then(ClockSetBack{.at = At(1)}); });
  tell("adopted", [](StoryTeller& s) { s.Then(TokenAdopted{.digest = DigestOfPayload(s.key, 1)}); });
  tell("adopted after a call that was not done", [](StoryTeller& s) {
    s.Sent()
        .Then(CreateNotDone{.due = At(9), .attempt_spent = true})
        .Then(TokenAdopted{.digest = DigestOfPayload(s.key, 1)});
  });
  tell("confirmed", [](StoryTeller& s) { s.Created(); });
  tell("confirmed by reading", [](StoryTeller& s) { s.Lost().Then(ReadEqual{}); });
  tell("confirmed, changed in git",
       [](StoryTeller& s) { s.Created().Then(DriftReported{.drift = {.declared = DigestOfPayload(s.key, 2)}}); });
  tell("confirmed, removed from git",
       [](StoryTeller& s) { s.Created().Then(DriftReported{.drift = {.declared = std::nullopt}}); });
  tell("confirmed, settled again", [](StoryTeller& s) {
    s.Created().Then(DriftReported{.drift = {.declared = std::nullopt}}).Then(DriftSettled{});
  });
  tell("rejected", [](StoryTeller& s) { s.Sent().Then(CreateRefused{}); });
  tell("conflicting", [](StoryTeller& s) { s.Conflict(); });
  tell("conflicting, not readable", [](StoryTeller& s) { s.Unreadable(); });
  tell("conflicting, changed in git",
       [](StoryTeller& s) { s.Conflict().Then(DriftReported{.drift = {.declared = DigestOfPayload(s.key, 2)}}); });
  tell("conflicting, not readable, removed from git",
       [](StoryTeller& s) { s.Unreadable().Then(DriftReported{.drift = {.declared = std::nullopt}}); });
  tell("reopened", [](StoryTeller& s) {
    s.Conflict().Then(ConflictReopened{.digest = DigestOfPayload(s.key, 2), .at = At(8)}, 2);
  });
  tell("withdrawn", [](StoryTeller& s) { s.Sent().Then(CreateRefused{}).Then(EntryWithdrawn{}); });
  return stories;
}

std::vector<Notice> SomeNotices() {
  auto bare = std::make_shared<Commit>();
  bare->id = CommitNumber(99)->id;
  return {{.time = At(1),
           .pass = 1,
           .kind = NoticeKind::kHeadRefused,
           .commit = bare,
           .detail = "of a commit nothing but its id is known"},
          {.time = At(2),
           .pass = 2,
           .kind = NoticeKind::kHistoryRewritten,
           .commit = CommitNumber(2),
           .signer = "ada@example.com",
           .detail = "it does not continue the one before"},
          {.time = At(3), .pass = 3, .kind = NoticeKind::kPlanHeld, .commit = CommitNumber(3), .detail = "3 to create"},
          {.time = At(4),
           .pass = 0,
           .kind = NoticeKind::kPlanApproved,
           .commit = nullptr,
           .actor = "ada (uid 1000)",
           .detail = "fingerprint 0123456789abcdef"},
          {.time = At(-5), .pass = 0, .kind = NoticeKind::kPlanApproved, .commit = CommitNumber(3)}};
}

Checkpoint FullCheckpoint() {
  return {.head_seen = CommitNumber(1)->id,
          .head_applied = CommitNumber(2)->id,
          .head_accepted = CommitNumber(3)->id,
          .head_vouched = CommitNumber(4)->id,
          .held = HeldPlan{.fingerprint = DigestOfPayload(KeyOf(1, 2, "3"), 1).Hex(),
                           .commit = CommitNumber(5)->id,
                           .since = At(6),
                           .why = "history was rewritten: № 5 does not continue № 3",
                           .approved = true},
          .refused = RefusedHead{.commit = CommitNumber(6)->id, .why = "it bears no signature"},
          .last_pass = 7,
          .failures_in_a_row = 8,
          .surveyed = {{{ProjectId{1}, CollectionId{2}}, At(9)}},
          .unclaimed = {{{ProjectId{1}, CollectionId{2}}, {KeyOf(1, 2, "77").token}}},
          .distrusted_since = At(10)};
}

std::uint32_t RandomHistory::Pick(std::uint32_t below) {
  return static_cast<std::uint32_t>(random_() % below);
}

Event RandomHistory::AnyEvent(const TokenKey& key, const EntryState& state) {
  const TimePoint now = At(now_ms_);
  const TimePoint due = At(now_ms_ + Pick(100'000));
  const Digest anew = DigestOfPayload(key, Pick(4));
  const Digest same = DigestOf(state).value_or(anew);
  const auto drift = Pick(2) == 0 ? Drift{.declared = anew} : Drift{.declared = std::nullopt};
  const std::array<Event, std::variant_size_v<Event>> any = {
      CreateIntended{.digest = Pick(2) == 0 ? same : anew, .attempt = 1 + Pick(5), .at = now},
      TokenCreated{},
      TokenExisted{.at = now, .due = due},
      TokenAssumedOurs{},
      CreateRefused{},
      CreateNotDone{.due = due, .attempt_spent = Pick(2) == 0},
      CreateLost{.at = now, .due = due},
      RunInterrupted{.at = now},
      ReadEqual{},
      ReadDifferent{.remote = anew},
      ReadAbsent{.due = due, .settled = Pick(2) == 0},
      ReadFailed{.due = due},
      ExistenceUnreadable{},
      DriftReported{.drift = drift},
      DriftSettled{},
      ConflictReopened{.digest = anew, .at = now},
      EntryWithdrawn{},
      ReadUnsettled{.due = due},
      TokenAdopted{.digest = anew},
      TokenFound{.digest = anew, .at = now},
      ClockSetBack{.at = now}};
  return any.at(Pick(static_cast<std::uint32_t>(any.size())));
}

Change RandomHistory::One() {
  for (;;) {
    const TokenKey key =
        KeyOf(1 + Pick(2), 1 + Pick(2), std::to_string(1 + Pick(key_count_)) + std::string(Pick(3), '0'));
    const auto it = entries_.find(key);
    const EntryState before = it == entries_.end() ? EntryState(None{}) : it->second;
    now_ms_ += Pick(1'000);
    const Event event = AnyEvent(key, before);
    const auto after = Advance(before, event);
    if (!after) continue;

    Change change{.event = event,
                  .after = *after,
                  .record = {.time = At(now_ms_),
                             .pass = static_cast<std::uint64_t>(now_ms_ / 10'000),
                             .key = key,
                             .action = Pick(2) == 0 ? "create" : "resolve",
                             .digest = DigestOf(*after),
                             .other_digest = std::nullopt,
                             .attempt = Pick(9),
                             .commit = Pick(4) == 0 ? nullptr : CommitNumber(Pick(20)),
                             .path = Pick(4) == 0 ? "" : fmt::format("folder {}/f.yaml", Pick(9)),
                             .line = Pick(500),
                             .answer = {},
                             .duration = Duration(Pick(3'000)),
                             .detail = Pick(2) == 0 ? "" : "ein \"Détail\"\n\x01"},
                  .payload = std::nullopt,
                  .is_private = false};
    if (Pick(2) == 0) {
      change.record.answer = {.http_status = 200 + static_cast<int>(Pick(400)),
                              .error_name = "RateLimited",
                              .error_code = -static_cast<int>(Pick(9)),
                              .message = "slower",
                              .cause = ""};
    }
    if (CarriesPayload(event)) {
      for (std::uint32_t version = 0; version < 4; ++version) {
        if (DigestOfPayload(key, version) == DigestOf(*after)) change.payload = PayloadOf(key, version);
      }
      // The same text again needs no payload: the stored one stays.
      if (DigestOf(before) == DigestOf(*after) && Pick(2) == 0) change.payload.reset();
    }
    if (std::holds_alternative<None>(*after)) {
      entries_.erase(key);
      payloads_.erase(key);
    } else {
      entries_.insert_or_assign(key, *after);
      if (change.payload) payloads_.insert_or_assign(key, StoredPayload{*change.payload, false});
    }
    return change;
  }
}

std::vector<Change> RandomHistory::Next(std::size_t count) {
  std::vector<Change> changes;
  while (changes.size() < count) changes.push_back(One());
  return changes;
}

std::vector<LedgerEntry> RandomHistory::EntryList() const {
  std::vector<LedgerEntry> list;
  for (const auto& [key, state] : entries_) list.push_back({key, state});
  return list;
}

bool operator==(const LedgerEntry& left, const LedgerEntry& right) {
  return left.key == right.key && left.state == right.state;
}

bool operator==(const StoredPayload& left, const StoredPayload& right) {
  return left.payload == right.payload && left.is_private == right.is_private;
}

bool operator==(const Notice& left, const Notice& right) {
  const auto said = [](const Notice& notice) {
    const Commit commit = notice.commit ? *notice.commit : Commit{};
    return std::tuple(notice.commit != nullptr, commit.id, commit.author, commit.subject, commit.time);
  };
  return std::tie(left.time, left.pass, left.kind, left.signer, left.actor, left.detail) ==
             std::tie(right.time, right.pass, right.kind, right.signer, right.actor, right.detail) &&
         said(left) == said(right);
}

}  // namespace tokensync
