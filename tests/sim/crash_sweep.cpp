#include "crash_sweep.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <exception>
#include <string_view>
#include <vector>

#include "broken_promise.h"
#include "small_worlds.h"

namespace tokensync {

namespace {

constexpr int kPassesMax = 80;
constexpr Duration kRestart{100};
/// What an act starts is over by then.
constexpr Duration kActMax{5'000};

/// What the end of a process brings with it.
struct Aftermath {
  AfterCut calls = AfterCut::kByChance;
  Duration clock{0};  ///< how far it is set forward before the next process
  std::string_view text = "calls on their way go on by chance";
};

constexpr std::array kAftermaths = {
    Aftermath{.calls = AfterCut::kNever, .text = "calls on their way are lost"},
    Aftermath{.calls = AfterCut::kAtOnce, .text = "calls on their way are applied at once"},
    Aftermath{.calls = AfterCut::kAtLast, .text = "calls on their way are applied at last"},
    Aftermath{.calls = AfterCut::kAtLast,
              .clock = std::chrono::hours(1),
              .text = "calls on their way are applied at last, and the clock is set forward"},
};

/// Steps after which the process ends: the first counted from the beginning, each further one from the end before.
using Ends = std::vector<std::uint32_t>;

class SmallLife {
 public:
  SmallLife(const SmallWorld& small, Ends ends, const Aftermath& aftermath, const SweepOptions& options)
      : small_(small), ends_(std::move(ends)), clock_step_(aftermath.clock) {
    world_.service.after_cut = aftermath.calls;
    if (options.make_disk) world_.ledger.disk = options.make_disk(1);
  }

  /// False where the story was over before the last of the ends.
  bool Live() {
    ArmNext();
    for (const auto& act : small_.acts) {
      act(world_);
      const bool there_is_a_branch = world_.source.CommitCount() > 0;
      if (there_is_a_branch) ReachRest();
    }
    world_.CheckAtRest();
    return crashes_ == ends_.size();
  }

 private:
  void ArmNext() {
    world_.end.Disarm();
    if (crashes_ < ends_.size()) world_.end.Arm(ends_[crashes_]);
  }

  void ReachRest() {
    const TimePoint begun = world_.clock.WorldNow();
    for (int i = 0; i < kPassesMax; ++i) {
      const std::size_t calls = world_.service.calls().size();
      const std::uint64_t writes = world_.ledger.writes();
      const std::optional<PassSummary> summary = Pass();
      const TimePoint now = world_.clock.WorldNow();
      if (!summary) {
        world_.clock.Set(clock_step_);
        world_.clock.PassUntil(now + kRestart);
        continue;
      }
      const bool quiet = calls == world_.service.calls().size() && writes == world_.ledger.writes();
      if (quiet && summary->waiting == 0 && now >= begun + kActMax) return;
      const TimePoint due = summary->next_due ? world_.clock.WorldTime(*summary->next_due) : now + kActMax;
      world_.clock.PassUntil(due, [this] { return world_.refresh; });
    }
    throw BrokenPromise("the world does not come to rest");
  }

  std::optional<PassSummary> Pass() {
    world_.refresh = false;
    world_.stop = false;
    try {
      return world_.Pass();
    } catch (const Crash&) {
      ++crashes_;
      ArmNext();
      return std::nullopt;
    }
  }

  const SmallWorld& small_;
  const Ends ends_;
  const Duration clock_step_;
  World world_;
  std::size_t crashes_ = 0;
};

class Sweep {
 public:
  explicit Sweep(const SweepOptions& options) : options_(options) {}

  SweepReport Run() {
    for (const SmallWorld& small : SmallWorlds()) {
      ++report_.worlds;
      if (!Live(small, {}, {})) break;
      if (options_.every_aftermath) {
        for (const Aftermath& aftermath : kAftermaths) SweepWorld(small, aftermath);
      } else {
        SweepWorld(small, {});
      }
      if (!report_.broken.empty()) break;
    }
    return report_;
  }

 private:
  void SweepWorld(const SmallWorld& small, const Aftermath& aftermath) {
    for (std::uint32_t first = 1; Live(small, {first}, aftermath); ++first) {
      ++report_.points;
      if (!options_.in_pairs || !small.in_pairs) continue;
      for (std::uint32_t second = 1; Live(small, {first, second}, aftermath); ++second) ++report_.pairs;
    }
  }

  /// False where there are no such ends, or a promise was broken: then nothing more is tried.
  bool Live(const SmallWorld& small, const Ends& ends, const Aftermath& aftermath) {
    if (!report_.broken.empty()) return false;
    const std::string life = ends.empty() ? fmt::format("'{}', never ended", small.name)
                                          : fmt::format("'{}', ended after step {}; {}", small.name,
                                                        fmt::join(ends, " and then "), aftermath.text);
    if (options_.on_life) options_.on_life(life);
    ++report_.lives;
    try {
      return SmallLife(small, ends, aftermath, options_).Live();
    } catch (const std::exception& failure) {
      report_.broken = life + ": " + failure.what();
      return false;
    }
  }

  const SweepOptions& options_;
  SweepReport report_;
};

}  // namespace

SweepReport SweepCrashes(const SweepOptions& options) {
  return Sweep(options).Run();
}

}  // namespace tokensync
