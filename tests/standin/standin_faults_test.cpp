/// The stand-in service as a bad service: every fault that it can be told to have.
#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <vector>

#include "raw_http.h"
#include "standin_server.h"

namespace tokensync::standin {
namespace {

using Catch::Contains;
using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

/// A create over a connection of its own, read until the connection ends or the reply is there.
RawReply Create(const StandinServer& server, const std::string& token_id = "1") {
  RawClient client(server.port());
  return client.Call("CreateToken", CreateBody(token_id));
}

bool Holds(const StandinServer& server, const std::string& token_id = "1") {
  return server.Find({1, 2, token_id}).has_value();
}

TEST_CASE("every documented error can be answered by name, with its code, text and status") {
  StandinServer server;
  const auto [name, code, status, msg] = GENERATE(table<std::string, int, int, std::string>(
      {{"WebrpcEndpoint", 0, 400, "endpoint error"},
       {"WebrpcRequestFailed", -1, 400, "request failed"},
       {"WebrpcBadRoute", -2, 404, "bad route"},
       {"WebrpcBadMethod", -3, 405, "bad method"},
       {"WebrpcBadRequest", -4, 400, "bad request"},
       {"WebrpcBadResponse", -5, 500, "bad response"},
       {"WebrpcServerPanic", -6, 500, "server panic"},
       {"WebrpcInternalError", -7, 500, "internal error"},
       {"WebrpcClientDisconnected", -8, 400, "client disconnected"},
       {"WebrpcStreamLost", -9, 400, "stream lost"},
       {"Unauthorized", 1000, 401, "Unauthorized access"},
       {"PermissionDenied", 1001, 403, "Permission denied"},
       {"SessionExpired", 1002, 403, "Session expired"},
       {"MethodNotFound", 1003, 404, "Method not found"},
       {"RequestConflict", 1004, 409, "Conflict with target resource"},
       {"Fail", 1005, 500, "Request Failed"},
       {"Geoblocked", 1006, 451, "Geoblocked region"},
       {"Timeout", 2000, 408, "Request timed out"},
       {"InvalidArgument", 2001, 400, "Invalid argument"},
       {"RequiredArgument", 2002, 400, "Required argument missing"},
       {"QueryFailed", 2003, 400, "Query failed"},
       {"ValidationFailed", 2004, 400, "Validation failed"},
       {"RateLimited", 2005, 429, "Rate limited"},
       {"NotFound", 3000, 400, "Resource not found"},
       {"ProjectNotFound", 3002, 400, "Project not found"},
       {"ChainNotFound", 3003, 400, "Chain not found"},
       {"TokenDirectoryDisabled", 4001, 400, "Token Directory is disabled"}}));
  server.AddRule({.effect = AnswerError{.name = name, .cause = "as told"}});
  const RawReply reply = Create(server);
  CHECK(reply.status == status);
  CHECK(reply.body == "{\"error\":\"" + name + "\",\"code\":" + std::to_string(code) + ",\"msg\":\"" + msg +
                          "\",\"cause\":\"as told\",\"status\":" + std::to_string(status) + "}");
  CHECK_FALSE(Holds(server));
  const auto names = ErrorNames();
  CHECK(std::find(names.begin(), names.end(), name) != names.end());
}

TEST_CASE("an error can be answered after the create was applied, and with another code and status") {
  StandinServer server;
  server.AddRule({.effect = AnswerError{.name = "Fail", .code = 1007, .status = 400, .msg = "m"}, .applies = true});
  const RawReply reply = Create(server);
  CHECK(reply.status == 400);
  CHECK(reply.body == R"({"error":"Fail","code":1007,"msg":"m","status":400})");
  CHECK(Holds(server));
}

TEST_CASE("any answer at all can be given") {
  StandinServer server;
  server.AddRule({.effect = AnswerRaw{
                      .status = 428, .content_type = "text/plain", .body = "slow", .headers = {{"Retry-After", "7"}}}});
  const RawReply reply = Create(server);
  CHECK(reply.status == 428);
  CHECK(reply.body == "slow");
  CHECK(reply.headers.at("content-type") == "text/plain");
  CHECK(reply.headers.at("retry-after") == "7");
}

TEST_CASE("a rule strikes where its method, token, skip and times say") {
  StandinServer server;
  RawClient client(server.port());
  const auto status = [&](const std::string& method, const std::string& id) {
    return client.Call(method, method == "CreateToken" ? CreateBody(id) : KeyBody(id)).status;
  };
  server.AddRule(
      {.effect = AnswerError{"Geoblocked"}, .method = "CreateToken", .token_id = "7", .skip = 1, .times = 2});
  server.AddRule({.effect = AnswerError{"QueryFailed"}, .method = "GetToken"});
  CHECK(status("CreateToken", "7") == 200);
  CHECK(status("CreateToken", "8") == 200);
  CHECK(status("CreateToken", "007") == 451);
  CHECK(status("CreateToken", "7") == 451);
  CHECK(status("CreateToken", "7") == 409);
  CHECK(status("GetToken", "7") == 400);
  CHECK(server.counts().faults == 3);
  server.ClearRules();
  CHECK(status("GetToken", "7") == 200);
}

TEST_CASE("what chance does to a token depends on the seed, not on the order of calls") {
  const auto struck = [](std::uint64_t seed, bool backwards) {
    StandinServer server;
    Behaviour behaviour;
    behaviour.seed = seed;
    server.SetBehaviour(behaviour);
    server.AddRule({.effect = AnswerError{"Fail"}, .probability = 0.25});
    RawClient client(server.port());
    std::vector<int> statuses(400);
    for (std::size_t i = 0; i < statuses.size(); ++i) {
      const std::size_t id = backwards ? statuses.size() - 1 - i : i;
      statuses[id] = client.Call("CreateToken", CreateBody(std::to_string(id))).status;
    }
    return statuses;
  };
  const auto forwards = struck(1, false);
  CHECK(forwards == struck(1, true));
  CHECK(forwards != struck(2, false));
  const auto failures = std::count(forwards.begin(), forwards.end(), 500);
  CHECK(failures > 50);
  CHECK(failures < 150);
}

TEST_CASE("a rate limit answers 429 with the vendor's headers, and lets calls through as the window slides") {
  StandinServer server;
  RawClient client(server.port());
  Behaviour behaviour;
  behaviour.rate_limit = RateLimit{.calls = 2, .window = Milliseconds(400)};
  server.SetBehaviour(behaviour);
  const auto first = client.Call("CreateToken", CreateBody("1"));
  CHECK(first.status == 200);
  CHECK(first.headers.at("credits-rate-limit") == "2");
  CHECK(first.headers.at("credits-rate-remaining") == "1");
  CHECK(first.headers.count("retry-after") == 0);
  const auto reset = std::stoll(first.headers.at("credits-rate-reset"));
  const auto now = std::chrono::duration_cast<seconds>(std::chrono::system_clock::now().time_since_epoch()).count();
  CHECK(reset >= now);
  CHECK(reset <= now + 2);
  const auto second = client.Call("CreateToken", CreateBody("2"));
  CHECK(second.headers.at("credits-rate-remaining") == "0");
  const auto third = client.Call("CreateToken", CreateBody("3"));
  if (third.status == 429) {
    CHECK(third.headers.at("retry-after") == "1");
    CHECK(third.headers.at("credits-rate-remaining") == "0");
    CHECK_THAT(third.body, Contains("\"error\":\"RateLimited\",\"code\":2005"));
    CHECK_FALSE(Holds(server, "3"));
  }
  const auto deadline = Clock::now() + seconds(10);
  while (!Holds(server, "3") && Clock::now() < deadline) client.Call("CreateToken", CreateBody("3"));
  CHECK(Holds(server, "3"));
  CHECK(server.counts().rate_limited > 0);
}

TEST_CASE("a connection can be cut before or after applying, by FIN or RST") {
  StandinServer server;
  const bool applies = GENERATE(false, true);
  const bool reset = GENERATE(false, true);
  server.AddRule({.effect = Cut{.reset = reset}, .times = 1, .applies = applies});
  const RawReply reply = Create(server);
  CHECK(reply.status == 0);
  CHECK(reply.end == (reset ? RawEnd::kReset : RawEnd::kClosed));
  CHECK(Holds(server) == applies);
  CHECK(server.counts().answers.at(0) == 1);
  CHECK(server.LastRequests().back().status == 0);
  CHECK(server.LastRequests().back().applied == applies);
}

TEST_CASE("a reply can be cut in its middle") {
  StandinServer server;
  server.AddRule({.effect = CutReply{.bytes = 25}, .applies = true});
  RawClient client(server.port());
  client.Send(PostText("/rpc/Collections/CreateToken", CreateBody("1")));
  RawEnd end{};
  CHECK(client.ReceiveAll(end) == "HTTP/1.1 200 OK\r\nContent-");
  CHECK(end == RawEnd::kClosed);
  CHECK(Holds(server));
}

TEST_CASE("garbage of each kind can be answered") {
  StandinServer server;
  const bool applies = GENERATE(false, true);
  const auto answer = [&](AnswerGarbage garbage) {
    server.Reset();
    server.AddRule({.effect = garbage, .applies = applies});
    RawReply reply = Create(server);
    CHECK(reply.status == 200);
    CHECK(Holds(server) == applies);
    return reply;
  };
  const std::string json = "application/json";
  const auto not_json = answer({Garbage::kNotJson});
  CHECK(not_json.headers.at("content-type") == json);
  CHECK_THAT(not_json.body, Catch::StartsWith("}{"));
  const auto html = answer({Garbage::kHtml});
  CHECK_THAT(html.headers.at("content-type"), Contains("text/html"));
  CHECK_THAT(html.body, Contains("<html>"));
  const auto plain = answer({Garbage::kWrongContentType});
  CHECK(plain.headers.at("content-type") == "text/plain");
  CHECK_THAT(plain.body, Contains("\"tokenId\":\"1\"") && Catch::EndsWith("}"));
  const auto truncated = answer({Garbage::kTruncatedJson});
  CHECK(truncated.end == RawEnd::kComplete);
  CHECK_THAT(truncated.body, Contains("{\"token\":{") && !Catch::EndsWith("}"));
  const auto cut = answer({Garbage::kShortBody});
  CHECK(cut.end == RawEnd::kClosed);
  CHECK(cut.body.size() == std::stoul(cut.headers.at("content-length")) / 2);
  const auto large = answer({Garbage::kOversized, 3'000'000});
  CHECK(large.body.size() == 3'000'000);
  CHECK_THAT(large.body.substr(0, 12), Contains("{\"filler\":"));
  const auto other = answer({Garbage::kWrongToken});
  CHECK_THAT(other.body, Contains("\"tokenId\":\"11\""));
  const auto empty = answer({Garbage::kEmptyBody});
  CHECK(empty.headers.at("content-length") == "0");
}

TEST_CASE("an answer can stay away until the client gives up, or a limit") {
  StandinServer server;
  server.AddRule({.effect = AnswerNothing{.longest = seconds(60)}, .token_id = "1"});
  server.AddRule({.effect = AnswerNothing{.longest = Milliseconds(50)}, .token_id = "2", .applies = true});
  {
    RawClient client(server.port());
    client.Send(PostText("/rpc/Collections/CreateToken", CreateBody("1")));
    REQUIRE(server.AwaitCalls("CreateToken", 1, seconds(10)));
    CHECK(server.counts().calls_in_flight == 1);
  }
  const auto deadline = Clock::now() + seconds(10);
  while (server.counts().calls_in_flight > 0 && Clock::now() < deadline) RawClient(server.port()).Get("/standin/state");
  CHECK(server.counts().calls_in_flight == 0);
  const RawReply reply = Create(server, "2");
  CHECK(reply.status == 0);
  CHECK(reply.end == RawEnd::kClosed);
  CHECK(Holds(server, "2"));
}

TEST_CASE("an answer can come a byte at a time, and end early") {
  StandinServer server;
  server.AddRule({.effect = Drip{.interval = Milliseconds(2), .longest = Milliseconds(100)}, .applies = true});
  RawClient client(server.port());
  const auto start = Clock::now();
  client.Send(PostText("/rpc/Collections/CreateToken", CreateBody("1")));
  RawEnd end{};
  const std::string text = client.ReceiveAll(end);
  CHECK(Clock::now() - start >= Milliseconds(90));
  CHECK(end == RawEnd::kClosed);
  CHECK(std::string("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n").starts_with(text.substr(0, 40)));
  CHECK(text.size() <= 51);
}

TEST_CASE("a held call goes on when it is released, and was applied before or is after") {
  StandinServer server;
  const bool applies = GENERATE(false, true);
  server.AddRule({.effect = Hold{}, .applies = applies});
  RawClient client(server.port());
  client.Send(PostText("/rpc/Collections/CreateToken", CreateBody("1")));
  if (applies) {
    CHECK(server.AwaitTokens(1, seconds(10)));
  } else {
    CHECK(server.AwaitCalls("CreateToken", 1, seconds(10)));
    CHECK_FALSE(Holds(server));
  }
  CHECK(server.counts().calls_in_flight == 1);
  // The call may be on its way to where it is held.
  while (server.counts().calls_in_flight == 1) server.Release();
  CHECK(client.Receive().status == 200);
  CHECK(Holds(server));
}

TEST_CASE("a create can be applied after its connection was cut") {
  StandinServer server;
  server.AddRule({.effect = ApplyLate{.delay = Milliseconds(150)}, .times = 1});
  const auto start = Clock::now();
  CHECK(Create(server).end == RawEnd::kClosed);
  REQUIRE(server.AwaitTokens(1, seconds(10)));
  CHECK(Clock::now() - start >= Milliseconds(150));
  CHECK(server.CreatesApplied({1, 2, "1"}) == 1);
  server.AddRule({.effect = ApplyLate{.delay = seconds(3600)}});
  Create(server, "2");
  CHECK(server.counts().late_pending == 1);
  server.Reset();
  CHECK(server.counts().late_pending == 0);
}

TEST_CASE("an idle connection is closed, reset or answered 408") {
  StandinServer server;
  const IdleEnd end = GENERATE(IdleEnd::kClose, IdleEnd::kReset, IdleEnd::kAnswer408);
  Behaviour behaviour;
  behaviour.idle_after = Milliseconds(30);
  behaviour.idle_end = end;
  server.SetBehaviour(behaviour);
  RawClient client(server.port());
  CHECK(client.Call("CreateToken", CreateBody("1")).status == 200);
  RawEnd how{};
  const std::string rest = client.ReceiveAll(how);
  CHECK(how == (end == IdleEnd::kReset ? RawEnd::kReset : RawEnd::kClosed));
  CHECK(rest.starts_with("HTTP/1.1 408 Request") == (end == IdleEnd::kAnswer408));
  CHECK(server.counts().Calls("CreateToken") == 1);
}

TEST_CASE("all connections can be cut, and the service goes on") {
  StandinServer server;
  RawClient idle(server.port());
  CHECK(idle.Call("CreateToken", CreateBody("1")).status == 200);
  server.CutAllConnections();
  RawEnd how{};
  idle.ReceiveAll(how);
  CHECK(how == RawEnd::kClosed);
  CHECK(Create(server, "2").status == 200);
}

TEST_CASE("fields can be dropped, and reads can be stale or unknown") {
  StandinServer server;
  RawClient client(server.port());
  server.SetFaults(R"({"drop_field":["imageData","image"],"stale_reads_ms":3600000})");
  const auto reply = client.Call("CreateToken", R"({"projectId":1,"collectionId":2,"token":{"tokenId":"1","name":"n",
    "image":"i","image_data":"d","video":"v"}})");
  CHECK_THAT(reply.body, Contains(R"("image":"","video":"v")") && !Contains("image_data"));
  CHECK(server.Find({1, 2, "1"})->token_json == R"({"name":"n","tokenId":"1","video":"v"})");
  CHECK_THAT(client.Call("GetToken", KeyBody("1")).body, Contains("NotFound"));
  CHECK_THAT(client.Call("ListTokens", KeyBody("1")).body, Contains("\"tokens\":[]"));
  CHECK(client.Call("CreateToken", CreateBody("1")).status == 409);
  server.Put(1, 2, R"({"tokenId":"5","name":"old"})");
  CHECK(client.Call("GetToken", KeyBody("5")).status == 200);
  server.SetFaults(R"({"stale_reads_ms":0})");
  CHECK(client.Call("GetToken", KeyBody("1")).status == 200);
  server.SetFaults(R"({"get_token":false})");
  const auto missing = client.Call("GetToken", KeyBody("1"));
  CHECK(missing.status == 404);
  CHECK_THAT(missing.body, Contains("WebrpcBadRoute"));
}

