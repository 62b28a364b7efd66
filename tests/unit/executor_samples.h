/// What the tests of the executor share: a policy, work, and how calls end.
#pragma once

#include "executor.h"

#include <catch2/catch.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "samples.h"

namespace tokensync {

inline const Digest kDigest = SampleDigest(1);
inline const ServiceAnswer kAnswer{.http_status = 503, .message = "down"};
inline constexpr Duration kSettling{60'000};

inline ExecutorPolicy Policy() {
  ExecutorPolicy policy;
  policy.rate.concurrency = 4;
  policy.rate.requests_per_minute = 0;
  policy.settling = kSettling;
  policy.bounded_tries_max = 3;
  policy.failures_max = 5;
  policy.failing_max = std::chrono::hours(24);
  return policy;
}

inline Work CreateWork(std::uint64_t number, TimePoint due = {}, std::uint32_t rank = 0) {
  return {.action = Create{.key = SampleKey(number), .entry = nullptr, .attempt = 1, .due = due}, .rank = rank};
}

inline Work ReadWork(std::uint64_t number, TimePoint due = {}, std::uint32_t rank = 0) {
  return {.action = Resolve{.key = SampleKey(number), .digest = kDigest, .attempt = 1, .due = due}, .rank = rank};
}

inline Completion CreateEnded(std::uint64_t number, CreateOutcome outcome, RateHint hint = {}) {
  return {.kind = CallKind::kCreate, .key = SampleKey(number), .created = outcome, .answer = kAnswer, .hint = hint};
}

inline Completion ReadEnded(std::uint64_t number, ReadOutcome outcome) {
  return {.kind = CallKind::kRead, .key = SampleKey(number), .read = std::move(outcome), .answer = kAnswer};
}

inline const EntryState kSent = Submitting{.digest = kDigest, .attempt = 1, .since = At(0)};
inline const EntryState kSentAgain =
    Submitting{.digest = kDigest, .attempt = 2, .since = At(0), .unknown_since = At(-9)};
inline const EntryState kLost = Uncertain{.digest = kDigest, .attempt = 1, .since = At(0), .due = At(0)};

inline std::vector<std::string> Keys(const std::vector<Work>& work) {
  std::vector<std::string> keys;
  for (const Work& item : work) keys.push_back(KeyOf(item.action).token.text());
  return keys;
}

using Texts = std::vector<std::string>;

/// Starts a create of key `number` and says how it ended.
inline Event EndCreate(Executor& executor, CreateOutcome outcome, const EntryState& state = kSent,
                       TimePoint now = At(0), std::uint64_t number = 1) {
  executor.Add(CreateWork(number));
  REQUIRE(Keys(executor.Take(now)) == Texts{std::to_string(number)});
  const auto event = executor.Judge(CreateEnded(number, outcome), state, now);
  REQUIRE(event);
  CHECK(Advance(state, *event));
  return *event;
}

inline std::optional<Event> EndRead(Executor& executor, ReadOutcome outcome, const EntryState& state = kLost,
                                    TimePoint now = At(0), std::uint64_t number = 1) {
  executor.Add(ReadWork(number));
  REQUIRE(Keys(executor.Take(now)) == Texts{std::to_string(number)});
  const auto event = executor.Judge(ReadEnded(number, std::move(outcome)), state, now);
  if (event) CHECK(Advance(state, *event));
  return event;
}

}  // namespace tokensync
