/// A delivery of a webhook, and who sends such ones.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace tokensync {

/// Below which all deliveries come.
inline constexpr std::string_view kWebhookFolder = "/webhook/";

/// Whose headers, signature and payload are expected. Each has a path of its own, so that no header decides it.
enum class WebhookForge { kGitHub, kGitLab, kGitea, kForgejo, kBitbucket, kGeneric };

/// "github", "gitlab", "gitea", "forgejo", "bitbucket", "generic".
std::string_view WebhookForgeName(WebhookForge forge);

/// Whose deliveries come to that path: /webhook/github and so on. Nothing for any other path.
std::optional<WebhookForge> WebhookForgeOfPath(std::string_view path);

/// An HTTP request as far as it matters here. All of it is foreign.
struct WebhookDelivery {
  std::string method;
  std::string path;
  std::vector<std::pair<std::string, std::string>> headers;  ///< names in lower case
  std::string body;

  /// The header's value; nothing where there is none, or more than one: a header that says two things says nothing.
  std::optional<std::string_view> Header(std::string_view lower_case_name) const;
  bool HasHeader(std::string_view lower_case_name) const;
};

}  // namespace tokensync
