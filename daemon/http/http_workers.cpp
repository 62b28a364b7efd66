#include "http_workers.h"

#include <fmt/format.h>

#include <csignal>
#include <exception>
#include <system_error>
#include <utility>

#include "errors.h"

namespace tokensync {

HttpWorkers::HttpWorkers(std::size_t threads, HttpHandler& handler, std::function<void()> wake)
    : handler_(handler), wake_(std::move(wake)) {
  try {
    while (threads_.size() < threads) threads_.emplace_back([this] { Work(); });
  } catch (const std::system_error& error) {
    Stop();
    throw EnvironmentError(fmt::format("starting the threads of the HTTP server: {}", error.code().message()));
  }
}

HttpWorkers::~HttpWorkers() {
  Stop();
}

void HttpWorkers::Stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
    jobs_.clear();
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void HttpWorkers::Start(Job job) {
  {
    const std::lock_guard lock(mutex_);
    jobs_.push_back(std::move(job));
  }
  changed_.notify_one();
}

std::vector<HttpWorkers::Result> HttpWorkers::Take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(results_, {});
}

void HttpWorkers::Work() {
  // Signals are for the thread that expects them.
  sigset_t all;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, nullptr);
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return stop_ || !jobs_.empty(); });
    if (stop_) return;
    const Job job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    Result result{job.connection, {}, {}};
    try {
      result.answer = handler_.Handle(job.request);
    } catch (const std::exception& error) {
      result.answer = HttpError(500, "an error of the server");
      result.fault = error.what();
    }
    lock.lock();
    results_.push_back(std::move(result));
    wake_();
  }
}

}  // namespace tokensync
