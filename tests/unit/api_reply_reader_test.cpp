/// The reader of HTTP replies: the same bytes are the same reply, in whatever pieces they come.
#include <catch2/catch.hpp>
#include <string>
#include <string_view>

#include "http_reply.h"

namespace tokensync {
namespace {

using State = ReplyReader::State;

struct Told {
  State state;
  std::string fault;
  std::optional<HttpReply> reply;
};

Told ReadInPieces(std::string_view bytes, std::size_t piece_bytes, ReplyLimits limits) {
  ReplyReader reader(limits);
  for (std::size_t at = 0; at < bytes.size(); at += piece_bytes) reader.Feed(bytes.substr(at, piece_bytes));
  reader.End();
  return {reader.state(), reader.fault(), reader.TakeReply()};
}

/// Whatever the pieces are, the same comes of it; that is given back.
Told Read(std::string_view bytes, ReplyLimits limits = {}) {
  Told whole = ReadInPieces(bytes, bytes.size(), limits);
  for (const std::size_t piece_bytes : {1U, 2U, 3U, 7U, 100U}) {
    CAPTURE(piece_bytes);
    const Told told = ReadInPieces(bytes, piece_bytes, limits);
    CHECK(told.state == whole.state);
    CHECK(told.fault == whole.fault);
    REQUIRE(told.reply.has_value() == whole.reply.has_value());
    if (!told.reply) continue;
    CHECK(told.reply->status == whole.reply->status);
    CHECK(told.reply->headers == whole.reply->headers);
    CHECK(told.reply->body == whole.reply->body);
    CHECK(told.reply->body_complete == whole.reply->body_complete);
  }
  return whole;
}

std::string HeadOf(std::size_t bytes) {
  const std::string begin = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: ";
  return begin + std::string(bytes - begin.size() - 4, 'x') + "\r\n\r\n";
}

TEST_CASE("a head is refused by its length, not by its pieces") {
  const ReplyLimits limits{.head_bytes_max = 200};
  CHECK(Read(HeadOf(200), limits).state == State::kComplete);
  for (const std::size_t bytes : {201U, 203U, 204U, 300U})
    CHECK(Read(HeadOf(bytes), limits).state == State::kUnreadable);
}

TEST_CASE("a chunk's line is refused by its length, not by its pieces") {
  const auto chunked = [](std::size_t line_bytes) {
    return "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0;" + std::string(line_bytes - 4, 'x') + "\r\n\r\n";
  };
  CHECK(Read(chunked(1024)).state == State::kComplete);
  CHECK(Read(chunked(1025)).state == State::kUnreadable);
}

TEST_CASE("of a body without an end as much is kept as the limit allows") {
  const ReplyLimits limits{.body_bytes_max = 10};
  const std::string head = "HTTP/1.1 400 Bad Request\r\n\r\n";
  const Told within = Read(head + "0123456789", limits);
  CHECK(within.state == State::kComplete);
  CHECK(within.reply->body == "0123456789");
  const Told beyond = Read(head + "0123456789a", limits);
  CHECK(beyond.state == State::kUnreadable);
  CHECK(beyond.reply->body == "0123456789");
  CHECK_FALSE(beyond.reply->body_complete);
}

TEST_CASE("a body is as long as the head says") {
  const std::string sized = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n";
  CHECK(Read(sized + "body").reply->body == "body");
  CHECK(Read(sized + "body and more").reply->body == "body");
  const Told cut = Read(sized + "bod");
  CHECK(cut.state == State::kUnreadable);
  CHECK_FALSE(cut.reply->body_complete);
  const Told chunked =
      Read("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nbo\r\n2;x\r\ndy\r\n0\r\nA: b\r\n\r\n");
  CHECK(chunked.state == State::kComplete);
  CHECK(chunked.reply->body == "body");
}

TEST_CASE("a status line has a version and three digits") {
  for (const int status : {200, 511, 520, 529, 599, 999}) {
    CAPTURE(status);
    CHECK(Read("HTTP/1.1 " + std::to_string(status) + " Why\r\n\r\n").reply->status == status);
    CHECK(Read("HTTP/1.0 " + std::to_string(status) + "\r\n\r\n").reply->status == status);
  }
  for (const char* line :
       {"HTTP/1.1", "HTTP/1.1 ", "HTTP/1.1 20", "HTTP/1.1 2000 OK", "HTTP/1.1 +20 OK", "HTTP/1.1200 OK",
        "HTTP/1.x 200 OK", "HTTP/2.0 200 OK", "HTTP/1.1 099 OK", "HTTP/1.1 101 Upgrade"}) {
    CAPTURE(line);
    CHECK(Read(std::string(line) + "\r\n\r\n").state == State::kUnreadable);
  }
}

TEST_CASE("a connection is kept only where the server keeps it and the reply says where it ends") {
  const auto reusable = [](const std::string& head, const std::string& body) {
    ReplyReader reader(ReplyLimits{});
    reader.Feed(head + "\r\n" + body);
    return reader.connection_reusable();
  };
  const std::string sized = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n";
  CHECK(reusable(sized, "{}"));
  CHECK(reusable(sized + "Connection: keep-alive\r\n", "{}"));
  CHECK_FALSE(reusable(sized, "{} "));
  CHECK_FALSE(reusable(sized + "Connection: Close\r\n", "{}"));
  CHECK_FALSE(reusable("HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n", "{}"));
  CHECK_FALSE(reusable("HTTP/1.1 200 OK\r\n", "{}"));
}

TEST_CASE("a reply that does not say clearly where it ends is refused") {
  for (const char* headers : {"Content-Length: 1\r\nContent-Length: 2", "Content-Length: -1", "Content-Length: 1x",
                              "Content-Length: 1\r\nTransfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked"}) {
    INFO(headers);
    CHECK(Read("HTTP/1.1 200 OK\r\n" + std::string(headers) + "\r\n\r\nbody").state == State::kUnreadable);
  }
}

}  // namespace
}  // namespace tokensync
