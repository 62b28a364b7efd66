#include "control_server.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <list>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "control_request.h"
#include "control_socket.h"

namespace tokensync {

namespace {

using SteadyTime = std::chrono::steady_clock::time_point;
using std::chrono::milliseconds;

constexpr milliseconds kAskAgain{100};
/// How long an accept that failed for want of descriptors is left alone.
constexpr milliseconds kAcceptPause{100};

std::string ErrorLine(std::string_view why) {
  return CanonicalJson(JsonObject{{"error", std::string(why)}}) + "\n";
}

/// A client may be gone again before it is accepted: nobody shall wait for the next one then.
OpenFile Prepared(int listening_fd) {
  fcntl(listening_fd, F_SETFL, fcntl(listening_fd, F_GETFL) | O_NONBLOCK);
  return OpenFile(listening_fd);
}

/// One client, from its connecting to its end.
struct ClientConnection {
  enum class Phase { kReading, kWaiting, kEnding };

  OpenFile socket;
  Peer peer;
  Phase phase = Phase::kReading;
  SteadyTime deadline;
  std::uint64_t ticket = 0;
  milliseconds patience{};
  std::string received;
  std::string to_send;
  bool gone = false;
};

}  // namespace

class ControlServer::Loop {
 public:
  Loop(SocketFile file, ControlHandler& handler, ControlLimits limits)
      : handler_(handler), limits_(limits), file_(std::move(file)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!wake_) throw EnvironmentError(fmt::format("starting the control thread: {}", std::strerror(errno)));
    try {
      thread_ = std::thread([this] { Serve(); });
    } catch (const std::system_error& error) {
      throw EnvironmentError(fmt::format("starting the control thread: {}", error.code().message()));
    }
  }

  ~Loop() { Stop(); }

  void Stop() {
    stop_ = true;
    Wake();
    if (thread_.joinable()) thread_.join();
    file_.reset();
  }

  void Wake() {
    const std::uint64_t one = 1;
    // A full counter wakes just as well.
    [[maybe_unused]] const ssize_t written = write(wake_.fd(), &one, sizeof(one));
  }

