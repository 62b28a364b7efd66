#include "raw_http.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <stdexcept>

namespace tokensync::standin {

RawClient::RawClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const timeval limit{.tv_sec = 10, .tv_usec = 0};
  ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    ::close(fd_);
    throw std::runtime_error("connecting to port " + std::to_string(port) + ": refused");
  }
}

RawClient::~RawClient() {
  ::close(fd_);
}

bool RawClient::Send(std::string_view bytes) const {
  while (!bytes.empty()) {
    const auto sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

RawEnd RawClient::Fill() {
  char part[16'384];
  const auto got = ::recv(fd_, part, sizeof part, 0);
  if (got > 0) {
    buffer_.append(part, static_cast<std::size_t>(got));
    return RawEnd::kComplete;
  }
  if (got == 0) return RawEnd::kClosed;
  return errno == EAGAIN || errno == EWOULDBLOCK ? RawEnd::kTimeout : RawEnd::kReset;
}

RawReply RawClient::Receive() {
  RawReply reply;
  std::size_t head_end = 0;
  while ((head_end = buffer_.find("\r\n\r\n")) == std::string::npos) {
    reply.end = Fill();
    if (reply.end != RawEnd::kComplete) return reply;
  }
  std::string_view head(buffer_.data(), head_end + 2);
  reply.status = std::atoi(std::string(head.substr(9, 3)).c_str());
  head.remove_prefix(head.find("\r\n") + 2);
  while (!head.empty()) {
    const std::string_view line = head.substr(0, head.find("\r\n"));
    std::string name(line.substr(0, line.find(':')));
    std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
    reply.headers[name] = line.substr(std::min(line.size(), name.size() + 2));
    head.remove_prefix(line.size() + 2);
  }
  const std::string length_text = reply.headers["content-length"];
  const std::size_t length = static_cast<std::size_t>(std::strtoull(length_text.c_str(), nullptr, 10));
  buffer_.erase(0, head_end + 4);
  while (buffer_.size() < length && reply.end == RawEnd::kComplete) reply.end = Fill();
  reply.body = buffer_.substr(0, length);
  buffer_.erase(0, length);
  return reply;
}

std::string RawClient::ReceiveAll(RawEnd& end) {
  while ((end = Fill()) == RawEnd::kComplete) {
  }
  return std::move(buffer_);
}

RawReply RawClient::Post(std::string_view path, std::string_view body, std::string_view more_headers) {
  Send(PostText(path, body, more_headers));
  return Receive();
}

RawReply RawClient::Get(std::string_view path) {
  Send("GET " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
  return Receive();
}

RawReply RawClient::Call(std::string_view method, std::string_view body) {
  return Post("/rpc/Collections/" + std::string(method), body);
}

std::string PostText(std::string_view path, std::string_view body, std::string_view more_headers) {
  std::string text = "POST " + std::string(path) + " HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer some.jwt\r\n";
  text += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
  text += more_headers;
  text += "\r\n";
  text += body;
  return text;
}

std::string CreateBody(std::string_view token_id) {
  return "{\"projectId\":1,\"collectionId\":2,\"private\":false,\"token\":{\"tokenId\":\"" + std::string(token_id) +
         "\",\"name\":\"n\",\"attributes\":[]}}";
}

std::string KeyBody(std::string_view token_id) {
  return "{\"projectId\":1,\"collectionId\":2,\"tokenId\":\"" + std::string(token_id) + "\"}";
}

}  // namespace tokensync::standin
