#include "control_request.h"

#include <algorithm>

#include "json_text.h"
#include "text.h"

namespace tokensync {

namespace {

constexpr std::size_t kDepthMax = 4;
constexpr std::size_t kQuotedMax = 40;

ControlRequest ParseTrigger(const JsonObject& members, const ControlLimits& limits) {
  TriggerRequest request{.wait = false, .timeout = limits.wait_default};
  for (const auto& [name, value] : members) {
    if (name == "wait") {
      if (value.AsBool() == nullptr) return BadRequest{"\"wait\" is not true or false"};
      request.wait = *value.AsBool();
    } else if (name == "timeout_ms") {
      const double* number = value.AsNumber();
      if (number == nullptr || !(*number >= 0)) return BadRequest{"\"timeout_ms\" is not a number of milliseconds"};
      const double most = static_cast<double>(limits.wait_max.count());
      request.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(std::min(*number, most)));
    } else if (name != "command") {
      return BadRequest{"unknown member \"" + PrintableText(name, kQuotedMax) + "\""};
    }
  }
  return request;
}

ControlRequest Interpret(const JsonValue& value, const ControlLimits& limits) {
  const JsonValue* command = value.Find("command");
  const std::string* name = command == nullptr ? nullptr : command->AsString();
  if (name == nullptr) return BadRequest{"a request is an object with a \"command\""};
  if (*name == "trigger") return ParseTrigger(*value.AsObject(), limits);
  if (*name != "status") {
    return BadRequest{"unknown command \"" + PrintableText(*name, kQuotedMax) + "\"; known: status, trigger"};
  }
  if (value.AsObject()->size() != 1) return BadRequest{"\"status\" has no other members"};
  return StatusRequest{};
}

}  // namespace

ControlRequest ParseRequest(std::string_view line, const ControlLimits& limits) {
  try {
    return Interpret(ParseJson(line, kDepthMax), limits);
  } catch (const JsonTextError& error) {
    return BadRequest{error.what()};
  }
}

}  // namespace tokensync
