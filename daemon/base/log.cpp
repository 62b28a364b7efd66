#include "log.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include <climits>
#include <cstdlib>

// Where in this file a line was written says nothing about the fact that it tells.
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#include "log_line.h"
#include "terminal.h"

namespace tokensync {

namespace {

constexpr int kSlowReaderMs = 100;
constexpr const char* kJournalSocket = "/run/systemd/journal/socket";

bool LeadsToJournal(int fd) {
  const char* stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (stream == nullptr || fstat(fd, &status) != 0) return false;
  return std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino) == stream;
}

LogFormat Decided(LogFormat format, int fd) {
  if (format == LogFormat::kAuto) format = LeadsToJournal(fd) ? LogFormat::kJournal : LogFormat::kText;
  // The library drops lines in silence where there is no journal.
  if (format == LogFormat::kJournal && access(kJournalSocket, W_OK) != 0) format = LogFormat::kText;
  return format;
}

bool IsSocket(int fd) {
  struct stat status {};
  return fstat(fd, &status) == 0 && S_ISSOCK(status.st_mode);
}

void CheckKeys(std::span<const LogField> fields) {
  for (const LogField& field : fields) {
    const bool is_name = field.key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string_view::npos;
    if (field.key.empty() || !is_name || field.key == "time" || field.key == "level" || field.key == "msg")
      std::abort();
  }
}

bool SendToJournal(const LogLine& line) {
  const std::vector<std::string> fields = JournalFields(line);
  std::vector<iovec> parts;
  parts.reserve(fields.size());
  // sendmsg reads only, but its type is shared with the one that writes.
  for (const std::string& field : fields) parts.push_back({const_cast<char*>(field.data()), field.size()});
  return sd_journal_sendv(parts.data(), static_cast<int>(parts.size())) >= 0;
}

}  // namespace

Log::Log(LogLevel level, LogFormat format, int fd)
    : level_(level),
      fd_(fd),
      format_(Decided(format, fd)),
      colour_(format_ == LogFormat::kText && Terminal::Of(fd).colour),
      is_socket_(IsSocket(fd)) {}

void Log::Write(LogLevel level, std::string_view message, std::span<const LogField> fields) {
  CheckKeys(fields);
  if (!Takes(level)) return;
  const LogLine line{.time = std::chrono::floor<Duration>(std::chrono::system_clock::now()),
                     .level = level,
                     .message = message,
                     .fields = fields};
  if (format_ == LogFormat::kJournal && SendToJournal(line)) return;
  const std::lock_guard lock(mutex_);
  if (lost_ > 0) {
    const LogField count("lines", lost_);
    const LogLine loss{.time = line.time,
                       .level = LogLevel::kWarning,
                       .message = "lines of this log were lost: its reader was too slow",
                       .fields = std::span(&count, 1)};
    if (Send(LineText(loss))) lost_ = 0;
  }
  if (!Send(LineText(line))) ++lost_;
}

std::string Log::LineText(const LogLine& line) const {
  return format_ == LogFormat::kJson ? JsonLine(line, PIPE_BUF) : TextLine(line, colour_, PIPE_BUF);
}

bool Log::Send(const std::string& line) {
  // A pipe that polls as writable takes PIPE_BUF bytes without waiting; making it non-blocking instead would change it
  // for every process that shares it.
  pollfd ready{.fd = fd_, .events = POLLOUT, .revents = 0};
  const int answer = poll(&ready, 1, stalled_ ? 0 : kSlowReaderMs);
  stalled_ = answer <= 0;
  if (stalled_) return false;
  const ssize_t sent =
      is_socket_ ? send(fd_, line.data(), line.size(), MSG_NOSIGNAL | MSG_DONTWAIT) : WriteQuietly(fd_, line);
  return sent == static_cast<ssize_t>(line.size());
}

}  // namespace tokensync
