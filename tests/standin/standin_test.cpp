/// The stand-in service as a service: its routes, what it accepts, keeps, answers and counts.
#include <catch2/catch.hpp>

#include <string>
#include <thread>
#include <vector>

#include "raw_http.h"
#include "standin_server.h"

namespace tokensync::standin {
namespace {

using Catch::Contains;
using std::chrono::seconds;

std::string CreateWith(const std::string& token_members) {
  return "{\"projectId\":1,\"collectionId\":2,\"token\":{\"tokenId\":\"1\",\"name\":\"n\"" + token_members + "}}";
}

TEST_CASE("the published example is created, and answered as published") {
  StandinServer server;
  RawClient client(server.port());
  const auto reply = client.Call("CreateToken", R"({
    "projectId": 30957, "collectionId": 888, "private": false,
    "token": {"tokenId": "200", "name": "Eclipse Dragon", "description": "Forged from starlight—and shadows.",
      "properties": {"element": "Shadow and Starlight", "rarity": "Legendary", "constellations_on_scales": 42}}})");
  CHECK(reply.status == 200);
  CHECK(reply.headers.at("content-type") == "application/json");
  CHECK(reply.body ==
        R"({"token":{"tokenId":"200","name":"Eclipse Dragon","description":"Forged from starlight—and shadows.",)"
        R"("image":"","properties":{"constellations_on_scales":42,"element":"Shadow and Starlight",)"
        R"("rarity":"Legendary"},"attributes":null,"updatedAt":"0001-01-01T00:00:00Z"},"assets":null})");
  const auto held = server.Find({30957, 888, "200"});
  REQUIRE(held);
  CHECK_FALSE(held->is_private);
}

TEST_CASE("a token can be created, read, listed, updated and deleted") {
  StandinServer server;
  RawClient client(server.port());
  CHECK(client.Call("CreateToken", CreateWith(R"(,"decimals":18,"attributes":[{"a":[1,{"b":null}]}])")).status == 200);
  const auto read = client.Call("GetToken", KeyBody("1"));
  CHECK(read.status == 200);
  CHECK_THAT(read.body, Contains(R"("attributes":[{"a":[1,{"b":null}]}])") && Contains(R"("decimals":18)") &&
                            Contains(R"("status":"AVAILABLE")") && !Contains("0001-01-01"));
  const auto list = client.Call("ListTokens", R"({"projectId":1,"collectionId":2})");
  CHECK_THAT(list.body, Contains(R"({"page":{"pageSize":30,"more":false},"tokens":[{"tokenId":"1",)"));

  const auto update = client.Call(
      "UpdateToken", R"({"projectId":1,"collectionId":2,"tokenId":"1","token":{"tokenId":"1","name":"m"}})");
  CHECK(update.status == 200);
  CHECK(server.Find({1, 2, "1"})->token_json == R"({"name":"m","tokenId":"1"})");
  CHECK(client.Call("UpdateToken", R"({"projectId":1,"collectionId":2,"tokenId":"9","token":{"name":"m"}})").status ==
        400);
  CHECK(
      client.Call("UpdateToken", R"({"projectId":1,"collectionId":2,"tokenId":"1","token":{"tokenId":"2"}})").status ==
      400);

  server.SetFaults(R"({"update":"merge"})");
  client.Call("UpdateToken", R"({"projectId":1,"collectionId":2,"tokenId":"1","token":{"image":"i"}})");
  CHECK(server.Find({1, 2, "1"})->token_json == R"({"image":"i","name":"m","tokenId":"1"})");

  CHECK(client.Call("DeleteToken", KeyBody("1")).body == R"({"status":true})");
  const auto gone = client.Call("GetToken", KeyBody("1"));
  CHECK(gone.status == 400);
  CHECK(gone.body == R"({"error":"NotFound","code":3000,"msg":"Resource not found","cause":"token 1","status":400})");
  CHECK(client.Call("DeleteToken", KeyBody("1")).status == 400);
  const Counts counts = server.counts();
  CHECK(counts.creates_applied == 1);
  CHECK(counts.updates_applied == 2);
  CHECK(counts.deletes_applied == 1);
  CHECK(counts.Calls("UpdateToken") == 4);
}

TEST_CASE("projectId and collectionId are JSON integers and nothing else") {
  StandinServer server;
  RawClient client(server.port());
  const std::string project = GENERATE("\"888\"", "888.0", "8e2", "-8", "true", "[888]", "99999999999999999999");
  const auto reply = client.Call(
      "CreateToken", "{\"projectId\":" + project + R"(,"collectionId":2,"token":{"tokenId":"1","name":"n"}})");
  CHECK(reply.status == 400);
  CHECK_THAT(reply.body, Contains("\"WebrpcBadRequest\",\"code\":-4") && Contains("projectId is not a JSON integer"));
  const auto collection =
      client.Call("CreateToken", "{\"collectionId\":" + project + R"(,"token":{"tokenId":"1","name":"n"}})");
  CHECK_THAT(collection.body, Contains("collectionId is not a JSON integer"));
  CHECK(server.counts().tokens == 0);
}

TEST_CASE("what a create lacks is named") {
  StandinServer server;
  RawClient client(server.port());
  const auto check = [&](const std::string& body, const std::string& error, const std::string& cause) {
    const auto reply = client.Call("CreateToken", body);
    CHECK(reply.status == 400);
    CHECK_THAT(reply.body, Contains("\"error\":\"" + error + "\"") && Contains(cause));
  };
  check(R"({"projectId":1,"token":{"tokenId":"1","name":"n"}})", "RequiredArgument", "collectionId");
  check(R"({"projectId":1,"collectionId":2})", "RequiredArgument", "token");
  check(R"({"projectId":1,"collectionId":2,"token":{"name":"n"}})", "RequiredArgument", "tokenId");
  check(R"({"projectId":1,"collectionId":2,"token":{"tokenId":"1"}})", "RequiredArgument", "token.name");
  check(R"({"projectId":1,"collectionId":2,"token":[]})", "WebrpcBadRequest", "token is not an object");
  check(R"({"projectId":1,"collectionId":2,"private":"no","token":{}})", "WebrpcBadRequest", "private");
  check(CreateWith(R"(,"decimals":1.5)"), "WebrpcBadRequest", "decimals");
  check(CreateWith(R"(,"attributes":{})"), "WebrpcBadRequest", "attributes");
  check(CreateWith(R"(,"attributes":[1])"), "WebrpcBadRequest", "attributes");
  check(CreateWith(R"(,"properties":[])"), "WebrpcBadRequest", "properties");
  check(CreateWith(R"(,"image":1)"), "WebrpcBadRequest", "image");
  check("[]", "WebrpcBadRequest", "not a JSON object");
  check("{\"projectId\":1,}", "WebrpcBadRequest", "at byte 15");
  check("", "WebrpcBadRequest", "at byte 0");
  CHECK(server.counts().tokens == 0);
}

TEST_CASE("a tokenId that is not canonical is folded onto its number") {
  StandinServer server;
  RawClient client(server.port());
  const auto [given, folded] = GENERATE(table<std::string, std::string>(
      {{"7", "7"},
       {"007", "7"},
       {"+7", "7"},
       {"0x7", "7"},
       {"0X0ff", "255"},
       {"0", "0"},
       {"000", "0"},
       {"0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF",
        "115792089237316195423570985008687907853269984665640564039457584007913129639935"}}));
  CHECK_THAT(client.Call("CreateToken", CreateBody(given)).body, Contains("\"tokenId\":\"" + folded + "\""));
  CHECK(server.Find({1, 2, folded}).has_value());
  CHECK(client.Call("GetToken", KeyBody(given)).status == 200);
}

TEST_CASE("a tokenId that is no uint256 is refused") {
  StandinServer server;
  RawClient client(server.port());
  const std::string given = GENERATE("-7", "7a", "1.0", " 7", "+", "0x", "١",
                                     "115792089237316195423570985008687907853269984665640564039457584007913129639936",
                                     "0x10000000000000000000000000000000000000000000000000000000000000000");
  CHECK_THAT(client.Call("CreateToken", CreateBody(given)).body, Contains("InvalidArgument"));
  CHECK_THAT(client.Call("GetToken", KeyBody(given)).body, Contains("InvalidArgument"));
  CHECK_THAT(client.Call("GetToken", KeyBody("")).body, Contains("RequiredArgument"));
}

TEST_CASE("of the two-spelled fields the service keeps the spelling that it is told to") {
  StandinServer server;
  RawClient client(server.port());
  const auto [setting, kept] = GENERATE(table<std::string, std::string>(
      {{"snake", R"("animation_url":"S","external_url":"s","image_data":"d")"},
       {"camel", R"("background_color":"c","external_url":"C")"},
       {"both", R"("animation_url":"S","background_color":"c","external_url":"s","image_data":"d")"}}));
  server.SetFaults("{\"keeps_spelling\":\"" + setting + "\"}");
  const auto reply = client.Call(
      "CreateToken", CreateWith(R"(,"external_url":"s","externalUrl":"C","image_data":"d","imageData":null,)"
                                R"("backgroundColor":"c","animation_url":"S","nonsense":{"a":[]}})"
                                R"(,"more":{"a":1)"));
  CHECK(reply.status == 200);
  CHECK_THAT(server.Find({1, 2, "1"})->token_json, Contains(kept) && !Contains("nonsense"));
  CHECK_THAT(reply.body, Contains(setting == "camel" ? "externalUrl" : "external_url"));
}

TEST_CASE("JSON is read and written as the vendor's servers do") {
  StandinServer server;
  RawClient client(server.port());
  const auto [given, kept] = GENERATE(table<std::string, std::string>(
      {{"9007199254740993", "9007199254740992"},
       {"1.0", "1"},
       {"1e21", "1e+21"},
       {"1e20", "100000000000000000000"},
       {"0.000001", "0.000001"},
       {"1e-7", "1e-7"},
       {"1e-400", "0"},
       {"5e-324", "5e-324"},
       {"1.7976931348623157e308", "1.7976931348623157e+308"},
       {"0.1", "0.1"},
       {"\"a\xFFz\"", "\"a\xEF\xBF\xBDz\""},
       {"\"\xED\xA0\x80\"", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
       {R"("\ud83d\ude00 \ud83d \u0041\/\b")", "\"\xF0\x9F\x98\x80 \xEF\xBF\xBD A/\\u0008\""},
       {R"("\ud83d\u0041")",
        "\"\xEF\xBF\xBD"
        "A\""},
       {"\"<&>\xE2\x80\xA8\\n\"", R"("\u003c\u0026\u003e\u2028\n")"},
       {R"({"b":1,"a":2,"b":3})", R"({"a":2,"b":3})"},
       {"[ ]", "[]"}}));
  const auto reply = client.Call("CreateToken", CreateWith(",\"properties\":{\"p\":" + given + "}"));
  CHECK(reply.status == 200);
  CHECK_THAT(reply.body, Contains("\"properties\":{\"p\":" + kept + "}"));
}

TEST_CASE("what is not JSON is refused") {
  StandinServer server;
  RawClient client(server.port());
  const std::string given = GENERATE("01", "1.", ".5", "1e", "-", "+1", "NaN", "1e400", "\"\n\"", R"("\x")",
                                     R"("\u12")", "tru", "[1,]", "{,}", "{\"a\" 1}", "'a'", "\"a", "[", "1 2", "");
  const auto reply = client.Call("CreateToken", CreateWith(",\"properties\":{\"p\":" + given + "}"));
  CHECK(reply.status == 400);
  CHECK_THAT(reply.body, Contains("WebrpcBadRequest"));
  const std::string deep(2000, '[');
  CHECK_THAT(client.Call("CreateToken", deep).body, Contains("nested too deeply"));
}

TEST_CASE("an existing token is a conflict, overwritten, or an untyped error, as told") {
  StandinServer server;
  RawClient client(server.port());
  CHECK(client.Call("CreateToken", CreateWith(",\"image\":\"old\"")).status == 200);
  const auto conflict = client.Call("CreateToken", CreateWith(",\"image\":\"new\""));
  CHECK(conflict.status == 409);
  CHECK_THAT(conflict.body, Contains("\"error\":\"RequestConflict\",\"code\":1004"));
  server.SetFaults(R"({"existing":"error"})");
  const auto error = client.Call("CreateToken", CreateWith(",\"image\":\"new\""));
  CHECK(error.status == 400);
  CHECK_THAT(error.body, Contains("\"error\":\"WebrpcEndpoint\",\"code\":0"));
  CHECK_THAT(server.Find({1, 2, "1"})->token_json, Contains("old"));
  CHECK(server.Duplicates().empty());
  server.SetFaults(R"({"existing":"overwrite"})");
  CHECK(client.Call("CreateToken", CreateWith(",\"image\":\"new\"")).status == 200);
  CHECK_THAT(server.Find({1, 2, "1"})->token_json, Contains("new"));
  CHECK(server.Duplicates() == std::vector<TokenName>{{1, 2, "1"}});
  CHECK(server.CreatesApplied({1, 2, "1"}) == 2);
  CHECK(server.counts().duplicates == 1);
}

TEST_CASE("tokens are listed by number in pages until there are no more") {
  StandinServer server;
  RawClient client(server.port());
  for (int id = 1; id <= 70; ++id) server.Put(1, 2, "{\"tokenId\":\"" + std::to_string(id) + "\",\"name\":\"n\"}");
  server.Put(1, 3, R"({"tokenId":"5","name":"of another collection"})");
  const int first = GENERATE(0, 1);
  server.SetFaults("{\"first_page\":" + std::to_string(first) + "}");
  const auto page = [&](int number) {
    return client
        .Call("ListTokens", R"({"projectId":1,"collectionId":2,"page":{"page":)" + std::to_string(number) + "}}")
        .body;
  };
  CHECK_THAT(page(first), Contains(R"("more":true)") && Contains(R"([{"tokenId":"1",)") && Contains(R"("30")") &&
                              !Contains(R"("tokenId":"31")"));
  CHECK_THAT(page(first + 1), Contains(R"("more":true)") && Contains(R"([{"tokenId":"31",)"));
  CHECK_THAT(page(first + 2), Contains(R"("more":false)") && Contains(R"([{"tokenId":"61",)") && Contains(R"("70")"));
  CHECK_THAT(page(first + 3), Contains(R"("more":false},"tokens":[]})"));
  const auto all = client.Call("ListTokens", R"({"projectId":1,"collectionId":2,"page":{"pageSize":70}})").body;
  CHECK_THAT(all, Contains(R"({"page":{"pageSize":70,"more":false},"tokens":[{"tokenId":"1",)"));
  CHECK(server.Tokens().size() == 71);
  CHECK(server.Tokens()[9].name == TokenName{1, 2, "10"});
}

TEST_CASE("who may not call is told so, with the documented status and code") {
  StandinServer server({.bearer = "the.right.jwt", .projects = {30957}});
  RawClient client(server.port());
  const auto check = [&](const std::string& request, int status, const std::string& what) {
    INFO(request);
    client.Send(request);
    const auto reply = client.Receive();
    CHECK(reply.status == status);
    CHECK_THAT(reply.body, Contains(what));
  };
  const auto request = [](const std::string& line, const std::string& headers, const std::string& body = "{}") {
    return line + " HTTP/1.1\r\nHost: x\r\nContent-Length: " + std::to_string(body.size()) + "\r\n" + headers + "\r\n" +
           body;
  };
  const std::string route = "POST /rpc/Collections/GetToken";
  const std::string json = "Content-Type: application/json; charset=utf-8\r\n";
  const std::string right = json + "Authorization: Bearer the.right.jwt\r\n";
  check(request(route, json), 401, "\"error\":\"Unauthorized\",\"code\":1000");
  check(request(route, json + "Authorization: Bearer wrong\r\n"), 401, "Unauthorized");
  check(request(route, json + "Authorization: Bearer \r\n"), 401, "Unauthorized");
  check(request(route, json + "Authorization: the.right.jwt\r\n"), 401, "Unauthorized");
  check(request(route, right + "Origin: https://example.com\r\n"), 403, "\"code\":1009");
  check(request(route, "Authorization: Bearer the.right.jwt\r\n"), 400, "Content-Type");
  check(request("POST /rpc/Collections/MintToken", right), 404, "\"error\":\"WebrpcBadRoute\",\"code\":-2");
  check(request("POST /rpc/collections/GetToken", right), 404, "WebrpcBadRoute");
  check(request("POST /", right), 404, "WebrpcBadRoute");
  check(request("PUT /rpc/Collections/GetToken", right), 405, "\"error\":\"WebrpcBadMethod\",\"code\":-3");
  check(request(route, right, R"({"projectId":1,"collectionId":2,"tokenId":"1"})"), 400, "\"code\":3002");
  check(request(route, right, R"({"projectId":30957,"collectionId":2,"tokenId":"1"})"), 400, "\"code\":3000");
  check(request(route, right, R"({"collectionId":2,"tokenId":"1"})"), 400, "\"code\":3000");
  check(request(route, json + "AUTHORIZATION: BEARER the.right.jwt\r\n"), 400, "\"code\":2002");
  CHECK(server.counts().Calls("other") == 3);
  CHECK(server.counts().answers.at(401) == 4);
}

TEST_CASE("a token is private unless the create says otherwise") {
  StandinServer server;
  RawClient client(server.port());
  client.Call("CreateToken", CreateWith(""));
  CHECK(server.Find({1, 2, "1"})->is_private);
  client.Call("CreateToken", CreateBody("2"));
  CHECK_FALSE(server.Find({1, 2, "2"})->is_private);
}

TEST_CASE("a body beyond the limit is answered 413, a broken request 400, a request cut short not at all") {
  StandinServer server({.body_bytes_max = 1000});
  RawClient large(server.port());
  const auto reply = large.Post("/rpc/Collections/CreateToken", std::string(3'000'000, ' '));
  CHECK(reply.status == 413);
  CHECK(RawClient(server.port()).Call("CreateToken", std::string(1000, ' ')).status == 400);
  CHECK(RawClient(server.port()).Call("CreateToken", std::string(1001, ' ')).status == 413);

  RawClient broken(server.port());
  broken.Send("this is not HTTP\r\n\r\n");
  CHECK(broken.Receive().status == 400);

  const auto calls = server.counts().Calls("CreateToken");
  {
    RawClient cut(server.port());
    const std::string request = PostText("/rpc/Collections/CreateToken", CreateBody("1"));
    cut.Send(std::string_view(request).substr(0, request.size() - 1));
  }
  RawClient after(server.port());
  CHECK(after.Call("GetToken", KeyBody("1")).status == 400);
  CHECK(server.counts().Calls("CreateToken") == calls);
}

TEST_CASE("HTTP's other ways to send a body are understood") {
  StandinServer server;
  RawClient client(server.port());
  const std::string head =
      "POST /rpc/Collections/CreateToken HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer x\r\n"
      "Content-Type: application/json\r\n";
  const std::string body = CreateBody("1");
  client.Send(head + "Transfer-Encoding: chunked\r\n\r\n5\r\n" + body.substr(0, 5) + "\r\n");
  char length[16];
  std::snprintf(length, sizeof length, "%zx", body.size() - 5);
  client.Send(std::string(length) + "\r\n" + body.substr(5) + "\r\n0\r\n\r\n");
  CHECK(client.Receive().status == 200);

  const std::string second = CreateBody("2");
  client.Send(head + "Expect: 100-continue\r\nContent-Length: " + std::to_string(second.size()) + "\r\n\r\n");
  CHECK(client.Receive().status == 100);
  client.Send(second);
  CHECK(client.Receive().status == 200);

  // Two requests in one piece.
  client.Send(PostText("/rpc/Collections/GetToken", KeyBody("1")) +
              PostText("/rpc/Collections/GetToken", KeyBody("3")));
  CHECK(client.Receive().status == 200);
  CHECK(client.Receive().status == 400);

  const auto last = client.Post("/rpc/Collections/GetToken", KeyBody("2"), "Connection: close\r\n");
  CHECK(last.status == 200);
  CHECK(last.headers.at("connection") == "close");
  RawEnd end{};
  CHECK(client.ReceiveAll(end).empty());
  CHECK(end == RawEnd::kClosed);
  CHECK(server.counts().connections == 1);
}

TEST_CASE("requests are recorded as they were sent, with how they ended, before their answer leaves") {
  StandinServer server({.requests_kept = 2});
  RawClient client(server.port());
  const std::string body = CreateBody("007");
  client.Call("GetToken", KeyBody("1"));
  client.Post("/rpc/Collections/CreateToken", body, "X-Marker: One, two\r\n");
  auto requests = server.LastRequests();
  REQUIRE(requests.size() == 2);
  const RecordedRequest create = requests.back();
  CHECK(create.number == 2);
  CHECK(create.verb == "POST");
  CHECK(create.path == "/rpc/Collections/CreateToken");
  CHECK(create.method == "CreateToken");
  CHECK(create.body == body);
  CHECK(create.Header("x-marker") == "One, two");
  CHECK(create.Header("AUTHORIZATION") == "Bearer some.jwt");
  CHECK_FALSE(create.Header("Origin"));
  CHECK(create.token == TokenName{1, 2, "7"});
  CHECK(create.status == 200);
  CHECK(create.applied);
  CHECK(create.arrived <= create.ended);
  CHECK_FALSE(requests.front().applied);
  CHECK(requests.front().connection == create.connection);
  RawClient(server.port()).Call("GetToken", KeyBody("1"));
  requests = server.LastRequests();
  REQUIRE(requests.size() == 2);
  CHECK(requests.front().number == 2);
  CHECK(requests.back().connection != create.connection);
  CHECK(server.CallTimes().size() == 3);
  CHECK(server.CallTimes().back().method == "GetToken");
}

TEST_CASE("many clients at once are served at once, and nothing is counted twice or lost") {
  StandinServer server;
  constexpr int kClients = 300;
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < kClients; ++i) clients.push_back(std::make_unique<RawClient>(server.port()));
  server.AddRule({.effect = Hold{}, .times = kClients});
  for (int i = 0; i < kClients; ++i)
    clients[static_cast<std::size_t>(i)]->Send(
        PostText("/rpc/Collections/CreateToken", CreateBody(std::to_string(i % 100))));
  REQUIRE(server.AwaitCalls("CreateToken", kClients, seconds(30)));
  CHECK(server.counts().calls_in_flight == kClients);
  // A call counts before it is held: those on their way there are released as well.
  std::thread releasing([&] {
    while (!server.AwaitCalls("GetToken", 1, Milliseconds(5))) server.Release();
  });
  int created = 0;
  for (const auto& client : clients) created += client->Receive().status == 200 ? 1 : 0;
  clients.front()->Call("GetToken", KeyBody("1"));
  releasing.join();
  CHECK(created == 100);
  const Counts counts = server.counts();
  CHECK(counts.creates_applied == 100);
  CHECK(counts.tokens == 100);
  CHECK(counts.duplicates == 0);
  CHECK(counts.calls_in_flight == 0);
  CHECK(counts.calls_in_flight_max == kClients);
  CHECK(counts.connections_open == kClients);
}

TEST_CASE("stored tokens can be put, waited for, compared and forgotten") {
  StandinServer one;
  StandinServer two;
  one.Put(1, 2, R"({"tokenId":"1","name":"a","image":"i"})", true);
  one.Put(1, 2, R"({"tokenId":"2","name":"b"})");
  two.Put(1, 2, R"({"tokenId":"2","name":"b"})");
  CHECK_FALSE(two.AwaitTokens(2, Milliseconds(1)));
  two.Put(1, 2, R"({"image":"i","name":"a","tokenId":"1"})", true);
  CHECK(two.AwaitTokens(2, seconds(10)));
  CHECK(one.Digest() == two.Digest());
  two.Put(1, 2, R"({"image":"i","name":"a","tokenId":"1"})", false);
  CHECK(one.Digest() != two.Digest());
  CHECK(one.Find({1, 2, "1"})->token_json == R"({"image":"i","name":"a","tokenId":"1"})");
  CHECK_THROWS_WITH(one.Put(1, 2, "{}"), Contains("RequiredArgument"));
  CHECK_THROWS_WITH(one.Put(1, 2, "{"), Contains("WebrpcBadRequest"));
  CHECK(one.counts().calls.empty());
  RawClient client(one.port());
  client.Call("CreateToken", CreateBody("3"));
  one.Reset();
  CHECK(one.counts().tokens == 0);
  CHECK(one.counts().calls.empty());
  CHECK(one.LastRequests().empty());
  CHECK(one.CreatesApplied({1, 2, "3"}) == 0);
  CHECK(client.Call("CreateToken", CreateBody("3")).status == 200);
}

TEST_CASE("a port that is taken, or a certificate that cannot be read, is told on construction") {
  StandinServer server;
  CHECK_THROWS_WITH(StandinServer({.port = server.port()}), Contains("starting the stand-in service"));
  CHECK_THROWS_WITH(StandinServer({.tls_certificate_file = "/nowhere", .tls_key_file = "/nowhere"}),
                    Contains("starting the stand-in service"));
}

}  // namespace
}  // namespace tokensync::standin
