#include "webrpc_error.h"

#include <array>
#include <cstdlib>
#include <utility>

#include "standin_faults.h"
#include "standin_json.h"

namespace tokensync::standin {
namespace {

constexpr std::array kKinds = {
    ErrorKind{"WebrpcEndpoint", 0, "endpoint error", 400},
    ErrorKind{"WebrpcRequestFailed", -1, "request failed", 400},
    ErrorKind{"WebrpcBadRoute", -2, "bad route", 404},
    ErrorKind{"WebrpcBadMethod", -3, "bad method", 405},
    ErrorKind{"WebrpcBadRequest", -4, "bad request", 400},
    ErrorKind{"WebrpcBadResponse", -5, "bad response", 500},
    ErrorKind{"WebrpcServerPanic", -6, "server panic", 500},
    ErrorKind{"WebrpcInternalError", -7, "internal error", 500},
    ErrorKind{"WebrpcClientDisconnected", -8, "client disconnected", 400},
    ErrorKind{"WebrpcStreamLost", -9, "stream lost", 400},
    ErrorKind{"Unauthorized", 1000, "Unauthorized access", 401},
    ErrorKind{"PermissionDenied", 1001, "Permission denied", 403},
    ErrorKind{"SessionExpired", 1002, "Session expired", 403},
    ErrorKind{"MethodNotFound", 1003, "Method not found", 404},
    ErrorKind{"RequestConflict", 1004, "Conflict with target resource", 409},
    ErrorKind{"Fail", 1005, "Request Failed", 500},
    ErrorKind{"Geoblocked", 1006, "Geoblocked region", 451},
    ErrorKind{"Timeout", 2000, "Request timed out", 408},
    ErrorKind{"InvalidArgument", 2001, "Invalid argument", 400},
    ErrorKind{"RequiredArgument", 2002, "Required argument missing", 400},
    ErrorKind{"QueryFailed", 2003, "Query failed", 400},
    ErrorKind{"ValidationFailed", 2004, "Validation failed", 400},
    ErrorKind{"RateLimited", 2005, "Rate limited", 429},
    ErrorKind{"NotFound", 3000, "Resource not found", 400},
    ErrorKind{"ProjectNotFound", 3002, "Project not found", 400},
    ErrorKind{"ChainNotFound", 3003, "Chain not found", 400},
    ErrorKind{"TokenDirectoryDisabled", 4001, "Token Directory is disabled", 400},
    // Not published: the vendor's newest schema and its shared middleware.
    ErrorKind{"WebrpcClientAborted", -8, "request aborted by client", 400},
    ErrorKind{"TaskFailed", 1007, "Task failed", 400},
    ErrorKind{"Deprecated", 1008, "Deprecated", 400},
    ErrorKind{"SecretKeyCorsDisallowed", 1009, "CORS disallowed for secret keys", 403},
    ErrorKind{"QuotaExceeded", 1200, "Quota exceeded", 423},
};

}  // namespace

std::span<const ErrorKind> ErrorKinds() {
  return kKinds;
}

const ErrorKind* FindError(std::string_view name) {
  for (const ErrorKind& kind : kKinds)
    if (kind.name == name) return &kind;
  return nullptr;
}

std::vector<std::string> ErrorNames() {
  std::vector<std::string> names;
  for (const ErrorKind& kind : kKinds) names.emplace_back(kind.name);
  return names;
}

std::string ErrorBody(const ErrorKind& kind, std::string_view cause) {
  std::string body = "{\"error\":";
  AppendJsonText(body, kind.name);
  body += ",\"code\":" + std::to_string(kind.code) + ",\"msg\":";
  AppendJsonText(body, kind.msg);
  if (!cause.empty()) {
    body += ",\"cause\":";
    AppendJsonText(body, cause);
  }
  body += ",\"status\":" + std::to_string(kind.status) + "}";
  return body;
}

CallRefused::CallRefused(std::string_view name, std::string cause) : kind_(FindError(name)), cause_(std::move(cause)) {
  if (kind_ == nullptr) std::abort();
}

}  // namespace tokensync::standin
