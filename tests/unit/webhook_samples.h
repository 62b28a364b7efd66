/// Deliveries for tests: payloads written by hand after the forges' documentation, and signatures made at run time.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "webhook_delivery.h"
#include "webhook_secret.h"
#include "webhook_signature.h"

namespace tokensync {

inline const std::string kCommit = "1abc5ce5aa0d4e0c9f6f3f6f1d2b3c4d5e6f7081";
inline const std::string kTagObject = "2222222222222222222222222222222222222222";
inline const std::string kNoCommit(40, '0');

/// 32 random bytes in hexadecimal digits.
inline Secret NewWebhookSecret() {
  std::random_device random;
  std::string text;
  for (int i = 0; i < 64; ++i) text.push_back("0123456789abcdef"[random() % 16]);
  return Secret(text);
}

inline std::string WebhookHex(const WebhookDigest& digest) {
  std::string hex;
  for (const std::uint8_t byte : digest) {
    hex.push_back("0123456789abcdef"[byte >> 4U]);
    hex.push_back("0123456789abcdef"[byte & 15U]);
  }
  return hex;
}

/// Replaces what the header had.
inline void SetHeader(WebhookDelivery& delivery, std::string_view name, std::string value) {
  std::erase_if(delivery.headers, [&](const auto& header) { return header.first == name; });
  delivery.headers.emplace_back(name, std::move(value));
}

/// As the forge would, over the body as it is.
inline void Sign(WebhookDelivery& delivery, const Secret& secret) {
  const auto forge = WebhookForgeOfPath(delivery.path).value();
  const std::string hex = WebhookHex(WebhookHmac(secret, delivery.body));
  const std::string header(WebhookSignatureHeader(delivery, forge));
  const bool bare = forge == WebhookForge::kGitea || forge == WebhookForge::kForgejo;
  SetHeader(delivery, header, forge == WebhookForge::kGitLab ? secret.Reveal() : bare ? hex : "sha256=" + hex);
}

inline WebhookDelivery Unsigned(std::string_view forge, std::vector<std::pair<std::string, std::string>> headers,
                                std::string body) {
  WebhookDelivery delivery{"POST", "/webhook/" + std::string(forge), std::move(headers), std::move(body)};
  SetHeader(delivery, "content-type", "application/json");
  return delivery;
}

inline WebhookDelivery GitHubPush(const std::string& ref = "refs/heads/main", const std::string& after = kCommit,
                                  const std::string& repository = "acme/tokens") {
  return Unsigned("github",
                  {{"user-agent", "GitHub-Hookshot/044aadd"},
                   {"x-github-event", "push"},
                   {"x-github-delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958"},
                   {"x-github-hook-id", "292430182"}},
                  R"({"ref":")" + ref + R"(","before":"6113728f27ae82c7b1a177c8d03f9e96e0adf246","after":")" + after +
                      R"(","created":false,"deleted":false,"forced":false,"base_ref":null,"commits":[{"id":")" + after +
                      R"(","distinct":true,"message":"Add a dragon","timestamp":"2026-11-24T07:54:17+01:00",)" +
                      R"("author":{"name":"Ada Example","email":"ada@example.com"},"added":["dragons/206.yaml"],)" +
                      R"("removed":[],"modified":[]}],"head_commit":{"id":")" + kCommit + R"("},)" +
                      R"("repository":{"id":186853002,"name":"tokens","full_name":")" + repository +
                      R"(","private":true,"owner":{"name":"acme"},"default_branch":"main"},)" +
                      R"("pusher":{"name":"ada","email":"ada@example.com"},"sender":{"login":"ada","id":21031067}})");
}

inline WebhookDelivery GitHubPing() {
  return Unsigned("github", {{"x-github-event", "ping"}, {"x-github-delivery", "p"}},
                  R"({"zen":"Keep it logically awesome.","hook_id":292430182,"hook":{"type":"Repository"}})");
}

