/// Waiting that can be ended from outside: latency, held calls, calls that are applied late.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <thread>

#include "standin_faults.h"

namespace tokensync::standin {

/// Used from any thread.
class Pauses {
 public:
  /// Returns after that time, or when Stop() was called.
  void Sleep(Milliseconds duration);
  /// Returns at the next Release(), after that time, or when Stop() was called.
  void Hold(Milliseconds longest);
  void Release();
  /// Ends all waiting, also what would begin later.
  void Stop();

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::uint64_t releases_ = 0;
  bool stopped_ = false;
};

/// Does things later, in a thread of its own. Schedule, Drop and pending from any thread.
class LateTasks {
 public:
  LateTasks();
  /// Drops what is still to be done.
  ~LateTasks();
  LateTasks(const LateTasks&) = delete;
  LateTasks& operator=(const LateTasks&) = delete;

  void Schedule(Milliseconds delay, std::function<void()> task);
  /// On return no task is being done or will be.
  void Drop();
  std::uint64_t pending() const;

 private:
  void Run();

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::multimap<std::chrono::steady_clock::time_point, std::function<void()>> tasks_;
  bool busy_ = false;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace tokensync::standin
