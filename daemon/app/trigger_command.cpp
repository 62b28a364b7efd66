/// `trigger`: tell the daemon to make a pass, and tell what it did.
#include <unistd.h>

#include "commands.h"
#include "config.h"
#include "control_client.h"
#include "exit_status.h"
#include "terminal.h"

namespace tokensync {

int Execute(const TriggerCommand& command) {
  const Config config = LoadConfig(command.config);
  const JsonValue told = TriggerPass(config.control.socket, command.wait);
  if (!command.wait) return kDone;
  if (const JsonValue* text = told.Find("text"); text != nullptr && text->AsString() != nullptr) {
    WriteAll(STDOUT_FILENO, *text->AsString());
  }
  const JsonValue* status = told.Find("exit_status");
  return status != nullptr && status->AsNumber() != nullptr ? static_cast<int>(*status->AsNumber()) : kInternalError;
}

}  // namespace tokensync
