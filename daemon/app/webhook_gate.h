/// The HTTP listener: what it serves, and what a delivery of a forge makes the daemon do.
#pragma once

#include <memory>
#include <mutex>
#include <optional>

#include "config.h"
#include "http_server.h"
#include "log.h"
#include "triggers.h"
#include "webhook_receiver.h"

namespace tokensync {

class WebhookGate : private HttpHandler {
 public:
  /// Listens where http.listen says, or at `listening_fd`, which it takes over; with neither (-1), nowhere.
  /// Triggers, clock and log outlive it. Throws ConfigError, EnvironmentError.
  WebhookGate(const Config& config, int listening_fd, Triggers& triggers, Clock& clock, Log& log);

  /// From now on deliveries are taken by this configuration, and the certificate is read again. For the thread that
  /// made it; throws nothing.
  void Take(const Config& config);

  /// Nothing is taken any more.
  void Stop();

 private:
  HttpAdmission Admit(const HttpRequest& head) override;
  HttpAnswer Handle(const HttpRequest& request) override;
  void OnRefused(int status, std::string_view why, const std::string& peer) override;

  void Tell(const WebhookReply& reply, const std::string& peer);

  /// Null where no secret is configured.
  std::shared_ptr<WebhookReceiver> Receiver();

  Triggers& triggers_;
  Clock& clock_;
  Log& log_;
  std::mutex mutex_;
  std::shared_ptr<WebhookReceiver> receiver_;  // under mutex_
  std::unique_ptr<HttpServer> server_;
};

}  // namespace tokensync
