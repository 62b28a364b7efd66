/// The way of a delivery as a whole: which pushes are taken, and what all others are answered.
#include "webhook_receiver.h"

#include <catch2/catch.hpp>
#include <string>

#include "errors.h"
#include "json_text.h"
#include "webhook_samples.h"

using namespace tokensync;

namespace {

class TestClock : public Clock {
 public:
  TimePoint Now() override { return now; }
  TimePoint now{std::chrono::seconds(1'800'000'000)};
};

WebhookTarget TargetOf(const std::string& url, SourceRef ref = {}) {
  return {std::move(ref), WebhookRepositoryOfUrl(url)};
}

/// A receiver for the branch main of acme/tokens.
struct Desk {
  WebhookSecrets secrets{NewWebhookSecret()};
  TestClock clock;
  WebhookReceiver receiver;
  int secrets_read = 0;
  bool secrets_gone = false;

  explicit Desk(WebhookOptions options = {TargetOf("https://git.example.com/acme/tokens.git")})
      : receiver(
            std::move(options),
            [this] {
              ++secrets_read;
              if (secrets_gone) throw EnvironmentError("reading /etc/secret, which webhook.secret_file names: gone");
              return secrets;
            },
            clock) {}

  WebhookReply Signed(WebhookDelivery delivery) {
    Sign(delivery, secrets.current);
    return receiver.Receive(delivery);
  }
  WebhookReply Forged(WebhookDelivery delivery) {
    Sign(delivery, NewWebhookSecret());
    return receiver.Receive(delivery);
  }
};

std::string Member(const WebhookReply& reply, std::string_view name) {
  const JsonValue body = ParseJson(reply.body);
  const JsonValue* member = body.Find(name);
  return member == nullptr || member->AsString() == nullptr ? "" : *member->AsString();
}

}  // namespace

TEST_CASE("a signed push to what is followed is taken, from each forge") {
  Desk desk;
  for (const WebhookDelivery& delivery :
       {GitHubPush(), GitLabPush(), GiteaPush(), GiteaPush("forgejo"), BitbucketCloudPush(BitbucketChange("main")),
        BitbucketDataCenterPush(),
        GenericPush(R"({"ref":"refs/heads/main","after":")" + kCommit + R"(","repository":"acme/tokens"})")}) {
    INFO(delivery.path);
    const WebhookReply reply = desk.Signed(delivery);
    CHECK(reply.status == 202);
    CHECK(reply.body == "{\"taken\":true}\n");
    REQUIRE(reply.push);
    CHECK(reply.push->forge == WebhookForgeOfPath(delivery.path));
    CHECK(reply.push->reference == "refs/heads/main");
    CHECK(reply.push->commit == CommitId{kCommit});
    CHECK(reply.log.starts_with("taking " + std::string(WebhookForgeName(reply.push->forge)) + " delivery"));
  }
}

TEST_CASE("an empty generic delivery says: look now") {
  Desk desk;
  const WebhookReply reply = desk.Signed(GenericPush());
  CHECK(reply.status == 202);
  REQUIRE(reply.push);
  CHECK(reply.push->reference.empty());
  CHECK_FALSE(reply.push->commit);
}

TEST_CASE("a delivery without or with a wrong signature is refused alike, and its body is not parsed") {
  Desk desk;
  WebhookDelivery not_json = GitHubPush();
  not_json.body = "not JSON";
  const WebhookReply forged = desk.Forged(not_json);
  const WebhookReply unsigned_one = desk.receiver.Receive(GitHubPush());
  CHECK(forged.status == 401);
  CHECK(unsigned_one.status == 401);
  CHECK(forged.body == unsigned_one.body);
  CHECK_FALSE(forged.push);
  CHECK(forged.log_is_warning);
  CHECK(forged.log.find("has no valid signature") != std::string::npos);
}

TEST_CASE("where no signature is shown no secret is read") {
  Desk desk;
  CHECK(desk.receiver.RefuseHead(GitHubPush())->status == 401);
  CHECK(desk.secrets_read == 0);
  WebhookDelivery forged = GitHubPush();
  Sign(forged, NewWebhookSecret());
  CHECK_FALSE(desk.receiver.RefuseHead(forged));
  CHECK(desk.secrets_read == 0);
  CHECK(desk.receiver.Receive(forged).status == 401);
  CHECK(desk.secrets_read == 1);
}

TEST_CASE("secrets are read for each delivery, so that rotation needs no restart") {
  Desk desk;
  WebhookDelivery by_old = GitHubPush();
  Sign(by_old, desk.secrets.current);
  desk.secrets = {NewWebhookSecret(), desk.secrets.current};
  CHECK(desk.receiver.Receive(by_old).status == 202);
  CHECK(desk.Signed(GitHubPush()).status == 202);
  desk.secrets.previous.reset();
  CHECK(desk.receiver.Receive(by_old).status == 401);
}

TEST_CASE("secrets that cannot be read are our fault, and told to the log only") {
  Desk desk;
  desk.secrets_gone = true;
  const WebhookReply reply = desk.Signed(GitHubPush());
  CHECK(reply.status == 503);
  CHECK(reply.retry_after == 60);
  CHECK(reply.body.find("/etc") == std::string::npos);
  CHECK(reply.log.find("/etc/secret") != std::string::npos);
  CHECK_FALSE(reply.push);
}

TEST_CASE("paths, methods and types that are not a webhook's are refused by the head") {
  Desk desk;
  WebhookDelivery delivery = GitHubPush();
  Sign(delivery, desk.secrets.current);
  for (const std::string path :
       {"/webhook/", "/webhook", "/webhook/github/", "/webhook/GitHub", "/webhook/github2", "/"}) {
    delivery.path = path;
    CHECK(desk.receiver.Receive(delivery).status == 404);
  }
  delivery.path = "/webhook/github";
  delivery.method = "GET";
  CHECK(desk.receiver.Receive(delivery).status == 405);
  CHECK(desk.receiver.Receive(delivery).allow == "POST");
  delivery.method = "POST";
  SetHeader(delivery, "content-type", "text/plain");
  CHECK(desk.receiver.Receive(delivery).status == 415);
  SetHeader(delivery, "content-type", "Application/JSON; charset=utf-8");
  CHECK(desk.receiver.Receive(delivery).status == 202);
  delivery.headers.emplace_back("content-type", "application/json");
  CHECK(desk.receiver.Receive(delivery).status == 415);
}

TEST_CASE("pings and other events are answered, and nothing follows") {
  Desk desk;
  CHECK(desk.Signed(GitHubPing()).status == 200);
  CHECK(desk.Signed(GitHubPing()).body == "{\"ping\":true}\n");
  WebhookDelivery issues = GitHubPush();
  SetHeader(issues, "x-github-event", "issues");
  const WebhookReply reply = desk.Signed(issues);
  CHECK(reply.status == 200);
  CHECK(Member(reply, "ignored").find("'issues' is no push") != std::string::npos);
  CHECK_FALSE(reply.push);
}

TEST_CASE("another branch or repository is answered, ignored, and told what is followed") {
  Desk desk;
  const WebhookReply branch = desk.Signed(GitHubPush("refs/heads/feature"));
  CHECK(branch.status == 200);
  CHECK(Member(branch, "ignored") == "a push to refs/heads/feature, and branch main is followed here");
  const WebhookReply repository = desk.Signed(GitHubPush("refs/heads/main", kCommit, "acme/website"));
  CHECK(repository.status == 200);
  CHECK(Member(repository, "ignored") ==
        "a push to the repository acme/website, and acme/tokens is followed here; if they are one, name it in "
        "webhook.repository");
  CHECK(desk.Signed(BitbucketCloudPush(BitbucketChange("x") + "," + BitbucketChange("y"))).body.find("and 1 more") !=
        std::string::npos);
  CHECK_FALSE(desk.Signed(GitHubPush("refs/tags/main")).push);
  CHECK_FALSE(desk.Signed(GitHubPush("refs/heads/main/x")).push);
}

TEST_CASE("of several changes the one that is followed counts, and the one with a commit first") {
  Desk desk;
  const std::string changes =
      BitbucketChange("x") + "," + BitbucketChange("main", "branch", true) + "," + BitbucketChange("main");
  const WebhookReply reply = desk.Signed(BitbucketCloudPush(changes));
  REQUIRE(reply.push);
  CHECK(reply.push->reference == "refs/heads/main");
  CHECK(reply.push->commit == CommitId{kCommit});
}

TEST_CASE("a deletion of what is followed is taken too") {
  Desk desk;
  const WebhookReply reply = desk.Signed(GitHubPush("refs/heads/main", kNoCommit));
  CHECK(reply.status == 202);
  REQUIRE(reply.push);
  CHECK_FALSE(reply.push->commit);
}

TEST_CASE("where tags are followed a push of a tag is taken") {
  Desk desk({TargetOf("https://h/acme/tokens", {SourceRef::Kind::kTag, "release-*"})});
  CHECK(desk.Signed(GitHubPush("refs/tags/release-1", kTagObject)).push);
  CHECK_FALSE(desk.Signed(GitHubPush("refs/tags/other")).push);
  CHECK_FALSE(desk.Signed(GitHubPush("refs/heads/release-1")).push);
}

TEST_CASE("the repository's name is the path of its URL") {
  for (const std::string url :
       {"https://git.example.com/acme/tokens.git", "https://git.example.com/acme/tokens", "https://h/acme/tokens.git/",
        "https://user@h:8443/acme/tokens.git?x#y", "http://h/acme/tokens", "ssh://git@h:7999/acme/tokens.git",
        "git@h:acme/tokens.git", "git@h:/acme/tokens", "https://h/acme/to%6Bens", "file:///acme/tokens.git",
        "/acme/tokens.git", "acme/tokens"}) {
    INFO(url);
    CHECK(WebhookRepositoryOfUrl(url) == "acme/tokens");
  }
  CHECK(WebhookRepositoryOfUrl("https://h") == "");
  CHECK(WebhookRepositoryOfUrl("https://h/a%zz") == "a%zz");
  CHECK(WebhookRepositoryOfUrl("./a:b/tokens") == "./a:b/tokens");
}

TEST_CASE("a payload's repository is the URL's path, or its end behind a slash") {
  const WebhookTarget plain = TargetOf("https://h/acme/tokens.git");
  CHECK(IsWebhookRepository(plain, "acme/tokens"));
  CHECK(IsWebhookRepository(plain, "Acme/Tokens"));
  CHECK(IsWebhookRepository(plain, "/acme/tokens.git"));
  CHECK(IsWebhookRepository(plain, "tokens"));
  CHECK_FALSE(IsWebhookRepository(plain, "kens"));
  CHECK_FALSE(IsWebhookRepository(plain, "me/tokens"));
  CHECK_FALSE(IsWebhookRepository(plain, "other/acme/tokens"));
  CHECK_FALSE(IsWebhookRepository(plain, "acme"));
  CHECK_FALSE(IsWebhookRepository(plain, ""));
  CHECK_FALSE(IsWebhookRepository(plain, "/"));
  CHECK(IsWebhookRepository(TargetOf("https://h/scm/acme/tokens.git"), "ACME/tokens"));
  CHECK(IsWebhookRepository({{}, "Acme/Tokens"}, "acme/tokens"));
  CHECK_FALSE(IsWebhookRepository({{}, ""}, "acme/tokens"));
}

TEST_CASE("a payload that is none is refused, and says why to who signed it") {
  Desk desk;
  WebhookDelivery delivery = GitHubPush();
  delivery.body = "{\"ref\":1}";
  const WebhookReply reply = desk.Signed(delivery);
  CHECK(reply.status == 400);
  CHECK(Member(reply, "error") == "the payload's 'ref' is not a string");
  CHECK(reply.log_is_warning);
}

TEST_CASE("a body beyond the limit is refused before it is hashed") {
  Desk desk({TargetOf("https://h/acme/tokens"), 60, 100});
  CHECK(desk.Signed(GitHubPush()).status == 413);
  CHECK(desk.secrets_read == 0);
}

TEST_CASE("pushes beyond the rate are told when to come again") {
  Desk desk;
  for (int i = 0; i < 30; ++i) REQUIRE(desk.Signed(GitHubPush()).status == 202);
  const WebhookReply reply = desk.Signed(GitHubPush());
  CHECK(reply.status == 429);
  CHECK(reply.retry_after == 2);
  CHECK_FALSE(reply.push);
  CHECK(desk.Signed(GitHubPush("refs/heads/other")).status == 200);
  CHECK(desk.Signed(GitHubPing()).status == 200);
  desk.clock.now += std::chrono::seconds(1);
  CHECK(desk.Signed(GitHubPush()).status == 202);
  CHECK(desk.Signed(GitHubPush()).status == 429);
  desk.clock.now += std::chrono::hours(1);
  for (int i = 0; i < 30; ++i) REQUIRE(desk.Signed(GitHubPush()).status == 202);
  CHECK(desk.Signed(GitHubPush()).status == 429);
}

TEST_CASE("a flood of forged deliveries keeps no good one out, and does not fill the log") {
  Desk desk;
  int lines = 0;
  for (int i = 0; i < 1000; ++i) {
    const WebhookReply reply = i % 2 == 0 ? desk.Forged(GitHubPush()) : desk.receiver.Receive(GitHubPush());
    CHECK(reply.status == (i < 30 ? 401 : 429));
    if (!reply.log.empty()) ++lines;
  }
  CHECK(lines == 30);
  CHECK(desk.Signed(GitHubPush()).status == 202);
  for (int i = 0; i < 40; ++i) desk.Signed(GitHubPush());
  desk.clock.now += std::chrono::seconds(1);
  CHECK(desk.Forged(GitHubPush()).status == 401);
}

TEST_CASE("without a limit nothing is limited") {
  Desk desk({TargetOf("https://h/acme/tokens"), 0});
  for (int i = 0; i < 1000; ++i) REQUIRE(desk.Signed(GitHubPush()).status == 202);
  for (int i = 0; i < 1000; ++i) REQUIRE(desk.Forged(GitHubPush()).status == 401);
}

TEST_CASE("a clock that is set back costs nothing and gives nothing") {
  WebhookBudget budget(60);
  const TimePoint now{std::chrono::seconds(1'000'000)};
  for (int i = 0; i < 30; ++i) REQUIRE_FALSE(budget.Spend(now));
  CHECK(budget.Spend(now - std::chrono::hours(1)));
  CHECK(budget.Spend(now - std::chrono::hours(1)));
  CHECK_FALSE(budget.Spend(now - std::chrono::hours(1) + std::chrono::seconds(1)));
}
