#include "small_worlds.h"

#include "scenario.h"

namespace tokensync {

namespace {

constexpr Duration kLongAgo = std::chrono::hours(1);

/// Something that happens while the pass after it is under way.
void Meanwhile(World& world, Duration after, void (*what)(World&)) {
  world.clock.At(world.clock.WorldNow() + after, [&world, what] {
    what(world);
    world.refresh = true;
    world.service.Wake();
  });
}

void LookFirst(World& world) {
  world.policy.executor.survey = true;
  world.service.rules.page_size = 2;
}

void Overwrites(World& world) {
  world.service.rules.unique = false;
}

void CannotBeRead(World& world) {
  world.service.rules.readable = false;
}

void OneToken(World& world) {
  world.source.Push(TreeOf(1, 1));
}

void TwoTokens(World& world) {
  world.source.Push(TreeOf(1, 2));
}

void ThreeTokens(World& world) {
  world.source.Push(TreeOf(1, 3));
}

template <Fate kFate>
void NextCall(World& world) {
  world.service.Script(SampleKey(1), {kFate});
}

void RefusesSecondText(World& world) {
  world.service.refuses = [](const Call& call) { return call.payload.find("second") != std::string::npos; };
}

void NewText(World& world) {
  world.source.Push(Tree({Token(1, "second"), Token(2)}));
}

void NothingDeclared(World& world) {
  world.source.Push({});
}

void Unreadable(World& world) {
  world.source.Push({{"a.yaml", {.tokens = {}, .readable = false}}});
}

void SomebodyElsesToken(World& world) {
  world.service.CreateForeign(SampleKey(1), PayloadText(1, "theirs"), kLongAgo);
}

void SomebodyMadeTheSame(World& world) {
  world.service.CreateForeign(SampleKey(1), PayloadText(1, "first"), kLongAgo);
  world.service.CreateForeign(SampleKey(2), PayloadText(2, "theirs"), kLongAgo);
  world.service.CreateForeign(SampleKey(9), PayloadText(9, "theirs"), kLongAgo);
}

void TheirsIsDeclared(World& world) {
  world.source.Push(Tree({Token(1), Token(2), Token(3), Token(9, "theirs")}));
}

/// A late request comes as late as it can, and is seen as late as it can be.
void AsLateAsCanBe(World& world) {
  ServiceRules& rules = world.service.rules;
  rules.late_least = rules.late_for;
  rules.stale_for = world.policy.executor.settling * 9 / 10;
  // The first call is cut at the end of its time-out.
  rules.latency_min = rules.latency_max = rules.timeout;
  world.clock.At(world.clock.WorldNow() + Duration(1'000), [&rules] {
    rules.latency_min = Duration(5);
    rules.latency_max = Duration(300);
  });
}

void ReadingsAreStale(World& world) {
  for (int i = 0; i < 12; ++i) world.service.Script(SampleKey(1), {Fate::kStale});
}

void CollectionIsNotListed(World& world) {
  const TokenKey collection = TokenKey::OfCollection(SampleKey(1).Collection());
  for (int i = 0; i < 6; ++i) world.service.Script(collection, {Fate::kUntypedFault});
}

/// In the middle of a survey, and for so long that it has to begin anew.
void ListingIsHeldUp(World& world) {
  const TokenKey collection = TokenKey::OfCollection(SampleKey(1).Collection());
  world.service.rules.retry_after = std::chrono::minutes(15);
  world.service.Script(collection, {Fate::kAnswered, Fate::kThrottled, Fate::kThrottled});
}

/// Nobody wakes the program: it sees the wish when a call ends.
void StoppedWhileACallIsUnderWay(World& world) {
  world.clock.At(world.clock.WorldNow() + Duration(1), [&world] { world.stop = true; });
}

void OneAtATime(World& world) {
  world.policy.executor.rate.concurrency = 1;
  world.policy.batch_max = 1;
}

void LedgerLost(World& world) {
  world.ReplaceLedger({});
}

std::vector<SmallWorld> Make() {
  return {
      {"one token is created", true, {Overwrites, OneToken}},
      {"one token is created after a look", true, {Overwrites, LookFirst, OneToken}},
      {"the request is lost", true, {Overwrites, NextCall<Fate::kRequestLost>, OneToken}},
      {"the reply is lost", true, {Overwrites, NextCall<Fate::kReplyLost>, OneToken}},
      {"the request is applied late", true, {Overwrites, NextCall<Fate::kAppliedLate>, OneToken}},
      {"the request is applied late and seen late",
       true,
       {Overwrites, AsLateAsCanBe, NextCall<Fate::kAppliedLate>, ReadingsAreStale, OneToken}},
      {"the answer comes at the last moment", true, {Overwrites, NextCall<Fate::kSlow>, OneToken}},
      {"the service asks to go slower", true, {NextCall<Fate::kThrottled>, OneToken}},
      {"the service cannot be reached", true, {NextCall<Fate::kUnreachable>, OneToken}},
      {"the service denies once", true, {NextCall<Fate::kDenied>, OneToken}},
      {"the service faults again and again",
       true,
       {[](World& world) {
          world.service.Script(SampleKey(1), {Fate::kUntypedFault, Fate::kUntypedFault, Fate::kUntypedFault,
                                              Fate::kUntypedFault, Fate::kUntypedFault});
        },
        OneToken}},
      {"the text is refused, and mended", true, {RefusesSecondText, NewText, TwoTokens}},
      {"the text is refused, and withdrawn", true, {RefusesSecondText, NewText, NothingDeclared}},
      {"the text changes, and comes back", true, {OneToken, NewText, OneToken}},
      {"the text changes while its fate is not known",
       true,
       {Overwrites, NextCall<Fate::kReplyLost>,
        [](World& world) {
          OneToken(world);
          Meanwhile(world, Duration(150), NewText);
        }}},
      {"a token leaves git", true, {TwoTokens, OneToken, NothingDeclared}},
      {"a token leaves git while its fate is not known",
       true,
       {Overwrites, NextCall<Fate::kAppliedLate>,
        [](World& world) {
          OneToken(world);
          Meanwhile(world, Duration(150), NothingDeclared);
        }}},
      {"a manifest cannot be read", true, {TwoTokens, Unreadable, OneToken}},
      {"somebody else's token is there", true, {SomebodyElsesToken, OneToken, NewText}},
      {"somebody else's token is adopted later",
       true,
       {SomebodyElsesToken, OneToken, [](World& world) { world.source.Push(Tree({Token(1, "theirs")})); }}},
      {"a collection is looked at", false, {Overwrites, LookFirst, SomebodyMadeTheSame, ThreeTokens, TheirsIsDeclared}},
      {"a collection is looked at while the service fails",
       false,
       {Overwrites, LookFirst, SomebodyMadeTheSame,
        [](World& world) {
          const TokenKey collection = TokenKey::OfCollection(SampleKey(1).Collection());
          world.service.Script(collection, {Fate::kAnswered, Fate::kReplyLost, Fate::kThrottled});
        },
        ThreeTokens}},
      {"a collection is looked at, with long pauses",
       false,
       {Overwrites, LookFirst, SomebodyMadeTheSame, ListingIsHeldUp, ThreeTokens}},
      {"the ledger is lost", true, {Overwrites, LookFirst, TwoTokens, LedgerLost}},
      {"the ledger is lost, and git has moved on", false, {Overwrites, LookFirst, TwoTokens, LedgerLost, NewText}},
      {"the ledger is lost, and the collection cannot be listed for a while",
       false,
       {Overwrites, LookFirst, TwoTokens,
        [](World& world) {
          CollectionIsNotListed(world);
          LedgerLost(world);
        }}},
      {"without GetToken", true, {CannotBeRead, OneToken}},
      {"without GetToken the reply is lost", true, {CannotBeRead, NextCall<Fate::kReplyLost>, OneToken}},
      {"without GetToken the request is lost", true, {CannotBeRead, NextCall<Fate::kRequestLost>, OneToken}},
      {"without GetToken somebody else's token is there", true, {CannotBeRead, SomebodyElsesToken, OneToken}},
      {"the program is stopped",
       false,
       {Overwrites, OneAtATime,
        [](World& world) {
          StoppedWhileACallIsUnderWay(world);
          ThreeTokens(world);
        }}},
      {"three tokens, one at a time",
       false,
       {Overwrites, OneAtATime, NextCall<Fate::kReplyLost>, ThreeTokens,
        [](World& world) {
          world.source.Push(Tree({Token(1), Token(2, "second"), Token(4)}));
          Meanwhile(world, Duration(50), ThreeTokens);
        }}},
  };
}

}  // namespace

const std::vector<SmallWorld>& SmallWorlds() {
  static const std::vector<SmallWorld> kWorlds = Make();
  return kWorlds;
}

}  // namespace tokensync
