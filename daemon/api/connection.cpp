#include "connection.h"

#include <Poco/Exception.h>
#include <Poco/Net/DNS.h>
#include <Poco/Net/HostEntry.h>
#include <Poco/Net/NetException.h>
#include <Poco/Net/SecureStreamSocket.h>
#include <Poco/Net/StreamSocket.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <openssl/err.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <vector>

#include "tls_trust.h"

namespace tokensync {

class ServicePeer {
 public:
  ServicePeer(Endpoint where, const std::filesystem::path& ca_file) : endpoint(std::move(where)) {
    if (endpoint.tls) trust = MakeTlsTrust(endpoint, ca_file);
  }

  /// The TLS session to resume; null where there is none yet.
  Poco::Net::Session::Ptr session() const {
    const std::lock_guard lock(mutex_);
    return session_;
  }
  void Remember(Poco::Net::Session::Ptr session) const {
    const std::lock_guard lock(mutex_);
    session_ = std::move(session);
  }

  const Endpoint endpoint;
  Poco::Net::Context::Ptr trust;

 private:
  mutable std::mutex mutex_;
  mutable Poco::Net::Session::Ptr session_;
};

std::shared_ptr<const ServicePeer> MakeServicePeer(const Endpoint& endpoint, const std::filesystem::path& ca_file) {
  return std::make_shared<const ServicePeer>(endpoint, ca_file);
}

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kAddressesMax = 8;
constexpr std::size_t kReadBytes = std::size_t{16} * 1024;

// Waits until the socket is ready for one of `events`; what it is ready for, 0 at the deadline.
short WaitFor(int socket, short events, Deadline deadline) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd waited{socket, events, 0};
    const int ready = ::poll(&waited, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000)));
    if (ready > 0) return waited.revents;
    if (ready < 0 && errno != EINTR) return POLLERR;
    if (ready == 0 && left <= 0) return 0;
  }
}

// How one non-blocking read, write or handshake step ended.
struct Step {
  enum class Kind { kDone, kWait, kClosed, kFailed };
  Kind kind = Kind::kDone;
  std::size_t bytes = 0;  // with kDone
  short wait_for = 0;     // with kWait
  std::string fault;      // with kFailed
};

// Poco 1.11 judges a TLS step also by errno and by OpenSSL's queue of errors, where an older call may have left
// something.
void ForgetOldErrors() {
  errno = 0;
  ERR_clear_error();
}

class SocketConnection : public Connection {
 public:
  SocketConnection(std::shared_ptr<const ServicePeer> peer, const Poco::Net::SocketAddress& address, Deadline deadline)
      : peer_(std::move(peer)), tls_(peer_->endpoint.tls) {
    if (tls_) {
      Poco::Net::SecureStreamSocket secure(peer_->trust);
      // An address is never sent as a server name; Poco compares the certificate with the peer's address then.
      if (!peer_->endpoint.host_is_address) secure.setPeerHostName(peer_->endpoint.host);
      if (const auto session = peer_->session()) secure.useSession(session);
      socket_ = secure;
    }
    Connect(address, deadline);
    if (tls_) Handshake(deadline);
  }

  ~SocketConnection() override {
    // Anything but a quiet end must not push out what TLS still holds of a request that was given up.
    if (broken_) ::shutdown(fd(), SHUT_RDWR);
  }

  SocketConnection(const SocketConnection&) = delete;
  SocketConnection& operator=(const SocketConnection&) = delete;

  bool IsQuiet() override { return !broken_ && WaitFor(fd(), POLLIN | POLLRDHUP, Clock::now()) == 0; }

  ExchangeEnd Exchange(std::string_view request, ReplyReader& reader, Deadline deadline) override {
    ExchangeEnd end = Run(request, reader, deadline);
    broken_ = !end.sent_whole || !reader.connection_reusable();
    if (tls_ && !broken_) RememberSession();
    return end;
  }

 private:
  int fd() const { return socket_.impl()->sockfd(); }

  void Connect(const Poco::Net::SocketAddress& address, Deadline deadline) {
    socket_.connectNB(address);
    ::fcntl(fd(), F_SETFD, FD_CLOEXEC);
    if (WaitFor(fd(), POLLOUT, deadline) == 0) throw ConnectFailure("no answer in time");
    int error = 0;
    socklen_t size = sizeof error;
    if (::getsockopt(fd(), SOL_SOCKET, SO_ERROR, &error, &size) != 0) error = errno;
    if (error != 0) throw ConnectFailure(std::strerror(error));
    socket_.setNoDelay(true);
  }

  void Handshake(Deadline deadline) {
    Poco::Net::SecureStreamSocket secure(socket_);
    TakeCertificateFault();
    for (;;) {
      ForgetOldErrors();
      const int result = secure.completeHandshake();
      if (result > 0) break;
      if (result == 0) throw ConnectFailure("the peer closed the connection during the TLS handshake");
      if (WaitFor(fd(), result == Poco::Net::SecureStreamSocket::ERR_SSL_WANT_WRITE ? POLLOUT : POLLIN, deadline) ==
          0) {
        throw ConnectFailure("the TLS handshake did not end in time");
      }
    }
    secure.verifyPeerCertificate();
  }

