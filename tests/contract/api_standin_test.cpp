/// The HTTP adapter against the stand-in service: outcomes tell what is true there, and nothing is sent twice.
#include <fmt/format.h>
#include <catch2/catch.hpp>

#include <atomic>
#include <map>
#include <mutex>
#include <thread>

#include "api_test_support.h"
#include "standin_server.h"
#include "worker_pool.h"

namespace tokensync {
namespace {

using namespace std::chrono_literals;

standin::TokenName NameAtService(const std::string& token_id) {
  return {30957, 888, token_id};
}

TEST_CASE("a token is created once and read back equal") {
  standin::StandinServer server({.bearer = RunToken().Reveal()});
  SetClock clock;
  const auto api = ApiFor(server.url(), clock);
  CHECK(NameOf(api->Perform(ReadCall("7")).read) == "absent");
  const Completion created = api->Perform(CreateCall("7"));
  REQUIRE(NameOf(created.created) == "created");
  CHECK(std::get<Created>(created.created).differences.empty());
  CHECK(NameOf(api->Perform(ReadCall("7")).read) == "found");
  CHECK(NameOf(api->Perform(CreateCall("7")).created) == "already-there");
  CHECK(server.CreatesApplied(NameAtService("7")) == 1);
  for (const auto& request : server.LastRequests()) CHECK_FALSE(request.Header("Origin"));
}

TEST_CASE("either spelling that a service keeps is the right one") {
  const auto spelling = GENERATE(standin::Spelling::kSnake, standin::Spelling::kCamel, standin::Spelling::kBoth);
  standin::StandinServer server;
  standin::Behaviour behaviour;
  behaviour.keeps_spelling = spelling;
  server.SetBehaviour(behaviour);
  SetClock clock;
  const auto api = ApiFor(server.url(), clock);
  const Completion created = api->Perform(CreateCall("7"));
  REQUIRE(NameOf(created.created) == "created");
  CHECK(std::get<Created>(created.created).differences.empty());
  CHECK(NameOf(api->Perform(ReadCall("7")).read) == "found");
}

TEST_CASE("another token under the key is found to differ, and a field that is not kept is told") {
  standin::StandinServer server;
  standin::Behaviour behaviour;
  behaviour.dropped_fields = {"external_url"};
  server.SetBehaviour(behaviour);
  SetClock clock;
  const auto api = ApiFor(server.url(), clock);
  const Completion created = api->Perform(CreateCall("7"));
  REQUIRE(NameOf(created.created) == "created");
  REQUIRE(std::get<Created>(created.created).differences.size() == 1);
  CHECK(std::get<Created>(created.created).differences.front().field == "externalUrl");
  server.Put(30957, 888, R"({"tokenId":"8","name":"Somebody else's"})");
  CHECK(NameOf(api->Perform(ReadCall("8")).read) == "found-different");
}

TEST_CASE("a service without GetToken cannot be read, and a refused credential is told") {
  standin::StandinServer server({.bearer = RunToken().Reveal() + "x"});
  SetClock clock;
  CHECK(NameOf(ApiFor(server.url(), clock)->Perform(CreateCall("7")).created) == "denied-credential");
  standin::StandinServer other;
  standin::Behaviour behaviour;
  behaviour.get_token = false;
  other.SetBehaviour(behaviour);
  CHECK(NameOf(ApiFor(other.url(), clock)->Perform(ReadCall("7")).read) == "unsupported");
}

TEST_CASE("a rate limit is told with its wait and its numbers") {
  standin::StandinServer server;
  standin::Behaviour behaviour;
  behaviour.rate_limit = standin::RateLimit{2, 60s};
  server.SetBehaviour(behaviour);
  SetClock clock;
  const auto api = ApiFor(server.url(), clock);
  const Completion first = api->Perform(CreateCall("1"));
  CHECK(first.hint.limit == 2);
  CHECK(first.hint.remaining == 1);
  CHECK(first.hint.reset);
  api->Perform(CreateCall("2"));
  const Completion third = api->Perform(CreateCall("3"));
  REQUIRE(NameOf(third.created) == "throttled");
  CHECK(std::get<Throttled>(third.created).retry_after == 60s);
}

TEST_CASE("every fault that the service can have gives the outcome that is true") {
  struct Fault {
    standin::Effect effect;
    bool applies;
    const char* outcome;
  };
  using standin::Garbage;
  const std::vector<Fault> faults = {
      {standin::Cut{false}, false, "unknown"},
      {standin::Cut{true}, true, "unknown"},
      {standin::CutReply{20, false}, true, "unknown"},
      {standin::CutReply{200, true}, true, "unknown"},
      {standin::AnswerNothing{}, true, "unknown"},
      {standin::Drip{50ms, 60s}, true, "unknown"},
      {standin::AnswerGarbage{Garbage::kNotJson}, true, "unknown"},
      {standin::AnswerGarbage{Garbage::kHtml}, false, "unknown"},
      {standin::AnswerGarbage{Garbage::kWrongContentType}, true, "created"},
      {standin::AnswerGarbage{Garbage::kTruncatedJson}, true, "unknown"},
      {standin::AnswerGarbage{Garbage::kShortBody}, true, "unknown"},
      {standin::AnswerGarbage{Garbage::kOversized, std::size_t{64} << 20}, true, "unknown"},
      {standin::AnswerGarbage{Garbage::kWrongToken}, true, "unknown"},
      {standin::AnswerGarbage{Garbage::kEmptyBody}, true, "unknown"},
      {standin::AnswerError{"WebrpcInternalError"}, true, "unknown"},
      {standin::AnswerError{"ValidationFailed"}, false, "refused"},
      {standin::AnswerError{"QuotaExceeded"}, false, "denied-quota"},
      {standin::AnswerRaw{502, "text/html", "<html>bad gateway</html>"}, false, "unknown"},
  };
  for (std::size_t i = 0; i < faults.size(); ++i) {
    INFO("fault " << i << ", expected " << faults[i].outcome);
    standin::StandinServer server;
    standin::FaultRule rule{faults[i].effect};
    rule.applies = faults[i].applies;
    server.AddRule(rule);
    SetClock clock;
    HttpApiOptions options;
    options.timeout = 500ms;
    const auto api = ApiFor(server.url(), clock, options);
    CHECK(NameOf(api->Perform(CreateCall("7")).created) == faults[i].outcome);
    CHECK(server.counts().Calls("CreateToken") == 1);
    CHECK(server.counts().creates_applied <= 1);
    CHECK(server.counts().connections == 1);
  }
}

TEST_CASE("connections that end while idle never cost a call") {
  const auto end = GENERATE(standin::IdleEnd::kClose, standin::IdleEnd::kReset, standin::IdleEnd::kAnswer408);
  standin::StandinServer server;
  standin::Behaviour behaviour;
  behaviour.idle_after = 10ms;
  behaviour.idle_end = end;
  server.SetBehaviour(behaviour);
  SetClock clock;
  const auto api = ApiFor(server.url(), clock);
  for (int i = 1; i <= 2; ++i) {
    CHECK(NameOf(api->Perform(CreateCall(std::to_string(i))).created) == "created");
    const auto deadline = std::chrono::steady_clock::now() + 20s;
    while (server.counts().connections_open != 0 && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::yield();
    }
    REQUIRE(server.counts().connections_open == 0);
  }
  CHECK(server.counts().Calls("CreateToken") == 2);
  CHECK(server.counts().connections == 2);
}

TEST_CASE("eight workers on a network that breaks at random send nothing twice and claim nothing untrue") {
  constexpr int kCalls = 1500;
  standin::StandinServer server;
  server.SetFaults(R"({"seed":7, "idle_after_ms":3, "rules":[
      {"effect":"cut","probability":0.05},
      {"effect":"cut","reset":true,"probability":0.05},
      {"effect":"cut","applies":true,"probability":0.05},
      {"effect":"cut","applies":true,"reset":true,"probability":0.05},
      {"effect":"cut_reply","bytes":150,"applies":true,"probability":0.05},
      {"effect":"error","error":"RateLimited","probability":0.02},
      {"effect":"error","error":"InvalidArgument","probability":0.02}]})");
  SetClock clock;
  const auto api = ApiFor(server.url(), clock);
  std::atomic<bool> done = false;
  std::thread breaker([&] {
    while (!done) {
      server.CutAllConnections();
      std::this_thread::yield();
      server.AwaitCalls("", server.counts().Calls("CreateToken") + 40, 200ms);
    }
  });
  std::map<std::string, int> outcomes;
  {
    WorkerPool pool(*api, clock, 8);
    for (int i = 1; i <= kCalls; ++i) pool.Start(CreateCall(std::to_string(i)));
    for (int ended = 0; ended < kCalls;) {
      for (const Completion& completion : pool.Await(clock.now + 60s)) {
        ++ended;
        const std::string outcome = NameOf(completion.created);
        ++outcomes[outcome];
        const auto applied = server.CreatesApplied(NameAtService(completion.key.token.text()));
        INFO(completion.key.Text() << " " << outcome << " " << completion.answer.message);
        CHECK(applied <= 1);
        if (outcome == "created") CHECK(applied == 1);
        if (outcome != "created" && outcome != "unknown") CHECK(applied == 0);
      }
    }
  }
  done = true;
  breaker.join();
  CHECK(server.Duplicates().empty());
  CHECK(server.counts().Calls("CreateToken") <= kCalls);
  CHECK(outcomes["created"] > kCalls / 2);
  CHECK(outcomes["unknown"] > 0);
  CHECK(outcomes["throttled"] > 0);
  CHECK(outcomes["refused"] > 0);
  CHECK(outcomes["already-there"] == 0);
}

}  // namespace
}  // namespace tokensync
