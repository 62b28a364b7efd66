/// A reply of the service, as bytes on a connection: read in pieces, then judged. The words <token>, <first>, <second>
/// and <third> of the input stand for the service token of the run and for its three parts.
#include <array>
#include <charconv>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "fuzz_checks.h"
#include "http_reply.h"
#include "json.h"
#include "json_text.h"
#include "page_reading.h"
#include "rate_headers.h"
#include "reply_meaning.h"
#include "token_fields.h"

namespace tokensync {
namespace {

constexpr TimePoint kNow{std::chrono::seconds(1'800'000'000)};
constexpr std::string_view kOurTokenId = "7";
// Small, so that small inputs reach them.
constexpr ReplyLimits kLimits{.head_bytes_max = 700, .headers_max = 20, .body_bytes_max = 1'200};

struct ServiceToken {
  std::array<std::string, 3> parts = {std::string(24, 'h') + "1", std::string(30, 'c') + "2",
                                      std::string(28, 's') + "3"};
  std::string text = parts[0] + "." + parts[1] + "." + parts[2];
};

const ServiceToken& TheToken() {
  static const ServiceToken token;
  return token;
}

std::string WithToken(std::string_view input) {
  const ServiceToken& token = TheToken();
  static const std::array<std::pair<std::string_view, std::string>, 4> kWords = {{{"<token>", token.text},
                                                                                  {"<first>", token.parts[0]},
                                                                                  {"<second>", token.parts[1]},
                                                                                  {"<third>", token.parts[2]}}};
  return WithWords(input, kWords);
}

Call OurCall(CallKind kind) {
  Call call{CallKind::kCreate, {ProjectId{30957}, CollectionId{888}, *TokenId::Parse(kOurTokenId)}, false, {}};
  call.kind = kind;
  call.payload =
      R"({"attributes":[{"trait_type":"Rarity","value":1}],"externalUrl":"e","name":"n","properties":{"p":{"q":null}},"tokenId":"7"})";
  return call;
}

/// What came of a reply.
struct Read {
  ReplyReader::State state;
  std::string fault;
  std::optional<Duration> keep_alive;
  bool reusable = false;
  std::optional<HttpReply> reply;
};

/// Feeds the bytes in pieces of the lengths that `next_length` gives. `closed`: the peer closes the stream after them.
template <class NextLength>
Read ReadReply(std::string_view bytes, bool closed, NextLength next_length) {
  ReplyReader reader(kLimits);
  while (!bytes.empty()) {
    const std::size_t length = std::min<std::size_t>(next_length(), bytes.size());
    reader.Feed(bytes.substr(0, length));
    bytes.remove_prefix(length);
  }
  if (closed) reader.End();
  Read read{reader.state(), reader.fault(), reader.keep_alive(), reader.connection_reusable(), reader.TakeReply()};
  Require(!reader.TakeReply(), "a reply is handed out once");
  return read;
}

bool Same(const std::optional<HttpReply>& a, const std::optional<HttpReply>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return a->status == b->status && a->headers == b->headers && a->body == b->body &&
         a->body_complete == b->body_complete;
}

bool Same(const Read& a, const Read& b) {
  return a.state == b.state && a.fault == b.fault && a.keep_alive == b.keep_alive && Same(a.reply, b.reply);
}

void CheckRead(const Read& read, std::string_view bytes) {
  Require((read.state == ReplyReader::State::kUnreadable) != read.fault.empty(), "what is unreadable says why", bytes);
  Require(!read.reusable || read.state == ReplyReader::State::kComplete, "a connection is kept after a whole reply");
  if (read.state == ReplyReader::State::kComplete) Require(read.reply.has_value(), "a whole reply is one", bytes);
  if (!read.reply) return;
  const HttpReply& reply = *read.reply;
  Require(reply.body_complete == (read.state == ReplyReader::State::kComplete), "a body is whole, or is not", bytes);
  Require(reply.status >= 200 && reply.status <= 999, "a reply has a final status", bytes);
  Require(reply.body.size() <= kLimits.body_bytes_max, "a body has its limit", bytes);
  Require(reply.headers.size() <= static_cast<std::size_t>(kLimits.headers_max), "headers have their limit", bytes);
}

/// Where the head is plain and says by one Content-Length how long the body is, the body is just that.
void CheckSizedBody(const Read& read, std::string_view bytes) {
  const HttpReply& reply = *read.reply;
  const std::string* length = reply.Header("content-length");
  const bool has_body = reply.status != 204 && reply.status != 304;
  // Otherwise something interim came first, or it is not the length that counts.
  const bool sized = length != nullptr && bytes.starts_with("HTTP/1.1 " + std::to_string(reply.status)) && has_body;
  if (!sized || read.state == ReplyReader::State::kUnreadable) return;
  std::size_t size = 0;
  const auto [end, error] = std::from_chars(length->data(), length->data() + length->size(), size);
  Require(error == std::errc() && end == length->data() + length->size(), "a length is a number", bytes);
  const std::string_view body = bytes.substr(bytes.find("\r\n\r\n") + 4).substr(0, size);
  Require(reply.body == body, "a body is what follows the head", bytes);
  Require(reply.body_complete == (body.size() == size), "a body is as long as the head says", bytes);
}

void CheckText(std::string_view text) {
  constexpr std::size_t kEscapeCharactersMax = 10;  // what a control character becomes
  RequirePrintable(text, ForeignText::kCharactersMax * kEscapeCharactersMax + 1);
  Require(text.find(TheToken().text) == std::string_view::npos, "no text shows the token", text);
  for (const std::string& part : TheToken().parts) {
    Require(text.find(part) == std::string_view::npos, "no text shows a part of the token", text);
  }
}

void CheckAnswer(const ServiceAnswer& answer, const HttpReply& reply) {
  Require(answer.http_status == reply.status, "an answer has the reply's status");
  for (const std::string* text : {&answer.error_name, &answer.message, &answer.cause}) CheckText(*text);
}

void CheckHint(const RateHint& hint) {
  Require(!hint.reset || *hint.reset < TimePoint(std::chrono::seconds(253'402'300'800)), "a rate resets before 10000");
}

void CheckDifferences(const std::vector<FieldDifference>& differences) {
  for (const FieldDifference& difference : differences) {
    Require(FindTokenField(difference.field) != nullptr, "a field that differs is one", difference.field);
    CheckText(difference.kept);
  }
}

std::optional<JsonValue> BodyOf(const HttpReply& reply) {
  try {
    return ParseJson(reply.body, 65);
  } catch (const JsonTextError&) {
    return std::nullopt;
  }
}

bool ShowsOurToken(const HttpReply& reply) {
  if (reply.status != 200 || !reply.body_complete) return false;
  const auto body = BodyOf(reply);
  const JsonValue* token = body ? body->Find("token") : nullptr;
  const JsonValue* id = token == nullptr ? nullptr : token->Find("tokenId");
  return id != nullptr && id->AsString() != nullptr && *id->AsString() == kOurTokenId;
}

bool IsError(const HttpReply& reply, std::string_view name, double code) {
  const auto body = BodyOf(reply);
  if (!body) return false;
  const JsonValue* error = body->Find("error");
  const JsonValue* number = body->Find("code");
  return (error != nullptr && error->AsString() != nullptr && *error->AsString() == name) ||
         (number != nullptr && number->AsNumber() != nullptr && *number->AsNumber() == code);
}

/// What each outcome claims, against what the reply shows.
struct Claims {
  const HttpReply& reply;

  bool IsCutShort400() const { return reply.status == 400 && !reply.body_complete; }

  void operator()(const Created& created) const {
    Require(ShowsOurToken(reply), "created is claimed of a whole 200 with our token alone", reply.body);
    CheckDifferences(created.differences);
  }
  void operator()(const Found& found) const {
    Require(ShowsOurToken(reply), "found is claimed of a whole 200 with our token alone", reply.body);
    CheckDifferences(found.differences);
  }
  void operator()(const AlreadyThere&) const {
    const bool by_error =
        reply.status >= 400 && reply.status < 500 && reply.body_complete && IsError(reply, "RequestConflict", 1004);
    Require(reply.status == 409 || by_error, "a token exists where the service says so", reply.body);
  }
  void operator()(const Absent&) const {
    Require(reply.status == 400 && reply.body_complete && IsError(reply, "NotFound", 3000),
            "a token is absent where the service says so", reply.body);
  }
  void operator()(const Refused&) const {
    Require(reply.status >= 400 && reply.status < 500 && (reply.body_complete || reply.status == 413),
            "a refusal is a whole one", reply.body);
  }
  void operator()(const NotSent&) const { Require(false, "a call with a reply was sent", reply.body); }
  void operator()(const Throttled& throttled) const {
    Require(!IsCutShort400(), "what was cut short says nothing", reply.body);
    Require(
        !throttled.retry_after || (*throttled.retry_after >= Duration(0) && *throttled.retry_after <= kRetryAfterMax),
        "a wait has its bounds");
  }
  void operator()(const Unauthorized&) const {
    Require(reply.status >= 300 && reply.status < 500 && !IsCutShort400(), "a denial is one", reply.body);
  }
  void operator()(const Unsupported&) const {
    Require(reply.status >= 400 && reply.status < 500 && !IsCutShort400(), "no such call", reply.body);
  }
  void operator()(const Unknown&) const {
    Require(!ShowsOurToken(reply), "a whole 200 with our token is known", reply.body);
  }
  void operator()(const ReadingFailed&) const {
    Require(!ShowsOurToken(reply), "a whole 200 with our token is read", reply.body);
  }
};

/// The same for a page of a collection.
struct ListClaims : Claims {
  using Claims::operator();
  std::uint32_t page = 0;

  void operator()(const Listed& listed) const {
    const auto body = BodyOf(reply);
    if (reply.status == 400) {
      Require(
          reply.body_complete && page == 0 && IsError(reply, "NotFound", 3000) && listed.tokens.empty() && !listed.more,
          "only a collection that is not there is empty by an error", reply.body);
      return;
    }
    Require(reply.status == 200 && reply.body_complete, "a page is a whole 200", reply.body);
    Require(listed.tokens.size() <= kPageTokensMax, "a page has its limit", reply.body);
    for (const ListedToken& token : listed.tokens) {
      Require(token.if_public != token.if_private, "private is part of a digest", token.token.text());
    }
    if (!body) return;  // an item that is no JSON stops no other
    Require(body->AsObject() != nullptr, "a page is an object", reply.body);
    std::vector<std::string> expected;
    const JsonValue* tokens = body->Find("tokens");
    if (tokens != nullptr && tokens->AsArray() != nullptr) {
      for (const JsonValue& token : *tokens->AsArray()) {
        const JsonValue* id = token.Find("tokenId");
        if (id != nullptr && id->AsString() != nullptr && TokenId::Parse(*id->AsString())) {
          expected.push_back(*id->AsString());
        }
      }
    }
    std::vector<std::string> told;
    for (const ListedToken& token : listed.tokens) told.push_back(token.token.text());
    const auto once = [](std::vector<std::string>& ids) {
      std::sort(ids.begin(), ids.end());
      ids.erase(std::unique(ids.begin(), ids.end()), ids.end());
    };
    once(expected);
    once(told);
    Require(expected == told, "a page holds what it says", reply.body);
  }
  void operator()(const ReadingFailed&) const {}
};

void Judge(const HttpReply& reply) {
  static const ForeignText foreign{Secret(TheToken().text)};
  const auto judge = [&](const auto& reading, const auto& claims) {
    std::visit(claims, reading.outcome);
    CheckAnswer(reading.answer, reply);
    CheckHint(reading.hint);
  };
  judge(ClassifyCreate(reply, OurCall(CallKind::kCreate), kNow, foreign), Claims{reply});
  judge(ClassifyRead(reply, OurCall(CallKind::kRead), kNow, foreign), Claims{reply});
  Call list{CallKind::kList, TokenKey::OfCollection({ProjectId{30957}, CollectionId{888}})};
  for (list.page = 0; list.page < 2; ++list.page) {
    ListClaims claims{{reply}};
    claims.page = list.page;
    judge(ClassifyList(reply, list, kNow, foreign), claims);
  }
}

void Check(std::string_view input) {
  const std::string bytes = WithToken(input);
  std::minstd_rand random(static_cast<std::uint32_t>(std::hash<std::string>()(bytes)));
  for (const bool closed : {false, true}) {
    const Read whole = ReadReply(bytes, closed, [&] { return bytes.size(); });
    CheckRead(whole, bytes);
    const Read bytewise = ReadReply(bytes, closed, [] { return 1; });
    Require(Same(whole, bytewise), "the same bytes are the same reply, one by one", bytes);
    const Read pieces = ReadReply(bytes, closed, [&] { return 1 + random() % (bytes.size() / 4 + 1); });
    Require(Same(whole, pieces), "the same bytes are the same reply, in whatever pieces", bytes);
    if (!whole.reply) continue;
    CheckSizedBody(whole, bytes);
    Judge(*whole.reply);
  }
}

}  // namespace
}  // namespace tokensync

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  tokensync::Check(tokensync::InputText(data, size));
  return 0;
}
