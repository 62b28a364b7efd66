#include <catch2/catch.hpp>

#include <atomic>
#include <condition_variable>
#include <csignal>
#include <mutex>
#include <set>
#include <thread>

#include "api_test_support.h"
#include "worker_pool.h"

namespace tokensync {
namespace {

using namespace std::chrono_literals;

/// Time that runs.
class RunningClock : public Clock {
 public:
  TimePoint Now() override { return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now()); }
};

/// Holds each call until it is opened.
class GateApi : public MetadataApi {
 public:
  Completion Perform(const Call& call) override {
    std::unique_lock lock(mutex_);
    ++begun_;
    changed_.notify_all();
    changed_.wait(lock, [&] { return open_ || may_end_ > 0; });
    if (!open_) --may_end_;
    sigset_t blocked;
    pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
    signals_blocked_ = signals_blocked_ && sigismember(&blocked, SIGTERM) == 1 && sigismember(&blocked, SIGHUP) == 1;
    threads_.insert(std::this_thread::get_id());
    return Completion{call.kind, call.key, Created{}, Absent{}, Listed{}, {}, {}, Duration(1)};
  }
  void Open() {
    const std::lock_guard lock(mutex_);
    open_ = true;
    changed_.notify_all();
  }
  void LetOneEnd() {
    const std::lock_guard lock(mutex_);
    ++may_end_;
    changed_.notify_all();
  }
  bool AwaitBegun(int calls) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, 20s, [&] { return begun_ >= calls; });
  }
  int begun() {
    const std::lock_guard lock(mutex_);
    return begun_;
  }
  bool signals_blocked_ = true;
  std::set<std::thread::id> threads_;

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool open_ = false;
  int may_end_ = 0;
  int begun_ = 0;
};

TEST_CASE("every call that is started ends once, on a bounded number of threads without signals") {
  GateApi api;
  api.Open();
  RunningClock clock;
  WorkerPool pool(api, clock, 3);
  std::set<std::string> started;
  std::set<std::string> ended;
  for (int i = 1; i <= 200; ++i) {
    Call call = i % 2 == 0 ? CreateCall(std::to_string(i)) : ReadCall(std::to_string(i));
    started.insert(call.key.Text());
    pool.Start(std::move(call));
  }
  while (ended.size() < started.size()) {
    for (const Completion& completion : pool.Await(clock.Now() + 20s)) {
      CHECK(ended.insert(completion.key.Text()).second);
    }
  }
  CHECK(ended == started);
  CHECK(pool.outstanding() == 0);
  CHECK(api.threads_.size() <= 3);
  CHECK(api.signals_blocked_);
  sigset_t ours;
  pthread_sigmask(SIG_SETMASK, nullptr, &ours);
  CHECK(sigismember(&ours, SIGTERM) == 0);
}

TEST_CASE("a wait ends at its deadline, also at one that has passed") {
  GateApi api;
  RunningClock clock;
  WorkerPool pool(api, clock, 1);
  const auto begin = std::chrono::steady_clock::now();
  CHECK(pool.Await(clock.Now() + 50ms).empty());
  CHECK(std::chrono::steady_clock::now() - begin >= 49ms);
  CHECK(pool.Await(clock.Now() - 1h).empty());
  CHECK(pool.Await(TimePoint::min()).empty());
}

TEST_CASE("a wait ends by waking it, now or beforehand") {
  GateApi api;
  RunningClock clock;
  WorkerPool pool(api, clock, 1);
  pool.Wake();
  CHECK(pool.Await(TimePoint::max()).empty());
  std::thread waker([&] { pool.Wake(); });
  CHECK(pool.Await(clock.Now() + 1h).empty());
  waker.join();
}

TEST_CASE("a wait ends with the first completion") {
  GateApi api;
  RunningClock clock;
  WorkerPool pool(api, clock, 2);
  pool.Start(CreateCall("1"));
  pool.Start(CreateCall("2"));
  REQUIRE(api.AwaitBegun(2));
  api.LetOneEnd();
  CHECK(pool.Await(clock.Now() + 20s).size() == 1);
  CHECK(pool.outstanding() == 1);
  api.Open();
  CHECK(pool.Await(clock.Now() + 20s).size() == 1);
}

TEST_CASE("queued calls can be taken back, and are never sent") {
  GateApi api;
  RunningClock clock;
  {
    WorkerPool pool(api, clock, 1);
    pool.Start(CreateCall("1"));
    REQUIRE(api.AwaitBegun(1));
    pool.Start(CreateCall("2"));
    pool.Start(ReadCall("3"));
    pool.Start(ListCall(0));  // its key is the collection's, which no token has
    const std::vector<Completion> abandoned = pool.AbandonQueued();
    REQUIRE(abandoned.size() == 3);
    CHECK(abandoned[0].key == KeyOf("2"));
    CHECK(NameOf(abandoned[0].created) == "not-sent");
    CHECK(abandoned[1].kind == CallKind::kRead);
    CHECK(NameOf(abandoned[1].read) == "reading-failed");
    CHECK(abandoned[2].kind == CallKind::kList);
    CHECK(NameOf(abandoned[2].listed) == "reading-failed");
    CHECK_FALSE(abandoned[0].answer.message.empty());
    CHECK(pool.outstanding() == 1);
    pool.Start(CreateCall("2"));  // the key is free again
    CHECK(pool.AbandonQueued().size() == 1);
    api.Open();
    CHECK(pool.Await(clock.Now() + 20s).size() == 1);
    CHECK(pool.AbandonQueued().empty());
  }
  CHECK(api.begun() == 1);
}

TEST_CASE("a pool that goes away drops what is queued and waits for what is in flight") {
  GateApi api;
  RunningClock clock;
  std::thread opener;
  {
    WorkerPool pool(api, clock, 1);
    pool.Start(CreateCall("1"));
    REQUIRE(api.AwaitBegun(1));
    pool.Start(CreateCall("2"));
    opener = std::thread([&] { api.Open(); });
  }
  opener.join();
  // Whether the second one began depends on whether the first ended before the pool went away.
  CHECK(api.begun() <= 2);
}

}  // namespace
}  // namespace tokensync
