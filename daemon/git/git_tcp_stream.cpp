#include "git_tcp_stream.h"

#include <git2/sys/stream.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

#include "git_library.h"

namespace tokensync {

namespace {

constexpr std::size_t kAnswerBytesMax = 16 * 1024;

/// What libgit2 holds of one connection. It calls from one thread.
struct TcpStream {
  git_stream base{};  // first: libgit2 knows it by this address
  std::string host;
  std::string port;
  int descriptor = -1;
  bool answered = false;  ///< something was received since the last that was sent
};

TcpStream& Of(git_stream* stream) {
  return *reinterpret_cast<TcpStream*>(stream);
}

std::optional<ProxyWay>& Way() {
  static std::optional<ProxyWay> way;
  return way;
}

// No exception may cross libgit2's frames.
template <typename Function>
ssize_t Guarded(Function&& function) noexcept {
  try {
    return function();
  } catch (const std::exception& e) {
    git_error_set_str(GIT_ERROR_NET, e.what());
    return -1;
  }
}

int Fail(const std::string& text) {
  git_error_set_str(GIT_ERROR_NET, text.c_str());
  return -1;
}

void SetNoDelay(int descriptor) {
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

int ConnectTo(TcpStream& tcp, const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &found);
  if (error != 0) return Fail("failed to resolve address for " + host + ": " + ::gai_strerror(error));
  int reason = 0;
  for (const addrinfo* at = found; at != nullptr && tcp.descriptor < 0; at = at->ai_next) {
    const int descriptor = ::socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
    if (descriptor < 0 || ::connect(descriptor, at->ai_addr, at->ai_addrlen) != 0) {
      reason = errno;
      if (descriptor >= 0) ::close(descriptor);
      continue;
    }
    SetNoDelay(descriptor);
    tcp.descriptor = descriptor;
  }
  ::freeaddrinfo(found);
  if (tcp.descriptor >= 0) return 0;
  return Fail("failed to connect to " + host + ": " + std::strerror(reason));
}

ssize_t Receive(TcpStream& tcp, void* to, std::size_t size) {
  ssize_t got = 0;
  do {
    got = ::recv(tcp.descriptor, to, size, 0);
  } while (got < 0 && errno == EINTR);
  if (got < 0) Fail(std::string("error receiving data: ") + std::strerror(errno));
  return got;
}

ssize_t Send(TcpStream& tcp, const char* from, std::size_t size) {
  ssize_t put = 0;
  do {
    put = ::send(tcp.descriptor, from, size, MSG_NOSIGNAL);
  } while (put < 0 && errno == EINTR);
  if (put < 0) Fail(std::string("error sending data: ") + std::strerror(errno));
  return put;
}

// RFC 9110, 9.3.6: after the head of a 2xx answer, all is between the two ends.
int AskForTunnel(TcpStream& tcp, const ProxyWay& way) {
  const std::string host = tcp.host.find(':') == std::string::npos ? tcp.host : "[" + tcp.host + "]";
  const std::string peer = host + ":" + tcp.port;
  std::string request = "CONNECT " + peer + " HTTP/1.1\r\nHost: " + peer + "\r\n";
  if (!way.authorization.empty()) request += "Proxy-Authorization: " + way.authorization.Reveal() + "\r\n";
  request += "\r\n";
  for (std::size_t at = 0; at < request.size();) {
    const ssize_t put = Send(tcp, request.data() + at, request.size() - at);
    if (put < 0) return -1;
    at += static_cast<std::size_t>(put);
  }
  std::string answer;
  while (!answer.ends_with("\r\n\r\n") && !answer.ends_with("\n\n")) {
    char next = 0;
    const ssize_t got = Receive(tcp, &next, 1);
    if (got < 0) return -1;
    if (got == 0 || answer.size() == kAnswerBytesMax) return Fail("what answers as a proxy does not speak as one");
    answer += next;
  }
  const std::string status = answer.substr(std::min(answer.find(' '), answer.size() - 1) + 1, 3);
  if (!answer.starts_with("HTTP/1.") || status.size() != 3 ||
      status.find_first_not_of("0123456789") != std::string::npos) {
    return Fail("what answers as a proxy does not speak as one");
  }
  return status.front() == '2' ? 0 : Fail(std::string(kProxyAnswers) + status);
}

int Connect(TcpStream& tcp) {
  const auto& way = Way();
  if (!way) return ConnectTo(tcp, tcp.host, tcp.port);
  if (const int code = ConnectTo(tcp, way->host, way->port); code < 0) return code;
  return way->kind == ProxyWay::Kind::kTunnel ? AskForTunnel(tcp, *way) : 0;
}

int Close(TcpStream& tcp) {
  if (tcp.descriptor >= 0) ::close(tcp.descriptor);
  tcp.descriptor = -1;
  return 0;
}

ssize_t Read(TcpStream& tcp, void* to, std::size_t size) {
  tcp.answered = true;
  return Receive(tcp, to, size);
}

ssize_t Write(TcpStream& tcp, const char* from, std::size_t size) {
  // A new request. Some proxies (tinyproxy) close after each answer without saying so in it.
  if (tcp.answered && Way() && Way()->kind == ProxyWay::Kind::kForward) {
    Close(tcp);
    if (const int code = Connect(tcp); code < 0) return code;
  }
  tcp.answered = false;
  return Send(tcp, from, size);
}

int Make(git_stream** out, const char* host, const char* port) {
  return static_cast<int>(Guarded([&]() -> ssize_t {
    auto stream = std::make_unique<TcpStream>();
    stream->host = host;
    stream->port = port;
    stream->base.version = GIT_STREAM_VERSION;
    stream->base.connect = [](git_stream* made) {
      return static_cast<int>(Guarded([&]() -> ssize_t { return Connect(Of(made)); }));
    };
    stream->base.read = [](git_stream* made, void* to, std::size_t size) {
      return Guarded([&] { return Read(Of(made), to, size); });
    };
    stream->base.write = [](git_stream* made, const char* from, std::size_t size, int) {
      return Guarded([&] { return Write(Of(made), from, size); });
    };
    stream->base.close = [](git_stream* made) { return Close(Of(made)); };
    stream->base.free = [](git_stream* made) {
      Close(Of(made));
      delete &Of(made);
    };
    *out = &stream.release()->base;
    return 0;
  }));
}

}  // namespace

void UseTcpStreams(std::optional<ProxyWay> way) {
  Way() = std::move(way);
  git_stream_registration registration{GIT_STREAM_VERSION, Make, nullptr};
  CheckGit(git_stream_register(GIT_STREAM_STANDARD, &registration), "registering a kind of connection");
}

}  // namespace tokensync
