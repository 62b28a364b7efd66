// simulate [--seed S] [--worlds N] [FILE]: lives through the worlds of the seeds S, S+1, … or of the seeds
// that FILE lists, one at the beginning of each line. At the first promise that is not kept it prints the seed and what
// happened in its world, and ends with status 1. A single world is always told.
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

#include "random_world.h"

namespace {

using namespace tokensync;

std::uint64_t current_seed = 0;

/// The program under test aborts on a programmer's error: say in which world.
void OnAbort(int) {
  char text[64];
  char* end = text + sizeof text;
  char* begin = end;
  *--begin = '\n';
  std::uint64_t seed = current_seed;
  do {
    *--begin = static_cast<char>('0' + seed % 10);
    seed /= 10;
  } while (seed > 0);
  static constexpr char kPrefix[] = "aborted in the world of seed ";
  if (write(STDERR_FILENO, kPrefix, sizeof kPrefix - 1) < 0 ||
      write(STDERR_FILENO, begin, static_cast<std::size_t>(end - begin)) < 0) {
    _exit(3);
  }
}

void Tell(const std::string& line) {
  std::puts(line.c_str());
}

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

constexpr std::size_t kWorldsForEveryEvent = 1'000;

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

}  // namespace

int main(int argc, char** argv) {
  std::uint64_t first = 1;
  std::uint64_t worlds = 1'000;
  const char* file = nullptr;
  for (int i = 1; i < argc; ++i) {
    const bool has_value = i + 1 < argc;
    if (std::strcmp(argv[i], "--seed") == 0 && has_value) {
      first = std::strtoull(argv[++i], nullptr, 10);
    } else if (std::strcmp(argv[i], "--worlds") == 0 && has_value) {
      worlds = std::strtoull(argv[++i], nullptr, 10);
    } else if (argv[i][0] != '-') {
      file = argv[i];
    } else {
      std::fprintf(stderr, "usage: %s [--seed S] [--worlds N] [FILE]\n", argv[0]);
      return 2;
    }
  }
  std::vector<std::uint64_t> seeds;
  if (file != nullptr) {
    seeds = SeedsIn(file);
  } else {
    for (std::uint64_t i = 0; i < worlds; ++i) seeds.push_back(first + i);
  }
  std::signal(SIGABRT, OnAbort);
  std::setvbuf(stdout, nullptr, _IOLBF, 0);

  const auto begun = std::chrono::steady_clock::now();
  WorldReport sum;
  for (const std::uint64_t seed : seeds) {
    current_seed = seed;
    const bool alone = seeds.size() == 1 && file == nullptr;
    const WorldReport report = alone ? LiveThrough(seed, Tell) : LiveThrough(seed);
    if (!report.broken.empty()) {
      if (!alone) LiveThrough(seed, Tell);
      std::printf("the world of seed %llu: %s\n", static_cast<unsigned long long>(seed), report.broken.c_str());
      return 1;
    }
    sum.passes += report.passes;
    sum.calls += report.calls;
    sum.crashes += report.crashes;
    for (std::size_t i = 0; i < sum.events.size(); ++i) sum.events[i] += report.events[i];
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  std::printf("%zu worlds, %llu passes, %llu calls, %llu crashes: %.1f s, %.0f worlds/s\n", seeds.size(),
              static_cast<unsigned long long>(sum.passes), static_cast<unsigned long long>(sum.calls),
              static_cast<unsigned long long>(sum.crashes), took.count(),
              static_cast<double>(seeds.size()) / std::max(took.count(), 1e-9));
  return TellEvents(sum, seeds.size()) ? 0 : 1;
}
