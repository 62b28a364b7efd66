/// The token object of a call, from its payload's text.
#pragma once

#include "ports.h"

namespace tokensync {

/// Nesting that a payload may have. A reply wraps a token in one level more.
inline constexpr std::size_t kPayloadDepthMax = 64;

/// The call's payload as an object. The program aborts where it is none: whoever makes a call has checked that.
JsonObject PayloadObject(const Call& call);

}  // namespace tokensync
