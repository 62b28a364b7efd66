/// The threads that carry calls out.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <set>
#include <thread>
#include <vector>

#include "ports.h"

namespace tokensync {

/// CallRunner on a fixed number of threads over one MetadataApi. All signals are blocked in them.
///
/// A call that was started is in one of three places until Await gives its completion: queued, in flight, or ended. A
/// queued call was not sent, and can be taken back; one in flight cannot.
class WorkerPool : public CallRunner {
 public:
  /// Calls between Start and Await, at most; one more aborts the program.
  static constexpr std::size_t kCallsMax = 65536;

  /// `api` and `clock` outlive this object. `threads` is at least 1. Throws EnvironmentError where the system gives no
  /// more threads; none is left then.
  WorkerPool(MetadataApi& api, Clock& clock, std::size_t threads);

  /// Queued calls are dropped: they are never sent, and nobody hears of them. Waits for those in flight, so for as long
  /// as one call takes at most. To account for every call, AbandonQueued() and Await what is in flight before.
  ~WorkerPool() override;

  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  /// A second call for a key that Await has not yet given back aborts the program.
  void Start(Call call) override;
  /// Waits at most for the time from Clock::Now() to `deadline`, measured by a clock that does not step.
  std::vector<Completion> Await(TimePoint deadline) override;
  void Wake() override;

  /// Takes back the calls that no thread has begun. Each gives a completion, oldest first: NotSent, or ReadingFailed
  /// for a call that reads. None of them will be sent. For the thread of Start and Await.
  std::vector<Completion> AbandonQueued();

  /// Calls that were started and not yet given back by Await or AbandonQueued. For the thread of Start and Await.
  std::size_t outstanding() const;

 private:
  void Work();
  /// Drops what is queued, and waits for every thread.
  void End();

  MetadataApi& api_;
  Clock& clock_;
  mutable std::mutex mutex_;
  std::condition_variable work_;
  std::condition_variable news_;
  std::deque<Call> queued_;
  std::vector<Completion> ended_;
  std::set<TokenKey> keys_;  // of all calls that Await has not yet given back
  bool woken_ = false;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace tokensync
