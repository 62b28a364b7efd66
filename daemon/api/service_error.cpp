#include "service_error.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "json_text.h"
#include "payload.h"

namespace tokensync {

namespace {

struct KnownError {
  std::string_view name;
  int code;
  bool code_is_unique;  // a code that two errors share tells nothing without the name
  ErrorMeaning meaning;
};

constexpr std::array<KnownError, 35> kKnownErrors = {{
    {"WebrpcEndpoint", 0, true, ErrorMeaning::kFault},
    {"WebrpcRequestFailed", -1, true, ErrorMeaning::kEffectUncertain},
    {"WebrpcBadRoute", -2, true, ErrorMeaning::kNoSuchCall},
    {"WebrpcBadMethod", -3, true, ErrorMeaning::kNoSuchCall},
    {"WebrpcBadRequest", -4, true, ErrorMeaning::kInvalid},
    {"WebrpcBadResponse", -5, true, ErrorMeaning::kEffectUncertain},
    {"WebrpcServerPanic", -6, true, ErrorMeaning::kEffectUncertain},
    {"WebrpcInternalError", -7, true, ErrorMeaning::kEffectUncertain},
    {"WebrpcClientAborted", -8, true, ErrorMeaning::kEffectUncertain},
    {"WebrpcClientDisconnected", -8, true, ErrorMeaning::kEffectUncertain},
    {"WebrpcStreamLost", -9, true, ErrorMeaning::kEffectUncertain},
    {"Unauthorized", 1000, true, ErrorMeaning::kDenied},
    {"PermissionDenied", 1001, true, ErrorMeaning::kDenied},
    {"SessionExpired", 1002, true, ErrorMeaning::kDenied},
    {"MethodNotFound", 1003, true, ErrorMeaning::kNoSuchCall},
    {"RequestConflict", 1004, true, ErrorMeaning::kConflict},
    {"Fail", 1005, true, ErrorMeaning::kFault},
    {"Geoblocked", 1006, true, ErrorMeaning::kDenied},
    {"TaskFailed", 1007, false, ErrorMeaning::kFault},
    {"Deprecated", 1008, false, ErrorMeaning::kFault},
    {"QuotaExceeded", 1200, true, ErrorMeaning::kQuotaExhausted},
    {"RateLimited", 1201, true, ErrorMeaning::kRateLimited},
    {"RateLimited", 1007, false, ErrorMeaning::kRateLimited},
    {"Timeout", 1900, true, ErrorMeaning::kEffectUncertain},
    {"Timeout", 2000, true, ErrorMeaning::kEffectUncertain},
    {"InvalidArgument", 2001, true, ErrorMeaning::kInvalid},
    {"RequiredArgument", 2002, true, ErrorMeaning::kInvalid},
    {"QueryFailed", 2003, true, ErrorMeaning::kFault},
    {"ValidationFailed", 2004, true, ErrorMeaning::kInvalid},
    {"RateLimited", 2005, true, ErrorMeaning::kRateLimited},
    {"NotFound", 3000, true, ErrorMeaning::kNotFound},
    {"ProjectNotFound", 1008, false, ErrorMeaning::kDenied},
    {"ProjectNotFound", 3002, true, ErrorMeaning::kDenied},
    {"ChainNotFound", 3003, true, ErrorMeaning::kFault},
    {"TokenDirectoryDisabled", 4001, true, ErrorMeaning::kFault},
}};

std::string TextMember(const JsonValue& body, std::string_view name) {
  const JsonValue* member = body.Find(name);
  const std::string* text = member == nullptr ? nullptr : member->AsString();
  return text == nullptr ? std::string() : *text;
}

}  // namespace

ServiceError ReadServiceError(std::string_view body) {
  ServiceError error;
  if (body.size() > kErrorBytesMax) return error;
  try {
    const JsonValue value = ParseJson(body, kPayloadDepthMax + 1);
    error.name = TextMember(value, "error");
    error.message = TextMember(value, "msg");
    error.cause = TextMember(value, "cause");
    const JsonValue* code = value.Find("code");
    if (const double* number = code == nullptr ? nullptr : code->AsNumber()) {
      if (std::floor(*number) == *number && std::abs(*number) <= std::numeric_limits<int>::max()) {
        error.code = static_cast<int>(*number);
      }
    }
  } catch (const JsonTextError&) {
    return ServiceError();
  }
  return error;
}

ErrorMeaning MeaningOf(const ServiceError& error) {
  const auto by_name = std::find_if(kKnownErrors.begin(), kKnownErrors.end(),
                                    [&](const KnownError& known) { return known.name == error.name; });
  if (by_name != kKnownErrors.end()) return by_name->meaning;
  const auto by_code = std::find_if(kKnownErrors.begin(), kKnownErrors.end(), [&](const KnownError& known) {
    return known.code_is_unique && known.code == error.code;
  });
  return by_code == kKnownErrors.end() ? ErrorMeaning::kUnlisted : by_code->meaning;
}

}  // namespace tokensync