 private:
  void Serve() {
    // Signals are for the thread that expects them.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    while (!stop_) {
      AskForResults();
      for (ClientConnection& connection : connections_) Send(connection);
      EndLate();
      std::erase_if(connections_, [](const ClientConnection& c) { return c.gone; });
      WaitForSomething();
    }
    for (ClientConnection& connection : connections_) {
      if (connection.phase != ClientConnection::Phase::kEnding) Answer(connection, ErrorLine("tokensyncd is stopping"));
      Send(connection);
    }
  }

  void WaitForSomething() {
    std::vector<pollfd> polled;
    const bool accepts = std::chrono::steady_clock::now() >= accept_after_;
    polled.push_back({.fd = wake_.fd(), .events = POLLIN, .revents = 0});
    polled.push_back({.fd = accepts ? file_->fd() : -1, .events = POLLIN, .revents = 0});
    for (const ClientConnection& connection : connections_) {
      const bool reading = connection.phase == ClientConnection::Phase::kReading;
      const bool sending = !connection.to_send.empty();
      // A client that has hung up is told about whether asked or not; one that has only sent all it had is not gone.
      const auto events = static_cast<short>((reading ? POLLIN : 0) | (sending ? POLLOUT : 0));
      polled.push_back({.fd = connection.socket.fd(), .events = events, .revents = 0});
    }
    if (poll(polled.data(), polled.size(), Patience(accepts)) <= 0) return;
    std::uint64_t count = 0;
    [[maybe_unused]] const ssize_t drained = read(wake_.fd(), &count, sizeof(count));
    auto at = polled.begin() + 2;
    for (ClientConnection& connection : connections_) {
      const short happened = (at++)->revents;
      if (connection.phase == ClientConnection::Phase::kReading && (happened & (POLLIN | POLLHUP)) != 0) {
        Receive(connection);
      } else if ((happened & (POLLHUP | POLLERR)) != 0) {
        connection.gone = true;
      }
    }
    if ((polled[1].revents & POLLIN) != 0) Accept();
  }

  /// Until the next thing to do without being woken, for poll; -1: nothing.
  int Patience(bool accepts) const {
    const SteadyTime now = std::chrono::steady_clock::now();
    SteadyTime next = SteadyTime::max();
    if (!accepts) next = accept_after_;
    for (const ClientConnection& connection : connections_) {
      next = std::min(next, connection.deadline);
      if (connection.phase == ClientConnection::Phase::kWaiting) next = std::min(next, now + kAskAgain);
    }
    if (next == SteadyTime::max()) return -1;
    const auto wait = std::chrono::ceil<milliseconds>(next - now);
    return static_cast<int>(std::clamp<std::int64_t>(wait.count(), 0, 60'000));
  }

  void Accept() {
    OpenFile socket(accept4(file_->fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!socket) {
      if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
        accept_after_ = std::chrono::steady_clock::now() + kAcceptPause;
      }
      return;
    }
    ClientConnection connection;
    connection.socket = std::move(socket);
    if (connections_.size() >= limits_.connections_max) {
      connection.to_send = ErrorLine("too many connections at once; try again later");
      Send(connection);
      return;
    }
    connection.peer = PeerOf(connection.socket.fd());
    connection.deadline = std::chrono::steady_clock::now() + limits_.io_timeout;
    connections_.push_back(std::move(connection));
  }

  void Receive(ClientConnection& connection) {
    std::array<char, 4096> buffer{};
    const ssize_t count = recv(connection.socket.fd(), buffer.data(), buffer.size(), 0);
    if (count < 0) {
      connection.gone = errno != EAGAIN && errno != EINTR;
      return;
    }
    connection.received.append(buffer.data(), static_cast<std::size_t>(count));
    const std::size_t end = connection.received.find('\n');
    if (std::min(end, connection.received.size()) > limits_.request_bytes_max) {
      Answer(connection, ErrorLine(fmt::format("a request has at most {} bytes", limits_.request_bytes_max)));
    } else if (end != std::string::npos || (count == 0 && !connection.received.empty())) {
      Handle(connection, std::string_view(connection.received).substr(0, end));
    } else {
      connection.gone = count == 0;
    }
  }

  void Handle(ClientConnection& connection, std::string_view line) {
    const ControlRequest request = ParseRequest(line, limits_);
    if (const auto* bad = std::get_if<BadRequest>(&request)) {
      Answer(connection, ErrorLine(bad->why));
    } else if (const auto* trigger = std::get_if<TriggerRequest>(&request)) {
      Promise(connection, handler_.OnTrigger(connection.peer), trigger->wait, trigger->timeout);
    } else if (const auto* approve = std::get_if<ApproveRequest>(&request)) {
      const auto taken = handler_.OnApprove(connection.peer, approve->fingerprint);
      if (const auto* why = std::get_if<std::string>(&taken)) {
        Answer(connection, ErrorLine(*why));
      } else {
        Promise(connection, std::get<std::uint64_t>(taken), approve->wait, approve->timeout);
      }
    } else {
      Answer(connection, CanonicalJson(JsonObject{{"status", handler_.OnStatus()}}) + "\n");
    }
  }

  /// The wish is taken; one who waits is told the end of its pass.
  void Promise(ClientConnection& connection, std::uint64_t ticket, bool wait, milliseconds timeout) {
    connection.ticket = ticket;
    Answer(connection, CanonicalJson(JsonObject{{"taken", true}, {"ticket", static_cast<double>(ticket)}}) + "\n");
    if (!wait) return;
    connection.phase = ClientConnection::Phase::kWaiting;
    connection.patience = timeout;
    connection.deadline = std::chrono::steady_clock::now() + timeout;
  }

  /// The last answer, unless the phase is set to another one afterwards.
  void Answer(ClientConnection& connection, const std::string& line) {
    connection.to_send += line;
    connection.phase = ClientConnection::Phase::kEnding;
    connection.deadline = std::chrono::steady_clock::now() + limits_.io_timeout;
  }

  void AskForResults() {
    for (ClientConnection& connection : connections_) {
      if (connection.phase != ClientConnection::Phase::kWaiting || connection.gone) continue;
      if (std::optional<JsonValue> result = handler_.ResultOf(connection.ticket)) {
        Answer(connection, CanonicalJson(JsonObject{{"pass", std::move(*result)}}) + "\n");
      }
    }
  }

  /// As much as goes without waiting.
  void Send(ClientConnection& connection) {
    while (!connection.to_send.empty() && !connection.gone) {
      const ssize_t count = send(connection.socket.fd(), connection.to_send.data(), connection.to_send.size(),
                                 MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count > 0) {
        connection.to_send.erase(0, static_cast<std::size_t>(count));
      } else if (errno == EAGAIN) {
        return;
      } else if (errno != EINTR) {
        connection.gone = true;
      }
    }
    if (connection.phase == ClientConnection::Phase::kEnding) connection.gone = true;
  }

  void EndLate() {
    const SteadyTime now = std::chrono::steady_clock::now();
    for (ClientConnection& connection : connections_) {
      if (connection.gone || now < connection.deadline) continue;
      if (connection.phase == ClientConnection::Phase::kReading) {
        Answer(connection, ErrorLine("no request came in time"));
      } else if (connection.phase == ClientConnection::Phase::kWaiting) {
        Answer(connection,
               ErrorLine(fmt::format("the pass did not end within {} s; it goes on",
                                     std::chrono::round<std::chrono::seconds>(connection.patience).count())));
      } else {
        connection.gone = true;
      }
    }
  }

  ControlHandler& handler_;
  const ControlLimits limits_;
  std::optional<SocketFile> file_;
  OpenFile wake_;
  std::atomic<bool> stop_ = false;
  std::list<ClientConnection> connections_;
  SteadyTime accept_after_{};
  std::thread thread_;
};

ControlServer::ControlServer(const std::filesystem::path& path, ControlHandler& handler, ControlLimits limits)
    : loop_(std::make_unique<Loop>(SocketFile(path), handler, limits)) {}

ControlServer::ControlServer(int listening_fd, ControlHandler& handler, ControlLimits limits)
    : loop_(std::make_unique<Loop>(SocketFile(Prepared(listening_fd)), handler, limits)) {}

ControlServer::~ControlServer() = default;

void ControlServer::Wake() {
  loop_->Wake();
}

void ControlServer::Stop() {
  loop_->Stop();
}

}  // namespace tokensync
