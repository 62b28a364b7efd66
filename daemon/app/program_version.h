/// Which program this is.
#pragma once

namespace tokensync {

/// "0.1.0", and "tokensyncd/0.1.0" for those whom it calls.
inline constexpr const char* kVersion = TOKENSYNC_VERSION;
inline constexpr const char* kUserAgent = "tokensyncd/" TOKENSYNC_VERSION;

}  // namespace tokensync
