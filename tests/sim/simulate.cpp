// simulate [--ledger memory|sqlite] [--seed S] [--worlds N] [FILE]: lives through the worlds of the seeds S, S+1, … or
// of the seeds that FILE lists, one at the beginning of each line. At the first promise that is not kept it prints the
// seed and what happened in its world, and ends with status 1. A single world is always told.
// simulate --sweep [--once] [--ledger memory|sqlite]: ends small worlds at every step of their story, and the smallest
// of them at every pair of steps unless only once.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "crash_sweep.h"
#include "random_world.h"
#include "sqlite_disk.h"

namespace {

using namespace tokensync;

struct Options {
  std::uint64_t first = 1;
  std::uint64_t worlds = 1'000;
  const char* file = nullptr;
  bool sqlite = false;
  bool sweep = false;
  bool once = false;
};

/// What is lived through now, for OnAbort.
char current_life[256];

void SetLife(const std::string& life) {
  std::snprintf(current_life, sizeof current_life, "%s", life.c_str());
}

/// The program under test aborts on a programmer's error: say in which world.
void OnAbort(int) {
  static constexpr char kPrefix[] = "aborted in ";
  if (write(STDERR_FILENO, kPrefix, sizeof kPrefix - 1) < 0 ||
      write(STDERR_FILENO, current_life, std::strlen(current_life)) < 0 || write(STDERR_FILENO, "\n", 1) < 0) {
    _exit(3);
  }
}

std::string NameOf(std::uint64_t seed) {
  return "the world of seed " + std::to_string(seed);
}

void Tell(const std::string& line) {
  std::puts(line.c_str());
}

std::unique_ptr<LedgerDisk> MakeSqliteDisk(std::uint64_t seed) {
  return std::make_unique<SqliteDisk>(seed);
}

class Stopwatch {
 public:
  double Seconds() const {
    return std::max(std::chrono::duration<double>(std::chrono::steady_clock::now() - begun_).count(), 1e-9);
  }

 private:
  std::chrono::steady_clock::time_point begun_ = std::chrono::steady_clock::now();
};

std::vector<std::uint64_t> SeedsIn(const char* path) {
  std::ifstream file(path);
  if (!file) {
    std::fprintf(stderr, "reading %s: cannot be opened\n", path);
    std::exit(2);
  }
  std::vector<std::uint64_t> seeds;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line[0] != '#') seeds.push_back(std::strtoull(line.c_str(), nullptr, 10));
  }
  return seeds;
}

constexpr std::size_t kWorldsForEveryEvent = 3'000;

/// An event by its number among the alternatives.
template <std::size_t... kIndexes>
std::array<std::string_view, sizeof...(kIndexes)> EventNames(std::index_sequence<kIndexes...>) {
  return {EventName(Event(std::in_place_index<kIndexes>))...};
}

/// How often each event was recorded. False where so many worlds never came to one of them: then they prove little.
bool TellEvents(const WorldReport& sum, std::size_t worlds) {
  static const auto kNames = EventNames(std::make_index_sequence<std::variant_size_v<Event>>());
  bool all = true;
  for (std::size_t i = 0; i < sum.events.size(); ++i) {
    std::printf("%10llu %.*s\n", static_cast<unsigned long long>(sum.events[i]), static_cast<int>(kNames[i].size()),
                kNames[i].data());
    all = all && sum.events[i] > 0;
  }
  if (all || worlds < kWorldsForEveryEvent) return true;
  std::puts("one of the events never happened");
  return false;
}

void Add(WorldReport& sum, const WorldReport& report) {
  sum.passes += report.passes;
  sum.calls += report.calls;
  sum.crashes += report.crashes;
  sum.ledgers_lost += report.ledgers_lost;
  for (std::size_t i = 0; i < sum.events.size(); ++i) sum.events[i] += report.events[i];
}

int LiveThroughAll(const std::vector<std::uint64_t>& seeds, const Options& options) {
  WorldOptions silent;
  if (options.sqlite) silent.make_disk = MakeSqliteDisk;
  WorldOptions told = silent;
  told.trace = Tell;
  const bool alone = seeds.size() == 1 && options.file == nullptr;
  const Stopwatch watch;
  WorldReport sum;
  std::size_t done = 0;
  for (const std::uint64_t seed : seeds) {
    SetLife(NameOf(seed));
    const WorldReport report = LiveThrough(seed, alone ? told : silent);
    ++done;
    Add(sum, report);
    if (report.broken.empty()) continue;
    if (!alone) LiveThrough(seed, told);
    std::printf("broken in %s, the %zu. that was tried: %s\n", NameOf(seed).c_str(), done, report.broken.c_str());
    return 1;
  }
  const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf("%zu worlds, %llu passes, %llu calls, %llu crashes, %llu ledgers lost: %.1f s, %.0f worlds/s\n", done,
              number(sum.passes), number(sum.calls), number(sum.crashes), number(sum.ledgers_lost), watch.Seconds(),
              static_cast<double>(done) / watch.Seconds());
  return TellEvents(sum, done) ? 0 : 1;
}

int SweepAll(const Options& options) {
  SweepOptions sweep{.in_pairs = !options.once, .every_aftermath = !options.sqlite};
  if (options.sqlite) sweep.make_disk = MakeSqliteDisk;
  sweep.on_life = SetLife;
  const Stopwatch watch;
  const SweepReport report = SweepCrashes(sweep);
  const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  if (!report.broken.empty()) {
    std::printf("broken in the %llu. life: %s\n", number(report.lives), report.broken.c_str());
    return 1;
  }
  std::printf("%llu small worlds, ended at %llu steps and at %llu pairs of steps: %.1f s, %.0f lives/s\n",
              number(report.worlds), number(report.points), number(report.pairs), watch.Seconds(),
              static_cast<double>(report.lives) / watch.Seconds());
  return 0;
}

bool Parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : nullptr;
    if (name == "--sweep") {
      options.sweep = true;
    } else if (name == "--once") {
      options.once = true;
    } else if (name == "--seed" && value != nullptr) {
      options.first = std::strtoull(argv[++i], nullptr, 10);
    } else if (name == "--worlds" && value != nullptr) {
      options.worlds = std::strtoull(argv[++i], nullptr, 10);
    } else if (name == "--ledger" && value != nullptr) {
      options.sqlite = std::strcmp(value, "sqlite") == 0;
      if (!options.sqlite && std::strcmp(value, "memory") != 0) return false;
      ++i;
    } else if (name.substr(0, 1) != "-") {
      options.file = argv[i];
    } else {
      return false;
    }
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  if (!Parse(argc, argv, options)) {
    std::fprintf(stderr,
                 "usage: %s [--ledger memory|sqlite] [--seed S] [--worlds N] [FILE]\n"
                 "       %s --sweep [--once] [--ledger memory|sqlite]\n",
                 argv[0], argv[0]);
    return 2;
  }
  std::signal(SIGABRT, OnAbort);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  if (options.sweep) return SweepAll(options);
  std::vector<std::uint64_t> seeds;
  if (options.file != nullptr) {
    seeds = SeedsIn(options.file);
  } else {
    for (std::uint64_t i = 0; i < options.worlds; ++i) seeds.push_back(options.first + i);
  }
  return LiveThroughAll(seeds, options);
}
