/// The reader of requests: what it takes, and everything that it does not.
#include "http_request_reader.h"

#include <catch2/catch.hpp>
#include <string>
#include <utility>
#include <vector>

using namespace tokensync;

namespace {

using State = HttpRequestReader::State;

constexpr std::uint64_t kBodyBytesMax = 1000;

/// Feeds the text in pieces of that length, with a body of kBodyBytesMax accepted.
HttpRequestReader Read(std::string_view text, std::size_t piece = std::string_view::npos, HttpReadLimits limits = {}) {
  HttpRequestReader reader(limits);
  while (!text.empty()) {
    const std::string_view part = text.substr(0, piece);
    text.remove_prefix(part.size());
    if (reader.Feed(part) == State::kHeadRead) reader.Accept(kBodyBytesMax);
  }
  return reader;
}

HttpRequest Taken(std::string_view text) {
  HttpRequestReader whole = Read(text);
  INFO(text);
  INFO(whole.why());
  REQUIRE(whole.state() == State::kComplete);
  HttpRequest request = whole.TakeRequest();
  for (const std::size_t piece : {1U, 2U, 3U, 7U}) {
    HttpRequestReader pieces = Read(text, piece);
    REQUIRE(pieces.state() == State::kComplete);
    const HttpRequest same = pieces.TakeRequest();
    CHECK(same.body == request.body);
    CHECK(same.headers == request.headers);
    CHECK(same.path == request.path);
  }
  return request;
}

/// The status that the text is refused with; 0 where it is not.
int Refused(std::string_view text, HttpReadLimits limits = {}) {
  const HttpRequestReader whole = Read(text, std::string_view::npos, limits);
  const HttpRequestReader bytewise = Read(text, 1, limits);
  INFO(text);
  CHECK(whole.status() == bytewise.status());
  CHECK((whole.state() == State::kRefused) == !whole.why().empty());
  return whole.state() == State::kRefused ? whole.status() : 0;
}

std::string Post(std::string_view headers, std::string_view body = "") {
  return "POST /x HTTP/1.1\r\nHost: h\r\n" + std::string(headers) + "\r\n" + std::string(body);
}

std::string Chunked(std::string_view chunks) {
  return Post("Transfer-Encoding: chunked\r\n", chunks);
}

}  // namespace

TEST_CASE("a request without a body is read from its head") {
  const HttpRequest request =
      Taken("GET /status?a=b?c HTTP/1.1\r\nHost: example.com\r\nX-Two: \t v w \t\r\nEmpty:\r\n\r\n");
  CHECK(request.method == "GET");
  CHECK(request.path == "/status");
  CHECK(request.query == "a=b?c");
  CHECK(*request.Header("x-two") == "v w");
  CHECK(request.Header("empty")->empty());
  CHECK(request.Header("X-Two") == nullptr);
  CHECK(request.body.empty());
}

TEST_CASE("HTTP/1.0 needs no host") {
  CHECK(Taken("GET / HTTP/1.0\r\n\r\n").path == "/");
}

TEST_CASE("a body is as long as its Content-Length says, and what follows it is dropped") {
  CHECK(Taken(Post("Content-Length: 5\r\n", "helloGET / HTTP/1.1\r\n\r\n")).body == "hello");
  CHECK(Taken(Post("Content-Length: 0\r\n")).body.empty());
  CHECK(Taken(Post("Content-Length: 0005\r\n", "hello")).body == "hello");
  CHECK(Read(Post("Content-Length: 5\r\n", "hell")).state() == State::kBody);
}

TEST_CASE("a chunked body is put together, and extensions and trailers are left out") {
  CHECK(Taken(Chunked("5\r\nhello\r\n1\r\n \r\n05\r\nworld\r\n0\r\nX-T: v\r\n\r\n")).body == "hello world");
  CHECK(Taken(Chunked("A\r\n0123456789\r\n0\r\n\r\n")).body == "0123456789");
  CHECK(Taken(Post("Transfer-Encoding: CHUNKED\r\n", "0\r\n\r\n")).body.empty());
  CHECK(Read(Chunked("5\r\nhello\r\n0\r\n")).state() == State::kBody);
  CHECK(Read(Chunked("5\r\nhello\r\n")).state() == State::kBody);
}

