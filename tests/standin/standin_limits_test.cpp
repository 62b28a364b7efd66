/// What the stand-in limits, as told: the calls that there are, the tokens in a page, and the calls of a project.
#include <catch2/catch.hpp>

#include <string>

#include "raw_http.h"
#include "standin_server.h"

namespace tokensync::standin {
namespace {

using Catch::Contains;
using Clock = std::chrono::steady_clock;
using std::chrono::seconds;

std::string BodyOf(int project) {
  return "{\"projectId\":" + std::to_string(project) + ",\"collectionId\":2}";
}

TEST_CASE("ListTokens and GetToken can be missing each by itself") {
  StandinServer server;
  RawClient client(server.port());
  server.Put(1, 2, R"({"tokenId":"1","name":"n"})");
  server.SetFaults(R"({"list_tokens":false})");
  const auto missing = client.Call("ListTokens", BodyOf(1));
  CHECK(missing.status == 404);
  CHECK_THAT(missing.body, Contains("\"error\":\"WebrpcBadRoute\",\"code\":-2"));
  CHECK(client.Call("GetToken", KeyBody("1")).status == 200);
  server.SetFaults(R"({"list_tokens":true,"get_token":false})");
  CHECK(client.Call("ListTokens", BodyOf(1)).status == 200);
  CHECK(client.Call("GetToken", KeyBody("1")).status == 404);
  CHECK(server.counts().Calls("ListTokens") == 2);
  CHECK_THAT(client.Get("/standin/state").body, Contains("\"ListTokens\":2"));
}

TEST_CASE("a page holds no more than the cap, which its reply tells") {
  StandinServer server;
  RawClient client(server.port());
  for (int id = 1; id <= 40; ++id) server.Put(1, 2, "{\"tokenId\":\"" + std::to_string(id) + "\",\"name\":\"n\"}");
  server.SetFaults(R"({"page_size_max":20})");
  for (const char* size : {"{}", R"({"pageSize":30})", R"({"page":0,"pageSize":20})"}) {
    const auto page = client.Call("ListTokens", R"({"projectId":1,"collectionId":2,"page":)" + std::string(size) + "}");
    CHECK_THAT(page.body, Contains(R"("page":{"pageSize":20,"more":true})") && Contains(R"("tokenId":"20")") &&
                              !Contains(R"("tokenId":"21")"));
  }
  const auto last = client.Call("ListTokens", R"({"projectId":1,"collectionId":2,"page":{"page":1}})");
  CHECK_THAT(last.body, Contains(R"("more":false)") && Contains(R"([{"tokenId":"21")") && Contains(R"("40")"));
  CHECK_THROWS_WITH(server.SetFaults(R"({"page_size_max":0})"), Contains("faults.page_size_max is 0"));
}

TEST_CASE("each project has its own calls, whatever they are about and however they end") {
  StandinServer server;
  RawClient client(server.port());
  server.SetFaults(R"({"rate_limit":{"calls":3,"window_ms":60000}})");
  CHECK(client.Call("CreateToken", CreateBody("1")).headers.at("credits-rate-remaining") == "2");
  const auto refused = client.Call("CreateToken", R"({"projectId":1})");
  CHECK(refused.status == 400);
  CHECK(refused.headers.at("credits-rate-remaining") == "1");
  CHECK(client.Call("ListTokens", BodyOf(2)).headers.at("credits-rate-remaining") == "2");
  CHECK(client.Call("ListTokens", BodyOf(1)).headers.at("credits-rate-remaining") == "0");
  const auto throttled = client.Call("CreateToken", R"({"projectId":1})");
  CHECK(throttled.status == 429);
  CHECK(throttled.headers.at("retry-after") == "60");
  CHECK(client.Call("ListTokens", BodyOf(2)).headers.at("credits-rate-remaining") == "1");
  CHECK(server.counts().rate_limited == 1);
}

TEST_CASE("calls are let through one by one as the window slides over those before") {
  StandinServer server;
  RawClient client(server.port());
  server.SetFaults(R"({"rate_limit":{"calls":2,"window_ms":300}})");
  const auto start = Clock::now();
  int taken = 0;
  while (taken < 6) taken += client.Call("ListTokens", BodyOf(1)).status == 200 ? 1 : 0;
  // Six calls are two at once, two a window later, and two after another.
  CHECK(Clock::now() - start >= Milliseconds(600));
  CHECK(server.counts().rate_limited > 0);
}

TEST_CASE("the time to wait can be told as a date or not at all, and the rest be left unsaid") {
  StandinServer server;
  RawClient client(server.port());
  server.SetFaults(R"({"rate_limit":{"calls":0,"window_ms":60000,"retry_after":"date","credits":false}})");
  const auto dated = client.Call("ListTokens", BodyOf(1));
  CHECK(dated.status == 429);
  CHECK_THAT(dated.headers.at("retry-after"), Catch::Matches("[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} 20[0-9]{2} "
                                                             "[0-9]{2}:[0-9]{2}:[0-9]{2} GMT"));
  CHECK(dated.headers.count("credits-rate-limit") == 0);
  server.SetFaults(R"({"rate_limit":{"calls":0,"window_ms":60000,"retry_after":"none"}})");
  const auto bare = client.Call("ListTokens", BodyOf(1));
  CHECK(bare.status == 429);
  CHECK(bare.headers.count("retry-after") == 0);
  CHECK(bare.headers.at("credits-rate-limit") == "0");
  CHECK_THROWS_WITH(server.SetFaults(R"({"rate_limit":{"retry_after":"soon"}})"),
                    Contains("\"soon\", which is unknown"));
}

}  // namespace
}  // namespace tokensync::standin
