/// Whether a delivery was made by somebody who knows the secret.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "secret.h"
#include "webhook_delivery.h"
#include "webhook_secret.h"

namespace tokensync {

using WebhookDigest = std::array<std::uint8_t, 32>;

/// HMAC-SHA256 of the bytes.
WebhookDigest WebhookHmac(const Secret& secret, std::string_view bytes);

/// The header that carries the signature, in lower case:
///   GitHub     X-Hub-Signature-256: sha256=HEX   (docs.github.com, "Validating webhook deliveries")
///   GitLab     X-Gitlab-Token: the secret itself
///   Gitea      X-Gitea-Signature: HEX
///   Forgejo    X-Forgejo-Signature: HEX          (and the same in X-Gitea-Signature, which counts where it is alone)
///   Bitbucket  X-Hub-Signature: sha256=HEX
///   generic    X-Tokensync-Signature-256: sha256=HEX
/// HEX is the HMAC-SHA256 over the body as it was sent.
std::string_view WebhookSignatureHeader(const WebhookDelivery& delivery, WebhookForge forge);

/// Whether that header is there, once, and could be a signature. It says nothing of whether it is right, and needs no
/// body.
bool HasWebhookSignature(const WebhookDelivery& delivery, WebhookForge forge);

/// Whether one of the secrets made the delivery's signature. Both are always compared, in a time that depends on
/// neither secret nor on how much of the signature is right.
bool IsWebhookSigned(const WebhookDelivery& delivery, WebhookForge forge, const WebhookSecrets& secrets);

}  // namespace tokensync
