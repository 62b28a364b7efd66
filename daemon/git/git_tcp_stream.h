/// The connection below http and https, in place of libgit2's own.
///
/// libgit2 1.5 leaves Nagle's algorithm on and sends the head and the body of a request apart, so that each POST and
/// each TLS handshake waits some 40 ms for a delayed acknowledgement. For an http URL with a proxy it writes the
/// request as one to a proxy, but connects to the server itself; for an https URL it does not tell why the proxy
/// refuses.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "secret.h"

namespace tokensync {

/// How connections go through a proxy.
struct ProxyWay {
  enum class Kind {
    kForward,  ///< to the proxy, which takes whole http requests; each one on a connection of its own
    kTunnel    ///< through the proxy, which is asked by CONNECT
  };
  Kind kind = Kind::kTunnel;
  std::string host;
  std::string port;
  Secret authorization;  ///< for kTunnel: the value of Proxy-Authorization, or empty
};

/// What the error says after `kProxyAnswers` is the status that a proxy answered to CONNECT, instead of 200.
inline constexpr std::string_view kProxyAnswers = "the proxy answers with status ";

/// From now on every connection of libgit2 in this process is made here. Not for ssh, which reaches into libgit2's own
/// kind of connection. Throws GitCallError.
void UseTcpStreams(std::optional<ProxyWay> way);

}  // namespace tokensync
