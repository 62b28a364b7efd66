/// The service token, kept in a file.
#pragma once

#include <filesystem>
#include <mutex>

#include "secret.h"

namespace tokensync {

/// A file that holds one bearer token and may be replaced while the program runs. A newline at its end is no part of
/// the token. No message ever quotes the content. Any thread.
class TokenFile {
 public:
  /// The longest token that is taken.
  static constexpr std::size_t kBytesMax = std::size_t{16} * 1024;

  /// Reads the file. Throws ConfigError where it cannot be read or holds no token: it is empty, longer than kBytesMax,
  /// or has white space, control or non-ASCII characters inside.
  explicit TokenFile(std::filesystem::path file);

  /// Reads the file anew; for the beginning of a pass. Throws EnvironmentError where it cannot be read or holds no
  /// token; the token that was read before stays the current one.
  void Refresh();

  /// The token that was read last.
  Secret Current() const;

 private:
  const std::filesystem::path file_;
  mutable std::mutex mutex_;
  Secret current_;
};

}  // namespace tokensync
