/// The HTTP server over real sockets: what it answers, where it listens, and how it stops.
#include "http_server.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "http_test_client.h"
#include "http_test_handler.h"

using namespace tokensync;

namespace {

/// A socket that listens on loopback, as systemd would hand one over: without close-on-exec.
int ListeningSocket() {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(fd, 16) == 0);
  return fd;
}

/// Sockets of this process that a child would inherit.
std::string InheritableSockets() {
  std::string inheritable;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    const std::string target = std::filesystem::read_symlink(entry.path(), gone).string();
    const int fd = std::stoi(entry.path().filename());
    if (fd > 2 && target.starts_with("socket:") && (::fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0)
      inheritable += target + " ";
  }
  return inheritable;
}

}  // namespace

TEST_CASE("a request is answered, safely for browsers, and the connection closed") {
  TestServer test;
  const HttpTestAnswer answer = test.Exchange(HttpTestRequest("GET", "/hello?a=1"));
  CHECK(answer.status == 200);
  CHECK(answer.body == "hello");
  CHECK(answer.ended);
  CHECK(answer.headers.at("content-type") == "application/json");
  CHECK(answer.headers.at("content-length") == "5");
  CHECK(answer.headers.at("x-content-type-options") == "nosniff");
  CHECK(answer.headers.at("cache-control") == "no-store");
  CHECK(answer.headers.at("connection") == "Close");
  CHECK(answer.headers.count("server") == 0);
  const HttpRequest request = test.handler.requests().at(0);
  CHECK(request.path == "/hello");
  CHECK(request.query == "a=1");
  CHECK(request.peer.starts_with("127.0.0.1:"));
}

TEST_CASE("a body comes back as it was sent, sized or in chunks, at once or in drips") {
  TestServer test;
  std::string body = "line\r\n\r\n";
  body.push_back('\0');
  body += "\xff end";
  CHECK(test.Exchange(HttpTestRequest("POST", "/echo", "", body)).body == body);
  CHECK(test.Exchange(
                "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n")
            .body == "abcde");
  const std::string large(1'000'000, 'x');
  CHECK(test.Exchange(HttpTestRequest("POST", "/echo", "", large)).body == large);
  HttpTestClient client(test.address());
  for (const char c : HttpTestRequest("POST", "/echo", "", "drip")) REQUIRE(client.Send(std::string_view(&c, 1)));
  CHECK(client.Receive().body == "drip");
}

TEST_CASE("HEAD is answered without a body") {
  TestServer test;
  const HttpTestAnswer answer = test.Exchange(HttpTestRequest("HEAD", "/"));
  CHECK(answer.status == 200);
  CHECK(answer.headers.at("content-length") == "5");
  CHECK(answer.body.empty());
}

TEST_CASE("of several requests on one connection the first is handled, whatever it asks for") {
  TestServer test;
  const std::string one = HttpTestRequest("POST", "/echo", "Connection: keep-alive\r\n", "first");
  const HttpTestAnswer answer = test.Exchange(one + one + HttpTestRequest("GET", "/"));
  CHECK(answer.body == "first");
  CHECK(answer.ended);
  CHECK(test.handler.requests().size() == 1);
}

