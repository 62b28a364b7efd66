/// Tokens in the form of payloads: ours as an object, and the service's as a payload.
#pragma once

#include <string>

#include "ports.h"

namespace tokensync {

/// Nesting that a payload may have. A reply wraps a token in one level more.
inline constexpr std::size_t kPayloadDepthMax = 64;

/// The call's payload as an object. The program aborts where it is none: whoever makes a call has checked that.
JsonObject PayloadObject(const Call& call);

/// What the service shows of a token, as a payload: equal to ours only where the tokens are equal by CompareTokens,
/// which is more lenient with what is empty within maps. Fields of odd types stay as they are.
std::string RemotePayload(const JsonObject& remote);

}  // namespace tokensync
