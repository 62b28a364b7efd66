/// What the control socket's server does with clients of every kind, and its client with servers.
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <catch2/catch.hpp>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

#include "control_client.h"
#include "control_test_support.h"

using namespace tokensync;
using std::chrono::milliseconds;

TEST_CASE("what is no request gets one line that says why") {
  struct Row {
    std::string request, why;
  };
  const std::vector<Row> rows = {
      {"hello\n", "reading JSON"},
      {"\n", "reading JSON"},
      {"[]\n", "an object with a \"command\""},
      {"{}\n", "an object with a \"command\""},
      {"{\"command\":7}\n", "an object with a \"command\""},
      {"{\"command\":\"stop\"}\n", "unknown command \"stop\""},
      {"{\"command\":\"\\u001b[1m\"}\n", "unknown command \"\\u001b[1m\""},
      {"{\"command\":\"trigger\",\"wait\":1}\n", "\"wait\" is not true or false"},
      {"{\"command\":\"trigger\",\"timeout_ms\":-1}\n", "not a number of milliseconds"},
      {"{\"command\":\"trigger\",\"speed\":1}\n", "unknown member \"speed\""},
      {"{\"command\":\"status\",\"wait\":true}\n", "no other members"},
      {"\xFF\xFE\n", "not valid UTF-8"},
      {std::string(100, '[') + "\n", "reading JSON"},
      {std::string(10'000, 'x'), "at most 4096 bytes"},
      {std::string(10'000, ' ') + "\n", "at most 4096 bytes"},
  };
  const TemporaryFolder folder;
  ScriptedDaemon daemon;
  ControlServer server(folder / "s", daemon);
  for (const Row& row : rows) {
    CAPTURE(row.request);
    const RawClient client(folder / "s");
    client.Say(row.request);
    CHECK_THAT(ErrorOf(client.Line()), Catch::Contains(row.why));
    CHECK(client.Line().empty());
  }
  CHECK(daemon.tickets() == 0);
}

TEST_CASE("a request may come in pieces, or end with the client's last byte") {
  const TemporaryFolder folder;
  ScriptedDaemon daemon;
  ControlServer server(folder / "s", daemon);
  const RawClient pieces(folder / "s");
  for (const char c : std::string("{\"command\":\"status\"}\n")) pieces.Say(std::string(1, c));
  CHECK(pieces.Line() == "{\"status\":{\"state\":\"idle\"}}\n");

  const RawClient closing(folder / "s");
  closing.Say("{\"command\":\"trigger\",\"wait\":true}");
  closing.EndOfRequest();
  CHECK(closing.Line() == "{\"taken\":true,\"ticket\":1}\n");
  daemon.EndPass(1, JsonObject{{"created", 3}});
  CHECK(closing.Line() == "{\"pass\":{\"created\":3}}\n");
  CHECK(closing.Line().empty());
}

TEST_CASE("a client that sends nothing is sent away in time, and blocks nobody") {
  const TemporaryFolder folder;
  ScriptedDaemon daemon;
  ControlServer server(folder / "s", daemon, {.io_timeout = milliseconds(200)});
  const RawClient silent(folder / "s");
  const RawClient half(folder / "s");
  half.Say("{\"command\":");
  CHECK(QueryStatus(folder / "s"));
  CHECK_THAT(ErrorOf(silent.Line()), Catch::Contains("no request came in time"));
  CHECK_THAT(ErrorOf(half.Line()), Catch::Contains("no request came in time"));
}

TEST_CASE("one connection too many is told so, and one that goes away makes room") {
  const TemporaryFolder folder;
  ScriptedDaemon daemon;
  ControlServer server(folder / "s", daemon, {.connections_max = 2});
  RawClient first(folder / "s");
  first.Say("{\"command\":\"trigger\",\"wait\":true}\n");
  CHECK(first.Line() == "{\"taken\":true,\"ticket\":1}\n");
  RawClient second(folder / "s");
  second.Say("{\"command\":\"trigger\",\"wait\":true}\n");
  CHECK(second.Line() == "{\"taken\":true,\"ticket\":2}\n");

  CHECK_THROWS_WITH(QueryStatus(folder / "s"), Catch::Contains("too many connections"));
  first.HangUp();
  CHECK(Eventually([&] {
    try {
      return QueryStatus(folder / "s").has_value();
    } catch (const EnvironmentError&) {
      return false;
    }
  }));
  daemon.EndPass(2, true);
  CHECK(second.Line() == "{\"pass\":true}\n");
}

TEST_CASE("a client that reads nothing is sent away in time") {
  const TemporaryFolder folder;
  ScriptedDaemon daemon;
  daemon.SetStatus(std::string(8'000'000, 'x'));
  ControlServer server(folder / "s", daemon, {.connections_max = 1, .io_timeout = milliseconds(200)});
  const RawClient deaf(folder / "s");
  deaf.Say("{\"command\":\"status\"}\n");
  CHECK(Eventually([&] { return daemon.asked() > 0; }));
  daemon.SetStatus("small");
  CHECK(Eventually([&] {
    try {
      return QueryStatus(folder / "s").has_value();
    } catch (const EnvironmentError&) {
      return false;
    }
  }));
}

TEST_CASE("a stop ends at once and tells those who wait") {
  const TemporaryFolder folder;
  ScriptedDaemon daemon;
  ControlServer server(folder / "s", daemon);
  const RawClient waiting(folder / "s");
  waiting.Say("{\"command\":\"trigger\",\"wait\":true}\n");
  CHECK(waiting.Line() == "{\"taken\":true,\"ticket\":1}\n");
  const RawClient silent(folder / "s");
  CHECK(QueryStatus(folder / "s"));  // so both are known by now
  const auto start = std::chrono::steady_clock::now();
  server.Stop();
  CHECK(std::chrono::steady_clock::now() - start < milliseconds(1'000));
  CHECK_THAT(ErrorOf(waiting.Line()), Catch::Contains("tokensyncd is stopping"));
  CHECK_THAT(ErrorOf(silent.Line()), Catch::Contains("tokensyncd is stopping"));
  CHECK(!QueryStatus(folder / "s"));
}

TEST_CASE("what is no daemon of ours is not taken for one") {
  const TemporaryFolder folder;
  const std::string answer = GENERATE("HTTP/1.1 400 Bad Request\r\n\r\n", "{\"hello\":1}\n", "");
  const int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  (folder / "s").native().copy(static_cast<char*>(address.sun_path), sizeof(address.sun_path) - 1);
  REQUIRE(bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  REQUIRE(listen(listener, 1) == 0);
  std::thread stranger([&] {
    const int fd = accept(listener, nullptr, nullptr);
    send(fd, answer.data(), answer.size(), MSG_NOSIGNAL);
    close(fd);
  });
  CHECK_THROWS_AS(QueryStatus(folder / "s"), EnvironmentError);
  stranger.join();
  close(listener);
}

TEST_CASE("many clients at once all get their own answer") {
  const TemporaryFolder folder;
  ScriptedDaemon daemon;
  ControlServer server(folder / "s", daemon);
  constexpr int kThreads = 8;
  std::atomic<int> taken = 0;
  std::vector<std::thread> clients;
  for (int i = 0; i < kThreads; ++i) {
    clients.emplace_back([&] {
      for (int round = 0; round < 50; ++round) {
        if (TriggerPass(folder / "s", false).Find("taken") != nullptr) ++taken;
      }
    });
  }
  for (std::thread& client : clients) client.join();
  CHECK(taken == kThreads * 50);
  CHECK(daemon.tickets() == kThreads * 50);
}
