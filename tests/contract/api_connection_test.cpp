/// How the HTTP adapter's connections come about, are used again, and are not.
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <future>
#include <thread>
#include <vector>

#include "api_raw_server.h"
#include "api_test_support.h"

namespace tokensync {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

TEST_CASE("a connection is used again for the next call") {
  RawServer server([](RawPeer& peer) {
    while (peer.ReadRequest()) peer.Send(RawReply(200, TokenReply("7")));
  });
  SetClock clock;
  const auto api = ApiFor(server.url(), clock);
  for (int i = 0; i < 5; ++i) CHECK(NameOf(api->Perform(CreateCall("7")).created) == "created");
  CHECK(server.requests() == 5);
  CHECK(server.connections() == 1);
}

TEST_CASE("an idle connection that is no longer good is replaced before anything is sent on it") {
  enum class Ending { kClose, kReset, kLate408, kSilentBytes };
  const auto ending = GENERATE(Ending::kClose, Ending::kReset, Ending::kLate408, Ending::kSilentBytes);
  std::promise<void> ended;
  std::promise<void> said;
  RawServer server([&](RawPeer& peer) {
    if (!peer.ReadRequest()) return;
    peer.Send(RawReply(200, TokenReply("7")));
    if (peer.connection() > 1) {
      peer.AwaitClose();
      return;
    }
    // Until the client has read the reply, a reset would take it away, and more bytes would belong to the same reading.
    ended.get_future().wait();
    if (ending == Ending::kReset) peer.EndByReset();
    if (ending == Ending::kLate408) peer.Send(RawReply(408, "{}", "Connection: close\r\n"));
    if (ending == Ending::kSilentBytes) {
      peer.Send("x");
      said.set_value();
      peer.AwaitClose();
    }
  });
  SetClock clock;
  const auto api = ApiFor(server.url(), clock);
  REQUIRE(NameOf(api->Perform(CreateCall("7")).created) == "created");
  ended.set_value();
  if (ending == Ending::kSilentBytes) {
    said.get_future().wait();
  } else {
    REQUIRE(server.AwaitClosed(1));
  }
  CHECK(NameOf(api->Perform(CreateCall("7")).created) == "created");
  CHECK(server.requests() == 2);
  CHECK(server.connections() == 2);
}

TEST_CASE("a connection is not used again when its reply does not allow it") {
  const std::string token = TokenReply("7");
  const std::string reply = GENERATE_COPY(
      RawReply(200, token, "Connection: close\r\n"),                                        // said so
      RawReply(200, token, "Keep-Alive: timeout=1\r\n"),                                    // kept too shortly
      RawReply(200, token) + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",                // more than one reply
      fmt::format("HTTP/1.0 200 OK\r\nContent-Length: {}\r\n\r\n{}", token.size(), token),  // an old server
      fmt::format("HTTP/1.1 200 OK\r\n\r\n{}", token));                                     // ends with the connection
  RawServer server([&](RawPeer& peer) {
    if (!peer.ReadRequest()) return;
    peer.Send(reply);
    if (reply.starts_with("HTTP/1.1 200 OK\r\n\r\n")) return;
    peer.AwaitClose();
  });
  SetClock clock;
  const auto api = ApiFor(server.url(), clock);
  CHECK(NameOf(api->Perform(CreateCall("7")).created) == "created");
  CHECK(NameOf(api->Perform(CreateCall("7")).created) == "created");
  CHECK(server.requests() == 2);
  CHECK(server.connections() == 2);
}

TEST_CASE("an idle connection is not used beyond its time") {
  RawServer server([](RawPeer& peer) {
    while (peer.ReadRequest()) peer.Send(RawReply(200, TokenReply("7")));
  });
  SetClock clock;
  HttpApiOptions options;
  options.idle_max = 1ms;
  const auto api = ApiFor(server.url(), clock, options);
  CHECK(NameOf(api->Perform(CreateCall("7")).created) == "created");
  const auto until = Steady::now() + 2ms;
  while (Steady::now() < until) std::this_thread::yield();
  CHECK(NameOf(api->Perform(CreateCall("7")).created) == "created");
  CHECK(server.connections() == 2);
}

TEST_CASE("a connection that does not come about means that nothing was sent") {
  SetClock clock;
  std::uint16_t port = 0;
  {
    port = RawServer([](RawPeer&) {}).port();
  }
  const auto api = ApiFor(fmt::format("http://127.0.0.1:{}", port), clock);
  const Completion create = api->Perform(CreateCall("7"));
  CHECK(NameOf(create.created) == "not-sent");
  CHECK(create.answer.message == fmt::format("connecting to 127.0.0.1:{}: Connection refused", port));
  const Completion read = api->Perform(ReadCall("7"));
  CHECK(NameOf(read.read) == "reading-failed");
}

TEST_CASE("a connection that is not answered in time means that nothing was sent") {
  // A full queue of connections that nobody accepts: the system drops the next attempt without a word.
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  REQUIRE(::bind(listener, reinterpret_cast<sockaddr*>(&address), size) == 0);
  REQUIRE(::listen(listener, 0) == 0);
  REQUIRE(::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) == 0);
  std::vector<int> waiting;
  for (int i = 0; i < 4; ++i) {
    waiting.push_back(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
    (void)::connect(waiting.back(), reinterpret_cast<sockaddr*>(&address), size);
  }
  SetClock clock;
  HttpApiOptions options;
  options.connect_timeout = 200ms;
  const auto api = ApiFor(fmt::format("http://127.0.0.1:{}", ntohs(address.sin_port)), clock, options);
  const auto begin = Steady::now();
  const Completion completion = api->Perform(CreateCall("7"));
  CHECK(NameOf(completion.created) == "not-sent");
  CHECK(Steady::now() - begin < 2s);
  for (const int socket : waiting) ::close(socket);
  ::close(listener);
}

TEST_CASE("TLS towards a service that speaks plain HTTP means that nothing was sent") {
  RawServer server([](RawPeer& peer) {
    peer.ReadBytes(10);
    peer.Send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
    peer.AwaitClose();
  });
  SetClock clock;
  const auto api = ApiFor(fmt::format("https://127.0.0.1:{}", server.port()), clock);
  CHECK(NameOf(api->Perform(CreateCall("7")).created) == "not-sent");
  CHECK(server.requests() == 0);
  CHECK(server.connections() == 1);
}

TEST_CASE("a TLS handshake that is not answered ends in time and means that nothing was sent") {
  RawServer server([](RawPeer& peer) { peer.AwaitClose(); });
  SetClock clock;
  HttpApiOptions options;
  options.connect_timeout = 200ms;
  const auto api = ApiFor(fmt::format("https://127.0.0.1:{}", server.port()), clock, options);
  const auto begin = Steady::now();
  CHECK(NameOf(api->Perform(CreateCall("7")).created) == "not-sent");
  CHECK(Steady::now() - begin < 2s);
}

}  // namespace
}  // namespace tokensync
