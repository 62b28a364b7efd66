#include "time_text.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>

namespace tokensync {

namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

/// Takes a text apart from its front.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : rest_(text) {}

  bool AtEnd() const { return rest_.empty(); }

  bool Take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }

  /// Between `least` and `most` digits.
  std::optional<std::int64_t> Number(std::size_t least, std::size_t most) {
    std::size_t count = 0;
    while (count < rest_.size() && count < most && rest_[count] >= '0' && rest_[count] <= '9') ++count;
    if (count < least) return std::nullopt;
    std::int64_t number = 0;
    std::from_chars(rest_.data(), rest_.data() + count, number);
    digits_ = count;
    rest_.remove_prefix(count);
    return number;
  }

  /// How many digits the last number had.
  std::size_t digits() const { return digits_; }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
  std::size_t digits_ = 0;
};

std::optional<TimePoint> ParseAgo(std::string_view text, TimePoint now) {
  Scanner scanner(text);
  const std::optional<std::int64_t> number = scanner.Number(1, 9);
  if (!number) return std::nullopt;
  Duration unit{0};
  if (scanner.rest() == "s") unit = seconds(1);
  if (scanner.rest() == "m") unit = minutes(1);
  if (scanner.rest() == "h") unit = hours(1);
  if (scanner.rest() == "d") unit = days(1);
  if (scanner.rest() == "w") unit = days(7);
  if (unit == Duration(0)) return std::nullopt;
  const TimePoint since = now - unit * *number;
  return since < TimePoint{} ? std::nullopt : std::optional(since);
}

std::optional<Duration> ParseOffset(Scanner& scanner) {
  if (scanner.AtEnd() || scanner.Take('Z') || scanner.Take('z')) return Duration(0);
  const bool behind = scanner.Take('-');
  if (!behind && !scanner.Take('+')) return std::nullopt;
  const auto hour = scanner.Number(2, 2);
  scanner.Take(':');
  const auto minute = scanner.Number(2, 2);
  if (!hour || !minute || *hour > 23 || *minute > 59) return std::nullopt;
  const Duration offset = hours(*hour) + minutes(*minute);
  return behind ? -offset : offset;
}

std::optional<Duration> ParseClock(Scanner& scanner) {
  const auto hour = scanner.Number(2, 2);
  const bool colon = scanner.Take(':');
  const auto minute = scanner.Number(2, 2);
  if (!hour || !colon || !minute || *hour > 23 || *minute > 59) return std::nullopt;
  Duration clock = hours(*hour) + minutes(*minute);
  if (scanner.Take(':')) {
    const auto second = scanner.Number(2, 2);
    if (!second || *second > 60) return std::nullopt;
    clock += seconds(*second);
    if (scanner.Take('.')) {
      auto fraction = scanner.Number(1, 9);
      if (!fraction) return std::nullopt;
      for (std::size_t digit = scanner.digits(); digit < 9; ++digit) *fraction *= 10;
      clock += Duration(*fraction / 1'000'000);
    }
  }
  return clock;
}

std::optional<TimePoint> ParseAbsolute(std::string_view text) {
  Scanner scanner(text);
  const auto year = scanner.Number(4, 4);
  const bool dash = scanner.Take('-');
  const auto month = scanner.Number(2, 2);
  const bool second_dash = scanner.Take('-');
  const auto day = scanner.Number(2, 2);
  if (!year || !dash || !month || !second_dash || !day || *year < 1970) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year(static_cast<int>(*year)),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  TimePoint time = std::chrono::sys_days(date);
  if (scanner.AtEnd()) return time;
  if (!scanner.Take('T') && !scanner.Take('t') && !scanner.Take(' ')) return std::nullopt;
  const std::optional<Duration> clock = ParseClock(scanner);
  if (!clock) return std::nullopt;
  const std::optional<Duration> offset = ParseOffset(scanner);
  if (!offset || !scanner.AtEnd()) return std::nullopt;
  time += *clock - *offset;
  // An offset may lead out of the years that have four digits.
  constexpr TimePoint kEnd = std::chrono::sys_days(std::chrono::year(10'000) / 1 / 1);
  return time < TimePoint{} || time >= kEnd ? std::nullopt : std::optional(time);
}

std::string TwoUnits(std::int64_t large, const char* large_name, std::int64_t small, const char* small_name) {
  return small == 0 ? fmt::format("{} {}", large, large_name)
                    : fmt::format("{} {} {} {}", large, large_name, small, small_name);
}

}  // namespace

std::string FormatTime(TimePoint time) {
  const auto day = std::chrono::floor<days>(time);
  const std::chrono::year_month_day date(day);
  const std::chrono::hh_mm_ss clock(time - day);
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()), clock.hours().count(),
                     clock.minutes().count(), clock.seconds().count(), clock.subseconds().count());
}

std::optional<TimePoint> ParseTime(std::string_view text, TimePoint now) {
  const std::optional<TimePoint> ago = ParseAgo(text, now);
  return ago ? ago : ParseAbsolute(text);
}

std::string FormatDuration(Duration duration) {
  if (duration < Duration(0)) return "-" + FormatDuration(-duration);
  if (duration < seconds(1)) return fmt::format("{} ms", duration.count());
  // Tenths of a second matter below ten of them. Rounded before the unit is chosen: 59.9 s is a minute.
  if (duration < Duration(9'950)) return fmt::format("{:.1f} s", static_cast<double>(duration.count()) / 1e3);
  const std::int64_t whole = std::chrono::round<seconds>(duration).count();
  if (whole < 60) return fmt::format("{} s", whole);
  if (whole < 3'600) return TwoUnits(whole / 60, "min", whole % 60, "s");
  if (whole < 86'400) return TwoUnits(whole / 3'600, "h", whole % 3'600 / 60, "min");
  return TwoUnits(whole / 86'400, "d", whole % 86'400 / 3'600, "h");
}

}  // namespace tokensync
