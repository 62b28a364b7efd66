#include "executor.h"

#include <algorithm>
#include <cstdlib>

#include "overloaded.h"

namespace tokensync {

namespace {

TimePoint DueOf(const Action& action) {
  return std::visit(Overloaded{[](const Report&) { return TimePoint{}; }, [](const auto& call) { return call.due; }},
                    action);
}

StopReason FailureOf(const ReadingFailed& failed) {
  return failed.unsent ? StopReason::kUnreachable : StopReason::kFailing;
}

}  // namespace

Executor::Executor(const ExecutorPolicy& policy, std::uint64_t seed)
    : policy_(policy),
      backoff_(policy.backoff, seed),
      rate_(policy.rate),
      reading_(policy.read_back, policy.read_back_required),
      listing_(policy.survey, policy.survey_required) {}

void Executor::Begin(TimePoint now) {
  if (running_since_ == TimePoint{}) running_since_ = now;
  NoticeClock(now);
  ready_.clear();
  waiting_.clear();
  ForgetFailures();
  round_until_ = {};
  backing_off_until_ = {};
  stopped_.reset();
  stop_answer_ = {};
}

void Executor::Replace(std::vector<Work> work) {
  ready_.clear();
  waiting_.clear();
  for (Work& item : work) Add(std::move(item));
}

void Executor::Add(Work work) {
  if (std::holds_alternative<Report>(work.action)) std::abort();
  if (in_flight_.contains(KeyOf(work.action))) return;
  const TimePoint due = DueOf(work.action);
  waiting_.emplace(due, std::move(work));
}

std::vector<Work> Executor::Take(TimePoint now) {
  std::vector<Work> taken;
  if (stopped_ || now < std::max(paused_until_, backing_off_until_)) return taken;
  while (!waiting_.empty() && waiting_.begin()->first <= now) {
    auto node = waiting_.extract(waiting_.begin());
    Order order{node.mapped().rank, KeyOf(node.mapped().action)};
    ready_.emplace(std::move(order), std::move(node.mapped().action));
  }
  while (!ready_.empty() && in_flight_.size() < Places() && rate_.Next(now) <= now) {
    auto node = ready_.extract(ready_.begin());
    rate_.Spend(now);
    in_flight_.insert(node.key().key);
    taken.push_back({.action = std::move(node.mapped()), .rank = node.key().rank});
  }
  return taken;
}

void Executor::PutBack(const TokenKey& key) {
  in_flight_.erase(key);
}

std::optional<TimePoint> Executor::NextDue(TimePoint now) const {
  if (stopped_ || in_flight_.size() >= Places()) return std::nullopt;
  std::optional<TimePoint> due;
  if (!ready_.empty()) due = now;
  if (!due && !waiting_.empty()) due = std::max(now, waiting_.begin()->first);
  if (!due) return std::nullopt;
  return std::max({*due, paused_until_, backing_off_until_, rate_.Next(now)});
}

std::optional<Event> Executor::Judge(const Completion& completion, const EntryState& state, TimePoint now) {
  Land(completion, now);
  if (completion.kind == CallKind::kList) std::abort();
  if (completion.kind == CallKind::kCreate) return JudgeCreate(completion, state, now);
  return JudgeRead(completion, state, now);
}

Event Executor::JudgeCreate(const Completion& completion, const EntryState& state, TimePoint now) {
  const auto* submitting = std::get_if<Submitting>(&state);
  if (submitting == nullptr) std::abort();
  return std::visit(
      Overloaded{
          [&](const Created& created) -> Event {
            Succeed(completion, now);
            // An echo of something else: what is stored is what counts.
            if (!created.differences.empty() && can_read()) return CreateLost{.at = now, .due = now};
            return TokenCreated{};
          },
          [&](const AlreadyThere&) -> Event {
            Succeed(completion, now);
            if (!can_read() && submitting->unknown_since) return TokenAssumedOurs{};
            return TokenExisted{.at = now, .due = now};
          },
          [&](const Refused& refused) -> Event {
            Succeed(completion, now);
            if (refused.bounded_tries && submitting->attempt < policy_.bounded_tries_max) {
              return CreateNotDone{.due = now + backoff_.After(submitting->attempt), .attempt_spent = true};
            }
            return CreateRefused{};
          },
          [&](const NotSent&) -> Event {
            return CreateNotDone{.due = CountFailure(StopReason::kUnreachable, completion.answer, now),
                                 .attempt_spent = false};
          },
          [&](const Throttled& throttled) -> Event {
            return CreateNotDone{.due = Pause(throttled, completion, now), .attempt_spent = false};
          },
          [&](const Unauthorized& unauthorized) -> Event {
            Deny(unauthorized.denial, completion.answer);
            return CreateNotDone{.due = now, .attempt_spent = false};
          },
          [&](const Unknown&) -> Event {
            return CreateLost{.at = now, .due = CountFailure(StopReason::kFailing, completion.answer, now)};
          },
      },
      completion.created);
}

std::optional<Event> Executor::JudgeRead(const Completion& completion, const EntryState& state, TimePoint now) {
  const auto* uncertain = std::get_if<Uncertain>(&state);
  if (uncertain == nullptr) std::abort();
  return std::visit(Overloaded{
                        [&](const Found& found) -> std::optional<Event> {
                          Succeed(completion, now);
                          reading_.Answered();
                          if (found.differences.empty()) return ReadEqual{};
                          // A service that overwrites can still take our late request.
                          const TimePoint settled_at = SettledAt(*uncertain);
                          if (!uncertain->exists && now < settled_at) return ReadUnsettled{.due = settled_at};
                          return ReadDifferent{.remote = found.remote_digest};
                        },
                        [&](const Absent&) -> std::optional<Event> {
                          Succeed(completion, now);
                          reading_.Answered();
                          const TimePoint settled_at = SettledAt(*uncertain);
                          if (now < settled_at) return ReadAbsent{.due = settled_at, .settled = false};
                          const bool is_last = uncertain->absent_readings + 1 >= kAbsentReadingsNeeded;
                          // "It exists", and "there is no such token", again and again: only a person can tell.
                          if (is_last && uncertain->exists && uncertain->attempt >= policy_.bounded_tries_max) {
                            return ExistenceUnreadable{};
                          }
                          return ReadAbsent{.due = is_last ? now : now + policy_.settling / 2, .settled = true};
                        },
                        [&](const Unsupported&) -> std::optional<Event> {
                          if (!reading_.Denied()) {
                            return ReadFailed{.due = now + backoff_.After(uncertain->readings + 1)};
                          }
                          if (reading_.required()) Stop(StopReason::kEndpoint, completion.answer);
                          return std::nullopt;
                        },
                        [&](const Throttled& throttled) -> std::optional<Event> {
                          Pause(throttled, completion, now);
                          return std::nullopt;
                        },
                        [&](const Unauthorized& unauthorized) -> std::optional<Event> {
                          Deny(unauthorized.denial, completion.answer);
                          return std::nullopt;
                        },
                        [&](const ReadingFailed& failed) -> std::optional<Event> {
                          const TimePoint pause = CountFailure(FailureOf(failed), completion.answer, now);
                          return ReadFailed{.due = std::max(pause, now + backoff_.After(uncertain->readings + 1))};
                        },
                    },
                    completion.read);
}

PageJudgement Executor::JudgePage(const Completion& completion, std::uint32_t tries, TimePoint now) {
  Land(completion, now);
  if (completion.kind != CallKind::kList) std::abort();
  return std::visit(
      Overloaded{
          [&](const Listed&) -> PageJudgement {
            Succeed(completion, now);
            listing_.Answered();
            return {.verdict = PageVerdict::kRead};
          },
          [&](const Refused& refused) -> PageJudgement {
            Succeed(completion, now);
            if (!refused.bounded_tries || tries + 1 >= policy_.bounded_tries_max) {
              return {.verdict = PageVerdict::kRefused};
            }
            return {.due = now + backoff_.After(tries + 1)};
          },
          [&](const Unsupported&) -> PageJudgement {
            if (!listing_.Denied()) return {.due = now + backoff_.After(1)};
            if (listing_.required()) Stop(StopReason::kEndpoint, completion.answer);
            return {.verdict = PageVerdict::kUnsupported};
          },
          [&](const Throttled& throttled) -> PageJudgement { return {.due = Pause(throttled, completion, now)}; },
          [&](const Unauthorized& unauthorized) -> PageJudgement {
            Deny(unauthorized.denial, completion.answer);
            return {.due = now};
          },
          [&](const ReadingFailed& failed) -> PageJudgement {
            return {.due = CountFailure(FailureOf(failed), completion.answer, now)};
          },
      },
      completion.listed);
}

/// Between two passes the clock can be set back; what was to end in a minute must not last for hours.
void Executor::NoticeClock(TimePoint now) {
  if (now < latest_) {
    const Duration by = latest_ - now;
    paused_until_ -= by;
    running_since_ -= by;
    rate_.SetBack(by);
  }
  latest_ = now;
}

void Executor::Land(const Completion& completion, TimePoint now) {
  if (in_flight_.erase(completion.key) == 0) std::abort();
  latest_ = std::max(latest_, now);
  rate_.Heed(completion.hint, in_flight_.size(), now);
}

TimePoint Executor::SettledAt(const Uncertain& state) const {
  return std::max(state.since, running_since_) + policy_.settling;
}

TimePoint Executor::Pause(const Throttled& throttled, const Completion& completion, TimePoint now) {
  rate_.OnThrottled(now - completion.duration, now);
  const Duration asked = throttled.retry_after.value_or(policy_.throttled_default);
  paused_until_ = std::max(paused_until_, now + std::clamp(asked, Duration(1), policy_.throttled_max));
  return paused_until_;
}

TimePoint Executor::CountFailure(StopReason reason, const ServiceAnswer& answer, TimePoint now) {
  if (++failures_in_a_row_ == 1) first_failure_ = now;
  const bool failing_for_long = failures_in_a_row_ >= 3 && now - first_failure_ >= policy_.failing_max;
  if (failures_in_a_row_ >= policy_.failures_max || failing_for_long) Stop(reason, answer);
  if (now >= round_until_) round_until_ = now + backoff_.After(++failed_rounds_);
  // One failed call among good ones holds back its own entry only.
  if (failures_in_a_row_ > 1) {
    backing_off_until_ = std::max(backing_off_until_, round_until_);
    probing_ = true;
  }
  return round_until_;
}

void Executor::Succeed(const Completion& completion, TimePoint now) {
  ForgetFailures();
  probing_ = false;
  // A page takes another time than a token.
  if (completion.kind != CallKind::kList) rate_.OnAnswered(completion.duration, now);
}

void Executor::ForgetFailures() {
  failures_in_a_row_ = 0;
  failed_rounds_ = 0;
}

void Executor::Stop(StopReason reason, const ServiceAnswer& answer) {
  probing_ = true;
  if (stopped_) return;
  stopped_ = reason;
  stop_answer_ = answer;
}

void Executor::Deny(Denial denial, const ServiceAnswer& answer) {
  switch (denial) {
    case Denial::kCredential:
      return Stop(StopReason::kCredential, answer);
    case Denial::kEndpoint:
      return Stop(StopReason::kEndpoint, answer);
    case Denial::kQuotaExhausted:
      return Stop(StopReason::kQuota, answer);
  }
}

}  // namespace tokensync
