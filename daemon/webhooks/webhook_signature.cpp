#include "webhook_signature.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <cstdlib>
#include <optional>

#include "sha256.h"

namespace tokensync {

namespace {

constexpr std::string_view kPrefix = "sha256=";

bool HasPrefix(WebhookForge forge) {
  return forge == WebhookForge::kGitHub || forge == WebhookForge::kBitbucket || forge == WebhookForge::kGeneric;
}

std::optional<std::uint8_t> DigitOf(char c) {
  if (c >= '0' && c <= '9') return static_cast<std::uint8_t>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<std::uint8_t>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<std::uint8_t>(c - 'A' + 10);
  return std::nullopt;
}

std::optional<WebhookDigest> FromHex(std::string_view hex) {
  WebhookDigest digest{};
  if (hex.size() != 2 * digest.size()) return std::nullopt;
  for (std::size_t i = 0; i < digest.size(); ++i) {
    const auto high = DigitOf(hex[2 * i]);
    const auto low = DigitOf(hex[2 * i + 1]);
    if (!high || !low) return std::nullopt;
    digest[i] = static_cast<std::uint8_t>(*high << 4U | *low);
  }
  return digest;
}

// What the delivery shows of its signature, as bytes that are compared.
std::optional<WebhookDigest> Shown(const WebhookDelivery& delivery, WebhookForge forge) {
  auto value = delivery.Header(WebhookSignatureHeader(delivery, forge));
  if (!value || value->empty()) return std::nullopt;
  // Hashed, so that neither length nor content decides how long the comparison takes.
  if (forge == WebhookForge::kGitLab) return Sha256(*value).bytes;
  if (HasPrefix(forge)) {
    if (!value->starts_with(kPrefix)) return std::nullopt;
    value->remove_prefix(kPrefix.size());
  }
  return FromHex(*value);
}

WebhookDigest Expected(const WebhookDelivery& delivery, WebhookForge forge, const Secret& secret) {
  return forge == WebhookForge::kGitLab ? Sha256(secret.Reveal()).bytes : WebhookHmac(secret, delivery.body);
}

}  // namespace

WebhookDigest WebhookHmac(const Secret& secret, std::string_view bytes) {
  WebhookDigest digest{};
  unsigned int size = 0;
  const std::string& key = secret.Reveal();
  if (HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(bytes.data()),
           bytes.size(), digest.data(), &size) == nullptr ||
      size != digest.size()) {
    std::abort();
  }
  return digest;
}

std::string_view WebhookSignatureHeader(const WebhookDelivery& delivery, WebhookForge forge) {
  switch (forge) {
    case WebhookForge::kGitHub:
      return "x-hub-signature-256";
    case WebhookForge::kGitLab:
      return "x-gitlab-token";
    case WebhookForge::kGitea:
      return "x-gitea-signature";
    case WebhookForge::kForgejo:
      // A bad one of its own is not rescued by a good one of the other.
      return delivery.HasHeader("x-forgejo-signature") ? "x-forgejo-signature" : "x-gitea-signature";
    case WebhookForge::kBitbucket:
      return "x-hub-signature";
    case WebhookForge::kGeneric:
      return "x-tokensync-signature-256";
  }
  return "";
}

bool HasWebhookSignature(const WebhookDelivery& delivery, WebhookForge forge) {
  return Shown(delivery, forge).has_value();
}

bool IsWebhookSigned(const WebhookDelivery& delivery, WebhookForge forge, const WebhookSecrets& secrets) {
  const auto shown = Shown(delivery, forge);
  if (!shown) return false;
  const auto is_by = [&](const Secret& secret) {
    const WebhookDigest expected = Expected(delivery, forge, secret);
    // Nobody signs with nothing.
    return !secret.empty() && CRYPTO_memcmp(expected.data(), shown->data(), expected.size()) == 0;
  };
  const bool by_current = is_by(secrets.current);
  const bool by_previous = secrets.previous && is_by(*secrets.previous);
  return by_current || by_previous;
}

}  // namespace tokensync
