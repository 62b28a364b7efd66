/// The control socket of the daemon: `trigger`, `approve` and `status` reach it there.
///
/// A client connects, sends one request as a line of JSON, and reads one answer, or two:
///   {"command":"status"}                              → {"status":{…}}
///   {"command":"trigger"}                             → {"taken":true,"ticket":7}
///   {"command":"trigger","wait":true,"timeout_ms":N}  → {"taken":true,"ticket":7}, and when the pass ended
///   {"pass":{…}}
///   {"command":"approve","fingerprint":"0a1b…"}       → as trigger, which it includes; "wait" and "timeout_ms" too
/// What cannot be answered is {"error":"why"}. Then the connection is closed.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "errors.h"
#include "json.h"

namespace tokensync {

/// Who is at the other end, as the kernel says.
struct Peer {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::int32_t pid = 0;
  std::string user{};  ///< the name of uid, or its number where it has none
};

/// The name of a user, or the number where there is no name.
std::string UserName(std::uint32_t uid);

/// Who asked, for the log: "ada (uid 1000)".
std::string ActorText(const std::string& user, std::uint32_t uid);

/// What answers. Called on the control thread only; returns soon and throws nothing.
class ControlHandler {
 public:
  virtual ~ControlHandler() = default;
  /// Somebody wants a pass. The ticket names the wish until its pass has ended; several wishes may share one.
  virtual std::uint64_t OnTrigger(const Peer& peer) = 0;
  /// Somebody approves the plan of this fingerprint, which waits. As OnTrigger; or why it cannot be done.
  virtual std::variant<std::uint64_t, std::string> OnApprove(const Peer& peer, const std::string& fingerprint) = 0;
  /// The summary of the first pass that began after OnTrigger gave the ticket, once it has ended; nothing until then.
  /// Asked again about ten times a second while somebody waits, and at each Wake().
  virtual std::optional<JsonValue> ResultOf(std::uint64_t ticket) = 0;
  virtual JsonValue OnStatus() = 0;
};

/// Limits of the control socket.
struct ControlLimits {
  std::size_t request_bytes_max = 4096;
  std::size_t connections_max = 64;                               ///< one more is told so, and closed
  std::chrono::milliseconds io_timeout{5'000};                    ///< for sending a request, and for reading an answer
  std::chrono::milliseconds wait_default{std::chrono::hours(1)};  ///< where a waiting client names no time
  std::chrono::milliseconds wait_max{std::chrono::hours(24)};
};

/// Serves the socket on a thread of its own from construction to Stop().
class ControlServer {
 public:
  /// Binds `path`, mode 0660, and serves. The file of a daemon that died is replaced. Both arguments outlive the
  /// server. Throws ConfigError where the path is too long for a socket, is something else than a socket, or cannot be
  /// made; EnvironmentError where another daemon answers there.
  ControlServer(const std::filesystem::path& path, ControlHandler& handler, ControlLimits limits = {});
  /// Serves a socket that listens already (socket activation); its file is somebody else's. Takes the descriptor.
  ControlServer(int listening_fd, ControlHandler& handler, ControlLimits limits = {});
  /// As Stop().
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  /// Asks the handler now for what clients wait for. Any thread, also after Stop().
  void Wake();

  /// Tells waiting clients that the daemon stops, ends the thread within a second, and removes the socket file. Calling
  /// it again does nothing. For the thread that made the server.
  void Stop();

 private:
  class Loop;
  std::unique_ptr<Loop> loop_;
};

}  // namespace tokensync
