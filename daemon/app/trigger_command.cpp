/// `trigger`: tell the daemon to make a pass, and tell what it did.
#include "commands.h"
#include "config.h"
#include "control_client.h"
#include "exit_status.h"
#include "pass_answer.h"

namespace tokensync {

int Execute(const TriggerCommand& command) {
  const Config config = LoadConfig(command.config);
  const JsonValue told = TriggerPass(config.control.socket, command.wait);
  return command.wait ? TellPass(told) : kDone;
}

}  // namespace tokensync
