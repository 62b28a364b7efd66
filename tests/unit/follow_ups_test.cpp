/// Looking again for commits that a webhook announced.
#include "follow_ups.h"

#include <catch2/catch.hpp>
#include <set>
#include <string>

#include "samples.h"

using namespace tokensync;

namespace {

CommitId CommitNumber(int number) {
  return CommitId{std::string(36, '0') + std::to_string(1000 + number)};
}

}  // namespace

TEST_CASE("a commit that is not there is looked for five times within half a minute, and then missed") {
  FollowUps follow_ups;
  follow_ups.Add(CommitNumber(1), At(0));
  std::vector<CommitId> missed;
  std::vector<TimePoint> looks;
  while (const auto next = follow_ups.Next()) {
    CHECK_FALSE(follow_ups.TakeDue(
        *next - Duration(1), [](const CommitId&) { return false; }, missed));
    if (follow_ups.TakeDue(
            *next, [](const CommitId&) { return false; }, missed))
      looks.push_back(*next);
  }
  CHECK(looks == std::vector<TimePoint>{At(1'000), At(3'000), At(7'000), At(15'000), At(30'000)});
  CHECK(missed == std::vector<CommitId>{CommitNumber(1)});
}

TEST_CASE("a commit that came by itself is not looked for") {
  FollowUps follow_ups;
  follow_ups.Add(CommitNumber(1), At(0));
  std::vector<CommitId> missed;
  CHECK_FALSE(follow_ups.TakeDue(
      At(1'000), [](const CommitId&) { return true; }, missed));
  CHECK_FALSE(follow_ups.Next());
  CHECK(missed.empty());
}

TEST_CASE("a flood of announcements is bounded, the newest are kept, and one commit counts once") {
  FollowUps follow_ups;
  for (int number = 0; number < 100; ++number) follow_ups.Add(CommitNumber(number), At(0));
  follow_ups.Add(CommitNumber(99), At(0));
  std::vector<CommitId> missed;
  std::multiset<CommitId> asked;
  follow_ups.TakeDue(
      At(1'000),
      [&](const CommitId& commit) {
        asked.insert(commit);
        return true;
      },
      missed);
  CHECK(asked.size() == 64);
  CHECK(asked.count(CommitNumber(99)) == 1);
}

TEST_CASE("a clock that is set back does not put looks off") {
  FollowUps follow_ups;
  follow_ups.Add(CommitNumber(1), At(1'000'000));
  follow_ups.CountFrom(At(0));
  CHECK(follow_ups.Next() == At(1'000));
  FollowUps others;
  others.Add(CommitNumber(2), At(0));
  follow_ups.TakeOver(std::move(others));
  std::vector<CommitId> missed;
  follow_ups.TakeDue(
      At(1'000), [](const CommitId&) { return false; }, missed);
  CHECK(follow_ups.Next() == At(3'000));
}
