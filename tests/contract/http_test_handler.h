/// A handler for tests: it remembers what it was asked, and can be slow.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "http_server.h"
#include "http_test_client.h"

namespace tokensync {

/// /echo gives the body back, /refused is refused by its head, /throw throws, /wait waits for Release(), /huge gives 16
/// MiB, /call calls `call`; anything else is "hello".
class TestHandler : public HttpHandler {
 public:
  std::function<std::string()> call = [] { return std::string(); };
  std::uint64_t body_bytes_max = std::uint64_t{1024} * 1024;

  HttpAdmission Admit(const HttpRequest& head) override {
    if (head.path != "/refused") return {body_bytes_max, std::nullopt};
    HttpAnswer refusal = HttpError(405, "not here");
    refusal.headers.emplace_back("Allow", "GET");
    return {0, refusal};
  }

  HttpAnswer Handle(const HttpRequest& request) override {
    std::unique_lock lock(mutex_);
    requests_.push_back(request);
    changed_.notify_all();
    if (request.path == "/wait") changed_.wait(lock, [this] { return released_; });
    lock.unlock();
    if (request.path == "/throw") throw std::runtime_error("thrown by the test");
    if (request.path == "/echo") return {.body = request.body, .content_type = "text/plain"};
    if (request.path == "/huge") return {.body = std::string(std::size_t{16} * 1024 * 1024, 'x')};
    if (request.path == "/call") return {.body = call()};
    return {.body = "hello"};
  }

  void OnRefused(int status, std::string_view why, const std::string&) override {
    const std::lock_guard lock(mutex_);
    refusals_.emplace_back(status, why);
    changed_.notify_all();
  }

  void Release() {
    const std::lock_guard lock(mutex_);
    released_ = true;
    changed_.notify_all();
  }
  /// Waits for that many requests.
  bool AwaitRequests(std::size_t count) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, kHttpTestPatience, [&] { return requests_.size() >= count; });
  }
  /// Waits for that refusal.
  bool AwaitRefusal(int status, const std::string& why) {
    std::unique_lock lock(mutex_);
    const std::pair<int, std::string> refusal(status, why);
    return changed_.wait_for(lock, kHttpTestPatience,
                             [&] { return std::find(refusals_.begin(), refusals_.end(), refusal) != refusals_.end(); });
  }
  std::vector<HttpRequest> requests() {
    const std::lock_guard lock(mutex_);
    return requests_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool released_ = false;
  std::vector<HttpRequest> requests_;
  std::vector<std::pair<int, std::string>> refusals_;
};

/// A server on a port of 127.0.0.1 that the kernel picks.
struct TestServer {
  TestHandler handler;
  HttpServer server;

  explicit TestServer(HttpServerOptions options = {}) : server(OnLoopback(std::move(options)), handler) {}
  ~TestServer() { handler.Release(); }

  static HttpServerOptions OnLoopback(HttpServerOptions options) {
    if (options.listen.empty()) options.listen = "127.0.0.1:0";
    return options;
  }
  static HttpServerOptions With(HttpLimits limits) {
    HttpServerOptions options;
    options.limits = limits;
    return options;
  }

  std::string address() const { return server.Address(); }
  HttpTestAnswer Exchange(std::string_view request) const { return HttpTestExchange(address(), request); }
};

}  // namespace tokensync
