/// The secret that a forge and we share, kept in a file.
#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string_view>

#include "secret.h"

namespace tokensync {

/// Shorter ones can be found by trying.
inline constexpr std::size_t kWebhookSecretBytesMin = 16;
inline constexpr std::size_t kWebhookSecretBytesMax = 1024;

/// The secrets of which either makes a delivery good: two of them while the forge is told the new one.
struct WebhookSecrets {
  Secret current;
  std::optional<Secret> previous{};
};

/// Reads a file that holds one secret; a newline at its end is no part of it. `setting`: the key that names the file.
/// Throws EnvironmentError where it cannot be read or holds no secret that can be used: it is empty, too short, too
/// long, or has control characters inside. No message quotes the content.
Secret ReadWebhookSecret(const std::filesystem::path& file, std::string_view setting);

}  // namespace tokensync
