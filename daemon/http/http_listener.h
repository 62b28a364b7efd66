/// The socket that listens: our own, or one that the process was started with.
///
/// By system calls: Poco 1.11 makes and accepts sockets without close-on-exec, and a child process that inherits one
/// keeps the peer waiting.
#pragma once

#include <optional>
#include <string>

#include "open_file.h"

namespace tokensync {

class HttpListener {
 public:
  /// Listens at "192.0.2.7:9180" or "[2001:db8::7]:9180"; "localhost" is 127.0.0.1, and port 0 one that is free. Throws
  /// ConfigError where the text is no such address or the machine does not let us listen there.
  static HttpListener At(const std::string& address);

  /// Takes over a stream socket that listens already, of whatever family. Throws ConfigError where it is none.
  static HttpListener Adopt(int fd);

  int fd() const { return socket_.fd(); }

  /// Where it listens, with the port that was found: "127.0.0.1:40113", "[::1]:9180", or "unix:/run/x.sock".
  std::string Address() const;

  struct Accepted {
    OpenFile socket;   ///< close-on-exec
    std::string peer;  ///< HttpRequest::peer
  };
  /// The next connection, without waiting; nothing where there is none, errno says why.
  std::optional<Accepted> Accept();

 private:
  explicit HttpListener(OpenFile socket) : socket_(std::move(socket)) {}

  OpenFile socket_;
};

}  // namespace tokensync
