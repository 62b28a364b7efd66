/// One connection to the service, and one exchange at a time on it.
///
/// Poco's HTTPClientSession is not used: it connects and writes again by itself when a first write fails, its time-out
/// starts anew with each byte, and it does not tell how much of a request has left. Here a request is written once, by
/// one loop with one deadline, and how far it came is known.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "endpoint.h"
#include "http_reply.h"

namespace tokensync {

using Deadline = std::chrono::steady_clock::time_point;

/// What a connection needs to know of its peer; made once, shared by all connections and threads.
class ServicePeer;

/// Throws ConfigError where the trust anchors cannot be loaded.
std::shared_ptr<const ServicePeer> MakeServicePeer(const Endpoint& endpoint, const std::filesystem::path& ca_file);

/// No connection came about: the name, the network, the peer or its certificate. Nothing was sent.
class ConnectFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// How an exchange ended, apart from the reply.
struct ExchangeEnd {
  /// Whether every byte of the request was handed to the system. While false, the peer surely has not seen all of it,
  /// and never will.
  bool sent_whole = false;
  std::string fault;  ///< why the reply is not complete; empty where it is
};

/// A connection that is open. One thread at a time.
class Connection {
 public:
  virtual ~Connection() = default;

  /// Connects, with TLS handshake and verification where the endpoint has TLS. Several addresses of one name are tried
  /// in turn. Ends by the deadline, but for the time that the system takes to look up a name. Throws ConnectFailure.
  static std::unique_ptr<Connection> Open(const std::shared_ptr<const ServicePeer>& peer, Deadline deadline);

  /// Whether an idle connection is as it should be: open, and nothing to read on it.
  virtual bool IsQuiet() = 0;

  /// Writes the request, once, and reads into `reader` until the reply is complete or unreadable, the connection fails,
  /// or the deadline has passed. Where a reply comes before the request was written whole, the rest is not sent.
  virtual ExchangeEnd Exchange(std::string_view request, ReplyReader& reader, Deadline deadline) = 0;
};

}  // namespace tokensync