TEST_CASE("who waits for it is told to go on, once the head is admitted") {
  TestServer test;
  HttpTestClient client(test.address());
  client.Send("POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  CHECK(client.ReceiveBytes(25) == "HTTP/1.1 100 Continue\r\n\r\n");
  client.Send("body");
  const HttpTestAnswer answer = client.Receive();
  CHECK(answer.continued);
  CHECK(answer.body == "body");
  const HttpTestAnswer refused =
      test.Exchange("POST /refused HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n");
  CHECK(refused.status == 405);
  CHECK_FALSE(refused.continued);
}

TEST_CASE("what a handler refuses by the head is answered before the body comes") {
  TestServer test;
  HttpTestClient client(test.address());
  client.Send("POST /refused HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n");
  const HttpTestAnswer answer = client.Receive();
  CHECK(answer.status == 405);
  CHECK(answer.headers.at("allow") == "GET");
  CHECK(test.handler.requests().empty());
}

TEST_CASE("an answer reaches a client that goes on sending") {
  TestServer test;
  HttpTestClient client(test.address());
  client.Send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9000000\r\n\r\n");
  client.Send(std::string(500'000, 'x'));
  const HttpTestAnswer answer = client.Receive();
  CHECK(answer.status == 413);
  CHECK(answer.body == "{\"error\":\"a body has at most 1048576 bytes here\"}\n");
}

TEST_CASE("what a handler throws is an answer and a line for the log, and stops nothing") {
  TestServer test;
  const HttpTestAnswer answer = test.Exchange(HttpTestRequest("GET", "/throw"));
  CHECK(answer.status == 500);
  CHECK(answer.body.find("thrown by") == std::string::npos);
  CHECK(test.handler.AwaitRefusal(500, "thrown by the test"));
  CHECK(test.Exchange(HttpTestRequest("GET", "/")).status == 200);
}

TEST_CASE("a malformed request is answered, and told to the handler") {
  TestServer test;
  CHECK(test.Exchange("\x16\x03\x01 no HTTP").status == 400);
  CHECK(test.Exchange("POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n").status ==
        400);
  CHECK(test.handler.AwaitRefusal(400, "the request does not say clearly where its body ends"));
  CHECK(test.handler.requests().empty());
}

TEST_CASE("a slow request keeps no other waiting") {
  TestServer test;
  HttpTestClient slow(test.address());
  slow.Send(HttpTestRequest("GET", "/wait"));
  REQUIRE(test.handler.AwaitRequests(1));
  CHECK(test.Exchange(HttpTestRequest("GET", "/")).status == 200);
  test.handler.Release();
  CHECK(slow.Receive().status == 200);
}

TEST_CASE("a client that leaves in mid-request, or while its answer is made, stops nothing") {
  TestServer test;
  { HttpTestClient(test.address()).Send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nab"); }
  CHECK(test.handler.AwaitRefusal(0, "the client left before its request was read"));
  {
    HttpTestClient client(test.address());
    client.Send(HttpTestRequest("GET", "/wait"));
    REQUIRE(test.handler.AwaitRequests(1));
    const linger reset{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(client.fd(), SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
  }
  test.handler.Release();
  CHECK(test.Exchange(HttpTestRequest("GET", "/")).status == 200);
}

TEST_CASE("many clients at once are all answered") {
  TestServer test;
  std::vector<std::future<int>> clients;
  for (int c = 0; c < 8; ++c) {
    clients.push_back(std::async(std::launch::async, [&test] {
      int good = 0;
      for (int i = 0; i < 50; ++i) {
        const std::string body(static_cast<std::size_t>(i) * 100, 'b');
        if (test.Exchange(HttpTestRequest("POST", "/echo", "", body)).body == body) ++good;
      }
      return good;
    }));
  }
  for (auto& client : clients) CHECK(client.get() == 50);
}

TEST_CASE("a server that stops ends what waits for a request, and answers what is being handled") {
  TestServer test;
  HttpTestClient idle(test.address());
  HttpTestClient dripping(test.address());
  dripping.Send("GET / HT");
  HttpTestClient handled(test.address());
  handled.Send(HttpTestRequest("GET", "/wait"));
  REQUIRE(test.handler.AwaitRequests(1));
  auto stopped = std::async(std::launch::async, [&test] { test.server.Stop(); });
  CHECK(idle.Receive().ended);
  CHECK(dripping.Receive().status == 0);
  CHECK_THROWS(HttpTestClient(test.address()));
  test.handler.Release();
  CHECK(handled.Receive().status == 200);
  stopped.get();
  test.server.Stop();
}

TEST_CASE("a socket that the process was started with is served, and closed for children") {
  HttpServerOptions options;
  options.listening_socket = ListeningSocket();
  TestServer test(options);
  test.handler.call = &InheritableSockets;
  const HttpTestAnswer answer = test.Exchange(HttpTestRequest("GET", "/call"));
  CHECK(answer.status == 200);
  CHECK(answer.body.empty());
}

TEST_CASE("neither our own listening socket nor a connection is inherited by children") {
  TestServer test;
  test.handler.call = &InheritableSockets;
  const HttpTestAnswer answer = test.Exchange(HttpTestRequest("GET", "/call"));
  CHECK(answer.status == 200);
  CHECK(answer.body.empty());
}

TEST_CASE("a unix-domain socket that the process was started with is served") {
  std::string folder = (std::filesystem::temp_directory_path() / "http-unix-XXXXXX").string();
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  const std::string path = folder + "/http.sock";
  HttpServerOptions options;
  options.listening_socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(static_cast<char*>(address.sun_path), sizeof(address.sun_path) - 1);
  REQUIRE(::bind(*options.listening_socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  REQUIRE(::listen(*options.listening_socket, 16) == 0);
  {
    TestServer test(options);
    CHECK(test.address() == "unix:" + path);
    CHECK(test.Exchange(HttpTestRequest("GET", "/")).status == 200);
    CHECK(test.handler.requests().at(0).peer == "unix");
  }
  std::filesystem::remove_all(folder);
}

TEST_CASE("a descriptor that is no listening socket is refused") {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  HttpServerOptions options;
  TestHandler handler;
  for (const int bad : {fd, 0, 999}) {
    options.listening_socket = bad;
    CHECK_THROWS_AS(HttpServer(options, handler), ConfigError);
  }
  ::close(fd);
}

TEST_CASE("addresses are those of this machine, and a taken port is told") {
  TestHandler handler;
  const TestServer test;
  const std::vector<std::string> bad{
      "",      "127.0.0.1",      ":80",   "127.0.0.1:",     "127.0.0.1:65536", "127.0.0.1:-1",
      "::1:0", "example.com:80", "[::1]", "127.0.0.1:http", "192.0.2.1:0",     test.address()};
  for (const std::string& listen : bad) {
    INFO(listen);
    HttpServerOptions options;
    options.listen = listen;
    CHECK_THROWS_AS(HttpServer(options, handler), ConfigError);
  }
  HttpServerOptions options;
  options.listen = "localhost:0";
  CHECK(HttpServer(options, handler).Address().starts_with("127.0.0.1:"));
}

TEST_CASE("an IPv6 address is served in brackets") {
  const int fd = ::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in6 loopback{};
  loopback.sin6_family = AF_INET6;
  loopback.sin6_addr = in6addr_loopback;
  const bool has_ipv6 = fd >= 0 && ::bind(fd, reinterpret_cast<const sockaddr*>(&loopback), sizeof loopback) == 0;
  if (fd >= 0) ::close(fd);
  if (!has_ipv6) {
    WARN("this machine has no IPv6");
    return;
  }
  HttpServerOptions options;
  options.listen = "[::1]:0";
  TestServer test(options);
  CHECK(test.address().starts_with("[::1]:"));
  CHECK(test.Exchange(HttpTestRequest("GET", "/")).status == 200);
  CHECK(test.handler.requests().at(0).peer.starts_with("[::1]:"));
}
