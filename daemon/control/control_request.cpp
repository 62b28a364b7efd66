#include "control_request.h"

#include <algorithm>

#include "json_text.h"
#include "text.h"

namespace tokensync {

namespace {

constexpr std::size_t kDepthMax = 4;
constexpr std::size_t kQuotedMax = 40;

constexpr std::size_t kFingerprintDigitsMax = 64;

bool IsFingerprint(std::string_view text) {
  return !text.empty() && text.size() <= kFingerprintDigitsMax &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

/// What asks for a pass: a trigger, or an approval, whose fingerprint is then set.
ControlRequest ParseWish(const JsonObject& members, bool is_approval, const ControlLimits& limits) {
  ApproveRequest request{.fingerprint = {}, .wait = false, .timeout = limits.wait_default};
  for (const auto& [name, value] : members) {
    if (name == "wait") {
      if (value.AsBool() == nullptr) return BadRequest{"\"wait\" is not true or false"};
      request.wait = *value.AsBool();
    } else if (name == "timeout_ms") {
      const double* number = value.AsNumber();
      if (number == nullptr || !(*number >= 0)) return BadRequest{"\"timeout_ms\" is not a number of milliseconds"};
      const double most = static_cast<double>(limits.wait_max.count());
      request.timeout = std::chrono::milliseconds(static_cast<std::int64_t>(std::min(*number, most)));
    } else if (is_approval && name == "fingerprint") {
      if (value.AsString() == nullptr || !IsFingerprint(*value.AsString())) {
        return BadRequest{"\"fingerprint\" is not a text of 1 to 64 hexadecimal digits"};
      }
      request.fingerprint = *value.AsString();
    } else if (name != "command") {
      return BadRequest{"unknown member \"" + PrintableText(name, kQuotedMax) + "\""};
    }
  }
  if (!is_approval) return TriggerRequest{.wait = request.wait, .timeout = request.timeout};
  if (request.fingerprint.empty()) return BadRequest{"\"approve\" without a \"fingerprint\""};
  return request;
}

ControlRequest Interpret(const JsonValue& value, const ControlLimits& limits) {
  const JsonValue* command = value.Find("command");
  const std::string* name = command == nullptr ? nullptr : command->AsString();
  if (name == nullptr) return BadRequest{"a request is an object with a \"command\""};
  if (*name == "trigger" || *name == "approve") return ParseWish(*value.AsObject(), *name == "approve", limits);
  if (*name != "status") {
    return BadRequest{"unknown command \"" + PrintableText(*name, kQuotedMax) + "\"; known: approve, status, trigger"};
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
