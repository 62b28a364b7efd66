/// What the forges' deliveries say, and what none of them would.
#include "webhook_payload.h"

#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "text.h"
#include "webhook_samples.h"

using namespace tokensync;

namespace {

WebhookMeaning MeaningOf(const WebhookDelivery& delivery) {
  return ReadWebhookPayload(delivery, WebhookForgeOfPath(delivery.path).value());
}

WebhookPush PushOf(const WebhookDelivery& delivery) {
  const WebhookMeaning meaning = MeaningOf(delivery);
  if (const auto* refused = std::get_if<WebhookRefused>(&meaning)) FAIL(refused->why);
  REQUIRE(std::holds_alternative<WebhookPush>(meaning));
  return std::get<WebhookPush>(meaning);
}

std::string RefusalOf(const WebhookDelivery& delivery) {
  INFO(delivery.body);
  const WebhookMeaning meaning = MeaningOf(delivery);
  REQUIRE(std::holds_alternative<WebhookRefused>(meaning));
  const WebhookRefused& refused = std::get<WebhookRefused>(meaning);
  CHECK(refused.status == 400);
  CHECK(PrintableText(refused.why, 300) == refused.why);
  return refused.why;
}

std::string IgnoredOf(const WebhookDelivery& delivery) {
  const WebhookMeaning meaning = MeaningOf(delivery);
  REQUIRE(std::holds_alternative<WebhookIgnored>(meaning));
  return std::get<WebhookIgnored>(meaning).why;
}

void CheckPush(const WebhookPush& push, const std::string& reference, const std::optional<std::string>& commit) {
  REQUIRE(push.references.size() == 1);
  CHECK(push.references[0].name == reference);
  CHECK(push.references[0].commit == (commit ? std::optional(CommitId{*commit}) : std::nullopt));
  CHECK(push.sender == "ada");
}

/// The delivery with the first `from` of its body replaced.
WebhookDelivery With(WebhookDelivery delivery, std::string_view from, std::string_view to) {
  const std::size_t at = delivery.body.find(from);
  REQUIRE(at != std::string::npos);
  delivery.body.replace(at, from.size(), to);
  return delivery;
}

std::string UrlEncoded(std::string_view text) {
  std::string encoded;
  for (const char c : text) {
    if (c == ' ') {
      encoded += '+';
    } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      encoded += c;
    } else {
      encoded += '%';
      encoded += "0123456789ABCDEF"[static_cast<unsigned char>(c) >> 4U];
      encoded += "0123456789ABCDEF"[static_cast<unsigned char>(c) & 15U];
    }
  }
  return encoded;
}

}  // namespace

TEST_CASE("a push at GitHub is read") {
  const WebhookPush push = PushOf(GitHubPush());
  CheckPush(push, "refs/heads/main", kCommit);
  CHECK(push.repository == "acme/tokens");
  CHECK(WebhookDeliveryId(GitHubPush(), WebhookForge::kGitHub) == "72d3162e-cc78-11e3-81ab-4c9367dc0958");
}

TEST_CASE("a deletion announces no commit") {
  const WebhookPush push = PushOf(GitHubPush("refs/heads/main", kNoCommit));
  CheckPush(push, "refs/heads/main", std::nullopt);
  CHECK(push.references[0].deleted);
}

TEST_CASE("of an annotated tag the commit is announced, not the tag") {
  CheckPush(PushOf(GitHubPush("refs/tags/v1.0.0", kTagObject)), "refs/tags/v1.0.0", kCommit);
  CheckPush(PushOf(GitHubPush("refs/heads/other", kTagObject)), "refs/heads/other", kTagObject);
  CheckPush(PushOf(GitLabPush("refs/tags/v1.0.0", "tag_push", "Tag Push Hook")), "refs/tags/v1.0.0", kCommit);
}

TEST_CASE("an id of a repository in SHA-256 is an id, and no commit to wait for") {
  CheckPush(PushOf(GitHubPush("refs/heads/main", std::string(64, 'a'))), "refs/heads/main", std::nullopt);
}

