#include "http_stream.h"

#include <Poco/Exception.h>
#include <Poco/Net/SecureStreamSocket.h>
#include <Poco/Net/StreamSocketImpl.h>
#include <openssl/err.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>

namespace tokensync {

namespace {

constexpr std::size_t kReadBytes = std::size_t{16} * 1024;
constexpr int kDiscardsMax = 16;

// Poco 1.11 judges a TLS step also by errno and by OpenSSL's queue of errors, where an older call may have left
// something.
void ForgetOldErrors() {
  errno = 0;
  ERR_clear_error();
}

}  // namespace

HttpStream::HttpStream(OpenFile socket, const Poco::Net::Context::Ptr& certificate)
    : fd_(socket.fd()), tls_(!certificate.isNull()), socket_(new Poco::Net::StreamSocketImpl(socket.Release())) {
  // Known to the system already, but not to Poco, which would wait inside a TLS step.
  socket_.setBlocking(false);
  try {
    socket_.setNoDelay(true);
  } catch (const Poco::Exception&) {
    // A unix-domain socket has no such option, and one whose peer is gone neither.
  }
  if (!tls_) return;
  socket_ = Poco::Net::SecureStreamSocket::attach(socket_, certificate);
  socket_.setBlocking(false);
}

HttpStream::~HttpStream() {
  // So that nothing waits for a peer, whatever Poco still wants to write.
  ::shutdown(fd_, SHUT_RDWR);
}

template <typename Operation>
HttpProgress HttpStream::Try(HttpProgress wants, std::size_t& bytes, const Operation& operation) {
  try {
    ForgetOldErrors();
    const int result = operation();
    if (result > 0) {
      bytes = static_cast<std::size_t>(result);
      return HttpProgress::kDone;
    }
    if (result == 0) return HttpProgress::kEnded;
    if (!tls_) return wants;
    return result == Poco::Net::SecureStreamSocket::ERR_SSL_WANT_WRITE ? HttpProgress::kWantWrite
                                                                       : HttpProgress::kWantRead;
  } catch (const Poco::Exception& error) {
    return error.code() == EAGAIN || error.code() == EWOULDBLOCK ? wants : HttpProgress::kEnded;
  }
}

HttpProgress HttpStream::Handshake() {
  if (!tls_) return HttpProgress::kDone;
  std::size_t result = 0;
  return Try(HttpProgress::kWantRead, result,
             [&] { return Poco::Net::SecureStreamSocket(socket_).completeHandshake(); });
}

HttpProgress HttpStream::Receive(std::string& bytes) {
  std::array<char, kReadBytes> buffer;
  std::size_t count = 0;
  const HttpProgress progress = Try(HttpProgress::kWantRead, count, [&] {
    return socket_.receiveBytes(buffer.data(), static_cast<int>(buffer.size()));
  });
  if (progress == HttpProgress::kDone) bytes.append(buffer.data(), count);
  return progress;
}

HttpProgress HttpStream::Send(std::string_view& bytes) {
  std::size_t count = 0;
  const int size = static_cast<int>(std::min<std::size_t>(bytes.size(), 1 << 20));
  const HttpProgress progress =
      Try(HttpProgress::kWantWrite, count, [&] { return socket_.sendBytes(bytes.data(), size, MSG_NOSIGNAL); });
  if (progress == HttpProgress::kDone) bytes.remove_prefix(count);
  return progress;
}

void HttpStream::EndSending() {
  if (tls_) {
    try {
      ForgetOldErrors();
      socket_.shutdown();
    } catch (const Poco::Exception&) {
      // The peer is gone: it needs no farewell.
    }
  }
  ::shutdown(fd_, SHUT_WR);
}

HttpProgress HttpStream::Discard() {
  std::array<char, kReadBytes> buffer;
  for (int i = 0; i < kDiscardsMax; ++i) {
    const ssize_t count = ::recv(fd_, buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR)) return HttpProgress::kEnded;
    if (count < 0) break;
  }
  return HttpProgress::kWantRead;
}

}  // namespace tokensync
