#include "http_connection.h"

#include <Poco/Exception.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPServerParams.h>
#include <Poco/Net/HTTPServerRequestImpl.h>
#include <Poco/Net/HTTPServerResponseImpl.h>
#include <Poco/Net/HTTPServerSession.h>
#include <Poco/Net/NetException.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <istream>
#include <string>
#include <utility>

namespace tokensync::standin {
namespace {

using Clock = std::chrono::steady_clock;
using Poco::Net::HTTPResponse;

constexpr Milliseconds kFirstRequestWithin{60'000};
constexpr Milliseconds kIdleSlice{100};
constexpr Milliseconds kLingerAtMost{2'000};

class Session : public Poco::Net::HTTPServerSession {
 public:
  using HTTPServerSession::HTTPServerSession;
  using HTTPSession::buffered;
};

/// The client has not sent all of its request: there is nothing to answer.
class RequestCutShort {};

std::string HeadText(const Reply& reply, std::size_t length) {
  std::string head = "HTTP/1.1 " + std::to_string(reply.status) + " " +
                     HTTPResponse::getReasonForStatus(static_cast<HTTPResponse::HTTPStatus>(reply.status)) + "\r\n";
  if (!reply.content_type.empty()) head += "Content-Type: " + reply.content_type + "\r\n";
  for (const auto& [name, value] : reply.headers) head.append(name).append(": ").append(value).append("\r\n");
  head += "Content-Length: " + std::to_string(length) + "\r\n";
  head += reply.close ? "Connection: close\r\n\r\n" : "Connection: keep-alive\r\n\r\n";
  return head;
}

class Connection {
 public:
  Connection(Poco::Net::StreamSocket socket, std::uint64_t number, const ListenerCalls& calls,
             const std::function<void()>& before_close)
      : socket_(std::move(socket)),
        number_(number),
        calls_(calls),
        params_(new Poco::Net::HTTPServerParams),
        session_(socket_, params_),
        before_close_(before_close) {}

  ~Connection() {
    before_close_();
    // Closing TLS writes once more, and must not wait for a peer that does not read.
    ::fcntl(fd(), F_SETFL, O_NONBLOCK);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void Run() {
    for (bool first = true; Readable(first); first = false)
      if (!ServeOne()) return;
  }

 private:
  int fd() const { return socket_.impl()->sockfd(); }

  /// Waits for the next request. False where the connection was idle too long, and ended.
  bool Readable(bool first) {
    if (session_.buffered() > 0 || (socket_.secure() && socket_.available() > 0)) return true;
    const auto since = Clock::now();
    while (true) {
      const IdlePolicy policy = calls_.idle();
      const auto end = since + (first ? kFirstRequestWithin : policy.after);
      const auto left = std::chrono::ceil<Milliseconds>(end - Clock::now());
      if (left.count() <= 0) {
        EndIdle(first ? IdleEnd::kClose : policy.end);
        return false;
      }
      if (Comes(POLLIN, std::min(left, kIdleSlice))) return true;
    }
  }

  void EndIdle(IdleEnd end) {
    if (end == IdleEnd::kReset) return Reset();
    if (end == IdleEnd::kClose) return;
    const Reply reply{.status = 408, .content_type = "text/plain", .body = "idle for too long", .close = true};
    Send(HeadText(reply, reply.body.size()) + reply.body);
    Linger();
  }

  /// Whether the connection goes on.
  bool ServeOne() {
    Request request;
    bool keep_alive = false;
    try {
      keep_alive = Receive(request);
    } catch (const RequestCutShort&) {
      return false;
    } catch (const Poco::Net::NoMessageException&) {
      return false;
    } catch (const Poco::DataException&) {
      return RefuseMalformed();
    } catch (const Poco::Net::MessageException&) {
      return RefuseMalformed();
    }
    Delivery delivery = calls_.answer(std::move(request));
    if (!keep_alive) delivery.reply.close = true;
    return std::visit([&](const auto& wire) { return Deliver(delivery.reply, wire); }, delivery.wire);
  }

  bool RefuseMalformed() {
    const Reply reply{.status = 400, .content_type = "text/plain", .body = "malformed request", .close = true};
    Send(HeadText(reply, reply.body.size()) + reply.body);
    Linger();
    return false;
  }

  /// Reads the next request. Whether the client wants to keep the connection.
  bool Receive(Request& request) {
    Poco::Net::HTTPServerResponseImpl response(session_);
    Poco::Net::HTTPServerRequestImpl message(response, session_, params_.get());
    if (!message.getVersion().starts_with("HTTP/1.")) throw Poco::DataException("no HTTP version");
    const std::string& uri = message.getURI();
    const std::size_t mark = std::min(uri.find('?'), uri.size());
    request.connection = number_;
    request.verb = message.getMethod();
    request.path = uri.substr(0, mark);
    if (mark < uri.size()) request.query = uri.substr(mark + 1);
    for (const auto& [name, value] : message) request.headers.emplace_back(name, value);
    if (message.getExpectContinue()) response.sendContinue();

    const bool has_body = message.getChunkedTransferEncoding() || message.hasContentLength();
    if (has_body) ReadBody(message.stream(), message.hasContentLength() ? message.getContentLength64() : -1, request);
    return message.getKeepAlive();
  }

  void ReadBody(std::istream& stream, std::int64_t announced, Request& request) {
    const std::size_t bytes_max = calls_.body_bytes_max(request.path);
    std::string& body = request.body;
    // An announced length is not believed beyond the limit, and one byte more tells whether the limit was passed.
    while (body.size() <= bytes_max) {
      const std::size_t known = announced >= 0 ? static_cast<std::size_t>(announced) - body.size() : 16'384;
      const std::size_t part = std::min({known, bytes_max + 1 - body.size(), std::size_t{1} << 20});
      if (part == 0) break;
      const std::size_t before = body.size();
      body.resize(before + part);
      stream.read(body.data() + before, static_cast<std::streamsize>(part));
      const auto got = static_cast<std::size_t>(stream.gcount());
      body.resize(before + got);
      if (got < part) break;
    }
    request.too_large = body.size() > bytes_max;
    if (request.too_large) return body.resize(bytes_max);
    if (announced >= 0 && body.size() < static_cast<std::size_t>(announced)) throw RequestCutShort();
  }

  void Send(std::string_view bytes) {
    while (!bytes.empty()) {
      const int sent = socket_.sendBytes(bytes.data(), static_cast<int>(std::min<std::size_t>(bytes.size(), 1 << 20)));
      if (sent <= 0) throw Poco::Net::NetException("sending a reply");
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }

  bool Deliver(const Reply& reply, const SendWhole&) {
    Send(HeadText(reply, reply.body.size()) + reply.body);
    if (reply.close) Linger();
    return !reply.close;
  }

  bool Deliver(const Reply& reply, const SendShort&) {
    Send(HeadText(reply, reply.body.size()) + reply.body.substr(0, reply.body.size() / 2));
    return false;
  }

  bool Deliver(const Reply& reply, const SendOversized& wire) {
    const std::string begin = "{\"filler\":\"";
    const std::string end = "\"}";
    std::size_t left = std::max(wire.bytes, begin.size() + end.size());
    Send(HeadText(reply, left) + begin);
    left -= begin.size() + end.size();
    const std::string filler(std::size_t{1} << 16, 'x');
    for (; left > 0; left -= std::min(left, filler.size())) Send(std::string_view(filler).substr(0, left));
    Send(end);
    return !reply.close;
  }

  bool Deliver(const Reply&, const Cut& wire) {
    if (wire.reset) Reset();
    return false;
  }

  bool Deliver(const Reply& reply, const CutReply& wire) {
    const std::string whole = HeadText(reply, reply.body.size()) + reply.body;
    Send(std::string_view(whole).substr(0, wire.bytes));
    if (wire.reset) Reset();
    return false;
  }

  bool Deliver(const Reply&, const AnswerNothing& wire) {
    GoneWithin(wire.longest);
    return false;
  }

  bool Deliver(const Reply& reply, const Drip& wire) {
    const std::string whole = HeadText(reply, reply.body.size()) + reply.body;
    const auto end = Clock::now() + wire.longest;
    for (std::size_t i = 0; i < whole.size() && Clock::now() < end; ++i) {
      Send(std::string_view(whole).substr(i, 1));
      if (GoneWithin(wire.interval)) break;
    }
    return false;
  }

  /// Whether the client closed its side within that time.
  bool GoneWithin(Milliseconds longest) const { return Comes(POLLRDHUP, longest); }

  /// Waits for an event of the socket, or its end. Poco's own poll makes and closes an epoll descriptor each time.
  bool Comes(short events, Milliseconds within) const {
    pollfd watched{.fd = fd(), .events = events, .revents = 0};
    return ::poll(&watched, 1, static_cast<int>(within.count())) > 0;
  }

  /// Closing with unread bytes resets the connection and may take the reply with it.
  void Linger() {
    ::shutdown(fd(), SHUT_WR);
    char scrap[4096];
    const auto end = Clock::now() + kLingerAtMost;
    while (true) {
      const auto left = std::chrono::duration_cast<Milliseconds>(end - Clock::now());
      if (left.count() <= 0 || !Comes(POLLIN, left)) return;
      if (::recv(fd(), scrap, sizeof scrap, MSG_DONTWAIT) <= 0) return;
    }
  }

  /// Disconnecting to no address makes the kernel send RST at once, and nothing after it.
  void Reset() const {
    sockaddr nowhere{};
    nowhere.sa_family = AF_UNSPEC;
    ::connect(fd(), &nowhere, sizeof nowhere);
  }

  Poco::Net::StreamSocket socket_;
  const std::uint64_t number_;
  const ListenerCalls& calls_;
  Poco::Net::HTTPServerParams::Ptr params_;
  Session session_;  // closes the socket, and every copy of it, when it goes
  const std::function<void()>& before_close_;
};

}  // namespace

void ServeConnection(Poco::Net::StreamSocket socket, std::uint64_t number, const ListenerCalls& calls,
                     const std::function<void()>& before_close) {
  try {
    Connection(std::move(socket), number, calls, before_close).Run();
  } catch (const Poco::Exception&) {
    // The peer ended the connection or speaks something else: that is its right, and the end of this connection.
  }
}

}  // namespace tokensync::standin
