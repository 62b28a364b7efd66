/// The HTTP server and the receiver put together, for tests: as the daemon does it, without a daemon.
#pragma once

#include <chrono>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "http_server.h"
#include "webhook_receiver.h"

namespace tokensync {

/// The machine's clock.
class WallClock : public Clock {
 public:
  TimePoint Now() override { return std::chrono::floor<Duration>(std::chrono::system_clock::now()); }
};

class WebhookEndpoint : public HttpHandler {
 public:
  WebhookEndpoint(WebhookOptions options, WebhookReceiver::SecretSource secrets)
      : receiver_(std::move(options), std::move(secrets), clock_) {}

  HttpAdmission Admit(const HttpRequest& head) override {
    if (auto refused = receiver_.RefuseHead(DeliveryOf(head))) return {0, AnswerOf(*refused)};
    return {receiver_.body_bytes_max(), std::nullopt};
  }

  HttpAnswer Handle(const HttpRequest& request) override {
    const WebhookReply reply = receiver_.Receive(DeliveryOf(request));
    if (reply.push) {
      const std::lock_guard lock(mutex_);
      pushes_.push_back(*reply.push);
    }
    return AnswerOf(reply);
  }

  std::vector<TakenPush> pushes() {
    const std::lock_guard lock(mutex_);
    return pushes_;
  }

 private:
  static WebhookDelivery DeliveryOf(const HttpRequest& request) {
    return {request.method, request.path, request.headers, request.body};
  }
  static HttpAnswer AnswerOf(const WebhookReply& reply) {
    HttpAnswer answer{.status = reply.status, .body = reply.body};
    if (reply.allow) answer.headers.emplace_back("Allow", *reply.allow);
    if (reply.retry_after) answer.headers.emplace_back("Retry-After", std::to_string(*reply.retry_after));
    return answer;
  }

  WallClock clock_;
  WebhookReceiver receiver_;
  std::mutex mutex_;
  std::vector<TakenPush> pushes_;
};

}  // namespace tokensync
