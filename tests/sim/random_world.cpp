#include "random_world.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <optional>
#include <utility>
#include <vector>

#include "broken_promise.h"
#include "dice.h"
#include "ledger_text.h"
#include "random_author.h"
#include "schedule.h"
#include "world.h"

namespace tokensync {

namespace {

constexpr std::uint64_t kKeysMax = 8;
constexpr std::uint64_t kStepsToCrashMax = 60;
constexpr int kCalmPassesMax = 80;

class RandomWorld {
 public:
  explicit RandomWorld(std::uint64_t seed)
      : dice_(seed),
        head_dice_(seed + 1),
        world_seed_(dice_.Seed()),
        world_(world_seed_),
        keys_(1 + dice_.Below(kKeysMax)) {}

  WorldReport Live(const WorldOptions& options) {
    world_.trace = options.trace;
    if (options.make_disk) world_.ledger.disk = options.make_disk(world_seed_);
    try {
      MakeRules();
      MakeStorm();
      Storm();
      Calm();
      world_.CheckAtRest();
    } catch (const std::exception& failure) {
      report_.broken = failure.what();
    }
    report_.calls = world_.service.calls().size();
    for (const Change& change : world_.ledger.log()) ++report_.events[change.event.index()];
    if (options.with_ledger) report_.ledger = LedgerText(world_.ledger.store());
    return report_;
  }

