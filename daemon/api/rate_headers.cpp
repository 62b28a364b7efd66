#include "rate_headers.h"

#include <Poco/DateTime.h>
#include <Poco/DateTimeFormat.h>
#include <Poco/DateTimeFormatter.h>
#include <Poco/DateTimeParser.h>

#include <algorithm>
#include <array>
#include <charconv>

namespace tokensync {

namespace {

// The year 9999.
constexpr std::uint64_t kUnixSecondsMax = 253402300799;

std::optional<std::uint64_t> WholeNumber(const std::string* text) {
  if (text == nullptr || text->empty()) return std::nullopt;
  std::uint64_t number = 0;
  const char* end = text->data() + text->size();
  const auto [stop, failure] = std::from_chars(text->data(), end, number);
  if (failure != std::errc() || stop != end) return std::nullopt;
  return number;
}

// RFC 9110's three forms of a date: the one that is sent today, and two that a recipient has to take as well.
std::optional<TimePoint> HttpDate(const std::string& text) {
  static const std::array<std::string, 3> kForms = {Poco::DateTimeFormat::HTTP_FORMAT, "%W, %d-%b-%y %H:%M:%S %Z",
                                                    "%w %b %f %H:%M:%S %Y"};
  for (const std::string& form : kForms) {
    Poco::DateTime date;
    int zone_seconds = 0;
    if (!Poco::DateTimeParser::tryParse(form, text, date, zone_seconds)) continue;
    // Poco reads a date out of almost anything.
    if (Poco::DateTimeFormatter::format(date, form) != text) continue;
    return TimePoint(std::chrono::seconds(date.timestamp().epochTime()));
  }
  return std::nullopt;
}

Duration Until(TimePoint then, TimePoint now) {
  return std::clamp(then - now, Duration(0), kRetryAfterMax);
}

}  // namespace

RateHint ReadRateHint(const HttpReply& reply) {
  RateHint hint;
  hint.limit = WholeNumber(reply.Header("credits-rate-limit"));
  hint.remaining = WholeNumber(reply.Header("credits-rate-remaining"));
  if (const auto seconds = WholeNumber(reply.Header("credits-rate-reset")); seconds && *seconds <= kUnixSecondsMax) {
    hint.reset = TimePoint(std::chrono::seconds(*seconds));
  }
  return hint;
}

std::optional<Duration> ReadRetryAfter(const HttpReply& reply, TimePoint now) {
  if (const std::string* header = reply.Header("retry-after")) {
    if (const auto seconds = WholeNumber(header)) {
      const auto seconds_max = std::chrono::duration_cast<std::chrono::seconds>(kRetryAfterMax).count();
      return std::chrono::seconds(std::min(*seconds, static_cast<std::uint64_t>(seconds_max)));
    }
    if (const auto date = HttpDate(*header)) return Until(*date, now);
  }
  if (const auto reset = ReadRateHint(reply).reset) return Until(*reset, now);
  return std::nullopt;
}

}  // namespace tokensync
