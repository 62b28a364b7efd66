/// Each limit of the HTTP server, over real sockets.
#include <sys/socket.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "api_test_certificates.h"
#include "http_server.h"
#include "http_test_client.h"
#include "http_test_handler.h"

using namespace tokensync;
using namespace std::chrono_literals;

namespace {

using Clock = std::chrono::steady_clock;

/// Sends a byte of `text` every few milliseconds, again and again, until the server closes. How long that took.
std::chrono::milliseconds DripUntilClosed(HttpTestClient& client, std::string_view text) {
  const auto begin = Clock::now();
  for (std::size_t i = 0; Clock::now() - begin < kHttpTestPatience; ++i) {
    client.Send(text.substr(i % text.size(), 1));
    client.ReceiveBytes(static_cast<std::size_t>(-1), 5ms);
    if (client.ended()) break;
  }
  return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin);
}

HttpLimits Quick() {
  HttpLimits limits;
  limits.request_time = 300ms;
  return limits;
}

}  // namespace

TEST_CASE("a client that sends nothing is closed when its time is over, without an answer") {
  TestServer test(TestServer::With(Quick()));
  HttpTestClient client(test.address());
  const HttpTestAnswer answer = client.Receive();
  CHECK(answer.ended);
  CHECK(answer.status == 0);
}

TEST_CASE("a head that drips steadily ends when the request's time is over") {
  TestServer test(TestServer::With(Quick()));
  HttpTestClient client(test.address());
  client.Send("GET / HTTP/1.1\r\nHost: h\r\n");
  const auto took = DripUntilClosed(client, "X: y\r\n");
  CHECK(took >= 250ms);
  CHECK(took < 5s);
  CHECK(client.Receive().status == 408);
}

TEST_CASE("a body that drips steadily ends when the request's time is over") {
  for (const std::string head : {"Content-Length: 100000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\nFFF\r\n"}) {
    TestServer test(TestServer::With(Quick()));
    HttpTestClient client(test.address());
    client.Send("POST /echo HTTP/1.1\r\nHost: h\r\n" + head);
    CHECK(DripUntilClosed(client, "x") < 5s);
    CHECK(client.Receive().status == 408);
    CHECK(test.handler.requests().empty());
  }
}

TEST_CASE("a TLS handshake that drips steadily ends when the request's time is over") {
  TestAuthority authority;
  const auto files = authority.Issue();
  HttpServerOptions options = TestServer::With(Quick());
  options.certificate_file = files.certificate;
  options.key_file = files.key;
  TestServer test(options);
  HttpTestClient client(test.address());
  // A record of a handshake that announces 16 KiB.
  client.Send(std::string_view("\x16\x03\x01\x40\x00\x01\x00\x3f\xfc\x03\x03", 11));
  CHECK(DripUntilClosed(client, "a") < 5s);
  CHECK(test.handler.AwaitRefusal(0, "the TLS handshake did not end in time"));
}

TEST_CASE("a client that does not take its answer is closed") {
  HttpLimits limits;
  limits.connections_max = 1;
  limits.answer_time = 200ms;
  limits.patience = 1h;
  TestServer test(TestServer::With(limits));
  HttpTestClient lazy(test.address());
  lazy.Send(HttpTestRequest("GET", "/huge"));
  REQUIRE(test.handler.AwaitRequests(1));
  const auto deadline = Clock::now() + kHttpTestPatience;
  int status = 0;
  while (status != 200 && Clock::now() < deadline) status = test.Exchange(HttpTestRequest("GET", "/")).status;
  CHECK(status == 200);
}

TEST_CASE("connections beyond the limit are told to come later") {
  HttpLimits limits;
  limits.connections_max = 2;
  limits.patience = 1h;
  TestServer test(TestServer::With(limits));
  HttpTestClient first(test.address());
  HttpTestClient second(test.address());
  HttpTestClient third(test.address());
  const HttpTestAnswer refused = third.Receive();
  CHECK(refused.ended);
  CHECK(refused.status == 503);
  CHECK(refused.headers.at("retry-after") == "10");
  CHECK(test.handler.AwaitRefusal(503, "too many connections at once; try again later"));
  first.Send(HttpTestRequest("GET", "/"));
  CHECK(first.Receive().status == 200);
}

TEST_CASE("connections that keep us waiting make room for others when there is none left") {
  HttpLimits limits;
  limits.connections_max = 4;
  limits.patience = 50ms;
  TestServer test(TestServer::With(limits));
  std::vector<HttpTestClient> waiting;
  for (int i = 0; i < 4; ++i) {
    waiting.emplace_back(test.address());
    waiting.back().Send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 10\r\n\r\nab");
  }
  const auto deadline = Clock::now() + kHttpTestPatience;
  int status = 0;
  while (status != 200 && Clock::now() < deadline) status = test.Exchange(HttpTestRequest("GET", "/")).status;
  CHECK(status == 200);
  CHECK(waiting.front().Receive().ended);
}

TEST_CASE("large requests share their memory, and small ones pass beside them") {
  HttpLimits limits;
  limits.requests_bytes_max = std::size_t{3} * 1024 * 1024;
  TestServer test(TestServer::With(limits));
  test.handler.body_bytes_max = std::uint64_t{8} * 1024 * 1024;
  HttpTestClient holder(test.address());
  holder.Send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2000001\r\n\r\n" + std::string(2'000'000, 'x'));
  const auto deadline = Clock::now() + kHttpTestPatience;
  HttpTestAnswer refused;
  while (refused.status != 503 && Clock::now() < deadline) {
    refused = test.Exchange(HttpTestRequest("POST", "/hello", "", std::string(3'000'000, 'y')));
  }
  CHECK(refused.status == 503);
  CHECK(refused.headers.at("retry-after") == "10");
  CHECK(test.Exchange(HttpTestRequest("POST", "/echo", "", "small")).body == "small");
  holder.Send("x");
  CHECK(holder.Receive().body.size() == 2'000'001);
}

TEST_CASE("heads and bodies have their limits, and the handler says how long a body may be") {
  HttpLimits limits;
  limits.read = {.request_line_bytes_max = 200, .head_bytes_max = 2000, .headers_max = 10};
  TestServer test(TestServer::With(limits));
  test.handler.body_bytes_max = 10;
  CHECK(test.Exchange(HttpTestRequest("GET", "/" + std::string(200, 'a'))).status == 414);
  CHECK(test.Exchange(HttpTestRequest("GET", "/", "X: " + std::string(2000, 'a') + "\r\n")).status == 431);
  std::string many;
  for (int i = 0; i < 10; ++i) many += "X: y\r\n";
  CHECK(test.Exchange(HttpTestRequest("GET", "/", many)).status == 431);
  CHECK(test.Exchange(HttpTestRequest("POST", "/echo", "", "01234567890")).status == 413);
  CHECK(test.Exchange("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n6\r\nabcdef\r\n6\r\n")
            .status == 413);
  CHECK(test.Exchange(HttpTestRequest("POST", "/echo", "", "0123456789")).body == "0123456789");
  CHECK(test.handler.requests().size() == 1);
}