TEST_CASE("latency is added to each call, and ends with the server") {
  auto server = std::make_unique<StandinServer>();
  Behaviour behaviour;
  behaviour.latency = Milliseconds(40);
  behaviour.latency_jitter = Milliseconds(20);
  server->SetBehaviour(behaviour);
  auto start = Clock::now();
  CHECK(Create(*server).status == 200);
  CHECK(Clock::now() - start >= Milliseconds(40));
  behaviour.latency = seconds(3600);
  server->SetBehaviour(behaviour);
  server->AddRule({.effect = AnswerNothing{.longest = seconds(3600)}, .token_id = "3"});
  RawClient waiting(server->port());
  RawClient hanging(server->port());
  waiting.Send(PostText("/rpc/Collections/CreateToken", CreateBody("2")));
  hanging.Send(PostText("/rpc/Collections/CreateToken", CreateBody("3")));
  REQUIRE(server->AwaitCalls("CreateToken", 3, seconds(10)));
  start = Clock::now();
  server.reset();
  CHECK(Clock::now() - start < seconds(10));
}

TEST_CASE("every effect has a JSON form") {
  StandinServer server;
  const auto [json, status, end] = GENERATE(table<std::string, int, RawEnd>(
      {{R"({"effect":"error","error":"Geoblocked","cause":"c"})", 451, RawEnd::kComplete},
       {R"({"effect":"error","error":"Fail","code":-1,"status":400,"msg":"m"})", 400, RawEnd::kComplete},
       {R"({"effect":"raw","status":502,"content_type":"text/html","body":"x","headers":{"A":"b"}})", 502,
        RawEnd::kComplete},
       {R"({"effect":"garbage","kind":"short_body"})", 200, RawEnd::kClosed},
       {R"({"effect":"garbage","kind":"oversized","bytes":100000})", 200, RawEnd::kComplete},
       {R"({"effect":"cut"})", 0, RawEnd::kClosed},
       {R"({"effect":"cut","reset":true,"applies":true})", 0, RawEnd::kReset},
       {R"({"effect":"cut_reply","bytes":3})", 0, RawEnd::kClosed},
       {R"({"effect":"nothing","longest_ms":1})", 0, RawEnd::kClosed},
       {R"({"effect":"drip","interval_ms":0,"longest_ms":60000})", 200, RawEnd::kComplete},
       {R"({"effect":"apply_late","delay_ms":1,"reset":true})", 0, RawEnd::kReset},
       {R"({"effect":"hold","longest_ms":1})", 200, RawEnd::kComplete},
       {R"({"effect":"cut","probability":0})", 200, RawEnd::kComplete},
       {R"({"effect":"cut","method":"GetToken","token_id":"1"})", 200, RawEnd::kComplete},
       {R"({"effect":"cut","skip":1,"times":null})", 200, RawEnd::kComplete}}));
  server.SetFaults("{\"rules\":[" + json + "]}");
  const RawReply reply = Create(server);
  CHECK(reply.status == status);
  CHECK(reply.end == end);
}

