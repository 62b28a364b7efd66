#include "random_world.h"

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "broken_promise.h"
#include "dice.h"
#include "schedule.h"
#include "world.h"

namespace tokensync {

namespace {

constexpr std::uint64_t kKeysMax = 8;
constexpr std::uint64_t kStepsToCrashMax = 60;
constexpr int kCalmPassesMax = 80;

const std::vector<std::string> kPaths = {"a.yaml", "b.yaml", "c/a.yaml", "c/b.yaml"};

TokenKey KeyNumber(std::uint64_t number) {
  return {.project = {1}, .collection = {number % 2}, .token = TokenId::Parse(std::to_string(number + 5)).value()};
}

bool IsBad(const Call& call) {
  return call.payload.find("bad") != std::string::npos;
}

/// Makes commits: each one the tree before it with a few changes.
class Author {
 public:
  Author(Dice& dice, std::uint64_t keys) : dice_(dice), keys_(keys) {}

  ScriptedTree First() {
    ScriptedTree tree;
    for (std::uint64_t number = 0; number < keys_; ++number) {
      if (dice_.Percent(80)) tree[dice_.OneOf(kPaths)].tokens.push_back(NewText(KeyNumber(number)));
    }
    return tree;
  }

  ScriptedTree Next(const ScriptedSource& source) {
    if (dice_.Percent(15)) return source.TreeOf(dice_.Below(source.CommitCount()));
    ScriptedTree tree = source.HeadTree();
    for (auto changes = 1 + dice_.Below(3); changes > 0; --changes) Change(tree);
    return tree;
  }

 private:
  ScriptedToken NewText(const TokenKey& key) {
    // Few enough texts that an older one comes back now and then.
    const std::string name = (dice_.Percent(7) ? "bad" : "v") + std::to_string(dice_.Below(4));
    return {.key = key,
            .payload = R"({"name":")" + name + R"(","tokenId":")" + key.token.text() + R"("})",
            .is_private = dice_.Percent(20)};
  }

  void Change(ScriptedTree& tree) {
    const TokenKey key = KeyNumber(dice_.Below(keys_));
    switch (dice_.Below(7)) {
      case 0:
      case 1:  // a new text, or a new token
        if (ScriptedToken* token = Find(tree, key)) {
          *token = NewText(key);
        } else {
          tree[dice_.OneOf(kPaths)].tokens.push_back(NewText(key));
        }
        break;
      case 2:
        RemoveFrom(tree, key);
        break;
      case 3:  // to another file
        if (const ScriptedToken* token = Find(tree, key)) {
          const ScriptedToken moved = *token;
          RemoveFrom(tree, key);
          std::vector<ScriptedToken>& tokens = tree[dice_.OneOf(kPaths)].tokens;
          tokens.insert(tokens.begin(), moved);
        }
        break;
      case 4:  // declared twice
        tree[dice_.OneOf(kPaths)].tokens.push_back(NewText(key));
        break;
      case 5:
        tree[dice_.OneOf(kPaths)].readable = false;
        break;
      case 6:
        for (auto& [path, file] : tree) file.readable = true;
        break;
    }
    std::erase_if(tree, [](const auto& file) { return file.second.readable && file.second.tokens.empty(); });
  }

  static ScriptedToken* Find(ScriptedTree& tree, const TokenKey& key) {
    for (auto& [path, file] : tree) {
      for (ScriptedToken& token : file.tokens) {
        if (token.key == key) return &token;
      }
    }
    return nullptr;
  }

  static void RemoveFrom(ScriptedTree& tree, const TokenKey& key) {
    for (auto& [path, file] : tree) {
      std::erase_if(file.tokens, [&](const ScriptedToken& token) { return token.key == key; });
    }
  }

  Dice& dice_;
  const std::uint64_t keys_;
};

class RandomWorld {
 public:
  explicit RandomWorld(std::uint64_t seed) : dice_(seed), world_(dice_.Seed()), keys_(1 + dice_.Below(kKeysMax)) {}

