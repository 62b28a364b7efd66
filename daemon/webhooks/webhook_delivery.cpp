#include "webhook_delivery.h"

#include <algorithm>
#include <array>

namespace tokensync {

namespace {

constexpr std::array kForges{WebhookForge::kGitHub,  WebhookForge::kGitLab,    WebhookForge::kGitea,
                             WebhookForge::kForgejo, WebhookForge::kBitbucket, WebhookForge::kGeneric};

}  // namespace

std::string_view WebhookForgeName(WebhookForge forge) {
  switch (forge) {
    case WebhookForge::kGitHub:
      return "github";
    case WebhookForge::kGitLab:
      return "gitlab";
    case WebhookForge::kGitea:
      return "gitea";
    case WebhookForge::kForgejo:
      return "forgejo";
    case WebhookForge::kBitbucket:
      return "bitbucket";
    case WebhookForge::kGeneric:
      return "generic";
  }
  return "";
}

std::optional<WebhookForge> WebhookForgeOfPath(std::string_view path) {
  if (!path.starts_with(kWebhookFolder)) return std::nullopt;
  path.remove_prefix(kWebhookFolder.size());
  const auto found =
      std::find_if(kForges.begin(), kForges.end(), [&](WebhookForge forge) { return WebhookForgeName(forge) == path; });
  return found == kForges.end() ? std::nullopt : std::optional(*found);
}

std::optional<std::string_view> WebhookDelivery::Header(std::string_view lower_case_name) const {
  const auto is_it = [&](const auto& header) { return header.first == lower_case_name; };
  const auto first = std::find_if(headers.begin(), headers.end(), is_it);
  if (first == headers.end() || std::any_of(first + 1, headers.end(), is_it)) return std::nullopt;
  return first->second;
}

bool WebhookDelivery::HasHeader(std::string_view lower_case_name) const {
  return std::any_of(headers.begin(), headers.end(),
                     [&](const auto& header) { return header.first == lower_case_name; });
}

}  // namespace tokensync
