/// A server for tests that speaks bytes, not HTTP: each connection follows a script, which can be as rude as it likes.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

namespace tokensync {

class RawServer;

/// The server's end of one connection, for the script's thread.
class RawPeer {
 public:
  /// Counts from 1 in the order of arrival.
  int connection() const { return connection_; }
  /// Reads one whole request (head and Content-Length), counts it, and gives its text; nothing at the end of the
  /// stream.
  std::optional<std::string> ReadRequest();
  /// Reads that many bytes; false at the end of the stream.
  bool ReadBytes(std::size_t bytes);
  /// Reads and drops everything until the client closes.
  void AwaitClose();
  /// False where the client is gone.
  bool Send(std::string_view bytes);
  /// Waits until the client has closed, at most this long. Whether it did not.
  bool OpenAfter(std::chrono::milliseconds time);
  /// The script's end closes by FIN, after this by RST.
  void EndByReset();
  /// Ends the connection by RST now.
  void Reset();

 private:
  friend class RawServer;
  RawPeer(RawServer& server, int socket, int connection) : server_(server), socket_(socket), connection_(connection) {}

  RawServer& server_;
  int socket_;
  int connection_;
  std::string buffer_;
};

class RawServer {
 public:
  using Script = std::function<void(RawPeer&)>;

  /// Listens on a port of 127.0.0.1 that the kernel picks; runs `script` for each connection, in a thread of its own,
  /// which closes when the script ends.
  explicit RawServer(Script script);
  /// Ends all connections at once.
  ~RawServer();
  RawServer(const RawServer&) = delete;
  RawServer& operator=(const RawServer&) = delete;

  std::string url() const;
  std::uint16_t port() const { return port_; }
  int requests() const { return requests_; }
  int connections() const { return connections_; }
  /// Waits until that many connections have been closed by their scripts' end; false after 20 s.
  bool AwaitClosed(int connections);

 private:
  friend class RawPeer;
  void Accept();
  void Serve(int socket, int connection);

  const Script script_;
  int listener_ = -1;
  std::uint16_t port_ = 0;
  std::atomic<int> requests_ = 0;
  std::atomic<int> connections_ = 0;
  std::mutex mutex_;
  std::condition_variable changed_;
  int closed_ = 0;
  bool stopping_ = false;
  std::list<int> open_;
  std::list<std::thread> scripts_;
  std::thread acceptor_;
};

/// A reply with Content-Length. `headers`: whole lines, each with its CRLF.
std::string RawReply(int status, std::string_view body, std::string_view headers = "");

}  // namespace tokensync