 private:
  void MakeRules() {
    PassPolicy& policy = world_.policy;
    policy.executor.rate.concurrency = static_cast<std::uint32_t>(1 + dice_.Below(6));
    policy.executor.rate.requests_per_minute =
        dice_.Percent(70) ? 0 : static_cast<std::uint32_t>(2 + dice_.Below(dice_.Percent(50) ? 8 : 300));
    policy.executor.settling = Duration(40'000);
    policy.executor.failures_max = static_cast<std::uint32_t>(2 + dice_.Below(15));
    if (dice_.Percent(50)) policy.executor.failing_max = Duration(600'000);
    policy.executor.read_back = dice_.Percent(90);
    policy.executor.survey = dice_.Percent(60);
    policy.batch_max = dice_.Percent(50) ? 512 : 1 + dice_.Below(4);
    policy.patience = Duration(dice_.Percent(30) ? 0 : 5'000);
    policy.stop_grace = Duration(dice_.Percent(50) ? 45'000 : 100);
    ServiceRules& rules = world_.service.rules;
    rules.readable = dice_.Percent(85);
    rules.unique = dice_.Percent(50);
    rules.listable = dice_.Percent(85);
    rules.closed = dice_.Percent(5);
    rules.page_size = 1 + dice_.Below(4);
    rules.first_page = static_cast<std::uint32_t>(dice_.Below(2));
    // A late request is seen well before the second settled reading, and not always before the first.
    rules.timeout = policy.executor.settling / 2;
    rules.late_for = rules.timeout;
    rules.stale_for = policy.executor.settling * 9 / 10;
    rules.retry_after = dice_.Between(Duration(100), Duration(90'000));
    world_.service.refuses = IsBad;
    if (dice_.Percent(50)) world_.ledger.write_time = [this] { return Duration(static_cast<int>(dice_.Below(4))); };
  }

  void MakeStorm() {
    RandomAuthor author(dice_, keys_);
    world_.source.Push(author.First());
    const TimePoint start = world_.clock.WorldNow();
    for (auto commits = dice_.Below(6); commits > 0; --commits) {
      last_push_ = start + dice_.Between(Duration(0), Duration(dice_.Percent(50) ? 2'000 : 200'000));
      const bool triggers = dice_.Percent(60);
      world_.clock.At(last_push_, [this, author, triggers]() mutable {
        Push(author.Next(world_.source));
        if (triggers) Trigger();
      });
    }
    MakeHeadRules();
    for (auto foreigners = dice_.Percent(40) ? 1 + dice_.Below(3) : 0; foreigners > 0; --foreigners) {
      if (dice_.Percent(50)) {
        CreateForeign(std::chrono::hours(1));
      } else {
        world_.clock.At(start + dice_.Between(Duration(0), Duration(100'000)), [this] { CreateForeign(Duration(0)); });
      }
    }
    world_.service.fate_of = [this](const Call& call) { return FateOf(call); };
    fault_chance_ = dice_.Percent(20) ? 0 : dice_.Below(70);
    const std::uint64_t source_faults = dice_.Percent(60) ? 0 : dice_.Below(15);
    world_.source.fails = [this, source_faults](SourceStep) { return storm_ && dice_.Percent(source_faults); };
    const std::uint64_t ledger_faults = dice_.Percent(85) ? 0 : dice_.Below(5);
    world_.ledger.fails = [this, ledger_faults] { return storm_ && dice_.Percent(ledger_faults); };
  }

  /// Dice of their own: the worlds of old seeds stay what they were.
  void MakeHeadRules() {
    world_.policy.hold_rewrites = head_dice_.Percent(50);
    rewrite_chance_ = head_dice_.Percent(50) ? 0 : head_dice_.Below(60);
    if (head_dice_.Percent(70)) return;
    const std::uint64_t salt = head_dice_.Below(1'000);
    world_.source.vouches = [this, salt](const CommitId& commit) {
      const bool is_bad = storm_ && std::hash<std::string>()(commit.hex + std::to_string(salt)) % 4 == 0;
      return Vouching{.refusal = is_bad ? "commit " + commit.hex + " is not signed" : "",
                      .signer = "somebody",
                      .reaches_vouched = !is_bad};
    };
  }

  void Push(ScriptedTree tree) {
    const std::size_t commits = world_.source.CommitCount();
    if (commits > 1 && head_dice_.Percent(rewrite_chance_)) {
      world_.source.PushRewritten(std::move(tree), head_dice_.Below(commits - 1));
    } else {
      world_.source.Push(std::move(tree));
    }
  }

  /// Somebody looks at a plan that waits, and likes it.
  void MayApprove(std::uint64_t chance) {
    if (!world_.runs()) return;
    const std::optional<HeldPlan> held = world_.checkpoint().held;
    if (!held || !head_dice_.Percent(chance)) return;
    try {
      Demand(world_.Approve(held->fingerprint.substr(0, 12)), "a plan that waits cannot be approved");
    } catch (const Crash&) {
      ++report_.crashes;
    } catch (const LedgerError&) {
      ++report_.crashes;
    }
  }

  bool CanSurvey() const {
    const ServiceRules& rules = world_.service.rules;
    return world_.policy.executor.survey && rules.listable && !rules.closed;
  }

  void CreateForeign(Duration ago) {
    const TokenKey key = KeyNumber(dice_.Below(keys_));
    world_.service.CreateForeign(
        key, R"({"name":"v)" + std::to_string(dice_.Below(4)) + R"(","tokenId":")" + key.token.text() + R"("})", ago);
  }

  Fate FateOf(const Call& call) {
    const TimePoint now = world_.clock.WorldNow();
    if (now < denied_until_) return Fate::kDenied;
    if (!storm_ || !dice_.Percent(fault_chance_)) return Fate::kAnswered;
    static const std::vector<Fate> kFates = {Fate::kSlow,      Fate::kUnreachable, Fate::kRequestLost, Fate::kReplyLost,
                                             Fate::kReplyLost, Fate::kAppliedLate, Fate::kAppliedLate, Fate::kThrottled,
                                             Fate::kDenied,    Fate::kRefused,     Fate::kUntypedFault};
    Fate fate = dice_.OneOf(kFates);
    // A reading sees what it sees: the service does not refuse it for what it says.
    const bool is_refusal = fate == Fate::kRefused || fate == Fate::kUntypedFault;
    if (call.kind == CallKind::kRead && is_refusal) fate = Fate::kStale;
    if (call.kind == CallKind::kList && is_refusal && dice_.Percent(50)) fate = Fate::kStale;
    // Said three times of a call that was never answered, it is believed.
    if (call.kind != CallKind::kCreate && misroutes_left_ > 0 && dice_.Percent(10)) {
      --misroutes_left_;
      return Fate::kMisrouted;
    }
    if (fate == Fate::kDenied)
      denied_until_ =
          now + dice_.Between(Duration(0), dice_.Percent(10) ? Duration(std::chrono::minutes(50)) : Duration(60'000));
    return fate;
  }

  void Trigger() {
    world_.refresh = true;
    world_.service.Wake();
  }

  void Storm() {
    const auto passes = 2 + dice_.Below(8);
    const std::uint64_t crash_chance = dice_.Percent(40) ? 0 : dice_.Below(70);
    const bool loses_ledger = CanSurvey() && dice_.Percent(25);
    const bool clock_is_bad = dice_.Percent(10);
    const std::uint64_t stop_chance = dice_.Percent(70) ? 0 : dice_.Below(30);
    for (std::uint64_t i = 0; i < passes; ++i) {
      if (dice_.Percent(crash_chance)) {
        world_.end.Arm(static_cast<std::uint32_t>(1 + dice_.Below(kStepsToCrashMax)));
      }
      if (dice_.Percent(stop_chance)) {
        world_.clock.At(world_.clock.WorldNow() + dice_.Between(Duration(0), Duration(3'000)), [this] {
          world_.stop = storm_;
          world_.service.Wake();
        });
      }
      const std::optional<PassSummary> summary = Pass();
      MayApprove(50);
      if (loses_ledger && dice_.Percent(30)) LoseLedger();
      WaitAfter(summary);
      if (dice_.Percent(30)) backup_ = world_.ledger.Copy();
      if (clock_is_bad && dice_.Percent(30)) SetClock();
    }
  }

  /// Between two passes, so that calls of the one that crashed may still be on their way.
  void LoseLedger() {
    ++report_.ledgers_lost;
    world_.ReplaceLedger(backup_ && dice_.Percent(60) ? *backup_ : LedgerCopy{});
  }

  /// Back at any time between two passes; forward while no process runs.
  void SetClock() {
    Duration by = -dice_.Between(Duration(1'000), Duration(std::chrono::hours(2)));
    if (!world_.runs() && dice_.Percent(50)) by = -by;
    if (world_.trace) world_.trace(fmt::format("the clock is set by {} ms", by.count()));
    world_.clock.Set(by);
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
    const TimePoint now = world_.clock.WorldNow();
    if (!summary || world_.stop || !world_.runs()) {
      world_.clock.PassUntil(now + dice_.Between(Duration(0), Duration(dice_.Percent(50) ? 100 : 90'000)));
      return;
    }
    const auto next = schedule_.NextPass(world_.clock.Now(), world_.checkpoint().failures_in_a_row, summary->next_due);
    world_.clock.PassUntil(world_.clock.WorldTime(next.value()), [this] { return world_.refresh; });
  }

  /// Nothing fails any more. In the end a pass calls nothing and writes nothing.
  void Calm() {
    storm_ = false;
    denied_until_ = {};
    world_.end.Disarm();
    world_.clock.PassUntil(std::max(world_.clock.WorldNow(), last_push_));
    for (int i = 0; i < kCalmPassesMax; ++i) {
      const std::size_t calls = world_.service.calls().size();
      const std::uint64_t writes = world_.ledger.writes();
      const PassSummary summary = Pass().value();
      const bool quiet = world_.service.calls().size() == calls && world_.ledger.writes() == writes;
      if (quiet && summary.waiting == 0 && summary.record.result != PassResult::kHeld) return;
      Demand(!summary.stop_reason, "a pass is stopped although nothing fails any more");
      const bool held = summary.record.result == PassResult::kHeld;
      Demand(held || summary.record.error.empty(), "a pass fails although nothing fails any more");
      if (held) MayApprove(100);
      WaitAfter(summary);
    }
    throw BrokenPromise("the world does not come to rest");
  }

  Dice dice_;
  Dice head_dice_;
  const std::uint64_t world_seed_;
  World world_;
  const std::uint64_t keys_;
  Schedule schedule_{{}, 1};
  WorldReport report_;
  std::optional<LedgerCopy> backup_;
  bool storm_ = true;
  std::uint64_t fault_chance_ = 0;
  std::uint64_t rewrite_chance_ = 0;
  TimePoint denied_until_{};
  int misroutes_left_ = 2;
  TimePoint last_push_{};
};

}  // namespace

WorldReport LiveThrough(std::uint64_t seed, const WorldOptions& options) {
  return RandomWorld(seed).Live(options);
}

}  // namespace tokensync
