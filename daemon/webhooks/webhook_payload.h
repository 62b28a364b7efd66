/// What a delivery says, once its signature is known to be right.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "model.h"
#include "webhook_delivery.h"

namespace tokensync {

/// The forge only wants to know whether anybody is there.
struct WebhookPing {};

/// A reference that a push moved.
struct PushedReference {
  std::string name{};                ///< refs/heads/main, refs/tags/v1.2.0; valid UTF-8
  std::optional<CommitId> commit{};  ///< where it is now, as far as the delivery tells; nothing where it was deleted
  bool deleted = false;
};

struct WebhookPush {
  /// What was pushed. Empty where the delivery does not say (generic only): anything may have been.
  std::vector<PushedReference> references{};
  /// "acme/tokens", in valid UTF-8. Empty where the delivery does not say (generic only).
  std::string repository{};
  std::string sender{};  ///< who pushed, as one printable line of limited length; empty where it is not told
};

/// An event that is no push.
struct WebhookIgnored {
  std::string why;
};

/// A payload that is none.
struct WebhookRefused {
  int status = 400;
  std::string why;
};

using WebhookMeaning = std::variant<WebhookPing, WebhookPush, WebhookIgnored, WebhookRefused>;

/// Reads the payload. Where the event is no push, nothing of the body is parsed. The texts are printable lines of
/// limited length.
///
/// Shapes after the forges' own documentation ("Webhook events and payloads" of GitHub, "Webhook events" of GitLab,
/// "Webhooks" of Gitea and Forgejo, "Event payloads" of Bitbucket Cloud, "Event payload" of Bitbucket Data Center).
/// generic: nothing at all, or a JSON object of which all is optional:
///   {"ref":"refs/heads/main","after":"40 hexadecimal digits","repository":"acme/tokens"}
WebhookMeaning ReadWebhookPayload(const WebhookDelivery& delivery, WebhookForge forge);

/// What the forge calls the delivery, as one printable line of limited length; empty where it does not.
std::string WebhookDeliveryId(const WebhookDelivery& delivery, WebhookForge forge);

}  // namespace tokensync
