/// The listing of a collection against the stand-in service: every token once, whichever way its pages count, with the
/// digest of what was created.
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <map>

#include "api_test_support.h"
#include "sha256.h"
#include "standin_server.h"

namespace tokensync {
namespace {

using namespace std::chrono_literals;

/// All pages, from 0 on, until there are no more.
std::vector<Listed> PagesOf(HttpMetadataApi& api) {
  std::vector<Listed> pages;
  do {
    Completion completion = api.Perform(ListCall(static_cast<std::uint32_t>(pages.size())));
    INFO(completion.answer.message);
    REQUIRE(NameOf(completion.listed) == "listed");
    CHECK(completion.key == ListCall(0).key);
    pages.push_back(std::get<Listed>(std::move(completion.listed)));
  } while (pages.back().more && pages.size() < 100);
  return pages;
}

TEST_CASE("a collection is listed page by page, from 0 or from 1, with every token as it was created") {
  const std::uint64_t first_page = GENERATE(0U, 1U);
  const auto spelling = GENERATE(standin::Spelling::kSnake, standin::Spelling::kCamel, standin::Spelling::kBoth);
  standin::StandinServer server;
  standin::Behaviour behaviour;
  behaviour.first_page = first_page;
  behaviour.keeps_spelling = spelling;
  server.SetBehaviour(behaviour);
  SetClock clock;
  const auto api = ApiFor(server.url(), clock);
  std::map<std::string, Call> created;
  for (int i = 1; i <= 95; ++i) {
    Call call = CreateCall(std::to_string(i));
    call.is_private = i % 2 == 0;
    REQUIRE(NameOf(api->Perform(call).created) == "created");
    created.emplace(call.key.token.text(), call);
  }
  server.Put(30957, 889, R"({"tokenId":"1","name":"of another collection"})");

  const std::vector<Listed> pages = PagesOf(*api);
  // A service that counts from 1 gives its first page for 0 and for 1.
  CHECK(pages.size() == 4 + first_page);
  CHECK(server.counts().Calls("ListTokens") == pages.size());
  std::map<std::string, ListedToken> listed;
  for (const Listed& page : pages) {
    CHECK(page.tokens.size() <= 30);
    for (const ListedToken& token : page.tokens) {
      const auto [at, fresh] = listed.emplace(token.token.text(), token);
      CHECK(at->second.if_public == token.if_public);
      CHECK((fresh || (first_page == 1 && &page == &pages[1])));
    }
  }
  REQUIRE(listed.size() == created.size());
  for (const auto& [id, call] : created) {
    const ListedToken& token = listed.at(id);
    const Digest wanted = PayloadDigest(call.payload, call.is_private);
    CHECK((call.is_private ? token.if_private : token.if_public) == wanted);
    CHECK((call.is_private ? token.if_public : token.if_private) != wanted);
  }
}

TEST_CASE("a service may give smaller pages than it was asked for") {
  standin::StandinServer server;
  server.SetFaults(R"({"page_size_max":4})");
  for (int id = 1; id <= 9; ++id) server.Put(30957, 888, fmt::format(R"({{"tokenId":"{}","name":"n"}})", id));
  SetClock clock;
  const auto api = ApiFor(server.url(), clock);
  CHECK(PagesOf(*api).size() == 3);
}

TEST_CASE("an empty collection is one page, and what nobody sees yet is not on it") {
  standin::StandinServer server;
  server.SetFaults(R"({"stale_reads_ms":3600000})");
  SetClock clock;
  const auto api = ApiFor(server.url(), clock);
  REQUIRE(NameOf(api->Perform(CreateCall("7")).created) == "created");
  const std::vector<Listed> pages = PagesOf(*api);
  REQUIRE(pages.size() == 1);
  CHECK(pages.front().tokens.empty());
}

TEST_CASE("a service without ListTokens, a refusal and a rate limit are told") {
  standin::StandinServer server;
  SetClock clock;
  const auto api = ApiFor(server.url(), clock);
  server.SetFaults(R"({"list_tokens":false})");
  CHECK(NameOf(api->Perform(ListCall(0)).listed) == "unsupported");
  CHECK(NameOf(api->Perform(ReadCall("7")).read) == "absent");
  server.SetFaults(R"({"list_tokens":true,"get_token":false})");
  CHECK(NameOf(api->Perform(ListCall(0)).listed) == "listed");
  server.SetFaults(R"({"rules":[{"effect":"error","error":"InvalidArgument","times":1},
                                {"effect":"error","error":"NotFound","times":1}]})");
  CHECK(NameOf(api->Perform(ListCall(0)).listed) == "refused");
  CHECK(NameOf(api->Perform(ListCall(0)).listed) == "listed");
  server.SetFaults(R"({"rate_limit":{"calls":1,"window_ms":60000,"retry_after":"date"}})");
  const Completion first = api->Perform(ListCall(0));
  CHECK(NameOf(first.listed) == "listed");
  CHECK(first.hint.limit == 1);
  CHECK(first.hint.remaining == 0);
  clock.now = std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  const Completion second = api->Perform(ListCall(0));
  REQUIRE(NameOf(second.listed) == "throttled");
  const auto wait = std::get<Throttled>(second.listed).retry_after;
  REQUIRE(wait);
  CHECK(*wait > 50s);
  CHECK(*wait < 70s);
}

