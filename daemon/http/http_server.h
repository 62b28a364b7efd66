/// A small HTTP/1.1 server, plain or with TLS: one request a connection.
///
/// One thread serves all sockets without ever waiting for one of them, a few others call the handler. Poco's HTTPServer
/// is not used: its time-outs begin anew with each byte, so that a client that drips holds a thread for as long as it
/// likes, and a server with threads enough for every connection is none with limits. Poco carries the TLS.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "errors.h"
#include "http_limits.h"
#include "http_message.h"

namespace tokensync {

/// What answers.
class HttpHandler {
 public:
  virtual ~HttpHandler() = default;

  /// Decides on the head of a request (its body is empty) whether and how much of a body is read: what is refused
  /// here costs us nothing more. The server's thread, which waits for it: returns at once and throws nothing.
  virtual HttpAdmission Admit(const HttpRequest& head) = 0;

  /// Answers a request that was admitted. One of several threads, several requests at once. Not for long: the server
  /// does not stop before it returned. What it throws is a 500, and told to OnRefused.
  virtual HttpAnswer Handle(const HttpRequest& request) = 0;

  /// A request was answered without Handle and Admit, by `status`, or not at all (0). `peer` as in HttpRequest; `why`
  /// is no foreign text, but for what Handle threw. As often as whoever can connect likes. The server's thread: returns
  /// at once and throws nothing.
  virtual void OnRefused(int status, std::string_view why, const std::string& peer) {
    static_cast<void>(status), static_cast<void>(why), static_cast<void>(peer);
  }
};

struct HttpServerOptions {
  /// "127.0.0.1:9180", "[::1]:9180"; port 0 is one that is free. Not looked at where there is a `listening_socket`.
  std::string listen;
  /// A stream socket that listens already, as systemd passes it. From here on the server's.
  std::optional<int> listening_socket{};
  /// PEM; both or none. With them the server speaks TLS 1.2 or later, and nothing else.
  std::filesystem::path certificate_file{};
  std::filesystem::path key_file{};
  HttpLimits limits{};
};

/// Serves on threads of its own from construction to Stop().
class HttpServer {
 public:
  /// Listens on return. `handler` outlives the server. Throws ConfigError where it cannot listen there or the
  /// certificate cannot be used, EnvironmentError where the system gives no thread.
  HttpServer(const HttpServerOptions& options, HttpHandler& handler);
  /// As Stop().
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Where it listens, with the port that was found: "127.0.0.1:40113", "unix:/run/x.sock".
  std::string Address() const;

  /// Reads the certificate and the key again, for the connections from now on. Throws ConfigError where they cannot be
  /// used; the old ones stay. Does nothing without TLS. Any thread.
  void ReloadCertificate();

  /// Takes no more connections and ends those that have not sent their request; what is being handled gets its answer,
  /// within a second once the handler has returned. Calling it again does nothing. For the thread that made the server.
  void Stop();

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace tokensync
