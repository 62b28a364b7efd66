#include "api_raw_server.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <stdexcept>

namespace tokensync {

std::optional<std::string> RawPeer::ReadRequest() {
  constexpr std::string_view kLength = "Content-Length: ";
  for (;;) {
    const std::size_t head_end = buffer_.find("\r\n\r\n");
    if (head_end != std::string::npos) {
      const std::size_t at = buffer_.find(kLength);
      const std::size_t body = at < head_end ? std::strtoull(buffer_.c_str() + at + kLength.size(), nullptr, 10) : 0;
      const std::size_t whole = head_end + 4 + body;
      if (buffer_.size() >= whole) {
        std::string request = buffer_.substr(0, whole);
        buffer_.erase(0, whole);
        ++server_.requests_;
        return request;
      }
    }
    if (!ReadBytes(buffer_.size() + 1)) return std::nullopt;
  }
}

bool RawPeer::ReadBytes(std::size_t bytes) {
  std::array<char, 65536> piece;
  while (buffer_.size() < bytes) {
    const ssize_t got = ::recv(socket_, piece.data(), piece.size(), 0);
    if (got <= 0) return false;
    buffer_.append(piece.data(), static_cast<std::size_t>(got));
  }
  return true;
}

void RawPeer::AwaitClose() {
  while (ReadRequest()) {
  }
  buffer_.clear();
}

bool RawPeer::Send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

bool RawPeer::OpenAfter(std::chrono::milliseconds time) {
  pollfd waited{socket_, POLLRDHUP, 0};
  return ::poll(&waited, 1, static_cast<int>(time.count())) == 0;
}

void RawPeer::EndByReset() {
  const linger at_once{1, 0};
  ::setsockopt(socket_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
}

void RawPeer::Reset() {
  // Connecting an open socket to nowhere resets it without giving its number free.
  sockaddr nowhere{};
  nowhere.sa_family = AF_UNSPEC;
  (void)::connect(socket_, &nowhere, sizeof nowhere);
}

RawServer::RawServer(Script script) : script_(std::move(script)) {
  listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  // Little room for what is not read, so that a large request cannot leave the client unread.
  const int room = 64 * 1024;
  ::setsockopt(listener_, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  if (listener_ < 0 || ::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
      ::listen(listener_, 64) != 0 || ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
    throw std::runtime_error("starting a raw server");
  }
  port_ = ntohs(address.sin_port);
  acceptor_ = std::thread([this] { Accept(); });
}

RawServer::~RawServer() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    for (const int socket : open_) ::shutdown(socket, SHUT_RDWR);
  }
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  for (std::thread& script : scripts_) script.join();
  ::close(listener_);
}

std::string RawServer::url() const {
  return fmt::format("http://127.0.0.1:{}", port_);
}

bool RawServer::AwaitClosed(int connections) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::seconds(20), [&] { return closed_ >= connections; });
}

void RawServer::Accept() {
  for (;;) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    const std::lock_guard lock(mutex_);
    if (socket < 0 || stopping_) {
      if (socket >= 0) ::close(socket);
      return;
    }
    open_.push_back(socket);
    const int connection = ++connections_;
    scripts_.emplace_back([this, socket, connection] { Serve(socket, connection); });
  }
}

void RawServer::Serve(int socket, int connection) {
  RawPeer peer(*this, socket, connection);
  script_(peer);
  const std::lock_guard lock(mutex_);
  open_.remove(socket);
  ::close(socket);
  ++closed_;
  changed_.notify_all();
}

std::string RawReply(int status, std::string_view body, std::string_view headers) {
  return fmt::format("HTTP/1.1 {} Whatever\r\nContent-Type: application/json\r\nContent-Length: {}\r\n{}\r\n{}", status,
                     body.size(), headers, body);
}

}  // namespace tokensync
