/// Times and durations as text, and back.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "model.h"

namespace tokensync {

/// RFC 3339, UTC, to the millisecond: 2026-11-24T06:42:44.123Z.
std::string FormatTime(TimePoint time);

/// A point in time as a person writes it: RFC 3339 with any offset (seconds and fraction may be left out, a space may
/// stand for the T, without an offset it is UTC), a date (its midnight, UTC), or how long before `now`: 90s, 30m, 2h,
/// 3d, 1w. Nothing for any other text, an impossible date, or a year outside 1970 to 9999.
std::optional<TimePoint> ParseTime(std::string_view text, TimePoint now);

/// The forms that ParseTime takes, for an error text.
inline constexpr std::string_view kTimeForms =
    "a time such as 2026-11-24T06:42:44Z, a date such as 2026-11-24, or how long ago, such as 30m, 2h or 3d";

/// For people, with at most two units: "850 ms", "4.2 s", "40 s", "2 min 5 s", "3 h 20 min", "2 d 4 h".
std::string FormatDuration(Duration duration);

}  // namespace tokensync
