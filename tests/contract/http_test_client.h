/// A client for tests that speaks bytes, plain or through TLS, and an answer taken apart.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace tokensync {

/// How long a test waits for what must come.
inline constexpr std::chrono::milliseconds kHttpTestPatience{20'000};

struct HttpTestAnswer {
  int status = 0;  ///< 0: the connection ended without an answer
  std::map<std::string, std::string> headers{};
  std::string body{};
  bool ended = false;      ///< the server closed the connection, and in time
  bool continued = false;  ///< a "100 Continue" came first
};

/// What the server sent until it closed.
HttpTestAnswer ParseHttpTestAnswer(std::string_view text, bool ended);

class HttpTestClient {
 public:
  /// Connects to "127.0.0.1:80", "[::1]:80" or "unix:/path". Throws std::runtime_error where nobody listens.
  explicit HttpTestClient(const std::string& address);
  ~HttpTestClient();
  HttpTestClient(HttpTestClient&& other) noexcept;
  HttpTestClient& operator=(HttpTestClient&&) = delete;

  int fd() const { return fd_; }
  /// False where the server is gone.
  bool Send(std::string_view bytes) const;
  /// Nothing more is sent.
  void EndSending() const;
  /// Reads until the server closes; gives up after `patience`.
  HttpTestAnswer Receive(std::chrono::milliseconds patience = kHttpTestPatience);
  /// Reads until so many bytes are there, or the server closes, or `patience` has passed.
  const std::string& ReceiveBytes(std::size_t bytes, std::chrono::milliseconds patience = kHttpTestPatience);
  bool ended() const { return ended_; }

 private:
  int fd_ = -1;
  std::string received_;
  bool ended_ = false;
};

/// One request on a connection of its own.
HttpTestAnswer HttpTestExchange(const std::string& address, std::string_view request);

/// The same through TLS, with a server whose certificate is for 127.0.0.1 and signed by `ca_file`. Throws
/// std::runtime_error where the handshake fails. `version_max`: 0, or OpenSSL's number of the newest version to offer.
HttpTestAnswer HttpTestTlsExchange(const std::string& address, const std::filesystem::path& ca_file,
                                   std::string_view request, int version_max = 0);

/// A request with Host, Content-Length and further header lines, each with its CR LF.
std::string HttpTestRequest(std::string_view method, std::string_view target, std::string_view headers = "",
                            std::optional<std::string_view> body = std::nullopt);

}  // namespace tokensync
