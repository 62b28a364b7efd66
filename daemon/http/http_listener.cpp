#include "http_listener.h"

#include <Poco/Exception.h>
#include <Poco/Net/IPAddress.h>
#include <Poco/Net/SocketAddress.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <charconv>
#include <cstring>

#include "errors.h"
#include "text.h"

namespace tokensync {

namespace {

constexpr int kBacklog = 512;

[[noreturn]] void Refuse(std::string_view address, std::string_view why) {
  throw ConfigError(
      fmt::format("listening at {}: {}; write http.listen as ADDRESS:PORT with an address of this "
                  "machine and a port that is free, such as 127.0.0.1:9180",
                  PrintableText(address), why));
}

Poco::Net::SocketAddress Parse(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) Refuse(text, "it names no port");
  std::string host = text.substr(0, colon);
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (!bracketed && host.find(':') != std::string::npos) Refuse(text, "an IPv6 address stands in brackets");
  if (host == "localhost") host = "127.0.0.1";
  std::uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data() + colon + 1, end, port);
  if (failure != std::errc() || stop != end) Refuse(text, "its port is not a number up to 65535");
  Poco::Net::IPAddress address;
  if (host.empty() || !Poco::Net::IPAddress::tryParse(host, address)) Refuse(text, "it is no address of an interface");
  return {address, port};
}

std::string TextOf(const sockaddr_storage& address, socklen_t size) {
  if (address.ss_family == AF_UNIX) return "unix";
  try {
    return Poco::Net::SocketAddress(reinterpret_cast<const sockaddr*>(&address), size).toString();
  } catch (const Poco::Exception&) {
    return "unknown";
  }
}

bool SetOption(int fd, int name) {
  const int on = 1;
  return setsockopt(fd, SOL_SOCKET, name, &on, sizeof on) == 0;
}

int IntegerOption(int fd, int name) {
  int value = 0;
  socklen_t size = sizeof value;
  return getsockopt(fd, SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

}  // namespace

HttpListener HttpListener::At(const std::string& address) {
  const Poco::Net::SocketAddress parsed = Parse(address);
  OpenFile socket(::socket(parsed.af(), SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  // Not SO_REUSEPORT: a second server at one address is a mistake.
  if (!socket || !SetOption(socket.fd(), SO_REUSEADDR) ||
      bind(socket.fd(), parsed.addr(), static_cast<socklen_t>(parsed.length())) != 0 ||
      listen(socket.fd(), kBacklog) != 0) {
    Refuse(address, std::strerror(errno));
  }
  return HttpListener(std::move(socket));
}

HttpListener HttpListener::Adopt(int fd) {
  if (IntegerOption(fd, SO_ACCEPTCONN) != 1 || IntegerOption(fd, SO_TYPE) != SOCK_STREAM) {
    throw ConfigError(fmt::format(
        "taking over the listening socket with descriptor {}: it is no stream socket that listens; mend the socket "
        "unit (ListenStream=, Accept=no)",
        fd));
  }
  OpenFile socket(fd);
  if (fcntl(fd, F_SETFD, FD_CLOEXEC) != 0 || fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0) {
    throw ConfigError(fmt::format("taking over the listening socket with descriptor {}: {}", fd, std::strerror(errno)));
  }
  return HttpListener(std::move(socket));
}

std::string HttpListener::Address() const {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(fd(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return "unknown";
  if (address.ss_family != AF_UNIX) return TextOf(address, size);
  const auto& local = reinterpret_cast<const sockaddr_un&>(address);
  const std::size_t path_bytes = size > offsetof(sockaddr_un, sun_path) ? size - offsetof(sockaddr_un, sun_path) : 0;
  return "unix:" + PrintableText(std::string(local.sun_path, strnlen(local.sun_path, path_bytes)));
}

std::optional<HttpListener::Accepted> HttpListener::Accept() {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  OpenFile socket(accept4(fd(), reinterpret_cast<sockaddr*>(&address), &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (!socket) return std::nullopt;
  return Accepted{std::move(socket), TextOf(address, size)};
}

}  // namespace tokensync
