#include "token_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "bounded_file.h"
#include "errors.h"

namespace tokensync {

namespace {

Secret ReadToken(const std::filesystem::path& file) {
  constexpr std::uint64_t kNewlineBytesMax = 2;
  std::string text = ReadBoundedFile(file, TokenFile::kBytesMax + kNewlineBytesMax, "api.token_file");
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();

  const auto fail = [&](std::string_view why) {
    throw EnvironmentError(fmt::format("reading {}, which api.token_file names: {}", file.string(), why));
  };
  if (text.empty())
    fail(
        "it is empty; put the service token into it, or where systemd hands it over, into /etc/tokensyncd/credentials");
  if (text.size() > TokenFile::kBytesMax) fail(fmt::format("it is longer than {} bytes", TokenFile::kBytesMax));
  if (!std::all_of(text.begin(), text.end(), [](char c) { return c > 0x20 && c < 0x7F; })) {
    fail("it holds white space, control or non-ASCII characters; write only the token, without 'Bearer'");
  }
  return Secret(std::move(text));
}

}  // namespace

TokenFile::TokenFile(std::filesystem::path file) : file_(std::move(file)) {
  try {
    current_ = ReadToken(file_);
  } catch (const EnvironmentError& error) {
    throw ConfigError(error.what());
  }
}

void TokenFile::Refresh() {
  Secret read = ReadToken(file_);
  const std::lock_guard lock(mutex_);
  current_ = std::move(read);
}

Secret TokenFile::Current() const {
  const std::lock_guard lock(mutex_);
  return current_;
}

}  // namespace tokensync
