/// A webhook delivery as bytes of a connection. The input is an HTTP request; <length> stands for the length of its
/// body, <hmac> for the right signature of it, <token> for the secret itself.
#include <openssl/hmac.h>

#include <functional>
#include <optional>
#include <random>
#include <string>

#include "fuzz_checks.h"
#include "http_request_reader.h"
#include "json.h"
#include "json_text.h"
#include "webhook_receiver.h"

namespace tokensync {
namespace {

using State = HttpRequestReader::State;

constexpr std::uint64_t kBodyBytesMax = 2048;
constexpr std::size_t kLogCharactersMax = 401;

class StillClock : public Clock {
 public:
  TimePoint Now() override { return TimePoint(std::chrono::seconds(1'800'000'000)); }
};

/// Made when the target runs; the words of the input stand for it.
const std::string& TheSecret() {
  static const std::string secret = [] {
    std::string text;
    std::random_device random;
    for (int i = 0; i < 32; ++i) text.push_back(static_cast<char>('g' + random() % 16));
    return text;
  }();
  return secret;
}

/// Apart from the code that is looked at.
std::string HmacHex(std::string_view body) {
  std::array<unsigned char, 32> digest{};
  HMAC(EVP_sha256(), TheSecret().data(), static_cast<int>(TheSecret().size()),
       reinterpret_cast<const unsigned char*>(body.data()), body.size(), digest.data(), nullptr);
  std::string hex;
  for (const unsigned char byte : digest) {
    hex.push_back("0123456789abcdef"[byte >> 4U]);
    hex.push_back("0123456789abcdef"[byte & 15U]);
  }
  return hex;
}

std::string Replaced(std::string_view input) {
  const std::size_t head_end = input.find("\r\n\r\n");
  const std::string_view body = head_end == std::string_view::npos ? std::string_view() : input.substr(head_end + 4);
  const std::array<std::pair<std::string_view, std::string>, 3> words{
      {{"<length>", std::to_string(body.size())}, {"<hmac>", HmacHex(body)}, {"<token>", TheSecret()}}};
  return WithWords(input.substr(0, input.size() - body.size()), words) + std::string(body);
}

template <class NextLength>
HttpRequestReader Read(std::string_view bytes, NextLength next_length) {
  HttpRequestReader reader(HttpReadLimits{.request_line_bytes_max = 500, .head_bytes_max = 2000, .headers_max = 20});
  while (!bytes.empty()) {
    const std::size_t length = std::min<std::size_t>(next_length(), bytes.size());
    if (reader.Feed(bytes.substr(0, length)) == State::kHeadRead) reader.Accept(kBodyBytesMax);
    bytes.remove_prefix(length);
  }
  return reader;
}

void CheckRead(const HttpRequestReader& reader, std::string_view bytes) {
  Require((reader.state() == State::kRefused) == !reader.why().empty(), "what is refused says why", bytes);
  if (reader.state() == State::kRefused) {
    Require(reader.status() >= 400 && reader.status() < 500, "what is refused is the client's fault", bytes);
  }
  RequirePrintable(reader.why(), 200);
}

void CheckRequest(const HttpRequest& request, std::string_view bytes) {
  Require(request.path.starts_with('/') && request.path.find_first_of("?# ") == std::string::npos, "a path is one",
          bytes);
  Require(request.body.size() <= kBodyBytesMax, "a body has its limit", bytes);
  Require(request.headers.size() <= 20, "headers have their limit", bytes);
  std::size_t lengths = 0;
  for (const auto& [name, value] : request.headers) {
    Require(!name.empty() && name.find_first_of(" \t:ABCDEFGHIJKLMNOPQRSTUVWXYZ") == std::string::npos, "a name is one",
            name);
    Require(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string::npos, "a value is one line", value);
    Require(!value.starts_with(' ') && !value.ends_with(' '), "a value has no space around it", value);
    if (name == "content-length" || name == "transfer-encoding") ++lengths;
  }
  Require(lengths <= 1, "a request says once where it ends", bytes);
}

/// Whether any header shows that the sender knows the secret.
bool ShowsSecret(const WebhookDelivery& delivery) {
  const std::string hex = HmacHex(delivery.body);
  for (const auto& [name, value] : delivery.headers) {
    std::string lower = value;
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
    if (value == TheSecret() || lower == hex || lower == "sha256=" + hex) return true;
  }
  return false;
}

/// Whether the secret is also where it does not belong: what is written there is shown.
bool TellsSecret(const WebhookDelivery& delivery) {
  return std::any_of(delivery.headers.begin(), delivery.headers.end(), [](const auto& header) {
    return header.first != "x-gitlab-token" && header.second.find(TheSecret()) != std::string::npos;
  });
}

void CheckReply(const WebhookReply& reply, const WebhookDelivery& delivery) {
  Require(ParseJson(reply.body).AsObject() != nullptr, "an answer is a JSON object", reply.body);
  if (!TellsSecret(delivery)) {
    Require(reply.body.find(TheSecret()) == std::string::npos, "no answer shows the secret", reply.body);
    Require(reply.log.find(TheSecret()) == std::string::npos, "no line shows the secret", reply.log);
  }
  RequirePrintable(reply.log, kLogCharactersMax);
  Require(reply.push.has_value() == (reply.status == 202), "a push that is taken is told, and no other", reply.body);
  Require(reply.status == 200 || reply.status == 202 || (reply.status >= 400 && reply.status < 500), "a status is one");
  if (reply.status < 400 || reply.status == 400) {
    Require(ShowsSecret(delivery), "only who knows the secret is heard", delivery.path);
  }
  if (!reply.push) return;
  const bool is_followed = reply.push->reference == "refs/heads/main" ||
                           (reply.push->reference.empty() && delivery.path == "/webhook/generic");
  Require(is_followed, "only what is followed is taken", reply.push->reference);
  RequirePrintable(reply.push->delivery, 101);
  RequirePrintable(reply.push->sender, 101);
  if (reply.push->commit) Require(reply.push->commit->hex.size() == 40, "a commit is one", reply.push->commit->hex);
}

void Deliver(const HttpRequest& request) {
  static StillClock clock;
  WebhookOptions options;
  options.target.repository = "acme/tokens";
  options.requests_per_minute = 0;
  WebhookReceiver ours(
      options, [] { return WebhookSecrets{Secret(TheSecret())}; }, clock);
  WebhookReceiver others(
      options,
      [] {
        return WebhookSecrets{Secret(TheSecret() + "x"), Secret("y" + TheSecret())};
      },
      clock);
  const WebhookDelivery delivery{request.method, request.path, request.headers, request.body};
  const WebhookReply reply = ours.Receive(delivery);
  CheckReply(reply, delivery);
  const WebhookReply foreign = others.Receive(delivery);
  Require(foreign.status == 401 || foreign.status == 404 || foreign.status == 405 || foreign.status == 415,
          "who does not know the secret is not heard", foreign.body);
  Require(ours.Receive(delivery).status == reply.status, "the same again is answered the same");
}

void Check(std::string_view input) {
  const std::string bytes = Replaced(input);
  std::minstd_rand random(static_cast<std::uint32_t>(std::hash<std::string>()(bytes)));
  HttpRequestReader whole = Read(bytes, [&] { return bytes.size(); });
  CheckRead(whole, bytes);
  HttpRequestReader bytewise = Read(bytes, [] { return 1; });
  HttpRequestReader pieces = Read(bytes, [&] { return 1 + random() % (bytes.size() / 4 + 1); });
  for (const HttpRequestReader* other : {&bytewise, &pieces}) {
    Require(other->state() == whole.state() && other->status() == whole.status(),
            "the same bytes are the same request, in whatever pieces", bytes);
  }
  if (whole.state() != State::kComplete) return;
  const HttpRequest request = whole.TakeRequest();
  CheckRequest(request, bytes);
  const HttpRequest same = bytewise.TakeRequest();
  Require(same.body == request.body && same.headers == request.headers && same.path == request.path,
          "the same bytes are the same request, one by one", bytes);
  Deliver(request);
}

}  // namespace
}  // namespace tokensync

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tokensync::Check(tokensync::InputText(data, size));
  return 0;
}
