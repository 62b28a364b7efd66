/// The sockets of the stand-in: accepts connections on loopback and serves HTTP/1.1 on each in a thread of its own.
///
/// Requests are read by Poco; replies are written byte by byte here, since a fault may concern any byte of them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include "delivery.h"
#include "standin_server.h"

namespace tokensync::standin {

struct IdlePolicy {
  Milliseconds after{0};
  IdleEnd end = IdleEnd::kClose;
};

/// Called from many threads at once.
struct ListenerCalls {
  std::function<Delivery(Request)> answer;
  /// Asked again and again while a connection is idle.
  std::function<IdlePolicy()> idle;
  /// How long the body of a request to that path may be.
  std::function<std::size_t(const std::string& path)> body_bytes_max;
};

class Listener {
 public:
  /// Listens on return; accepts nothing before Begin(). Throws std::runtime_error.
  Listener(const StandinOptions& options, ListenerCalls calls);
  ~Listener();
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;

  /// Once. `calls` are called from here on.
  void Begin();
  /// Ends all connections. `calls` are not called any more on return: those that are being worked on were awaited.
  void End();

  std::uint16_t port() const;
  std::uint64_t connections() const;
  std::uint64_t connections_open() const;
  void CutAllConnections();

 private:
  class Sockets;
  std::unique_ptr<Sockets> sockets_;
};

}  // namespace tokensync::standin
