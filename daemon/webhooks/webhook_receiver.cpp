#include "webhook_receiver.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "errors.h"
#include "text.h"
#include "webhook_payload.h"
#include "webhook_signature.h"

namespace tokensync {

namespace {

constexpr std::size_t kLogCharactersMax = 400;

std::string Member(const char* name, JsonValue value) {
  return PrintableJson(JsonObject{{name, std::move(value)}});
}

WebhookReply Error(int status, const std::string& why) {
  return {.status = status, .body = Member("error", why)};
}

WebhookReply TryLater(Duration wait, const std::string& why) {
  WebhookReply reply = Error(429, why);
  reply.retry_after =
      static_cast<std::uint32_t>(std::max<std::int64_t>(std::chrono::ceil<std::chrono::seconds>(wait).count(), 1));
  return reply;
}

std::string LogLine(std::string_view text) {
  return PrintableText(text, kLogCharactersMax);
}

bool IsAcceptedType(std::string_view type) {
  std::string media_type(type.substr(0, type.find_first_of("; \t")));
  std::transform(media_type.begin(), media_type.end(), media_type.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return media_type == "application/json" || media_type == "application/x-www-form-urlencoded";
}

/// "github delivery 72d3162e-…", or without the number where the forge gives none.
std::string DeliveryName(WebhookForge forge, const std::string& id) {
  return fmt::format("{} delivery{}{}", WebhookForgeName(forge), id.empty() ? "" : " ", id);
}

}  // namespace

WebhookBudget::WebhookBudget(std::uint32_t per_minute)
    : per_millisecond_(per_minute / 60'000.0), capacity_(std::max(per_minute / 2.0, 1.0)), tokens_(capacity_) {}

std::optional<Duration> WebhookBudget::Spend(TimePoint now) {
  if (per_millisecond_ == 0) return std::nullopt;
  const Duration passed = counted_ ? std::max(now - *counted_, Duration(0)) : Duration(0);
  counted_ = now;
  tokens_ = std::min(capacity_, tokens_ + static_cast<double>(passed.count()) * per_millisecond_);
  if (tokens_ >= 1) {
    tokens_ -= 1;
    return std::nullopt;
  }
  return Duration(static_cast<Duration::rep>((1 - tokens_) / per_millisecond_) + 1);
}

WebhookReceiver::WebhookReceiver(WebhookOptions options, SecretSource secrets, Clock& clock)
    : options_(std::move(options)),
      secrets_(std::move(secrets)),
      clock_(clock),
      failures_(options_.requests_per_minute),
      pushes_(options_.requests_per_minute) {}

std::optional<Duration> WebhookReceiver::Spend(WebhookBudget& budget) {
  const std::lock_guard lock(mutex_);
  return budget.Spend(clock_.Now());
}

std::optional<WebhookReply> WebhookReceiver::RefuseHead(const WebhookDelivery& head) {
  const auto forge = WebhookForgeOfPath(head.path);
  if (!forge) {
    return Error(404,
                 "no webhook here; the paths are /webhook/ and github, gitlab, gitea, forgejo, bitbucket or generic");
  }
  if (head.method != "POST") {
    WebhookReply reply = Error(405, "a webhook is a POST");
    reply.allow = "POST";
    return reply;
  }
  if (!HasWebhookSignature(head, *forge)) return Unauthenticated(*forge);
  const auto type = head.Header("content-type");
  const bool is_accepted = type ? IsAcceptedType(*type) : !head.HasHeader("content-type");
  if (!is_accepted && *forge != WebhookForge::kGeneric) {
    return Error(415, "a payload is application/json or application/x-www-form-urlencoded; choose JSON at the forge");
  }
  return std::nullopt;
}

WebhookReply WebhookReceiver::Unauthenticated(WebhookForge forge) {
  if (const auto wait = Spend(failures_)) return TryLater(*wait, "too many deliveries without a valid signature");
  WebhookReply reply =
      Error(401, "no valid signature; the secret at the forge and that of tokensyncd must be the same");
  reply.log =
      LogLine(fmt::format("refusing a delivery to /webhook/{}: it has no valid signature; if the forge sent it, "
                          "compare its secret with that in webhook.secret_file",
                          WebhookForgeName(forge)));
  reply.log_is_warning = true;
  return reply;
}

WebhookReply WebhookReceiver::Receive(const WebhookDelivery& delivery) {
  if (auto refused = RefuseHead(delivery)) return *std::move(refused);
  if (delivery.body.size() > options_.body_bytes_max) {
    return Error(413, fmt::format("a body has at most {} bytes here", options_.body_bytes_max));
  }
  const WebhookForge forge = *WebhookForgeOfPath(delivery.path);
  try {
    if (!IsWebhookSigned(delivery, forge, secrets_())) return Unauthenticated(forge);
  } catch (const EnvironmentError& error) {
    WebhookReply reply = Error(503, "the secret of this webhook cannot be read");
    reply.retry_after = 60;
    reply.log =
        LogLine(fmt::format("answering a delivery to /webhook/{} with 503: {}", WebhookForgeName(forge), error.what()));
    reply.log_is_warning = true;
    // Anybody can come this far.
    if (Spend(failures_)) reply.log.clear();
    return reply;
  }
  return Judge(delivery, forge);
}

WebhookReply WebhookReceiver::Judge(const WebhookDelivery& delivery, WebhookForge forge) {
  const WebhookMeaning meaning = ReadWebhookPayload(delivery, forge);
  const std::string name = DeliveryName(forge, WebhookDeliveryId(delivery, forge));
  if (const auto* push = std::get_if<WebhookPush>(&meaning)) return Take(delivery, forge, *push);
  if (const auto* ignored = std::get_if<WebhookIgnored>(&meaning)) {
    return {.status = 200,
            .body = Member("ignored", ignored->why),
            .log = LogLine(fmt::format("ignoring {}: {}", name, ignored->why))};
  }
  if (const auto* refused = std::get_if<WebhookRefused>(&meaning)) {
    WebhookReply reply = Error(refused->status, refused->why);
    reply.log = LogLine(fmt::format("refusing {}: {}", name, refused->why));
    reply.log_is_warning = true;
    return reply;
  }
  return {.status = 200, .body = Member("ping", true), .log = LogLine(fmt::format("answering {}: a ping", name))};
}

WebhookReply WebhookReceiver::Take(const WebhookDelivery& delivery, WebhookForge forge, const WebhookPush& push) {
  const std::string id = WebhookDeliveryId(delivery, forge);
  const std::string name = DeliveryName(forge, id);
  const auto judged = JudgeWebhookPush(options_.target, push);
  if (const auto* foreign = std::get_if<ForeignPush>(&judged)) {
    return {.status = 200,
            .body = Member("ignored", foreign->why),
            .log = LogLine(fmt::format("ignoring {}: {}", name, foreign->why))};
  }
  if (const auto wait = Spend(pushes_)) {
    WebhookReply reply = TryLater(*wait, "too many pushes; the next poll finds this one");
    reply.log = LogLine(fmt::format("refusing {}: more than {} pushes a minute; the next poll finds it", name,
                                    options_.requests_per_minute));
    reply.log_is_warning = true;
    return reply;
  }
  const PushedReference& reference = std::get<FollowedPush>(judged).reference;
  WebhookReply reply{.status = 202, .body = Member("taken", true)};
  reply.push = TakenPush{forge, reference.name, reference.commit, push.repository, id, push.sender};
  reply.log = LogLine(fmt::format(
      "taking {}: a push{}{}{}", name, reference.name.empty() ? "" : " to " + reference.name,
      reference.commit ? " at " + reference.commit->hex : "", push.sender.empty() ? "" : " by " + push.sender));
  return reply;
}

}  // namespace tokensync
