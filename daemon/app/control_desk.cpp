#include "control_desk.h"

namespace tokensync {

std::uint64_t ControlDesk::OnTrigger(const Peer& peer) {
  log_.Write(LogLevel::kInfo, "a pass is asked for", {{"user", peer.user}, {"uid", peer.uid}, {"pid", peer.pid}});
  return triggers_.Request("trigger");
}

std::variant<std::uint64_t, std::string> ControlDesk::OnApprove(const Peer& peer, const std::string& fingerprint) {
  if (!live_.HasHeldPlan(fingerprint)) {
    return "no plan with the fingerprint " + fingerprint +
           " waits for an approval; `tokensyncd status` shows the one that does";
  }
  return triggers_.Approve({.fingerprint = fingerprint, .actor = ActorText(peer.user, peer.uid)});
}

}  // namespace tokensync
