/// Thousands of malformed and hostile deliveries over real sockets: each is refused or ignored, none stops anything.
///
/// Seeded by chance, or by TOKENSYNC_SEED; the seed is printed.
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "http_test_client.h"
#include "json_text.h"
#include "webhook_endpoint.h"
#include "webhook_samples.h"

using namespace tokensync;

namespace {

#ifndef TOKENSYNC_HOSTILE_REQUESTS
#define TOKENSYNC_HOSTILE_REQUESTS 10'000
#endif

constexpr std::string_view kOtherBranch = "refs/heads/hostile";

/// Makes one hostile request after the other.
class Attacker {
 public:
  Attacker(std::uint64_t seed, Secret secret) : random_(seed), secret_(std::move(secret)) {}

  /// Bytes for a connection. Nothing of it is a signed push to what is followed.
  std::string Next() {
    switch (Below(12)) {
      case 0:
        return Forged();
      case 1:
        return FlippedBytes(Forged());
      case 2:
        return Cut(Forged());
      case 3:
        return RandomBytes(1 + Below(3000));
      case 4:
        return BadHead();
      case 5:
        return BadChunks();
      case 6:
        return Smuggled();
      case 7:
        return SignedWithBadMember();
      case 8:
        return SignedNonsense();
      case 9:
        return SignedFlippedBody();
      case 10:
        return RepeatedHeaders();
      default:
        return TooMuch();
    }
  }

 private:
  std::size_t Below(std::size_t bound) { return static_cast<std::size_t>(random_() % bound); }
  template <typename T>
  const T& Any(const std::vector<T>& choices) {
    return choices[Below(choices.size())];
  }

  std::string RandomBytes(std::size_t count) {
    std::string bytes;
    while (bytes.size() < count) bytes.push_back(static_cast<char>(Below(256)));
    return bytes;
  }

  /// A delivery about another branch than the one that is followed.
  WebhookDelivery Harmless() {
    const std::string branch(kOtherBranch);
    const std::string name = branch.substr(11);
    return Any<WebhookDelivery>({GitHubPush(branch), GitLabPush(branch), GiteaPush("gitea", branch),
                                 GiteaPush("forgejo", branch), BitbucketCloudPush(BitbucketChange(name)),
                                 BitbucketDataCenterPush(branch),
                                 GenericPush("{\"ref\":\"" + branch + "\",\"repository\":\"acme/website\"}")});
  }
  /// A delivery about the branch that is followed, which nobody signed who knows the secret.
  WebhookDelivery Wanted() {
    WebhookDelivery delivery =
        Any<WebhookDelivery>({GitHubPush(), GitLabPush(), GiteaPush(), GiteaPush("forgejo"),
                              BitbucketCloudPush(BitbucketChange("main")), BitbucketDataCenterPush(), GenericPush()});
    if (Below(8) != 0) Sign(delivery, NewWebhookSecret());
    return delivery;
  }

  static std::string Wire(const WebhookDelivery& delivery, std::string_view framing) {
    std::string text = delivery.method + " " + delivery.path + " HTTP/1.1\r\nHost: localhost\r\n";
    for (const auto& [name, value] : delivery.headers) text.append(name).append(": ").append(value).append("\r\n");
    return text.append(framing).append("\r\n");
  }
  static std::string Wire(const WebhookDelivery& delivery) {
    return Wire(delivery, "Content-Length: " + std::to_string(delivery.body.size()) + "\r\n") + delivery.body;
  }
  std::string Signed(WebhookDelivery delivery) {
    // An empty one would be a good one.
    if (delivery.body.empty()) delivery.body = "x";
    Sign(delivery, secret_);
    return Wire(delivery);
  }

  std::string Forged() { return Wire(Wanted()); }

  std::string FlippedBytes(std::string text) {
    for (std::size_t i = 1 + Below(20); i > 0; --i) text[Below(text.size())] = static_cast<char>(Below(256));
    return text;
  }

  std::string Cut(const std::string& text) { return text.substr(0, Below(text.size())); }

