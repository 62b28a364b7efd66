#include "metadata_service.h"

#include <Poco/String.h>

#include <algorithm>
#include <ctime>
#include <string_view>
#include <utility>

#include "webrpc_error.h"

namespace tokensync::standin {
namespace {

constexpr std::string_view kRoute = "/rpc/Collections/";

const std::string* Header(const Request& request, const std::string& name) {
  for (const auto& [key, value] : request.headers)
    if (Poco::icompare(key, name) == 0) return &value;
  return nullptr;
}

std::optional<Method> Route(const std::string& path) {
  if (!path.starts_with(kRoute)) return std::nullopt;
  return FindMethod(std::string_view(path).substr(kRoute.size()));
}

bool IsBearer(const std::string& authorization, const std::string& wanted) {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() <= kScheme.size()) return false;
  if (Poco::icompare(authorization, 0, kScheme.size(), std::string(kScheme)) != 0) return false;
  return wanted.empty() || std::string_view(authorization).substr(kScheme.size()) == wanted;
}

bool IsJson(const std::string* content_type) {
  return content_type != nullptr &&
         Poco::icompare(Poco::trim(content_type->substr(0, content_type->find(';'))), "application/json") == 0;
}

Reply ErrorReply(const ErrorKind& kind, std::string_view cause) {
  Reply reply;
  reply.status = kind.status;
  reply.body = ErrorBody(kind, cause);
  return reply;
}

Reply ErrorReply(const AnswerError& effect) {
  ErrorKind kind = *FindError(effect.name);
  kind.code = effect.code.value_or(kind.code);
  kind.status = effect.status.value_or(kind.status);
  if (!effect.msg.empty()) kind.msg = effect.msg;
  return ErrorReply(kind, effect.cause);
}

/// A create's reply for a token that nobody stored.
Reply HollowReply(const std::string& token_id) {
  Reply reply;
  reply.body = "{\"token\":{\"tokenId\":";
  AppendJsonText(reply.body, token_id);
  reply.body +=
      ",\"name\":\"never stored\",\"image\":\"\",\"attributes\":null,\"updatedAt\":\"0001-01-01T00:00:00Z\"},"
      "\"assets\":null}";
  return reply;
}

Delivery GarbageDelivery(const AnswerGarbage& effect, const std::string& token_id, Reply reply) {
  switch (effect.kind) {
    case Garbage::kNotJson:
      reply = Reply{.body = "}{ this is \x01\xFF no JSON"};
      break;
    case Garbage::kHtml:
      reply = Reply{.content_type = "text/html; charset=utf-8",
                    .body = "<!DOCTYPE html><html><head><title>Welcome</title></head><body>Sign in</body></html>"};
      break;
    case Garbage::kWrongContentType:
      reply.content_type = "text/plain";
      break;
    case Garbage::kTruncatedJson:
      reply.body.resize(reply.body.size() / 2);
      break;
    case Garbage::kShortBody:
      return {std::move(reply), SendShort{}};
    case Garbage::kOversized:
      return {std::move(reply), SendOversized{effect.oversized_bytes}};
    case Garbage::kWrongToken:
      reply = HollowReply("1" + token_id);
      break;
    case Garbage::kEmptyBody:
      reply = Reply{};
      break;
  }
  return {std::move(reply), SendWhole{}};
}

/// The date that many seconds from now, as HTTP writes it.
std::string DateAfter(std::uint64_t seconds) {
  const std::time_t then = std::time(nullptr) + static_cast<std::time_t>(seconds);
  std::tm utc{};
  gmtime_r(&then, &utc);
  char text[40];
  return {text, std::strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &utc)};
}

void AddRateHeaders(Reply& reply, const RateLimit& limit, const RateVerdict& verdict) {
  if (limit.credits) {
    reply.headers.emplace_back("Credits-Rate-Limit", std::to_string(verdict.limit));
    reply.headers.emplace_back("Credits-Rate-Remaining", std::to_string(verdict.remaining));
    reply.headers.emplace_back("Credits-Rate-Reset", std::to_string(verdict.reset_unix_seconds));
  }
  if (!verdict.refused || limit.retry_after == RetryAfter::kNone) return;
  const bool as_date = limit.retry_after == RetryAfter::kDate;
  reply.headers.emplace_back(
      "Retry-After", as_date ? DateAfter(verdict.retry_after_seconds) : std::to_string(verdict.retry_after_seconds));
}

bool IsSilent(const Wire& wire) {
  return std::holds_alternative<Cut>(wire) || std::holds_alternative<CutReply>(wire) ||
         std::holds_alternative<AnswerNothing>(wire);
}

}  // namespace

MetadataService::MetadataService(const StandinOptions& options)
    : bearer_(options.bearer), collections_(store_, options.projects), log_(options.requests_kept) {}

Method MetadataService::Admitted(const Request& request, std::optional<Method> method,
                                 const Behaviour& behaviour) const {
  const bool missing = (method == Method::kGetToken && !behaviour.get_token) ||
                       (method == Method::kListTokens && !behaviour.list_tokens);
  if (!method || missing) throw CallRefused("WebrpcBadRoute", "no handler for path '" + request.path + "'");
  if (request.verb != "POST") throw CallRefused("WebrpcBadMethod", "unsupported method '" + request.verb + "'");
  if (Header(request, "Origin") != nullptr)
    throw CallRefused("SecretKeyCorsDisallowed", "a secret key came with an Origin");
  const std::string* authorization = Header(request, "Authorization");
  if (authorization == nullptr) throw CallRefused("Unauthorized", "no Authorization");
  if (!IsBearer(*authorization, bearer_)) throw CallRefused("Unauthorized", "the token is not known");
  if (!IsJson(Header(request, "Content-Type")))
    throw CallRefused("WebrpcBadRequest", "unexpected Content-Type, application/json is expected");
  return *method;
}