TEST_CASE("pushes at GitLab are read, of project, tag and system hooks") {
  const WebhookPush push = PushOf(GitLabPush());
  CheckPush(push, "refs/heads/main", kCommit);
  CHECK(push.repository == "acme/tokens");
  CheckPush(PushOf(GitLabPush("refs/heads/main", "push", "System Hook")), "refs/heads/main", kCommit);
  CheckPush(PushOf(GitLabPush("refs/heads/main", "push", "Tag Push Hook")), "refs/heads/main", kCommit);
  CheckPush(PushOf(With(GitLabPush(), R"("object_kind":"push",)", "")), "refs/heads/main", kCommit);
  CheckPush(PushOf(With(With(GitLabPush(), R"("after":")" + kCommit, R"("after":")" + kNoCommit),
                        R"("checkout_sha":")" + kCommit + '"', R"("checkout_sha":null)")),
            "refs/heads/main", std::nullopt);
  CHECK(IgnoredOf(GitLabPush("refs/heads/main", "repository_update", "System Hook")) ==
        "the event 'repository_update' is no push");
  CHECK(WebhookDeliveryId(GitLabPush(), WebhookForge::kGitLab) == "13792a34-cac6-4fda-95a8-c58e00a3954e");
}

TEST_CASE("pushes at Gitea and Forgejo are read") {
  for (const std::string forge : {"gitea", "forgejo"}) {
    CheckPush(PushOf(GiteaPush(forge)), "refs/heads/main", kCommit);
    CHECK(PushOf(GiteaPush(forge)).repository == "acme/tokens");
  }
  WebhookDelivery old = GiteaPush("gitea");
  old.path = "/webhook/forgejo";
  CheckPush(PushOf(old), "refs/heads/main", kCommit);
  CHECK(WebhookDeliveryId(old, WebhookForge::kForgejo) == "f6266f16-1bf3-46a5-9ea4-602e06ead473");
}

TEST_CASE("a push at Bitbucket Cloud has several changes") {
  const WebhookPush push = PushOf(BitbucketCloudPush(BitbucketChange("main") + "," + BitbucketChange("v1", "tag") +
                                                     "," + BitbucketChange("old", "branch", true)));
  REQUIRE(push.references.size() == 3);
  CHECK(push.references[0].name == "refs/heads/main");
  CHECK(push.references[0].commit == CommitId{kCommit});
  CHECK(push.references[1].name == "refs/tags/v1");
  CHECK(push.references[2].name == "refs/heads/old");
  CHECK(push.references[2].deleted);
  CHECK_FALSE(push.references[2].commit);
  CHECK(push.repository == "acme/tokens");
  CHECK(push.sender == "ada");
}

TEST_CASE("a push that moves nothing is ignored") {
  CHECK(IgnoredOf(BitbucketCloudPush("")) == "the push moves no reference");
}

TEST_CASE("a push at Bitbucket Data Center is read") {
  const WebhookPush push = PushOf(BitbucketDataCenterPush());
  CheckPush(push, "refs/heads/main", kCommit);
  CHECK(push.repository == "ACME/tokens");
  CHECK(PushOf(BitbucketDataCenterPush("refs/heads/main", "DELETE")).references[0].deleted);
  CHECK(WebhookDeliveryId(BitbucketDataCenterPush(), WebhookForge::kBitbucket) == "a-request");
}

TEST_CASE("a generic delivery says as much as it likes") {
  CHECK(PushOf(GenericPush()).references.empty());
  CHECK(PushOf(GenericPush("{}")).references.empty());
  CHECK(PushOf(GenericPush(R"({"repository":"acme/tokens"})")).repository == "acme/tokens");
  const WebhookPush push = PushOf(GenericPush(R"({"ref":"refs/heads/main","more":[1]})"));
  CHECK(push.references.at(0).name == "refs/heads/main");
  CHECK_FALSE(push.references.at(0).commit);
  CHECK(PushOf(GenericPush(R"({"ref":"refs/heads/main","after":")" + kCommit + "\"}")).references.at(0).commit);
  CHECK(RefusalOf(GenericPush(R"({"ref":"main"})")).find("such as refs/heads/main") != std::string::npos);
  CHECK(RefusalOf(GenericPush(R"({"after":")" + kCommit + "\"}")).find("'ref'") != std::string::npos);
  CHECK(RefusalOf(GenericPush(R"({"repository":{}})")) == "the payload's 'repository' is not a string");
  CHECK(RefusalOf(GenericPush("[]")) == "the payload's 'root' is not an object");
  WebhookDelivery as_curl_sends_it = GenericPush(R"({"ref":"refs/heads/main"})");
  SetHeader(as_curl_sends_it, "content-type", "application/x-www-form-urlencoded");
  CHECK(PushOf(as_curl_sends_it).references.size() == 1);
}

