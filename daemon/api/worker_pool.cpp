#include "worker_pool.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <system_error>
#include <utility>

#include "errors.h"
#include "unsent.h"

namespace tokensync {

namespace {

// A wait in one piece; a caller who wants longer asks again.
constexpr Duration kWaitMax = std::chrono::hours(1);

[[noreturn]] void Abort(const char* why) {
  std::fprintf(stderr, "BUG: worker pool: %s\n", why);
  std::abort();
}

/// Blocks every signal in this thread and in those that it makes, for as long as it lives.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_;
};

}  // namespace

WorkerPool::WorkerPool(MetadataApi& api, Clock& clock, std::size_t threads) : api_(api), clock_(clock) {
  if (threads == 0) Abort("it has no thread");
  const SignalsBlocked blocked;
  threads_.reserve(threads);
  try {
    for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { Work(); });
  } catch (const std::system_error& error) {
    End();
    throw EnvironmentError(
        fmt::format("starting {} threads for calls: {} after {}; lower api.concurrency, or raise the "
                    "limits of memory and tasks",
                    threads, error.code().message(), threads_.size()));
  }
}

WorkerPool::~WorkerPool() {
  End();
}

void WorkerPool::End() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    queued_.clear();
  }
  work_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void WorkerPool::Start(Call call) {
  {
    const std::lock_guard lock(mutex_);
    if (keys_.size() == kCallsMax) Abort("more calls than it takes");
    if (!keys_.insert(call.key).second) Abort("two calls for one key at a time");
    queued_.push_back(std::move(call));
  }
  work_.notify_one();
}

std::vector<Completion> WorkerPool::Await(TimePoint deadline) {
  // Compared before they are subtracted: the deadline may be as far away as a TimePoint can be.
  const TimePoint now = clock_.Now();
  const Duration left = deadline <= now ? Duration(0) : std::min<Duration>(deadline - now, kWaitMax);
  std::unique_lock lock(mutex_);
  news_.wait_for(lock, left, [this] { return woken_ || !ended_.empty(); });
  woken_ = false;
  for (const Completion& completion : ended_) keys_.erase(completion.key);
  return std::exchange(ended_, {});
}

void WorkerPool::Wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  news_.notify_all();
}

std::vector<Completion> WorkerPool::AbandonQueued() {
  std::vector<Completion> abandoned;
  const std::lock_guard lock(mutex_);
  for (const Call& call : queued_) {
    abandoned.push_back(UnsentCompletion(call, "not sent: taken back before its turn came"));
    keys_.erase(call.key);
  }
  queued_.clear();
  return abandoned;
}

std::size_t WorkerPool::outstanding() const {
  const std::lock_guard lock(mutex_);
  return keys_.size();
}

void WorkerPool::Work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    work_.wait(lock, [this] { return stopping_ || !queued_.empty(); });
    if (queued_.empty()) return;
    const Call call = std::move(queued_.front());
    queued_.pop_front();
    lock.unlock();
    Completion completion = api_.Perform(call);
    lock.lock();
    ended_.push_back(std::move(completion));
    news_.notify_all();
  }
}

}  // namespace tokensync
