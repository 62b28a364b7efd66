/// What systemd is told of the service (sd_notify). Without systemd, nothing happens. One thread at a time.
#pragma once

#include <optional>
#include <string>

#include "model.h"

namespace tokensync {

class ServiceNotifier {
 public:
  ServiceNotifier();
  void Ready();
  /// The configuration is being read again; until the next Ready().
  void Reloading();
  void Stopping();
  /// One line for `systemctl status`.
  void Status(const std::string& text);
  /// The main loop is alive. Passed on at most four times in a watchdog interval, so it may be called at every step.
  void Alive();
  /// WatchdogSec of the unit, where it is set for this process.
  std::optional<Duration> watchdog() const { return watchdog_; }

 private:
  std::optional<Duration> watchdog_;
  TimePoint last_alive_{};
};

}  // namespace tokensync