TEST_CASE("a listing that got no page is a reading that failed") {
  const std::string effect = GENERATE(
      as<std::string>(), R"("effect":"cut")", R"("effect":"cut","reset":true)", R"("effect":"cut_reply","bytes":200)",
      R"("effect":"garbage","kind":"not_json")", R"("effect":"garbage","kind":"truncated_json")",
      R"("effect":"garbage","kind":"short_body")", R"("effect":"garbage","kind":"wrong_token")",
      R"("effect":"garbage","kind":"empty_body")", R"("effect":"garbage","kind":"oversized","bytes":40000000)",
      R"("effect":"error","error":"WebrpcInternalError")", R"("effect":"nothing","longest_ms":1)");
  INFO(effect);
  standin::StandinServer server;
  server.Put(30957, 888, R"({"tokenId":"1","name":"n"})");
  server.SetFaults(R"({"rules":[{"applies":true,)" + effect + "}]}");
  SetClock clock;
  const auto api = ApiFor(server.url(), clock);
  const Completion completion = api->Perform(ListCall(0));
  CHECK(NameOf(completion.listed) == "reading-failed");
  CHECK_FALSE(completion.answer.message.empty());
}

TEST_CASE("a page may be larger than any other reply") {
  standin::StandinServer server;
  const std::string text(300'000, 'x');
  for (int id = 1; id <= 30; ++id) {
    server.Put(30957, 888, fmt::format(R"({{"tokenId":"{}","name":"n","description":"{}"}})", id, text));
  }
  SetClock clock;
  const auto api = ApiFor(server.url(), clock);
  const std::vector<Listed> pages = PagesOf(*api);
  REQUIRE(pages.size() == 1);
  CHECK(pages.front().tokens.size() == 30);
  HttpApiOptions options;
  options.page_bytes_max = 1'000'000;
  CHECK(NameOf(ApiFor(server.url(), clock, options)->Perform(ListCall(0)).listed) == "reading-failed");
}

TEST_CASE("a listing without a connection is a reading that failed") {
  SetClock clock;
  const auto api = ApiFor("http://127.0.0.1:1", clock);
  const Completion completion = api->Perform(ListCall(0));
  CHECK(completion.kind == CallKind::kList);
  CHECK(NameOf(completion.listed) == "reading-failed");
  CHECK_FALSE(completion.answer.message.empty());
}

}  // namespace
}  // namespace tokensync
