/// What a reply's headers tell about the service's rate limits.
#pragma once

#include <optional>

#include "http_reply.h"
#include "ports.h"

namespace tokensync {

/// The longest wait that a reply can ask for; more is taken as this.
inline constexpr Duration kRetryAfterMax = std::chrono::hours(24);

/// Credits-Rate-Limit, -Remaining and -Reset (unix seconds); what cannot be read is left out.
RateHint ReadRateHint(const HttpReply& reply);

/// How long the reply asks to wait, from `now`: by Retry-After (seconds, or an HTTP date in any form), else until
/// Credits-Rate-Reset; never negative.
std::optional<Duration> ReadRetryAfter(const HttpReply& reply, TimePoint now);

}  // namespace tokensync
