#include "reply_meaning.h"

#include <fmt/format.h>

#include <utility>

#include "json_text.h"
#include "page_reading.h"
#include "payload.h"
#include "rate_headers.h"
#include "service_error.h"
#include "sha256.h"

namespace tokensync {

namespace {

// The reply's token, where the reply is a whole JSON object with a token of our id; otherwise why it is not.
struct TokenReading {
  std::optional<JsonObject> token;
  std::string fault;
};

TokenReading ReadToken(const HttpReply& reply, const Call& call) {
  if (!reply.body_complete) return {std::nullopt, "the reply's body is not complete"};
  try {
    const JsonValue body = ParseJson(reply.body, kPayloadDepthMax + 1);
    const JsonValue* member = body.Find("token");
    const JsonObject* token = member == nullptr ? nullptr : member->AsObject();
    if (token == nullptr) return {std::nullopt, "the reply has no token"};
    const JsonValue* id = member->Find("tokenId");
    const std::string* text = id == nullptr ? nullptr : id->AsString();
    if (text == nullptr || *text != call.key.token.text()) return {std::nullopt, "the reply is about another token"};
    return {*token, {}};
  } catch (const JsonTextError& error) {
    return {std::nullopt, error.what()};
  }
}

std::vector<FieldDifference> Differences(const Call& call, const JsonObject& remote, const ForeignText& foreign) {
  std::vector<FieldDifference> differences = CompareTokens(PayloadObject(call), remote);
  for (FieldDifference& difference : differences) difference.kept = foreign.Clean(difference.kept);
  return differences;
}

ServiceAnswer AnswerOf(const HttpReply& reply, const ServiceError& error, const ForeignText& foreign) {
  ServiceAnswer answer;
  answer.http_status = reply.status;
  answer.error_name = foreign.Clean(error.name);
  answer.error_code = error.code;
  answer.message = foreign.Clean(error.message);
  answer.cause = foreign.Clean(error.cause);
  if (error.name.empty() && error.message.empty()) {
    answer.message = reply.body.empty() ? "a reply without a body" : foreign.Clean(reply.body);
  }
  return answer;
}

ServiceAnswer UnreadableAnswer(const HttpReply& reply, const std::string& fault, const ForeignText& foreign) {
  ServiceAnswer answer;
  answer.http_status = reply.status;
  answer.message = foreign.Clean(reply.body.empty() ? fault : fmt::format("{}: {}", fault, reply.body));
  return answer;
}

// What both calls have in common: refusals that are not about this one token.
std::optional<std::variant<Unauthorized, Throttled>> CommonRefusal(const HttpReply& reply, ErrorMeaning meaning,
                                                                   TimePoint now) {
  switch (reply.status) {
    case 401:
    case 403:
    case 451:
      return Unauthorized{Denial::kCredential};
    case 407:
      return Unauthorized{Denial::kEndpoint};
    case 423:
      return Unauthorized{Denial::kQuotaExhausted};
    case 428:
    case 429:
      return Throttled{ReadRetryAfter(reply, now)};
    default:
      break;
  }
  if (reply.status >= 300 && reply.status < 400) return Unauthorized{Denial::kEndpoint};
  // Of an error that was cut short nobody knows what it says.
  if (reply.status != 400 || !reply.body_complete) return std::nullopt;
  switch (meaning) {
    case ErrorMeaning::kDenied:
      return Unauthorized{Denial::kCredential};
    case ErrorMeaning::kQuotaExhausted:
      return Unauthorized{Denial::kQuotaExhausted};
    case ErrorMeaning::kRateLimited:
      return Throttled{ReadRetryAfter(reply, now)};
    default:
      return std::nullopt;
  }
}

constexpr int kClientClosedRequest = 499;  // nginx: it gave up waiting for the service behind it

CreateOutcome RefusedCreate(const HttpReply& reply, ErrorMeaning meaning) {
  switch (reply.status) {
    case 404:
    case 405:
      return Unauthorized{Denial::kEndpoint};
    case 409:
      return AlreadyThere{};
    case 413:
      return Refused{};
    case 408:
    case kClientClosedRequest:
      return Unknown{};
    default:
      break;
  }
  if (reply.status < 400 || reply.status >= 500 || !reply.body_complete) return Unknown{};
  switch (meaning) {
    case ErrorMeaning::kEffectUncertain:
      return Unknown{};
    case ErrorMeaning::kConflict:
      return AlreadyThere{};
    case ErrorMeaning::kNoSuchCall:
      return Unauthorized{Denial::kEndpoint};
    case ErrorMeaning::kInvalid:
      return Refused{reply.status != 400};
    default:
      return Refused{true};
  }
}

// A name that is not known may mean anything, whatever its code.
bool IsNotFound(const ServiceError& error, ErrorMeaning meaning) {
  return meaning == ErrorMeaning::kNotFound && (error.name.empty() || error.name == "NotFound");
}

// A 404 that a whole reply to a call which reads had: the service lacks the call, or this is not the service.
template <class Outcome>
Outcome NoSuchPath(const ServiceError& error, ErrorMeaning meaning) {
  if (!error.is_webrpc()) return Unauthorized{Denial::kEndpoint};
  if (meaning == ErrorMeaning::kNoSuchCall) return Unsupported{};
  return ReadingFailed{};
}

ReadOutcome RefusedRead(const HttpReply& reply, const ServiceError& error, ErrorMeaning meaning) {
  if (reply.status == 405) return Unsupported{};
  if (!reply.body_complete) return ReadingFailed{};
  if (reply.status == 404) return NoSuchPath<ReadOutcome>(error, meaning);
  if (reply.status != 400) return ReadingFailed{};
  if (meaning == ErrorMeaning::kNoSuchCall) return Unsupported{};
  if (IsNotFound(error, meaning)) return Absent{};
  return ReadingFailed{};
}

ListOutcome RefusedList(const HttpReply& reply, const Call& call, const ServiceError& error, ErrorMeaning meaning) {
  switch (reply.status) {
    case 405:
      return Unsupported{};
    case 413:
      return Refused{};
    case 408:
    case kClientClosedRequest:
      return ReadingFailed{};
    default:
      break;
  }
  if (reply.status < 400 || reply.status >= 500 || !reply.body_complete) return ReadingFailed{};
  if (reply.status == 404) return NoSuchPath<ListOutcome>(error, meaning);
  switch (meaning) {
    case ErrorMeaning::kEffectUncertain:
      return ReadingFailed{};
    case ErrorMeaning::kNoSuchCall:
      return Unsupported{};
    case ErrorMeaning::kInvalid:
      return Refused{reply.status != 400};
    case ErrorMeaning::kNotFound:
      if (reply.status != 400 || !IsNotFound(error, meaning)) return Refused{true};
      if (call.page == 0) return Listed{};
      return ReadingFailed{};  // after a page that was there, its collection cannot just be absent
    default:
      return Refused{true};
  }
}

/// Answer and outcome of a reply that is no success; `about_token` tells what those mean that are about this one token.
template <class Reading, class AboutToken>
void ReadRefusal(Reading& reading, const HttpReply& reply, TimePoint now, const ForeignText& foreign,
                 const AboutToken& about_token) {
  const ServiceError error = ReadServiceError(reply.body);
  const ErrorMeaning meaning = MeaningOf(error);
  reading.answer = AnswerOf(reply, error, foreign);
  if (const auto common = CommonRefusal(reply, meaning, now)) {
    std::visit([&](const auto& refusal) { reading.outcome = refusal; }, *common);
  } else {
    reading.outcome = about_token(error, meaning);
  }
}

}  // namespace

CreateReading ClassifyCreate(const HttpReply& reply, const Call& call, TimePoint now, const ForeignText& foreign) {
  CreateReading reading;
  reading.hint = ReadRateHint(reply);
  if (reply.status == 200) {
    const TokenReading read = ReadToken(reply, call);
    if (read.token) {
      reading.outcome = Created{Differences(call, *read.token, foreign)};
      reading.answer.http_status = reply.status;
    } else {
      reading.outcome = Unknown{};
      reading.answer = UnreadableAnswer(reply, read.fault, foreign);
    }
    return reading;
  }
  ReadRefusal(reading, reply, now, foreign,
              [&](const ServiceError&, ErrorMeaning meaning) { return RefusedCreate(reply, meaning); });
  return reading;
}

ReadReading ClassifyRead(const HttpReply& reply, const Call& call, TimePoint now, const ForeignText& foreign) {
  ReadReading reading;
  reading.hint = ReadRateHint(reply);
  if (reply.status == 200) {
    const TokenReading read = ReadToken(reply, call);
    if (read.token) {
      Found found;
      found.differences = Differences(call, *read.token, foreign);
      found.remote_digest = PayloadDigest(RemotePayload(*read.token), call.is_private);
      reading.outcome = std::move(found);
      reading.answer.http_status = reply.status;
    } else {
      reading.outcome = ReadingFailed{};
      reading.answer = UnreadableAnswer(reply, read.fault, foreign);
    }
    return reading;
  }
  ReadRefusal(reading, reply, now, foreign,
              [&](const ServiceError& error, ErrorMeaning meaning) { return RefusedRead(reply, error, meaning); });
  return reading;
}

ListReading ClassifyList(const HttpReply& reply, const Call& call, TimePoint now, const ForeignText& foreign) {
  ListReading reading;
  reading.hint = ReadRateHint(reply);
  if (reply.status == 200) {
    PageReading read =
        reply.body_complete ? ReadPage(reply.body) : PageReading{{}, 0, "the reply's body is not complete"};
    if (read.page) {
      reading.outcome = std::move(*read.page);
      reading.answer.http_status = reply.status;
      if (read.left_out > 0) {
        reading.answer.message = fmt::format("{} of the page's tokens have no tokenId that can be read", read.left_out);
      }
    } else {
      reading.outcome = ReadingFailed{};
      reading.answer = UnreadableAnswer(reply, read.fault, foreign);
    }
    return reading;
  }
  ReadRefusal(reading, reply, now, foreign, [&](const ServiceError& error, ErrorMeaning meaning) {
    return RefusedList(reply, call, error, meaning);
  });
  return reading;
}

}  // namespace tokensync
