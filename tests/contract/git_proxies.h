/// A real HTTP proxy on loopback, and a tap that hears what is said to it. Both end with their owner.
#pragma once

#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "git_servers.h"

namespace tokensync::test {

/// tinyproxy. `settings`: more lines for its configuration.
class TinyProxy {
 public:
  explicit TinyProxy(const std::filesystem::path& folder, const std::string& settings = "");
  int port() const { return port_; }
  /// The requests so far, one a line.
  std::string Log() const;

 private:
  std::filesystem::path folder_;
  int port_ = 0;
  std::unique_ptr<StartedProgram> program_;
};

/// Passes connections on to another port of this machine, and keeps what comes from the side that connected.
class Wiretap {
 public:
  explicit Wiretap(int target_port);
  ~Wiretap();
  int port() const { return socket_.port(); }
  std::string Heard() const;

 private:
  void Listen();
  void Relay(int from, int to);

  const int target_port_;
  LoopbackSocket socket_;
  std::atomic<bool> stop_{false};
  mutable std::mutex mutex_;
  std::string heard_;
  std::vector<std::thread> relays_;  // only the listening thread adds to them
  std::thread listener_;
};

}  // namespace tokensync::test