TEST_CASE("shapes in which two readers can see two different requests are refused") {
  const std::vector<std::string> heads{
      "Content-Length: 5\r\nContent-Length: 5\r\n",
      "Content-Length: 5\r\nContent-Length: 6\r\n",
      "Content-Length: 5, 5\r\n",
      "Content-Length: +5\r\n",
      "Content-Length: -5\r\n",
      "Content-Length: 0x5\r\n",
      "Content-Length: 5 \v\r\n",
      "Content-Length: 5e0\r\n",
      "Content-Length:\r\n",
      "Content-Length : 5\r\n",
      "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
      "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
      "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n",
      "Transfer-Encoding: gzip, chunked\r\n",
      "Transfer-Encoding: chunked, identity\r\n",
      "Transfer-Encoding: identity\r\n",
      "Transfer-Encoding: xchunked\r\n",
      "Transfer-Encoding:\r\n",
      "Transfer-Encoding : chunked\r\n",
      "Transfer-Encoding: chunked\n",
      "X: y\r\n Transfer-Encoding: chunked\r\n",
      "X: y\r\n\tfolded\r\n",
      " X: y\r\n",
      "X\r\n",
      ": y\r\n",
      "X y: z\r\n",
      "X\x01: z\r\n",
      "X: a\rb\r\n",
      "X: a\r\r\n",
      "X: a\nY: b\r\n",
      "X: a\x7f\r\n",
      "X(: a\r\n",
      "Host: second\r\n",
  };
  for (const std::string& head : heads) {
    INFO(head);
    CHECK(Refused(Post(head, "0\r\n\r\n12345")) == 400);
  }
  CHECK(Refused(Post(std::string("X: a\0b\r\n", 8))) == 400);
  CHECK(Refused("POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") == 400);
}

TEST_CASE("request lines that are none are refused") {
  const std::vector<std::string> lines{"GET",
                                       "GET /",
                                       "GET  / HTTP/1.1",
                                       "GET /  HTTP/1.1",
                                       " GET / HTTP/1.1",
                                       "GET / HTTP/1.1 ",
                                       "GET / HTTP/2.0",
                                       "GET / HTTP/1.2",
                                       "GET / http/1.1",
                                       "GET / HTTP/11",
                                       "GET /a b HTTP/1.1",
                                       "GET / ",
                                       "G@T / HTTP/1.1",
                                       "G\xC3\xA4T / HTTP/1.1",
                                       "GET http://h/ HTTP/1.1",
                                       "CONNECT h:1 HTTP/1.1",
                                       "OPTIONS * HTTP/1.1",
                                       "GET /#f HTTP/1.1",
                                       "GET /\xC3\xA4 HTTP/1.1",
                                       "GET /\x7f HTTP/1.1",
                                       "GETGETGETGETGETGETGET / HTTP/1.1",
                                       ""};
  for (const std::string& line : lines) {
    INFO(line);
    CHECK(Refused(line + "\r\nHost: h\r\n\r\n") == 400);
  }
  CHECK(Refused("GET / HTTP/1.1\r\n\r\n") == 400);
}

TEST_CASE("another protocol is told at its first bytes") {
  CHECK(Refused(std::string_view("\x16\x03\x01\x02\x00", 5)) == 400);
  CHECK(Refused("GET / HTTP/1.1\nHost") == 400);
  CHECK(Refused(std::string(100, '\r')) == 400);
  CHECK(Refused("\r\nX") == 0);
}

TEST_CASE("chunks that do not say clearly how long they are are refused") {
  const std::vector<std::string> bad{"\r\n",
                                     "x\r\n",
                                     "-1\r\n",
                                     "+1\r\n",
                                     " 1\r\n",
                                     "1 \r\n",
                                     "0x1\r\n",
                                     "1\r\nab\r\n",
                                     "1\r\na\n",
                                     "1\na\r\n0\r\n\r\n",
                                     "1;\x01\r\n",
                                     ";\r\n",
                                     "0\r\nX\r\n\r\n",
                                     "0\r\n X: y\r\n\r\n",
                                     "0\r\nX: \x01\r\n\r\n",
                                     std::string(300, '0') + "1\r\na"};
  for (const std::string& chunks : bad) {
    INFO(chunks);
    CHECK(Refused(Chunked(chunks + (chunks == "1\na\r\n0\r\n\r\n" ? "" : "zz\r\n"))) == 400);
  }
}

