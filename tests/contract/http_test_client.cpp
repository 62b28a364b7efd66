#include "http_test_client.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>
#include <utility>

namespace tokensync {

namespace {

using Clock = std::chrono::steady_clock;

int Connect(const std::string& address) {
  sockaddr_storage storage{};
  socklen_t size = 0;
  if (address.starts_with("unix:")) {
    auto& local = reinterpret_cast<sockaddr_un&>(storage);
    local.sun_family = AF_UNIX;
    address.copy(static_cast<char*>(local.sun_path), sizeof(local.sun_path) - 1, 5);
    size = sizeof local;
  } else {
    const std::size_t colon = address.rfind(':');
    const auto port = htons(static_cast<std::uint16_t>(std::atoi(address.c_str() + colon + 1)));
    if (address.front() == '[') {
      auto& inet = reinterpret_cast<sockaddr_in6&>(storage);
      inet.sin6_family = AF_INET6;
      inet.sin6_port = port;
      inet_pton(AF_INET6, address.substr(1, colon - 2).c_str(), &inet.sin6_addr);
      size = sizeof inet;
    } else {
      auto& inet = reinterpret_cast<sockaddr_in&>(storage);
      inet.sin_family = AF_INET;
      inet.sin_port = port;
      inet_pton(AF_INET, address.substr(0, colon).c_str(), &inet.sin_addr);
      size = sizeof inet;
    }
  }
  const int fd = ::socket(storage.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || ::connect(fd, reinterpret_cast<const sockaddr*>(&storage), size) != 0) {
    if (fd >= 0) ::close(fd);
    throw std::runtime_error("connecting to " + address + ": refused");
  }
  return fd;
}

std::string LowerCase(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

}  // namespace

HttpTestAnswer ParseHttpTestAnswer(std::string_view text, bool ended) {
  constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  HttpTestAnswer answer;
  answer.ended = ended;
  answer.continued = text.starts_with(kContinue);
  if (answer.continued) text.remove_prefix(kContinue.size());
  const std::size_t head_end = text.find("\r\n\r\n");
  if (head_end == std::string_view::npos || !text.starts_with("HTTP/1.1 ")) return answer;
  answer.status = std::atoi(std::string(text.substr(9, 3)).c_str());
  answer.body = text.substr(head_end + 4);
  std::string_view head = text.substr(0, head_end + 2);
  head.remove_prefix(head.find("\r\n") + 2);
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    const std::size_t colon = line.find(": ");
    answer.headers[LowerCase(line.substr(0, colon))] = line.substr(colon + 2);
    head.remove_prefix(line.size() + 2);
  }
  return answer;
}

HttpTestClient::HttpTestClient(const std::string& address) : fd_(Connect(address)) {}

HttpTestClient::HttpTestClient(HttpTestClient&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), received_(std::move(other.received_)), ended_(other.ended_) {}

HttpTestClient::~HttpTestClient() {
  if (fd_ >= 0) ::close(fd_);
}

bool HttpTestClient::Send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

void HttpTestClient::EndSending() const {
  ::shutdown(fd_, SHUT_WR);
}

const std::string& HttpTestClient::ReceiveBytes(std::size_t bytes, std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  std::array<char, 16384> buffer{};
  while (received_.size() < bytes && !ended_) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd waited{fd_, POLLIN, 0};
    if (left <= 0 || ::poll(&waited, 1, static_cast<int>(left)) == 0) break;
    const ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), 0);
    if (count > 0) {
      received_.append(buffer.data(), static_cast<std::size_t>(count));
    } else {
      ended_ = true;
    }
  }
  return received_;
}

HttpTestAnswer HttpTestClient::Receive(std::chrono::milliseconds patience) {
  ReceiveBytes(static_cast<std::size_t>(-1), patience);
  return ParseHttpTestAnswer(received_, ended_);
}

HttpTestAnswer HttpTestExchange(const std::string& address, std::string_view request) {
  HttpTestClient client(address);
  client.Send(request);
  return client.Receive();
}

HttpTestAnswer HttpTestTlsExchange(const std::string& address, const std::filesystem::path& ca_file,
                                   std::string_view request, int version_max) {
  const std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context(SSL_CTX_new(TLS_client_method()), SSL_CTX_free);
  SSL_CTX_load_verify_file(context.get(), ca_file.c_str());
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_security_level(context.get(), 0);
  SSL_CTX_set_min_proto_version(context.get(), TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context.get(), version_max);
  X509_VERIFY_PARAM_set1_ip_asc(SSL_CTX_get0_param(context.get()), "127.0.0.1");
  const HttpTestClient client(address);
  const std::unique_ptr<SSL, decltype(&SSL_free)> ssl(SSL_new(context.get()), SSL_free);
  SSL_set_fd(ssl.get(), client.fd());
  ERR_clear_error();
  if (SSL_connect(ssl.get()) != 1) throw std::runtime_error("the TLS handshake failed");
  for (std::string_view rest = request; !rest.empty();) {
    const int sent = SSL_write(ssl.get(), rest.data(), static_cast<int>(rest.size()));
    if (sent <= 0) break;
    rest.remove_prefix(static_cast<std::size_t>(sent));
  }
  std::string received;
  std::array<char, 16384> buffer{};
  int count = 0;
  while ((count = SSL_read(ssl.get(), buffer.data(), static_cast<int>(buffer.size()))) > 0) {
    received.append(buffer.data(), static_cast<std::size_t>(count));
  }
  // An end without TLS's own farewell could have been made by anybody on the way.
  return ParseHttpTestAnswer(received, SSL_get_error(ssl.get(), count) == SSL_ERROR_ZERO_RETURN);
}

std::string HttpTestRequest(std::string_view method, std::string_view target, std::string_view headers,
                            std::optional<std::string_view> body) {
  std::string text(method);
  text.append(" ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\n").append(headers);
  if (body) text.append("Content-Length: ").append(std::to_string(body->size())).append("\r\n");
  text.append("\r\n").append(body.value_or(""));
  return text;
}

}  // namespace tokensync
