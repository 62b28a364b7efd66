/// The log on standard error: one fact a line, as text, as JSON, or to the systemd journal.
#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>

#include "log_level.h"
#include "model.h"

namespace tokensync {

/// A named value of a line. The key is a literal: lower-case letters, digits and '_', and not one of the names that
/// every line has in JSON: time, level, msg.
struct LogField {
  LogField(std::string_view field_key, std::string text) : key(field_key), value(std::move(text)) {}
  LogField(std::string_view field_key, std::string_view text) : key(field_key), value(std::string(text)) {}
  LogField(std::string_view field_key, const char* text) : key(field_key), value(std::string(text)) {}
  template <std::integral Integer>
  requires(!std::same_as<Integer, bool>) LogField(std::string_view field_key, Integer number)
      : key(field_key), value(static_cast<std::int64_t>(number)) {}

  std::string_view key;
  std::variant<std::string, std::int64_t> value;
  bool operator==(const LogField&) const = default;
};

struct LogLine;

/// Writes lines, with the time of the machine. Any thread.
///
/// text:    2026-11-24T06:42:44.123Z info    created 30957/888/200 pass=4 path=dragons/200.yaml detail="two words"
/// json:    {"time":"2026-11-24T06:42:44.123Z","level":"info","msg":"created 30957/888/200","pass":4,…}
/// journal: PRIORITY, MESSAGE (the message and its fields as in text), and each field as TOKENSYNCD_<KEY>
///
/// Message and values may be foreign text: whatever they hold, a line stays one line, valid UTF-8, and without terminal
/// controls. Each leaves in one write of at most PIPE_BUF bytes; longer values are cut, and end in "…".
/// A log that cannot be written stops nothing: a reader that went away or a full disk lose lines, without a signal. A
/// reader that is merely slow is waited for, a tenth of a second at most and not again until it reads on; how many
/// lines it missed is told then.
class Log {
 public:
  /// Lines below `level` are left out. `fd` stays the caller's and outlives the log.
  /// kAuto: the journal where $JOURNAL_STREAM says that `fd` leads there, else text. kJournal: text where no journal
  /// runs.
  Log(LogLevel level, LogFormat format, int fd = 2);
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  bool Takes(LogLevel level) const { return level >= level_; }

  void Write(LogLevel level, std::string_view message, std::span<const LogField> fields = {});
  void Write(LogLevel level, std::string_view message, std::initializer_list<LogField> fields) {
    Write(level, message, std::span(fields.begin(), fields.size()));
  }

 private:
  std::string LineText(const LogLine& line) const;
  bool Send(const std::string& line);

  const LogLevel level_;
  const int fd_;
  LogFormat format_;
  bool colour_ = false;
  bool is_socket_ = false;
  std::mutex mutex_;
  std::uint64_t lost_ = 0;
  bool stalled_ = false;
};

}  // namespace tokensync
