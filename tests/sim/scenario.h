/// Short words for telling a world's story in a test.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "samples.h"
#include "sha256.h"
#include "world.h"

namespace tokensync {

inline std::string PayloadText(std::uint64_t number, const std::string& name) {
  return R"({"name":")" + name + R"(","tokenId":")" + std::to_string(number) + R"("})";
}

inline ScriptedToken Token(std::uint64_t number, const std::string& name = "first", bool is_private = false) {
  return {.key = SampleKey(number), .payload = PayloadText(number, name), .is_private = is_private};
}

inline Digest DigestOfText(std::uint64_t number, const std::string& name) {
  return PayloadDigest(PayloadText(number, name), false);
}

/// One file that declares the tokens.
inline ScriptedTree Tree(std::vector<ScriptedToken> tokens) {
  return {{"a.yaml", {.tokens = std::move(tokens)}}};
}

inline ScriptedTree TreeOf(std::uint64_t first, std::uint64_t last) {
  std::vector<ScriptedToken> tokens;
  for (std::uint64_t number = first; number <= last; ++number) tokens.push_back(Token(number));
  return Tree(std::move(tokens));
}

inline std::string StateOf(const World& world, std::uint64_t number) {
  return std::string(StateName(world.ledger.StateOf(SampleKey(number))));
}

/// What was recorded of a key, in order.
inline std::vector<std::string> Story(const World& world, std::uint64_t number) {
  std::vector<std::string> events;
  for (const Change& change : world.ledger.log()) {
    if (change.record.key == SampleKey(number)) events.emplace_back(EventName(change.event));
  }
  return events;
}

/// The last record of a key.
inline const Change& LastOf(const World& world, std::uint64_t number) {
  const Change* last = nullptr;
  for (const Change& change : world.ledger.log()) {
    if (change.record.key == SampleKey(number)) last = &change;
  }
  if (last == nullptr) throw std::logic_error("nothing was recorded of this key");
  return *last;
}

/// The keys of the creates that were started, in order.
inline std::vector<std::uint64_t> Creates(const World& world) {
  std::vector<std::uint64_t> numbers;
  for (const Call& call : world.service.calls()) {
    if (call.kind == CallKind::kCreate) numbers.push_back(std::stoull(call.key.token.text()));
  }
  return numbers;
}

/// Passes, each when something is due, until nothing waits.
inline PassSummary PassUntilNothingWaits(World& world) {
  for (int i = 0; i < 50; ++i) {
    PassSummary summary = world.Pass();
    if (summary.waiting == 0) return summary;
    const TimePoint due = summary.next_due.value_or(world.clock.Now() + std::chrono::seconds(60));
    world.clock.PassUntil(world.clock.WorldTime(due));
  }
  throw std::logic_error("something waits for ever");
}

/// A pass that must neither call nor write.
inline bool NextPassIsQuiet(World& world) {
  const std::size_t calls = world.service.calls().size();
  const std::uint64_t writes = world.ledger.writes();
  const PassSummary summary = world.Pass();
  return calls == world.service.calls().size() && writes == world.ledger.writes() && !summary.changed;
}

using Strings = std::vector<std::string>;
using Numbers = std::vector<std::uint64_t>;

}  // namespace tokensync
