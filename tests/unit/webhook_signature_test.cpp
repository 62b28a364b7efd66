/// Signatures of webhook deliveries, and the files of their secrets.
#include "webhook_signature.h"

#include <stdlib.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>

#include "errors.h"
#include "webhook_samples.h"

using namespace tokensync;

namespace {

std::vector<WebhookDelivery> OneOfEach() {
  return {
      GitHubPush(),     GitLabPush(), GiteaPush(), GiteaPush("forgejo"), BitbucketCloudPush(BitbucketChange("main")),
      GenericPush("{}")};
}

WebhookForge ForgeOf(const WebhookDelivery& delivery) {
  return WebhookForgeOfPath(delivery.path).value();
}

std::string& SignatureOf(WebhookDelivery& delivery) {
  const std::string_view name = WebhookSignatureHeader(delivery, ForgeOf(delivery));
  for (auto& [header, value] : delivery.headers) {
    if (header == name) return value;
  }
  throw std::logic_error("it is not signed");
}

/// A file with that content; what ReadWebhookSecret makes of it, or the text of its error.
std::string SecretIn(const std::string& content) {
  std::string folder = (std::filesystem::temp_directory_path() / "webhook-secret-XXXXXX").string();
  REQUIRE(::mkdtemp(folder.data()) != nullptr);
  const std::filesystem::path file = std::filesystem::path(folder) / "secret";
  std::ofstream(file, std::ios::binary) << content;
  std::string result;
  try {
    result = ReadWebhookSecret(file, "webhook.secret_file").Reveal();
  } catch (const EnvironmentError& error) {
    result = error.what();
  }
  std::filesystem::remove_all(folder);
  return result;
}

}  // namespace