TEST_CASE("pings are pings, whatever their body") {
  CHECK(std::holds_alternative<WebhookPing>(MeaningOf(GitHubPing())));
  CHECK(std::holds_alternative<WebhookPing>(
      MeaningOf(Unsigned("bitbucket", {{"x-event-key", "diagnostics:ping"}}, R"({"test":true})"))));
  CHECK(std::holds_alternative<WebhookPing>(MeaningOf(Unsigned("github", {{"x-github-event", "ping"}}, "not JSON"))));
}

TEST_CASE("other events are ignored without a look at their body") {
  WebhookDelivery delivery = GitHubPush();
  SetHeader(delivery, "x-github-event", "issues\x1b[31m");
  delivery.body = "not JSON";
  CHECK(IgnoredOf(delivery) == "the event 'issues\\u001b[31m' is no push; let the forge send pushes only");
  CHECK_FALSE(IgnoredOf(Unsigned("gitlab", {{"x-gitlab-event", "Merge Request Hook"}}, "{}")).empty());
  CHECK_FALSE(IgnoredOf(Unsigned("bitbucket", {{"x-event-key", "pullrequest:created"}}, "{}")).empty());
  CHECK_FALSE(IgnoredOf(Unsigned("gitea", {{"x-gitea-event", "create"}}, "{}")).empty());
}

TEST_CASE("a delivery names one event") {
  WebhookDelivery delivery = GitHubPush();
  delivery.headers.emplace_back("x-github-event", "push");
  CHECK(RefusalOf(delivery).find("one event") != std::string::npos);
  SetHeader(delivery, "x-github-event", "");
  CHECK(RefusalOf(delivery).find("one event") != std::string::npos);
}

TEST_CASE("GitHub's form is read like its JSON") {
  WebhookDelivery delivery = GitHubPush();
  delivery.body = "a=b&payload=" + UrlEncoded(" " + delivery.body + " ") + "&payload=no";
  SetHeader(delivery, "content-type", "Application/X-WWW-Form-Urlencoded; charset=utf-8");
  CheckPush(PushOf(delivery), "refs/heads/main", kCommit);
  for (const std::string body :
       {"", "payload", "payloads={}", "a=b&c", "payload=%7", "payload=%zz", "payload=%00", "payload="}) {
    delivery.body = body;
    RefusalOf(delivery);
  }
}