  WorldReport Live(std::function<void(const std::string&)> trace) {
    world_.trace = std::move(trace);
    try {
      MakeRules();
      MakeStorm();
      Storm();
      Calm();
      world_.promises.AtRest();
    } catch (const std::exception& failure) {
      report_.broken = failure.what();
    }
    report_.calls = world_.service.calls().size();
    for (const Change& change : world_.ledger.log()) ++report_.events[change.event.index()];
    return report_;
  }

 private:
  void MakeRules() {
    PassPolicy& policy = world_.policy;
    policy.executor.concurrency = static_cast<std::uint32_t>(1 + dice_.Below(6));
    policy.executor.requests_per_minute =
        dice_.Percent(70) ? 0 : static_cast<std::uint32_t>(2 + dice_.Below(dice_.Percent(50) ? 8 : 300));
    policy.executor.settling = Duration(40'000);
    policy.executor.failures_max = static_cast<std::uint32_t>(2 + dice_.Below(15));
    if (dice_.Percent(50)) policy.executor.failing_max = Duration(600'000);
    policy.executor.read_back = dice_.Percent(90);
    policy.batch_max = dice_.Percent(50) ? 512 : 1 + dice_.Below(4);
    policy.patience = Duration(dice_.Percent(30) ? 0 : 5'000);
    policy.stop_grace = Duration(dice_.Percent(50) ? 45'000 : 100);
    ServiceRules& rules = world_.service.rules;
    rules.readable = dice_.Percent(85);
    rules.unique = dice_.Percent(50);
    // A late request is seen well before the second settled reading, and not always before the first.
    rules.timeout = policy.executor.settling / 2;
    rules.late_for = rules.timeout;
    rules.stale_for = policy.executor.settling * 9 / 10;
    rules.retry_after = dice_.Between(Duration(100), Duration(90'000));
    world_.service.refuses = IsBad;
    if (dice_.Percent(50)) world_.ledger.write_time = [this] { return Duration(static_cast<int>(dice_.Below(4))); };
  }

  void MakeStorm() {
    Author author(dice_, keys_);
    world_.source.Push(author.First());
    const TimePoint start = world_.clock.Now();
    for (auto commits = dice_.Below(6); commits > 0; --commits) {
      last_push_ = start + dice_.Between(Duration(0), Duration(dice_.Percent(50) ? 2'000 : 200'000));
      const bool triggers = dice_.Percent(60);
      world_.clock.At(last_push_, [this, author, triggers]() mutable {
        world_.source.Push(author.Next(world_.source));
        if (triggers) Trigger();
      });
    }
    for (auto foreigners = dice_.Percent(40) ? 1 + dice_.Below(3) : 0; foreigners > 0; --foreigners) {
      // A service that overwrites may apply our late call over a token that was seen to be somebody else's.
      if (!world_.service.rules.unique) break;
      const Duration after = dice_.Percent(50) ? Duration(0) : dice_.Between(Duration(0), Duration(100'000));
      world_.clock.At(start + after, [this] {
        const TokenKey key = KeyNumber(dice_.Below(keys_));
        world_.service.CreateForeign(
            key, R"({"name":"v)" + std::to_string(dice_.Below(4)) + R"(","tokenId":")" + key.token.text() + R"("})");
      });
    }
    world_.service.fate_of = [this](const Call& call) { return FateOf(call); };
    fault_chance_ = dice_.Percent(20) ? 0 : dice_.Below(70);
    const std::uint64_t source_faults = dice_.Percent(60) ? 0 : dice_.Below(15);
    world_.source.fails = [this, source_faults](SourceStep) { return storm_ && dice_.Percent(source_faults); };
    const std::uint64_t ledger_faults = dice_.Percent(85) ? 0 : dice_.Below(5);
    world_.ledger.fails = [this, ledger_faults] { return storm_ && dice_.Percent(ledger_faults); };
  }

  Fate FateOf(const Call& call) {
    const TimePoint now = world_.clock.Now();
    if (now < denied_until_) return Fate::kDenied;
    if (!storm_ || !dice_.Percent(fault_chance_)) return Fate::kAnswered;
    static const std::vector<Fate> kFates = {Fate::kSlow,      Fate::kUnreachable, Fate::kRequestLost, Fate::kReplyLost,
                                             Fate::kReplyLost, Fate::kAppliedLate, Fate::kAppliedLate, Fate::kThrottled,
                                             Fate::kDenied,    Fate::kRefused,     Fate::kUntypedFault};
    Fate fate = dice_.OneOf(kFates);
    // A reading sees what it sees: the service does not refuse it for what it says.
    if (call.kind == CallKind::kRead && (fate == Fate::kRefused || fate == Fate::kUntypedFault)) fate = Fate::kStale;
    if (fate == Fate::kDenied) denied_until_ = now + dice_.Between(Duration(0), Duration(60'000));
    return fate;
  }

  void Trigger() {
    world_.refresh = true;
    world_.service.Wake();
  }

  void Storm() {
    const auto passes = 2 + dice_.Below(8);
    const std::uint64_t crash_chance = dice_.Percent(40) ? 0 : dice_.Below(70);
    const std::uint64_t stop_chance = dice_.Percent(70) ? 0 : dice_.Below(30);
    for (std::uint64_t i = 0; i < passes; ++i) {
      if (dice_.Percent(crash_chance)) {
        world_.end.Arm(static_cast<std::uint32_t>(1 + dice_.Below(kStepsToCrashMax)));
      }
      if (dice_.Percent(stop_chance)) {
        world_.clock.At(world_.clock.Now() + dice_.Between(Duration(0), Duration(3'000)), [this] {
          world_.stop = storm_;
          world_.service.Wake();
        });
      }
      WaitAfter(Pass());
    }
  }

  /// One pass, which may be the end of its process.
  std::optional<PassSummary> Pass() {
    ++report_.passes;
    world_.refresh = false;
    world_.stop = false;
    try {
      return world_.Pass();
    } catch (const Crash&) {
      ++report_.crashes;
    } catch (const LedgerError&) {
      ++report_.crashes;
    }
    world_.end.Disarm();
    return std::nullopt;
  }

  void WaitAfter(const std::optional<PassSummary>& summary) {
    const TimePoint now = world_.clock.Now();
    if (!summary || world_.stop) {
      world_.clock.PassUntil(now + dice_.Between(Duration(0), Duration(dice_.Percent(50) ? 100 : 90'000)));
      return;
    }
    const auto next = schedule_.NextPass(now, world_.checkpoint().failures_in_a_row, summary->next_due);
    world_.clock.PassUntil(next.value(), [this] { return world_.refresh; });
  }

  /// Nothing fails any more. In the end a pass calls nothing and writes nothing.
  void Calm() {
    storm_ = false;
    denied_until_ = {};
    world_.end.Disarm();
    world_.clock.PassUntil(std::max(world_.clock.Now(), last_push_));
    for (int i = 0; i < kCalmPassesMax; ++i) {
      const std::size_t calls = world_.service.calls().size();
      const std::uint64_t writes = world_.ledger.writes();
      const PassSummary summary = Pass().value();
      const bool quiet = world_.service.calls().size() == calls && world_.ledger.writes() == writes;
      if (quiet && summary.waiting == 0) return;
      Demand(!summary.stop_reason, "a pass is stopped although nothing fails any more");
      Demand(summary.record.error.empty(), "a pass fails although nothing fails any more");
      WaitAfter(summary);
    }
    throw BrokenPromise("the world does not come to rest");
  }

  Dice dice_;
  World world_;
  const std::uint64_t keys_;
  Schedule schedule_{{}, 1};
  WorldReport report_;
  bool storm_ = true;
  std::uint64_t fault_chance_ = 0;
  TimePoint denied_until_{};
  TimePoint last_push_{};
};

}  // namespace

WorldReport LiveThrough(std::uint64_t seed, std::function<void(const std::string&)> trace) {
  return RandomWorld(seed).Live(std::move(trace));
}

}  // namespace tokensync