TEST_CASE("faults that are not understood are refused, and change nothing") {
  StandinServer server;
  const auto [json, what] = GENERATE(table<std::string, std::string>(
      {{"{", "at byte"},
       {"[]", "faults is not an object"},
       {R"({"latency_ms":5,"latncy":1})", "faults.latncy is unknown"},
       {R"({"latency_ms":-1})", "faults.latency_ms is not a whole number"},
       {R"({"latency_ms":1e9})", "faults.latency_ms is not a whole number"},
       {R"({"latency_ms":100000000})", "faults.latency_ms is more than a day"},
       {R"({"existing":"merge"})", "faults.existing is \"merge\", which is unknown"},
       {R"({"rate_limit":{"calls":1,"per":1}})", "faults.rate_limit.per is unknown"},
       {R"({"drop_field":7})", "drop_field is neither"},
       {R"({"rules":{}})", "faults.rules is not a list"},
       {R"({"rules":[{"effect":"explode"}]})", "faults.rules[0].effect is \"explode\", which is unknown"},
       {R"({"latency_ms":5,"rules":[{"effect":"cut"},{"effect":"cut","rst":true}]})", "faults.rules[1].rst is unknown"},
       {R"({"rules":[{"effect":"error","error":"Oops"}]})", "faults.rules[0].error is \"Oops\""},
       {R"({"rules":[{"effect":"cut","probability":2}]})", "probability is not in 0 to 1"},
       {R"({"add_rules":[{"effect":"cut","times":"1"}]})", "faults.add_rules[0].times is not a whole number"}}));
  CHECK_THROWS_WITH(server.SetFaults(json), Contains(what));
  CHECK(server.behaviour().latency == Milliseconds(0));
  CHECK(Create(server).status == 200);
}

}  // namespace
}  // namespace tokensync::standin