inline WebhookDelivery GitLabPush(const std::string& ref = "refs/heads/main", const std::string& kind = "push",
                                  const std::string& event = "Push Hook") {
  return Unsigned("gitlab",
                  {{"x-gitlab-event", event},
                   {"x-gitlab-event-uuid", "13792a34-cac6-4fda-95a8-c58e00a3954e"},
                   {"x-gitlab-instance", "https://gitlab.example.com"}},
                  R"({"object_kind":")" + kind + R"(","event_name":")" + kind + R"(","before":")" + kNoCommit +
                      R"(","after":")" + (kind == "push" ? kCommit : kTagObject) + R"(","ref":")" + ref +
                      R"(","ref_protected":true,"checkout_sha":")" + kCommit +
                      R"(","user_id":4,"user_name":"Ada Example","user_username":"ada","project_id":15,"project":)" +
                      R"({"id":15,"name":"Tokens","path_with_namespace":"acme/tokens","default_branch":"main"},)" +
                      R"("commits":[],"total_commits_count":0})");
}

inline WebhookDelivery GiteaPush(const std::string& forge = "gitea", const std::string& ref = "refs/heads/main") {
  WebhookDelivery delivery = GitHubPush(ref);
  const std::string body = delivery.body;
  delivery = Unsigned(forge,
                      {{"x-" + forge + "-event", "push"},
                       {"x-" + forge + "-delivery", "f6266f16-1bf3-46a5-9ea4-602e06ead473"},
                       {"x-gogs-event", "push"},
                       {"x-github-event", "push"}},
                      body);
  return delivery;
}

inline WebhookDelivery BitbucketCloudPush(const std::string& changes) {
  return Unsigned("bitbucket",
                  {{"x-event-key", "repo:push"},
                   {"x-request-uuid", "5b0c0d3e-0001-4a3f-8f4e-111111111111"},
                   {"x-hook-uuid", "e7bb7f4f-0002-4a3f-8f4e-222222222222"},
                   {"x-attempt-number", "1"}},
                  R"({"push":{"changes":[)" + changes +
                      R"(]},"repository":{"type":"repository","name":"tokens","full_name":"acme/tokens"},)" +
                      R"("actor":{"type":"user","display_name":"Ada Example","nickname":"ada"}})");
}

/// One change of BitbucketCloudPush: what is new, where it is not a deletion.
inline std::string BitbucketChange(const std::string& name, const std::string& type = "branch", bool deleted = false) {
  const std::string reference =
      R"({"type":")" + type + R"(","name":")" + name + R"(","target":{"type":"commit","hash":")" + kCommit + R"("}})";
  return deleted ? R"({"old":)" + reference + R"(,"new":null,"closed":true})"
                 : R"({"old":null,"new":)" + reference + R"(,"created":true})";
}

inline WebhookDelivery BitbucketDataCenterPush(const std::string& ref = "refs/heads/main",
                                               const std::string& type = "UPDATE") {
  return Unsigned("bitbucket", {{"x-event-key", "repo:refs_changed"}, {"x-request-id", "a-request"}},
                  R"({"eventKey":"repo:refs_changed","date":"2026-11-24T09:45:32+1100","actor":{"name":"ada",)"
                  R"("displayName":"Ada Example","active":true,"slug":"ada","type":"NORMAL"},"repository":)"
                  R"({"slug":"tokens","id":84,"name":"tokens","project":{"key":"ACME","id":84,"name":"Acme"}},)"
                  R"("changes":[{"ref":{"id":")" +
                      ref + R"(","displayId":"x","type":"BRANCH"},"refId":")" + ref +
                      R"(","fromHash":"ecddabb624f6f5ba43816f5926e580a5f680a932","toHash":")" +
                      (type == "DELETE" ? kNoCommit : kCommit) + R"(","type":")" + type + R"("}]})");
}

inline WebhookDelivery GenericPush(const std::string& body = "") {
  return Unsigned("generic", {}, body);
}

}  // namespace tokensync
