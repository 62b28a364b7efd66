/// A request at the control socket. The input is what a client sends: lines, of which each is taken for a request.
#include <string>
#include <variant>

#include "control_request.h"
#include "fuzz_checks.h"
#include "json.h"
#include "json_text.h"

namespace tokensync {
namespace {

constexpr std::size_t kWhyCharactersMax = 200;

JsonValue CommandOf(const ControlRequest& request) {
  if (std::holds_alternative<StatusRequest>(request)) return JsonObject{{"command", "status"}};
  if (const auto* approve = std::get_if<ApproveRequest>(&request)) {
    return JsonObject{{"command", "approve"},
                      {"fingerprint", approve->fingerprint},
                      {"wait", approve->wait},
                      {"timeout_ms", static_cast<double>(approve->timeout.count())}};
  }
  const auto& trigger = std::get<TriggerRequest>(request);
  return JsonObject{
      {"command", "trigger"}, {"wait", trigger.wait}, {"timeout_ms", static_cast<double>(trigger.timeout.count())}};
}

void CheckLine(std::string_view line) {
  const ControlLimits limits;
  const ControlRequest request = ParseRequest(line, limits);
  if (const auto* bad = std::get_if<BadRequest>(&request)) {
    Require(!bad->why.empty(), "a refusal says why");
    RequirePrintable(bad->why, kWhyCharactersMax);
    const std::string answer = CanonicalJson(JsonObject{{"error", bad->why}});
    const JsonValue read = ParseJson(answer);
    Require(*read.Find("error")->AsString() == bad->why, "the client reads why it is refused", answer);
    return;
  }
  const JsonValue asked = ParseJson(line);
  Require(asked.Find("command") != nullptr, "what is done was asked for", line);
  if (const auto* trigger = std::get_if<TriggerRequest>(&request)) {
    Require(trigger->timeout.count() >= 0 && trigger->timeout <= limits.wait_max, "a wait has its bounds", line);
    const JsonValue* wait = asked.Find("wait");
    Require(trigger->wait == (wait != nullptr && *wait->AsBool()), "who waits has asked for it", line);
  }
  const std::string command = CanonicalJson(CommandOf(request));
  const ControlRequest again = ParseRequest(command, limits);
  Require(!std::holds_alternative<BadRequest>(again), "the same written another way is understood as well", command);
  Require(CommandOf(again) == CommandOf(request), "the same written another way means the same", command);
}

}  // namespace
}  // namespace tokensync

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text = tokensync::InputText(data, size);
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    tokensync::CheckLine(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return 0;
}