TEST_CASE("a payload whose members are of another type is refused, each of them") {
  const std::vector<WebhookDelivery> deliveries{GitHubPush(), GitLabPush(), BitbucketCloudPush(BitbucketChange("main")),
                                                BitbucketDataCenterPush()};
  const std::vector<std::vector<std::string>> members{
      {"\"ref\"", "\"after\"", "\"repository\"", "\"full_name\""},
      {"\"object_kind\"", "\"ref\"", "\"after\"", "\"checkout_sha\"", "\"project\"", "\"path_with_namespace\""},
      {"\"push\"", "\"changes\"", "\"new\"", "\"type\"", "\"name\"", "\"target\"", "\"hash\"", "\"repository\"",
       "\"full_name\""},
      {"\"repository\"", "\"slug\":\"tokens\"", "\"project\"", "\"key\"", "\"changes\"", "\"id\":\"refs", "\"ref\"",
       "\"toHash\""}};
  for (std::size_t i = 0; i < deliveries.size(); ++i) {
    for (const std::string& member : members[i]) {
      for (const std::string value : {"1", "true", "[]", "{}", "1e308", "[[1]]", "\"\""}) {
        INFO(deliveries[i].path << " " << member << " " << value);
        // Ahead of the rest of the member, which becomes one of another name.
        const std::string name = member.substr(0, member.find('"', 1) + 1);
        WebhookDelivery delivery = With(deliveries[i], member, name + ":" + value + ",\"_" + member.substr(1));
        const WebhookMeaning meaning = MeaningOf(delivery);
        CHECK_FALSE(std::holds_alternative<WebhookPing>(meaning));
        CHECK_FALSE(std::holds_alternative<WebhookPush>(meaning));
      }
    }
  }
}

TEST_CASE("ids and references that are none are refused") {
  for (const std::string& id : {std::string("1abc"), std::string(41, 'a'), std::string(40, 'g'), std::string(40, 'A'),
                                std::string(39, 'a') + " ", std::string(5000, 'a')}) {
    RefusalOf(GitHubPush("refs/heads/main", id));
  }
  for (const std::string& reference :
       {std::string("main"), std::string("refs"), std::string("heads/main"), "refs/heads/" + std::string(5000, 'a')}) {
    RefusalOf(GitHubPush(reference));
  }
}

TEST_CASE("hostile JSON is refused: deep, endless, not UTF-8, numbers beyond all") {
  const auto with_body = [](std::string body) {
    WebhookDelivery delivery = GitHubPush();
    delivery.body = std::move(body);
    return delivery;
  };
  RefusalOf(with_body(""));
  RefusalOf(with_body("{"));
  RefusalOf(with_body("null"));
  RefusalOf(with_body("{} {}"));
  RefusalOf(with_body(std::string(100'000, '[')));
  RefusalOf(with_body(std::string(65, '[') + std::string(65, ']')));
  RefusalOf(with_body("{\"a\":" + std::string(1'000'000, '9') + "}"));
  RefusalOf(with_body("{\"a\":1e999999}"));
  RefusalOf(with_body("{\"a\":\"\xff\"}"));
  RefusalOf(with_body("{\"a\":\"\\ud800\"}"));
  RefusalOf(with_body(std::string("{\"a\0\":1}", 9)));
  std::string many = "[";
  for (int i = 0; i < 200'000; ++i) many += "[],";
  RefusalOf(with_body(many + "0]"));
  std::string changes;
  for (int i = 0; i < 10'001; ++i) changes += (i == 0 ? "" : ",") + BitbucketChange("b");
  RefusalOf(BitbucketCloudPush(changes));
}

TEST_CASE("of a repeated member the last counts, as it does to git's forges' own libraries") {
  const WebhookPush push = PushOf(With(GitHubPush(), "{\"ref\"", "{\"ref\":\"refs/heads/other\",\"ref\""));
  CHECK(push.references.at(0).name == "refs/heads/main");
}

TEST_CASE("who pushed is shown, whatever it is") {
  CHECK(PushOf(With(GitHubPush(), "\"login\":\"ada\"", R"("login":"a\u001b[2J\nb")")).sender == "a\\u001b[2J\\nb");
  CHECK(PushOf(With(GitHubPush(), "\"sender\":{", "\"sender\":[],\"_\":{")).sender == "ada");
  WebhookDelivery delivery = GitHubPush();
  SetHeader(delivery, "x-github-delivery", std::string(500, 'x') + "\x1b");
  CHECK(WebhookDeliveryId(delivery, WebhookForge::kGitHub).size() < 110);
}
