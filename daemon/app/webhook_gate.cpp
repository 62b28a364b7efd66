#include "webhook_gate.h"

#include <fmt/format.h>

#include <string>
#include <utility>

namespace tokensync {

namespace {

std::shared_ptr<WebhookReceiver> MakeReceiver(const Config& config, Clock& clock) {
  const WebhookConfig& webhook = config.webhook;
  if (webhook.secret_file.empty()) return nullptr;
  WebhookOptions options;
  options.target = {
      .ref = config.source.ref,
      .repository = webhook.repository.empty() ? WebhookRepositoryOfUrl(config.source.url) : webhook.repository};
  options.requests_per_minute = webhook.requests_per_minute;
  // The files are read for each delivery: a secret is replaced without a word to the daemon.
  const auto secrets = [webhook] {
    WebhookSecrets read{.current = ReadWebhookSecret(webhook.secret_file, "webhook.secret_file")};
    try {
      if (!webhook.previous_secret_file.empty()) {
        read.previous = ReadWebhookSecret(webhook.previous_secret_file, "webhook.previous_secret_file");
      }
    } catch (const EnvironmentError&) {
      // Whoever has done with it removes the file, perhaps before the configuration's line.
    }
    return read;
  };
  return std::make_shared<WebhookReceiver>(options, secrets, clock);
}

WebhookDelivery DeliveryOf(const HttpRequest& request) {
  return {.method = request.method, .path = request.path, .headers = request.headers, .body = request.body};
}

HttpAnswer AnswerOf(const WebhookReply& reply) {
  HttpAnswer answer{.status = reply.status, .body = reply.body};
  if (reply.allow) answer.headers.emplace_back("Allow", *reply.allow);
  if (reply.retry_after) answer.headers.emplace_back("Retry-After", std::to_string(*reply.retry_after));
  return answer;
}

}  // namespace

WebhookGate::WebhookGate(const Config& config, int listening_fd, Triggers& triggers, Clock& clock, Log& log)
    : triggers_(triggers), clock_(clock), log_(log), receiver_(MakeReceiver(config, clock)) {
  if (listening_fd < 0 && config.http.listen.empty()) return;
  HttpServerOptions options{
      .listen = config.http.listen, .certificate_file = config.http.certificate_file, .key_file = config.http.key_file};
  if (listening_fd >= 0) options.listening_socket = listening_fd;
  server_ = std::make_unique<HttpServer>(options, static_cast<HttpHandler&>(*this));
  log_.Write(LogLevel::kInfo, "the HTTP server listens",
             {{"address", server_->Address()},
              {"webhooks", receiver_ ? "taken" : "refused: no webhook.secret_file is configured"}});
}

void WebhookGate::Take(const Config& config) {
  auto receiver = MakeReceiver(config, clock_);
  {
    const std::lock_guard lock(mutex_);
    receiver_ = std::move(receiver);
  }
  if (!server_) return;
  try {
    server_->ReloadCertificate();
  } catch (const ConfigError& error) {
    log_.Write(LogLevel::kError, std::string(error.what()) + "; going on with the certificate as it was");
  }
}

void WebhookGate::Stop() {
  if (server_) server_->Stop();
}

std::shared_ptr<WebhookReceiver> WebhookGate::Receiver() {
  const std::lock_guard lock(mutex_);
  return receiver_;
}

HttpAdmission WebhookGate::Admit(const HttpRequest& head) {
  if (!head.path.starts_with(kWebhookFolder)) return {.refusal = HttpError(404, "there is nothing at this path")};
  const auto receiver = Receiver();
  if (!receiver) return {.refusal = HttpError(404, "no webhook is taken here: webhook.secret_file is not set")};
  if (const auto refusal = receiver->RefuseHead(DeliveryOf(head))) {
    Tell(*refusal, head.peer);
    return {.refusal = AnswerOf(*refusal)};
  }
  return {.body_bytes_max = receiver->body_bytes_max()};
}

HttpAnswer WebhookGate::Handle(const HttpRequest& request) {
  const auto receiver = Receiver();
  if (!receiver) return HttpError(404, "no webhook is taken here: webhook.secret_file is not set");
  const WebhookReply reply = receiver->Receive(DeliveryOf(request));
  Tell(reply, request.peer);
  if (const auto& push = reply.push) {
    // What Bitbucket tells of a tag may be the tag itself, which is no commit that could come.
    const bool may_come = !(push->forge == WebhookForge::kBitbucket && push->reference.starts_with("refs/tags/"));
    if (push->commit && may_come) {
      triggers_.RequestFor(*push->commit, "webhook");
    } else {
      triggers_.Request("webhook");
    }
  }
  return AnswerOf(reply);
}

void WebhookGate::Tell(const WebhookReply& reply, const std::string& peer) {
  if (reply.log.empty()) return;
  log_.Write(reply.log_is_warning ? LogLevel::kWarning : LogLevel::kInfo, reply.log,
             {{"status", reply.status}, {"peer", peer}});
}

void WebhookGate::OnRefused(int status, std::string_view why, const std::string& peer) {
  log_.Write(LogLevel::kDebug, "an HTTP request was refused",
             {{"status", status}, {"why", std::string(why)}, {"peer", peer}});
}

}  // namespace tokensync