TEST_CASE("an HMAC is that of RFC 4231") {
  CHECK(WebhookHex(WebhookHmac(Secret("Jefe"), "what do ya want for nothing?")) ==
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  CHECK(WebhookHex(
            WebhookHmac(Secret(std::string(131, '\xaa')), "Test Using Larger Than Block-Size Key - Hash Key First")) ==
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST_CASE("a delivery is signed by who knows the secret, and by nobody else") {
  const WebhookSecrets secrets{NewWebhookSecret()};
  for (WebhookDelivery delivery : OneOfEach()) {
    INFO(delivery.path);
    const WebhookForge forge = ForgeOf(delivery);
    CHECK_FALSE(HasWebhookSignature(delivery, forge));
    CHECK_FALSE(IsWebhookSigned(delivery, forge, secrets));
    Sign(delivery, secrets.current);
    CHECK(HasWebhookSignature(delivery, forge));
    CHECK(IsWebhookSigned(delivery, forge, secrets));
    CHECK_FALSE(IsWebhookSigned(delivery, forge, {NewWebhookSecret()}));
    CHECK_FALSE(IsWebhookSigned(delivery, forge, {NewWebhookSecret(), NewWebhookSecret()}));
    Sign(delivery, NewWebhookSecret());
    CHECK(HasWebhookSignature(delivery, forge));
    CHECK_FALSE(IsWebhookSigned(delivery, forge, secrets));
  }
}

TEST_CASE("of two secrets either makes a delivery good") {
  const WebhookSecrets secrets{NewWebhookSecret(), NewWebhookSecret()};
  for (WebhookDelivery delivery : OneOfEach()) {
    Sign(delivery, secrets.current);
    CHECK(IsWebhookSigned(delivery, ForgeOf(delivery), secrets));
    Sign(delivery, *secrets.previous);
    CHECK(IsWebhookSigned(delivery, ForgeOf(delivery), secrets));
    CHECK_FALSE(IsWebhookSigned(delivery, ForgeOf(delivery), {secrets.current}));
  }
}

TEST_CASE("a signature is for each byte of the body, and each of its own counts") {
  const WebhookSecrets secrets{NewWebhookSecret()};
  for (WebhookDelivery delivery : OneOfEach()) {
    INFO(delivery.path);
    const WebhookForge forge = ForgeOf(delivery);
    Sign(delivery, secrets.current);
    const WebhookDelivery good = delivery;
    const std::size_t first = SignatureOf(delivery).find('=') + 1;
    for (std::size_t at = first; at < SignatureOf(delivery).size(); ++at) {
      char& digit = SignatureOf(delivery)[at];
      digit = digit == '0' ? '1' : '0';
      CHECK_FALSE(IsWebhookSigned(delivery, forge, secrets));
      delivery = good;
    }
    if (forge == WebhookForge::kGitLab) continue;
    delivery.body.back() = ' ';
    CHECK_FALSE(IsWebhookSigned(delivery, forge, secrets));
    delivery = good;
    delivery.body += ' ';
    CHECK_FALSE(IsWebhookSigned(delivery, forge, secrets));
  }
}

TEST_CASE("what is no signature is none") {
  const WebhookSecrets secrets{NewWebhookSecret()};
  for (WebhookDelivery delivery : OneOfEach()) {
    INFO(delivery.path);
    const WebhookForge forge = ForgeOf(delivery);
    Sign(delivery, secrets.current);
    const std::string good = SignatureOf(delivery);
    for (const std::string& bad : {std::string(), good + "0", good.substr(1), good.substr(0, good.size() - 1),
                                   " " + good, "sha1=" + good, "sha256=" + good, std::string(64, 'g')}) {
      SignatureOf(delivery) = bad;
      CHECK_FALSE(IsWebhookSigned(delivery, forge, secrets));
    }
    SignatureOf(delivery) = good;
    delivery.headers.emplace_back(WebhookSignatureHeader(delivery, forge), good);
    CHECK_FALSE(HasWebhookSignature(delivery, forge));
    CHECK_FALSE(IsWebhookSigned(delivery, forge, secrets));
  }
}

TEST_CASE("a signature in another forge's header is none") {
  const WebhookSecrets secrets{NewWebhookSecret()};
  for (WebhookDelivery delivery : OneOfEach()) {
    Sign(delivery, secrets.current);
    for (const WebhookDelivery& other : OneOfEach()) {
      delivery.path = other.path;
      const bool shares_header =
          WebhookSignatureHeader(delivery, ForgeOf(other)) == WebhookSignatureHeader(delivery, ForgeOf(delivery));
      if (!shares_header) CHECK_FALSE(IsWebhookSigned(delivery, ForgeOf(other), secrets));
    }
  }
}

TEST_CASE("Forgejo signs twice, and a bad signature of its own is not rescued by the other") {
  const WebhookSecrets secrets{NewWebhookSecret()};
  WebhookDelivery delivery = GiteaPush("forgejo");
  Sign(delivery, secrets.current);
  CHECK(IsWebhookSigned(delivery, WebhookForge::kForgejo, secrets));
  const std::string good = SignatureOf(delivery);
  SetHeader(delivery, "x-forgejo-signature", std::string(64, 'a'));
  SetHeader(delivery, "x-gitea-signature", good);
  CHECK_FALSE(IsWebhookSigned(delivery, WebhookForge::kForgejo, secrets));
  CHECK(IsWebhookSigned(delivery, WebhookForge::kGitea, secrets));
  std::erase_if(delivery.headers, [](const auto& header) { return header.first == "x-forgejo-signature"; });
  CHECK(IsWebhookSigned(delivery, WebhookForge::kForgejo, secrets));
}

TEST_CASE("nobody signs with an empty secret") {
  for (WebhookDelivery delivery : OneOfEach()) {
    Sign(delivery, Secret(""));
    CHECK_FALSE(IsWebhookSigned(delivery, ForgeOf(delivery), {Secret("")}));
    CHECK_FALSE(IsWebhookSigned(delivery, ForgeOf(delivery), {NewWebhookSecret(), Secret("")}));
  }
}

TEST_CASE("a secret's file holds one line, which is long enough") {
  const std::string secret = NewWebhookSecret().Reveal();
  CHECK(SecretIn(secret) == secret);
  CHECK(SecretIn(secret + "\n") == secret);
  CHECK(SecretIn(secret + "\r\n") == secret);
  CHECK(SecretIn(" " + secret) == " " + secret);
  CHECK(SecretIn(secret.substr(0, 16)) == secret.substr(0, 16));
  CHECK(SecretIn(std::string(1024, 'a') + "\n").size() == 1024);
  CHECK(SecretIn("").find("it is empty") != std::string::npos);
  CHECK(SecretIn("\n").find("it is empty") != std::string::npos);
  CHECK(SecretIn(secret.substr(0, 15) + "\n").find("can be guessed") != std::string::npos);
  CHECK(SecretIn(std::string(1025, 'a')).find("longer than 1024 bytes") != std::string::npos);
  CHECK(SecretIn(std::string(5000, 'a')).find("more than") != std::string::npos);
  for (const std::string& bad : {secret + "\n\n", secret + "\n" + secret, secret + '\0', "\t" + secret}) {
    const std::string error = SecretIn(bad);
    CHECK(error.find("webhook.secret_file names: it holds more than one line") != std::string::npos);
    CHECK(error.find(secret) == std::string::npos);
  }
  CHECK_THROWS_AS(ReadWebhookSecret("/nonexistent/secret", "webhook.secret_file"), EnvironmentError);
}
