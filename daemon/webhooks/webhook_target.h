/// Whether a push is about what is followed here.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "source_ref.h"
#include "webhook_payload.h"

namespace tokensync {

/// The repository's name as the path of its URL tells it, without ".git": "acme/tokens" of
/// https://git.example.com/acme/tokens.git and of git@git.example.com:acme/tokens.git, "srv/git/acme/tokens" of
/// /srv/git/acme/tokens.git.
std::string WebhookRepositoryOfUrl(std::string_view url);

/// What is followed.
struct WebhookTarget {
  SourceRef ref{};
  /// The repository's name at the forge, such as "acme/tokens", or what WebhookRepositoryOfUrl() gives.
  std::string repository{};
};

/// Whether `name`, which a payload gives, is the target's repository: equal, or its end behind a '/' (a forge below a
/// path of its web server, a local mirror). Upper and lower case are one, as they are to the forges.
bool IsWebhookRepository(const WebhookTarget& target, std::string_view name);

/// The push is about what is followed.
struct FollowedPush {
  PushedReference reference{};  ///< the one that is followed; its name is empty where the delivery names none
};
/// It is not.
struct ForeignPush {
  std::string why;  ///< with advice; one printable line of limited length
};

/// Of several references, any that is followed counts; one with a commit comes before one without.
std::variant<FollowedPush, ForeignPush> JudgeWebhookPush(const WebhookTarget& target, const WebhookPush& push);

}  // namespace tokensync
