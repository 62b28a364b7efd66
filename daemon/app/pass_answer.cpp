#include "pass_answer.h"

#include <unistd.h>

#include "exit_status.h"
#include "pass_text.h"

namespace tokensync {

JsonValue PassAnswer(const PassSummary& summary) {
  JsonValue answer = PassSummaryJson(summary);
  (*answer.AsObject())["text"] = PassSummaryText(summary, Terminal{});
  (*answer.AsObject())["exit_status"] = static_cast<int>(ExitStatusOf(summary));
  return answer;
}

int TellPass(const JsonValue& answer) {
  if (const JsonValue* text = answer.Find("text"); text != nullptr && text->AsString() != nullptr) {
    WriteAll(STDOUT_FILENO, *text->AsString());
  }
  const JsonValue* status = answer.Find("exit_status");
  return status != nullptr && status->AsNumber() != nullptr ? static_cast<int>(*status->AsNumber()) : kInternalError;
}

}  // namespace tokensync