  Step Io(int (SocketConnection::*operation)(void*, int), void* bytes, std::size_t size, short waits_for) {
    try {
      ForgetOldErrors();
      const int result = (this->*operation)(bytes, static_cast<int>(std::min<std::size_t>(size, 1 << 30)));
      if (result > 0) return {Step::Kind::kDone, static_cast<std::size_t>(result), 0, {}};
      if (result == 0) return {Step::Kind::kClosed, 0, 0, {}};
      if (!tls_) return {Step::Kind::kWait, 0, waits_for, {}};
      const bool wants_write = result == Poco::Net::SecureStreamSocket::ERR_SSL_WANT_WRITE;
      return {Step::Kind::kWait, 0, wants_write ? short{POLLOUT} : short{POLLIN}, {}};
    } catch (const Poco::Exception& error) {
      if (error.code() == EAGAIN || error.code() == EWOULDBLOCK) return {Step::Kind::kWait, 0, waits_for, {}};
      return {Step::Kind::kFailed, 0, 0, error.displayText()};
    }
  }

  int SendSome(void* bytes, int size) { return socket_.sendBytes(bytes, size, MSG_NOSIGNAL); }
  int ReceiveSome(void* bytes, int size) { return socket_.receiveBytes(bytes, size); }

  // Poco only reads from what it sends, and its interface for both is one.
  Step Send(std::string_view bytes) {
    return Io(&SocketConnection::SendSome, const_cast<char*>(bytes.data()), bytes.size(), POLLOUT);
  }

  // Reads what is there and feeds it.
  Step Receive(ReplyReader& reader) {
    std::array<char, kReadBytes> buffer;
    Step step = Io(&SocketConnection::ReceiveSome, buffer.data(), buffer.size(), POLLIN);
    if (step.kind == Step::Kind::kDone) reader.Feed(std::string_view(buffer.data(), step.bytes));
    if (step.kind == Step::Kind::kClosed) reader.End();
    return step;
  }

  ExchangeEnd Run(std::string_view request, ReplyReader& reader, Deadline deadline) {
    ExchangeEnd end;
    std::size_t sent = 0;
    while (sent < request.size() && end.fault.empty()) {
      const Step step = Send(request.substr(sent));
      if (step.kind == Step::Kind::kDone) {
        sent += step.bytes;
      } else if (step.kind == Step::Kind::kWait) {
        const short ready = WaitFor(fd(), static_cast<short>(step.wait_for | POLLIN), deadline);
        if (ready == 0) end.fault = "the service did not take the request in time";
        if ((ready & POLLIN) != 0) Receive(reader);
        if (reader.started()) end.fault = "the service answered before it had the whole request";
        if (reader.state() == ReplyReader::State::kUnreadable) end.fault = reader.fault();
      } else {
        end.fault = step.kind == Step::Kind::kClosed ? "the connection was closed" : step.fault;
      }
      if (Clock::now() >= deadline && end.fault.empty()) end.fault = "the service did not take the request in time";
    }
    end.sent_whole = sent == request.size();

    while (reader.state() == ReplyReader::State::kMore) {
      const Step step = Receive(reader);
      if (step.kind == Step::Kind::kFailed) {
        if (end.fault.empty()) end.fault = step.fault;
        return end;
      }
      if (reader.state() != ReplyReader::State::kMore) break;
      const bool in_time =
          Clock::now() < deadline && (step.kind != Step::Kind::kWait || WaitFor(fd(), step.wait_for, deadline) != 0);
      if (!in_time) {
        if (end.fault.empty()) {
          end.fault = reader.started() ? "the reply did not end in time" : "no reply came in time";
        }
        return end;
      }
    }
    if (reader.state() == ReplyReader::State::kUnreadable && end.sent_whole) end.fault = reader.fault();
    return end;
  }

  void RememberSession() {
    if (session_remembered_) return;
    peer_->Remember(Poco::Net::SecureStreamSocket(socket_).currentSession());
    session_remembered_ = true;
  }

  const std::shared_ptr<const ServicePeer> peer_;
  const bool tls_;
  Poco::Net::StreamSocket socket_;
  bool broken_ = true;
  bool session_remembered_ = false;
};

std::vector<Poco::Net::IPAddress> Addresses(const Endpoint& endpoint) {
  Poco::Net::IPAddress literal;
  if (Poco::Net::IPAddress::tryParse(endpoint.host, literal)) return {literal};
  std::vector<Poco::Net::IPAddress> addresses;
  const Poco::Net::HostEntry host = Poco::Net::DNS::hostByName(endpoint.host, 0);
  for (const auto& address : host.addresses()) {
    if (std::find(addresses.begin(), addresses.end(), address) == addresses.end()) addresses.push_back(address);
  }
  if (addresses.size() > kAddressesMax) addresses.resize(kAddressesMax);
  return addresses;
}

}  // namespace

std::unique_ptr<Connection> Connection::Open(const std::shared_ptr<const ServicePeer>& peer, Deadline deadline) {
  const Endpoint& endpoint = peer->endpoint;
  std::string why = "its name has no address";
  try {
    const auto addresses = Addresses(endpoint);
    for (std::size_t i = 0; i < addresses.size(); ++i) {
      // Each address gets its share of what is left, so that a silent first one leaves time for the next.
      const auto share = (deadline - Clock::now()) / static_cast<std::int64_t>(addresses.size() - i);
      try {
        return std::make_unique<SocketConnection>(peer, Poco::Net::SocketAddress(addresses[i], endpoint.port),
                                                  Clock::now() + share);
      } catch (const ConnectFailure& failure) {
        why = failure.what();
      } catch (const Poco::Exception& error) {
        const std::string certificate_fault = TakeCertificateFault();
        why = certificate_fault.empty() ? error.displayText() : "its certificate is refused: " + certificate_fault;
      }
    }
  } catch (const Poco::Exception& error) {
    why = error.displayText();
  }
  throw ConnectFailure(fmt::format("connecting to {}: {}", endpoint.Text(), why));
}

}  // namespace tokensync
