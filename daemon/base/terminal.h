/// Where output goes to: what it can show, and writing to it.
#pragma once

#include <sys/types.h>

#include <string_view>

namespace tokensync {

/// What a reader of our output sees. The default: a file or pipe, which takes lines of any length without colours.
struct Terminal {
  bool colour = false;
  int columns = 0;  ///< width of a line; 0: no limit

  bool IsTerminal() const { return columns > 0; }

  /// What `fd` leads to. Coloured where it is a terminal, NO_COLOR is unset or empty, and TERM is neither unset nor
  /// "dumb".
  static Terminal Of(int fd);
};

/// As write(2), but that a reader which went away is EPIPE only, never a signal, whatever the program does with those.
ssize_t WriteQuietly(int fd, std::string_view bytes);

/// Writes all of `text`, waiting where the reader is slow. False where the reader went away, without a signal: a
/// program that only prints has nothing left to do then. Throws EnvironmentError on any other failure (disk full).
bool WriteAll(int fd, std::string_view text);

}  // namespace tokensync
