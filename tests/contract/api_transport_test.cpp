/// What the HTTP adapter makes of a peer that misbehaves on the wire, and that it never sends a request twice.
#include <fmt/format.h>
#include <catch2/catch.hpp>

#include <chrono>
#include <future>

#include "api_raw_server.h"
#include "api_test_support.h"

namespace tokensync {
namespace {

using namespace std::chrono_literals;
using Steady = std::chrono::steady_clock;

/// One create against a script; the connection is closed on both sides when this returns.
struct Once {
  Completion completion;
  int requests = 0;
  int connections = 0;
  std::chrono::milliseconds took{0};
};

Once CreateOnce(const RawServer::Script& script, HttpApiOptions options = {}, const Call& call = CreateCall("7")) {
  RawServer server(script);
  SetClock clock;
  auto api = ApiFor(server.url(), clock, std::move(options));
  const auto begin = Steady::now();
  Completion completion = api->Perform(call);
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - begin);
  api.reset();
  REQUIRE(server.AwaitClosed(server.connections()));
  return Once{std::move(completion), server.requests(), server.connections(), took};
}

RawServer::Script AfterOneRequest(const std::string& bytes) {
  return [bytes](RawPeer& peer) {
    if (peer.ReadRequest()) peer.Send(bytes);
  };
}

Call LargeCreateCall() {
  Call call = CreateCall("7");
  call.payload = R"({"description":")" + std::string(8 << 20, 'x') + R"(","name":"Dragon 7","tokenId":"7"})";
  return call;
}

TEST_CASE("a create is one POST with the headers that the service wants") {
  std::string seen;
  const Once once = CreateOnce([&](RawPeer& peer) {
    seen = peer.ReadRequest().value_or("");
    peer.Send(RawReply(200, TokenReply("7")));
    peer.AwaitClose();
  });
  CHECK(NameOf(once.completion.created) == "created");
  CHECK(std::get<Created>(once.completion.created).differences.empty());
  CHECK(once.completion.answer.http_status == 200);
  CHECK(once.requests == 1);

  const std::string head = seen.substr(0, seen.find("\r\n\r\n") + 2);
  const std::string body = seen.substr(seen.find("\r\n\r\n") + 4);
  CHECK(head.starts_with("POST /rpc/Collections/CreateToken HTTP/1.1\r\n"));
  CHECK(head.find("\r\nAuthorization: Bearer " + RunToken().Reveal() + "\r\n") != std::string::npos);
  CHECK(head.find("\r\nContent-Type: application/json\r\n") != std::string::npos);
  CHECK(head.find("\r\nAccept: application/json\r\n") != std::string::npos);
  CHECK(head.find("\r\nUser-Agent: tokensyncd/test\r\n") != std::string::npos);
  CHECK(head.find("\r\nHost: 127.0.0.1:") != std::string::npos);
  CHECK(head.find("Origin") == std::string::npos);
  CHECK(head.find("X-Access-Key") == std::string::npos);
  CHECK(body == R"({"collectionId":888,"private":false,"projectId":30957,"token":{"attributes":[],)"
                R"("externalUrl":"https://example.com/7","external_url":"https://example.com/7",)"
                R"("name":"Dragon 7","tokenId":"7"}})");
}

TEST_CASE("the endpoint's path goes before the call's") {
  RawServer server([](RawPeer& peer) {
    const std::string request = peer.ReadRequest().value_or("");
    if (request.starts_with("POST /gateway/v1/rpc/Collections/GetToken HTTP/1.1\r\n")) {
      peer.Send(RawReply(200, TokenReply("7")));
    }
  });
  SetClock clock;
  const auto api = ApiFor(server.url() + "/gateway/v1/", clock);
  CHECK(NameOf(api->Perform(ReadCall("7")).read) == "found");
}

TEST_CASE("a peer that closes without reading leaves the create unknown, and sees no second connection") {
  const bool by_reset = GENERATE(false, true);
  const Once once = CreateOnce([&](RawPeer& peer) {
    if (by_reset) peer.EndByReset();
  });
  // The system may have taken the whole request before it learnt of the close, or not.
  CHECK((NameOf(once.completion.created) == "unknown" || NameOf(once.completion.created) == "not-sent"));
  CHECK_FALSE(once.completion.answer.message.empty());
  CHECK(once.requests == 0);
  CHECK(once.connections == 1);
}

TEST_CASE("a peer that reads and then closes without a reply leaves the create unknown") {
  const bool by_reset = GENERATE(false, true);
  const Once once = CreateOnce([&](RawPeer& peer) {
    peer.ReadRequest();
    if (by_reset) peer.EndByReset();
  });
  CHECK(NameOf(once.completion.created) == "unknown");
  CHECK_FALSE(once.completion.answer.http_status);
  CHECK(once.requests == 1);
  CHECK(once.connections == 1);
}

TEST_CASE("a whole reply in an unusual form is read") {
  const std::string token = TokenReply("7");
  const std::string first = token.substr(0, 10);
  const std::string rest = token.substr(10);
  const std::string reply = GENERATE_COPY(
      fmt::format("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n{:X};ext=1\r\n{}\r\n0\r\n"
                  "Trailer: x\r\n\r\n",
                  first.size(), first, rest.size(), rest),
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n" + RawReply(200, token));
  RawServer server([&](RawPeer& peer) {
    while (peer.ReadRequest()) peer.Send(reply);
  });
  SetClock clock;
  const auto api = ApiFor(server.url(), clock);
  CHECK(NameOf(api->Perform(CreateCall("7")).created) == "created");
  CHECK(NameOf(api->Perform(CreateCall("7")).created) == "created");
  CHECK(server.connections() == 1);
}

TEST_CASE("a 200 that is cut short is unknown") {
  const std::string whole = RawReply(200, TokenReply("7"));
  const std::string chunked = fmt::format("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{:x}\r\n{}\r\n",
                                          TokenReply("7").size(), TokenReply("7"));
  const std::string cut = GENERATE_COPY(whole.substr(0, whole.size() - 1), whole.substr(0, whole.size() / 2),
                                        whole.substr(0, 30), whole.substr(0, 5), chunked);
  const Once once = CreateOnce(AfterOneRequest(cut));
  CHECK(NameOf(once.completion.created) == "unknown");
  CHECK_FALSE(once.completion.answer.message.empty());
  CHECK(once.requests == 1);
  CHECK(once.connections == 1);
}

TEST_CASE("a refusal whose body is cut short is still a refusal where its status says so") {
  const std::string whole = RawReply(401, R"({"error":"Unauthorized","code":1000,"msg":"no","status":401})");
  const Once once = CreateOnce(AfterOneRequest(whole.substr(0, whole.size() - 20)));
  CHECK(NameOf(once.completion.created) == "denied-credential");
}

TEST_CASE("what is no HTTP reply is unknown, and soon") {
  const std::string reply =
      GENERATE(std::string("garbage without end of line"), std::string("\0\0\0\0", 4), std::string("\r\n\r\n"),
               std::string("HTTP/2 200\r\n\r\n{}"), std::string("HTTP/1.1 abc OK\r\n\r\n"),
               std::string("HTTP/1.1 99 Low\r\n\r\n"), std::string("HTTP/1.1 101 Switching\r\n\r\n"),
               std::string("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"),
               std::string("HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n123456"),
               std::string("HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n{}"),
               std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n{}"),
               std::string("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n"));
  const Once once = CreateOnce([&](RawPeer& peer) {
    peer.ReadRequest();
    peer.Send(reply);
    peer.AwaitClose();
  });
  CHECK(NameOf(once.completion.created) == "unknown");
  CHECK(once.took < 5s);
  CHECK(once.requests == 1);
  CHECK(once.connections == 1);
}

TEST_CASE("a reply without end is given up at the limit, not at the time-out") {
  const std::string kind = GENERATE(std::string("headers"), std::string("one header"), std::string("interim replies"),
                                    std::string("body"), std::string("chunks"), std::string("body until close"));
  const Once once = CreateOnce([&](RawPeer& peer) {
    peer.ReadRequest();
    bool open = peer.Send(kind == "interim replies" ? "" : "HTTP/1.1 200 OK\r\n");
    if (kind == "body") open = open && peer.Send("Content-Length: 4000000000\r\n\r\n");
    if (kind == "chunks") open = open && peer.Send("Transfer-Encoding: chunked\r\n\r\n");
    if (kind == "body until close") open = open && peer.Send("\r\n");
    const std::string piece = kind == "headers"           ? "X-Header: again\r\n"
                              : kind == "interim replies" ? "HTTP/1.1 102 Processing\r\n\r\n"
                              : kind == "chunks"          ? "10\r\n0123456789abcdef\r\n"
                                                          : std::string(1000, 'x');
    while (open) open = peer.Send(piece);
  });
  CHECK(NameOf(once.completion.created) == "unknown");
  CHECK(once.took < 8s);
  CHECK(once.requests == 1);
  CHECK(once.connections == 1);
}

TEST_CASE("a reply that drips in does not lengthen the call") {
  const std::string whole = RawReply(200, TokenReply("7"));
  const std::size_t at_once = GENERATE_COPY(std::size_t{0}, whole.find("\r\n\r\n") + 4);
  HttpApiOptions options;
  options.timeout = 300ms;
  const Once once = CreateOnce(
      [&](RawPeer& peer) {
        peer.ReadRequest();
        peer.Send(whole.substr(0, at_once));
        for (std::size_t i = at_once; i < whole.size() && peer.OpenAfter(20ms); ++i) peer.Send(whole.substr(i, 1));
      },
      options);
  CHECK(NameOf(once.completion.created) == "unknown");
  CHECK(once.took >= 290ms);
  CHECK(once.took < 2s);
  CHECK(once.requests == 1);
  CHECK(once.connections == 1);
}

TEST_CASE("a silent service leaves the create unknown at the time-out") {
  HttpApiOptions options;
  options.timeout = 200ms;
  const Once once = CreateOnce([](RawPeer& peer) { peer.AwaitClose(); }, options);
  CHECK(NameOf(once.completion.created) == "unknown");
  CHECK(once.took < 2s);
  CHECK(once.requests == 1);
  CHECK(once.completion.duration >= 190ms);
}

/// A create of 8 MiB against a script that is told when the call has ended, and after which nothing more may come.
Once CreateLarge(const std::function<void(RawPeer&)>& script, Duration timeout) {
  std::promise<void> ended;
  RawServer server([&](RawPeer& peer) {
    script(peer);
    ended.get_future().wait();
    peer.AwaitClose();
  });
  SetClock clock;
  HttpApiOptions options;
  options.timeout = timeout;
  auto api = ApiFor(server.url(), clock, options);
  const auto begin = Steady::now();
  Completion completion = api->Perform(LargeCreateCall());
  const auto took = std::chrono::duration_cast<std::chrono::milliseconds>(Steady::now() - begin);
  api.reset();
  ended.set_value();
  REQUIRE(server.AwaitClosed(1));
  return Once{std::move(completion), server.requests(), server.connections(), took};
}

TEST_CASE("a request that the service did not take whole is not sent, and the rest never comes") {
  const bool by_reset = GENERATE(false, true);
  const Once once = CreateLarge(
      [&](RawPeer& peer) {
        if (!by_reset) return;
        peer.ReadBytes(100'000);
        peer.Reset();
      },
      1500ms);
  CHECK(NameOf(once.completion.created) == "not-sent");
  CHECK_FALSE(once.completion.answer.message.empty());
  CHECK(once.took < 15s);
  CHECK(once.requests == 0);
  CHECK(once.connections == 1);
}

TEST_CASE("a refusal that comes before the request was sent whole is heard, and the rest is not sent") {
  const Once once = CreateLarge(
      [](RawPeer& peer) {
        peer.ReadBytes(1000);
        peer.Send(RawReply(413, "<html>too large</html>", "Connection: close\r\n"));
      },
      20s);
  CHECK(NameOf(once.completion.created) == "refused");
  CHECK(once.completion.answer.http_status == 413);
  CHECK(once.took < 15s);
  CHECK(once.requests == 0);
}

TEST_CASE("a fault that comes before the request was sent whole means that it was not sent") {
  const Once once = CreateLarge(
      [](RawPeer& peer) {
        peer.ReadBytes(1000);
        peer.Send(RawReply(503, "", "Connection: close\r\n"));
      },
      20s);
  CHECK(NameOf(once.completion.created) == "not-sent");
  CHECK(once.requests == 0);
}

TEST_CASE("a large request that the service takes is sent whole, once") {
  const Once once = CreateLarge(
      [](RawPeer& peer) {
        if (peer.ReadRequest()) peer.Send(RawReply(409, ""));
      },
      20s);
  CHECK(NameOf(once.completion.created) == "already-there");
  CHECK(once.requests == 1);
  CHECK(once.connections == 1);
}

TEST_CASE("a redirect is not followed") {
  const int status = GENERATE(301, 302, 303, 307, 308);
  std::string location;
  RawServer server([&](RawPeer& peer) {
    while (peer.ReadRequest()) peer.Send(RawReply(status, "", location));
  });
  location = "Location: " + server.url() + "/elsewhere\r\n";
  SetClock clock;
  const auto api = ApiFor(server.url(), clock);
  const Completion completion = api->Perform(CreateCall("7"));
  CHECK(NameOf(completion.created) == "denied-endpoint");
  CHECK(completion.answer.http_status == status);
  CHECK(server.requests() == 1);
}

TEST_CASE("the token is in no text of a completion, even where the service echoes it") {
  const std::string& token = RunToken().Reveal();
  const std::string signature = token.substr(token.rfind('.') + 1);
  const std::string reply = GENERATE_COPY(
      RawReply(401, fmt::format(R"({{"error":"{0}","code":1000,"msg":"no {0}","cause":"{1}","status":401}})", token,
                                signature)),
      RawReply(500, "<html>Authorization: Bearer " + token + "</html>"), RawReply(200, "{\"token\":\"" + token + "\"}"),
      RawReply(200, fmt::format(R"({{"token":{{"tokenId":"7","name":"{}"}}}})", token)),
      RawReply(302, signature, "Location: /" + token + "\r\n"), "HTTP/1.1 " + token + "\r\n\r\n");
  const Once once = CreateOnce(AfterOneRequest(reply));
  std::string texts = once.completion.answer.error_name + once.completion.answer.message + once.completion.answer.cause;
  if (const Created* created = std::get_if<Created>(&once.completion.created)) {
    REQUIRE_FALSE(created->differences.empty());
    for (const FieldDifference& difference : created->differences) texts += difference.kept;
  }
  CHECK(texts.find(token) == std::string::npos);
  CHECK(texts.find(signature) == std::string::npos);
}

}  // namespace
}  // namespace tokensync
