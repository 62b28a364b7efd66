/// A line of the log in each of its forms, as pure functions.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "log.h"

namespace tokensync {

struct LogLine {
  TimePoint time{};
  LogLevel level = LogLevel::kInfo;
  std::string_view message{};
  std::span<const LogField> fields{};
};

/// "debug", "info", "warning", "error".
std::string_view LogLevelName(LogLevel level);

/// The line as text, its newline included, in at most `bytes_max` (at least 256).
std::string TextLine(const LogLine& line, bool colour, std::size_t bytes_max);

/// The line as one JSON object, its newline included, in at most `bytes_max` (at least 256).
std::string JsonLine(const LogLine& line, std::size_t bytes_max);

/// The line as fields of the journal: "PRIORITY=6", "MESSAGE=…", "TOKENSYNCD_PASS=4", ….
std::vector<std::string> JournalFields(const LogLine& line);

}  // namespace tokensync
