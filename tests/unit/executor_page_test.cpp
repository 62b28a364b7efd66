// What the executor makes of the pages of a survey, and of a service that lacks a call.
#include "executor_samples.h"

using namespace tokensync;

namespace {

Completion PageEnded(ListOutcome outcome) {
  return {.kind = CallKind::kList, .key = TokenKey::OfCollection({}), .listed = std::move(outcome), .answer = kAnswer};
}

PageJudgement EndPage(Executor& executor, ListOutcome outcome, std::uint32_t tries = 0) {
  executor.Add({SurveyCollection{.key = TokenKey::OfCollection({})}, 0});
  REQUIRE(executor.Take(At(0)).size() == 1);
  return executor.JudgePage(PageEnded(std::move(outcome)), tries, At(0));
}

}  // namespace

TEST_CASE("what the answer to a page means for the survey") {
  ExecutorPolicy policy = Policy();
  const auto judge = [&](ListOutcome outcome, std::uint32_t tries = 0) {
    Executor executor(policy, 1);
    return EndPage(executor, std::move(outcome), tries);
  };
  CHECK(judge(Listed{}).verdict == PageVerdict::kRead);
  CHECK(judge(Refused{}).verdict == PageVerdict::kRefused);
  CHECK(judge(Refused{.bounded_tries = true}).verdict == PageVerdict::kAgain);
  CHECK(judge(Refused{.bounded_tries = true}).due > At(0));
  CHECK(judge(Refused{.bounded_tries = true}, policy.bounded_tries_max - 1).verdict == PageVerdict::kRefused);
  CHECK(judge(Throttled{.retry_after = Duration(7'000)}).due == At(7'000));
  CHECK(judge(ReadingFailed{}).verdict == PageVerdict::kAgain);
  CHECK(judge(Unsupported{}).verdict == PageVerdict::kAgain);
}

TEST_CASE("a service that lists nothing ends the pass only where looking first is demanded") {
  ExecutorPolicy policy = Policy();
  Executor relaxed(policy, 1);
  for (int i = 0; i < 2; ++i) CHECK(EndPage(relaxed, Unsupported{}).verdict == PageVerdict::kAgain);
  CHECK(EndPage(relaxed, Unsupported{}).verdict == PageVerdict::kUnsupported);
  CHECK_FALSE(relaxed.can_list());
  CHECK_FALSE(relaxed.stopped());
  policy.survey_required = true;
  Executor strict(policy, 1);
  for (int i = 0; i < 3; ++i) (void)EndPage(strict, Unsupported{});
  CHECK(strict.can_list());
  CHECK(strict.stopped() == StopReason::kEndpoint);
  Executor denied(policy, 1);
  (void)EndPage(denied, Unauthorized{});
  CHECK(denied.stopped() == StopReason::kCredential);
}

TEST_CASE("a service that was read once is not taken for one that cannot be read") {
  Executor executor(Policy(), 1);
  (void)EndRead(executor, Absent{});
  for (int i = 0; i < 10; ++i) {
    const auto event = EndRead(executor, Unsupported{});
    REQUIRE(event);
    CHECK(std::holds_alternative<ReadFailed>(*event));
    CHECK(std::get<ReadFailed>(*event).due > At(0));
  }
  CHECK(executor.can_read());
  (void)EndPage(executor, Listed{});
  for (int i = 0; i < 10; ++i) CHECK(EndPage(executor, Unsupported{}).verdict == PageVerdict::kAgain);
}
