/// What is asked over the control socket, put to the loop.
#pragma once

#include "control_server.h"
#include "live_status.h"
#include "log.h"
#include "triggers.h"

namespace tokensync {

class ControlDesk : public ControlHandler {
 public:
  /// All of them outlive it.
  ControlDesk(Triggers& triggers, const LiveStatus& live, Log& log) : triggers_(triggers), live_(live), log_(log) {}

  std::uint64_t OnTrigger(const Peer& peer) override;
  std::variant<std::uint64_t, std::string> OnApprove(const Peer& peer, const std::string& fingerprint) override;
  std::optional<JsonValue> ResultOf(std::uint64_t ticket) override { return triggers_.ResultOf(ticket); }
  JsonValue OnStatus() override { return live_.Json(); }

 private:
  Triggers& triggers_;
  const LiveStatus& live_;
  Log& log_;
};

}  // namespace tokensync
