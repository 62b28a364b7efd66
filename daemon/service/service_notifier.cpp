#include "service_notifier.h"

#include <systemd/sd-daemon.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <ctime>

namespace tokensync {

ServiceNotifier::ServiceNotifier() {
  std::uint64_t microseconds = 0;
  if (sd_watchdog_enabled(0, &microseconds) > 0) watchdog_ = Duration(static_cast<Duration::rep>(microseconds / 1000));
}

void ServiceNotifier::Ready() {
  sd_notify(0, "READY=1");
}

void ServiceNotifier::Reloading() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const std::int64_t microseconds = std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1'000;
  sd_notifyf(0, "RELOADING=1\nMONOTONIC_USEC=%lld", static_cast<long long>(microseconds));
}

void ServiceNotifier::Stopping() {
  sd_notify(0, "STOPPING=1\nSTATUS=stopping: awaiting calls in flight");
}

void ServiceNotifier::Status(const std::string& text) {
  std::string line = "STATUS=" + text;
  std::replace(line.begin(), line.end(), '\n', ' ');
  sd_notify(0, line.c_str());
}

void ServiceNotifier::Alive() {
  if (!watchdog_) return;
  const auto now = std::chrono::floor<Duration>(std::chrono::steady_clock::now().time_since_epoch());
  if (TimePoint(now) < last_alive_ + *watchdog_ / 4) return;
  last_alive_ = TimePoint(now);
  sd_notify(0, "WATCHDOG=1");
}

}  // namespace tokensync
