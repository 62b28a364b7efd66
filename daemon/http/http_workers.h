/// The threads on which requests are handled, so that one that takes long keeps no connection of others waiting.
///
/// This header is for the files of this folder only.
#pragma once

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "http_message.h"
#include "http_server.h"

namespace tokensync {

class HttpWorkers {
 public:
  struct Job {
    std::uint64_t connection = 0;
    HttpRequest request;
  };
  struct Result {
    std::uint64_t connection = 0;
    HttpAnswer answer;
    std::string fault;  ///< what the handler threw; empty otherwise
  };

  /// `wake` is called on a worker's thread when there is a result to take. Throws EnvironmentError where the system
  /// gives no thread.
  HttpWorkers(std::size_t threads, HttpHandler& handler, std::function<void()> wake);
  /// As Stop().
  ~HttpWorkers();
  HttpWorkers(const HttpWorkers&) = delete;
  HttpWorkers& operator=(const HttpWorkers&) = delete;

  void Start(Job job);
  /// Results since the last time.
  std::vector<Result> Take();
  /// Waits for what is being handled; what was not begun is dropped. Calling it again does nothing.
  void Stop();

 private:
  void Work();

  HttpHandler& handler_;
  const std::function<void()> wake_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;
  std::deque<Job> jobs_;
  std::vector<Result> results_;
  std::vector<std::thread> threads_;
};

}  // namespace tokensync