TEST_CASE("a body beyond its limit is refused: a sized one before it is read, a chunked one while it is") {
  CHECK(Refused(Post("Content-Length: 1001\r\n")) == 413);
  CHECK(Refused(Post("Content-Length: 99999999999999999999999999\r\n")) == 413);
  CHECK(Refused(Chunked("3E9\r\n")) == 413);
  CHECK(Refused(Chunked("3E8\r\n" + std::string(1000, 'a') + "\r\n1\r\n")) == 413);
  CHECK(Refused(Chunked("FFFFFFFFFFFFFFFF\r\n")) == 413);
  CHECK(Refused(Chunked("10000000000000000\r\n")) == 413);
  CHECK(Taken(Chunked("3E8\r\n" + std::string(1000, 'a') + "\r\n0\r\n\r\n")).body.size() == 1000);
}

TEST_CASE("a head has its limits") {
  const HttpReadLimits limits{.request_line_bytes_max = 100, .head_bytes_max = 1000, .headers_max = 5};
  CHECK(Refused("GET /" + std::string(100, 'a') + " HTTP/1.1\r\nHost: h\r\n\r\n", limits) == 414);
  CHECK(Refused("GET /" + std::string(100, 'a'), limits) == 414);
  const std::string line = "GET /" + std::string(86, 'a') + " HTTP/1.1";
  REQUIRE(line.size() == 100);
  CHECK(Refused(line + "\r\nHost: h\r\n\r\n", limits) == 0);
  CHECK(Refused("X" + line + "\r\nHost: h\r\n\r\n", limits) == 414);
  const std::string head = line + "\r\nHost: h\r\nX: " + std::string(1000 - 114, 'a');
  REQUIRE(head.size() == 1000);
  CHECK(Refused(head + "\r\n\r\n", limits) == 0);
  CHECK(Refused(head + "a\r\n\r\n", limits) == 431);
  CHECK(Refused(Chunked(std::string(255, '0') + "1\r\na\r\n0\r\n\r\n")) == 0);
  CHECK(Refused(Chunked(std::string(256, '0') + "1\r\na\r\n0\r\n\r\n")) == 400);
  CHECK(Refused(Post("X: " + std::string(1000, 'a') + "\r\n"), limits) == 431);
  CHECK(Refused(Post("X: " + std::string(1000, 'a')), limits) == 431);
  CHECK(Refused(Post("A: b\r\nA: b\r\nA: b\r\nA: b\r\nA: b\r\n"), limits) == 431);
  CHECK(Refused(Post("A: b\r\nA: b\r\nA: b\r\nA: b\r\n"), limits) == 0);
  CHECK(Refused(Chunked("0\r\nX: " + std::string(1000, 'a') + "\r\n\r\n"), limits) == 431);
  CHECK(Refused(Chunked("0\r\nX: " + std::string(1100, 'a')), limits) == 431);
}

TEST_CASE("an expectation that is not known is refused, and the known one is told until the body is there") {
  CHECK(Refused(Post("Expect: a-pony\r\n")) == 417);
  CHECK(Read(Post("Expect: 100-Continue\r\nContent-Length: 5\r\n")).expects_continue());
  CHECK_FALSE(Read(Post("Expect: 100-continue\r\nContent-Length: 5\r\n", "hello")).expects_continue());
  CHECK_FALSE(Read(Post("Expect: 100-continue\r\n")).expects_continue());
}

TEST_CASE("a refused request holds no memory") {
  HttpRequestReader reader = Read(Chunked("3E8\r\n" + std::string(1000, 'a') + "\r\nz\r\n"));
  REQUIRE(reader.state() == State::kRefused);
  CHECK(reader.held_bytes() < 100);
}

TEST_CASE("a long body in chunks of one byte is read in linear time") {
  std::string text = Chunked("");
  for (int i = 0; i < 300'000; ++i) text += "1\r\na\r\n";
  HttpRequestReader reader;
  reader.Feed(text.substr(0, 100));
  reader.Accept(2'000'000);
  reader.Feed(std::string_view(text).substr(100));
  reader.Feed("0\r\n\r\n");
  REQUIRE(reader.state() == State::kComplete);
  CHECK(reader.TakeRequest().body.size() == 300'000);
}
