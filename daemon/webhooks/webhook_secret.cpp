#include "webhook_secret.h"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <utility>

#include "bounded_file.h"
#include "errors.h"

namespace tokensync {

Secret ReadWebhookSecret(const std::filesystem::path& file, std::string_view setting) {
  constexpr std::size_t kNewlineBytesMax = 2;
  std::string text = ReadBoundedFile(file, kWebhookSecretBytesMax + kNewlineBytesMax, setting);
  if (text.ends_with('\n')) text.pop_back();
  if (text.ends_with('\r')) text.pop_back();

  const auto fail = [&](std::string_view why) {
    throw EnvironmentError(fmt::format(
        "reading {}, which {} names: {}; write one secret into it, which `openssl rand -hex 32` makes, and the same at "
        "the forge",
        file.string(), setting, why));
  };
  if (text.empty()) fail("it is empty");
  if (text.size() < kWebhookSecretBytesMin) {
    fail(fmt::format("a secret of less than {} bytes can be guessed", kWebhookSecretBytesMin));
  }
  if (text.size() > kWebhookSecretBytesMax) fail(fmt::format("it is longer than {} bytes", kWebhookSecretBytesMax));
  const auto is_control = [](char c) { return (c >= 0 && c < 0x20) || c == 0x7F; };
  if (std::any_of(text.begin(), text.end(), is_control)) fail("it holds more than one line, or control characters");
  return Secret(std::move(text));
}

}  // namespace tokensync
