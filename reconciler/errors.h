/// The three ways in which a step can end early. Everything that a caller branches on is a value instead
/// (see ports.h); these are thrown by adapters, which translate every library's own errors into one of them.
///
/// Text: what was being done, to what, why it failed, what happens next or what to do.
#pragma once

#include <stdexcept>

namespace tokensync {

/// The configuration, or a file that it names, cannot be used. Nothing was started.
class ConfigError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Something outside (git, network, file system) does not answer as it should. This pass is given up; a later one may
/// succeed. Nothing that is recorded has changed.
class EnvironmentError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The ledger cannot be read or written, or is not the one it should be. The program stops: it never acts on what it
/// cannot record.
class LedgerError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

}  // namespace tokensync