  std::string BadHead() {
    const std::string line =
        Any<std::string>({"X", ": v", " folded: v", "X\t: v", "X: a\rb", std::string("X: a\0b", 6), "X: \x01",
                          "X: \x7f", "Host: two", "Content-Length: 1e3", "Content-Length: -1",
                          "Content-Length: 99999999999999999999", "Content-Length: ", "Transfer-Encoding: gzip",
                          "Expect: the unexpected", "X: " + std::string(40'000, 'a'), "\xff\xfe: v"});
    WebhookDelivery delivery = Wanted();
    if (Below(3) == 0) delivery.method = Any<std::string>({"GET", "PUT", "post", "", "P T", std::string(100, 'A')});
    if (Below(3) == 0)
      delivery.path = Any<std::string>({"/", "*", "http://x/", "/webhook/../github", "/%2e", "/a b", "x"});
    return Wire(delivery, line + "\r\n") + delivery.body;
  }

  std::string BadChunks() {
    const std::string chunks = Any<std::string>(
        {"x\r\n", "-1\r\nabc", "5\r\nabc\r\n0\r\n\r\n", "2\r\nabc\r\n0\r\n\r\n", "FFFFFFFFFFFFFFFFFF\r\n",
         "7FFFFFFF\r\nabc", "1;" + std::string(1000, 'e') + "\r\na\r\n0\r\n\r\n", "0\r\nno trailer\r\n\r\n", "\r\n\r\n",
         "1\na\n0\n\n", "0\r\n", "0\r\nX: " + std::string(50'000, 't') + "\r\n\r\n"});
    return Wire(Wanted(), "Transfer-Encoding: chunked\r\n") + chunks;
  }

  std::string Smuggled() {
    // A good delivery within the body of another request is a body.
    WebhookDelivery good = GitHubPush();
    Sign(good, secret_);
    const std::string inner = Wire(good);
    const std::string framing = Any<std::string>(
        {"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n", "Content-Length: 4\r\nContent-Length: 5\r\n",
         "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", "Transfer-Encoding: xchunked\r\n",
         "Content-Length: 4\r\nConnection: keep-alive\r\n", "Transfer-Encoding : chunked\r\n",
         "Content-Length: 0\r\n"});
    return Wire(Wanted(), framing) + Any<std::string>({"0\r\n\r\n", "0\r\n\r\n" + inner, "abcd" + inner, inner});
  }

  std::string SignedWithBadMember() {
    WebhookDelivery delivery = Harmless();
    std::vector<std::size_t> colons;
    for (std::size_t at = delivery.body.find("\":"); at != std::string::npos; at = delivery.body.find("\":", at + 1)) {
      colons.push_back(at + 2);
    }
    if (colons.empty()) return Signed(std::move(delivery));
    const std::string value =
        Any<std::string>({"null", "true", "-1", "1e308", "1e309", std::string(400, '9'), "[]", "{}", "[[[[]]]]", "\"\"",
                          "\"\\ud800\"", "\"\\u0000\"", "\"\xff\"", "\"" + std::string(10'000, 'a') + "\"",
                          "{\"id\":{}}", "[null]", "0x10", "NaN", "'a'"});
    delivery.body.insert(Any(colons), value + (Below(2) == 0 ? "" : ",\"_\":"));
    return Signed(std::move(delivery));
  }

  std::string SignedNonsense() {
    WebhookDelivery delivery = Harmless();
    const std::size_t depth = 1 + Below(50'000);
    delivery.body =
        Any<std::string>({std::string(depth, '['), std::string(depth, '[') + std::string(depth, ']'),
                          "{\"a\":" + std::string(depth, '{'), std::string(depth, '\\'), std::string(depth, '"'),
                          "[" + std::string(depth, ','), std::string(depth, '1'), RandomBytes(1 + Below(200)), "null",
                          "[]", "\"\"", "1", "{\"\":" + std::string(depth, ' ') + "}", "payload=%"});
    if (Below(4) == 0) SetHeader(delivery, "content-type", "application/x-www-form-urlencoded");
    return Signed(std::move(delivery));
  }

  std::string SignedFlippedBody() {
    WebhookDelivery delivery = Harmless();
    // A generic one whose members all have other names is a good one.
    if (delivery.path == "/webhook/generic") delivery = GitHubPush(std::string(kOtherBranch));
    if (Below(2) == 0) delivery.body.resize(Below(delivery.body.size()));
    if (!delivery.body.empty()) delivery.body = FlippedBytes(std::move(delivery.body));
    return Signed(std::move(delivery));
  }

  std::string RepeatedHeaders() {
    WebhookDelivery delivery = Wanted();
    Sign(delivery, secret_);
    const auto headers = delivery.headers;
    // So that it is signed twice, or its length is told twice.
    delivery.headers.insert(delivery.headers.end(), headers.begin(), headers.end());
    return Below(2) == 0 ? Wire(delivery) : Wire(delivery, "Content-Length: 1\r\nContent-Length: 1\r\n") + "x";
  }

  std::string TooMuch() {
    WebhookDelivery delivery = Wanted();
    switch (Below(4)) {
      case 0: {
        std::string lines;
        for (std::size_t i = 0; i < 150; ++i) lines += "X-" + std::to_string(i) + ": v\r\n";
        return Wire(delivery, lines);
      }
      case 1:
        delivery.path += "?" + std::string(9'000, 'q');
        return Wire(delivery);
      case 2:
        return Wire(delivery, "Content-Length: 5242881\r\n") + std::string(1000, 'x');
      default:
        delivery.body = std::string(Below(300'000), '[');
        Sign(delivery, NewWebhookSecret());
        return Wire(delivery);
    }
  }

  std::mt19937_64 random_;
  const Secret secret_;
};

std::size_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::size_t OpenDescriptors() {
  const std::filesystem::directory_iterator descriptors("/proc/self/fd");
  return static_cast<std::size_t>(std::distance(begin(descriptors), end(descriptors)));
}

}  // namespace

TEST_CASE("thousands of hostile deliveries are refused or ignored, and a good one is taken after them") {
  const char* chosen = std::getenv("TOKENSYNC_SEED");
  const std::uint64_t seed = chosen != nullptr ? std::strtoull(chosen, nullptr, 10) : std::random_device()();
  std::cout << "seed " << seed << "\n";
  INFO("TOKENSYNC_SEED=" << seed);

  const Secret secret = NewWebhookSecret();
  WebhookOptions options;
  options.target.repository = "acme/tokens";
  options.requests_per_minute = 500;
  WebhookEndpoint endpoint(options, [secret] { return WebhookSecrets{secret}; });
  HttpServerOptions server_options;
  server_options.listen = "127.0.0.1:0";
  HttpServer server(server_options, endpoint);
  Attacker attacker(seed, secret);

  const std::set<int> refusals{400, 401, 404, 405, 413, 414, 415, 417, 429, 431, 503};
  constexpr int kWarmUp = TOKENSYNC_HOSTILE_REQUESTS / 10;
  std::map<int, int> statuses;
  std::size_t resident_before = 0;
  std::size_t descriptors_before = 0;
  for (int i = 0; i < TOKENSYNC_HOSTILE_REQUESTS; ++i) {
    if (i == kWarmUp) {
      resident_before = ResidentBytes();
      descriptors_before = OpenDescriptors();
    }
    const std::string request = attacker.Next();
    HttpTestClient client(server.Address());
    client.Send(request);
    client.EndSending();
    const HttpTestAnswer answer = client.Receive();
    ++statuses[answer.status];
    const bool is_refusal = refusals.count(answer.status) == 1 && answer.body.starts_with("{\"error\":\"");
    const bool is_ignored = answer.status == 200 && answer.body.starts_with("{\"ignored\":\"");
    if (answer.ended && (is_refusal || is_ignored || answer.status == 0)) continue;
    FAIL("request " << i << " is answered " << answer.status << " " << answer.body << "\n" << request.substr(0, 2000));
  }
  CHECK(endpoint.pushes().empty());
  for (const auto& [status, count] : statuses) std::cout << status << ": " << count << "\n";
  for (const int status : {200, 400, 401, 413, 429, 431}) CHECK(statuses[status] > 0);
  // Only those that were cut, or whose length is not reached, get no answer.
  CHECK(statuses[0] < TOKENSYNC_HOSTILE_REQUESTS / 4);

  WebhookDelivery good = GitHubPush();
  Sign(good, secret);
  std::string headers;
  for (const auto& [name, value] : good.headers) headers.append(name).append(": ").append(value).append("\r\n");
  const HttpTestAnswer answer =
      HttpTestExchange(server.Address(), HttpTestRequest("POST", good.path, headers, good.body));
  CHECK(answer.status == 202);
  CHECK(answer.body == "{\"taken\":true}\n");
  REQUIRE(endpoint.pushes().size() == 1);
  CHECK(endpoint.pushes()[0].commit == CommitId{kCommit});

  std::cout << "resident before " << resident_before / 1024 << " KiB, after " << ResidentBytes() / 1024 << " KiB\n";
#ifdef TOKENSYNC_COUNTS_MEMORY
  CHECK(ResidentBytes() < resident_before + std::size_t{48} * 1024 * 1024);
#endif
  CHECK(OpenDescriptors() <= descriptors_before + 4);
}