Reply MetadataService::Carry(const CheckedCall& call, const Behaviour& behaviour, bool& applied) {
  try {
    Carried carried = collections_.Carry(call, behaviour);
    applied = carried.change != Change::kNone;
    log_.Applied(carried.change, call.token);
    Reply reply;
    reply.body = std::move(carried.body);
    return reply;
  } catch (const CallRefused& refused) {
    return ErrorReply(refused.kind(), refused.cause());
  }
}

Delivery MetadataService::Struck(const FaultRule& rule, const CheckedCall& call, const Behaviour& behaviour,
                                 bool& applied) {
  log_.Struck();
  const auto* hold = std::get_if<Hold>(&rule.effect);
  if (hold != nullptr && !rule.applies) pauses_.Hold(hold->longest);
  Reply reply = rule.applies || hold != nullptr ? Carry(call, behaviour, applied) : HollowReply(call.token.token_id);
  if (hold != nullptr && rule.applies) pauses_.Hold(hold->longest);

  struct {
    MetadataService& service;
    const CheckedCall& call;
    Reply reply;

    Delivery operator()(const AnswerError& effect) { return {ErrorReply(effect), SendWhole{}}; }
    Delivery operator()(const AnswerRaw& effect) {
      return {Reply{effect.status, effect.content_type, effect.body, effect.headers}, SendWhole{}};
    }
    Delivery operator()(const AnswerGarbage& effect) {
      return GarbageDelivery(effect, call.token.token_id, std::move(reply));
    }
    Delivery operator()(const Cut& effect) { return {std::move(reply), effect}; }
    Delivery operator()(const CutReply& effect) { return {std::move(reply), effect}; }
    Delivery operator()(const AnswerNothing& effect) { return {std::move(reply), effect}; }
    Delivery operator()(const Drip& effect) { return {std::move(reply), effect}; }
    Delivery operator()(const ApplyLate& effect) {
      service.late_.Schedule(effect.delay, [&owner = service, late = call] {
        bool late_applied = false;
        owner.Carry(late, *owner.faults_.behaviour(), late_applied);
      });
      return {std::move(reply), Cut{effect.reset}};
    }
    Delivery operator()(const Hold&) { return {std::move(reply), SendWhole{}}; }
  } deliver{*this, call, std::move(reply)};
  return std::visit(deliver, rule.effect);
}

Delivery MetadataService::Answer(Request request) {
  const auto behaviour = faults_.behaviour();
  const std::optional<Method> method = Route(request.path);
  RecordedRequest record;
  record.connection = request.connection;
  record.method = method ? MethodName(*method) : "";
  log_.Arrived(record);
  std::shared_ptr<void> in_flight(nullptr, [this](void*) { log_.Left(); });

  Delivery delivery;
  std::optional<RateVerdict> verdict;
  try {
    const Method admitted = Admitted(request, method, *behaviour);
    // Read first, because it names the project; what is wrong with it is told to those who may call now.
    std::optional<CheckedCall> call;
    std::optional<CallRefused> unreadable;
    try {
      if (!request.too_large) call = collections_.Read(admitted, request.body, *behaviour, record.token);
    } catch (const CallRefused& refused) {
      unreadable = refused;
    }
    verdict = faults_.CountCall(*behaviour, record.token.project);
    if (verdict && verdict->refused) {
      log_.RateLimited();
      throw CallRefused("RateLimited", "");
    }
    if (unreadable) throw CallRefused(*unreadable);
    if (!call) {
      delivery.reply = {.status = 413, .content_type = "text/plain", .body = "request body too large", .close = true};
    } else {
      const auto rule = faults_.Strike(MethodName(admitted), call->token.token_id);
      pauses_.Sleep(FaultInjector::Latency(*behaviour, record.number));
      if (rule) {
        delivery = Struck(*rule, *call, *behaviour, record.applied);
      } else {
        delivery.reply = Carry(*call, *behaviour, record.applied);
      }
    }
  } catch (const CallRefused& refused) {
    delivery.reply = ErrorReply(refused.kind(), refused.cause());
    // What is left of the body would be read as the next request.
    delivery.reply.close = request.too_large;
  }
  if (verdict) AddRateHeaders(delivery.reply, *behaviour->rate_limit, *verdict);

  record.verb = std::move(request.verb);
  record.path = std::move(request.path);
  record.headers = std::move(request.headers);
  record.body = std::move(request.body);
  record.status = IsSilent(delivery.wire) ? 0 : delivery.reply.status;
  log_.Ended(std::move(record));
  // Elsewhere the call is over before its answer leaves: a client that has it may start the next one at once.
  if (std::holds_alternative<AnswerNothing>(delivery.wire) || std::holds_alternative<Drip>(delivery.wire))
    delivery.in_flight = std::move(in_flight);
  return delivery;
}

void MetadataService::Reset() {
  faults_.Reset();
  late_.Drop();
  store_.Clear();
  log_.Reset();
}

}  // namespace tokensync::standin
