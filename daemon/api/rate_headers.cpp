#include "rate_headers.h"

#include <Poco/DateTime.h>
#include <Poco/DateTimeFormat.h>
#include <Poco/DateTimeFormatter.h>
#include <Poco/DateTimeParser.h>

#include <algorithm>
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

std::optional<TimePoint> HttpDate(const std::string& text) {
  Poco::DateTime date;
  int zone_seconds = 0;
  const std::string& format = Poco::DateTimeFormat::HTTP_FORMAT;
  if (!Poco::DateTimeParser::tryParse(format, text, date, zone_seconds)) return std::nullopt;
  // Poco reads a date out of almost anything.
  if (Poco::DateTimeFormatter::format(date, format) != text) return std::nullopt;
  return TimePoint(std::chrono::seconds(date.timestamp().epochTime()));
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
