/// The log: its lines, and that nothing about the place where they go can stop the program.
#include "log.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <climits>
#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "json_text.h"
#include "log_line.h"
#include "text.h"

using namespace tokensync;

namespace {

constexpr TimePoint kTime{Duration(1'795'502'564'123)};  // 2026-11-24T06:42:44.123Z

/// Two ends of something that bytes go through.
struct Ends {
  int reading = -1;
  int writing = -1;

  static Ends Pipe() {
    std::array<int, 2> fds{};
    REQUIRE(pipe2(fds.data(), O_CLOEXEC) == 0);
    return {fds[0], fds[1]};
  }
  static Ends Socket() {
    std::array<int, 2> fds{};
    REQUIRE(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds.data()) == 0);
    return {fds[0], fds[1]};
  }

  /// All that is there now.
  std::string Drain() const {
    fcntl(reading, F_SETFL, O_NONBLOCK);
    std::string text;
    std::array<char, 65536> buffer{};
    for (ssize_t count = 0; (count = read(reading, buffer.data(), buffer.size())) > 0;) {
      text.append(buffer.data(), static_cast<std::size_t>(count));
    }
    return text;
  }

  void CloseReading() {
    close(reading);
    reading = -1;
  }

  Ends(int read_fd, int write_fd) : reading(read_fd), writing(write_fd) {}
  Ends(const Ends&) = delete;
  Ends& operator=(const Ends&) = delete;
  ~Ends() {
    if (reading >= 0) close(reading);
    close(writing);
  }
};

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    REQUIRE(end != std::string::npos);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

/// Every byte value, hostile sequences included.
std::string Hostile() {
  std::string text =
      "a\"b\\c\x1b[31mred\x1b[0m\n\r\t\xC2\x9B"
      "31m\xE2\x80\xAE"
      "evil\xF0\x9F\x98\x80 =";
  for (int byte = 0; byte < 256; ++byte) text.push_back(static_cast<char>(byte));
  return text;
}

bool ShowsNoControls(std::string_view line) {
  for (std::size_t at = 0; at < line.size();) {
    const CodePoint character = CodePointAt(line, at);
    if (!character.valid || IsControl(character.code)) return false;
    at += character.length;
  }
  return true;
}

}  // namespace

TEST_CASE("a text line has time, level, message and fields, quoted where they need it") {
  const std::vector<LogField> fields = {
      {"pass", 4},       {"path", "dragons/200.yaml"}, {"empty", ""},    {"detail", "two words"},
      {"quote", "a\"b"}, {"lines", "one\ntwo"},        {"back", "a\\b"}, {"equals", "a=b"}};
  const LogLine line{.time = kTime, .level = LogLevel::kInfo, .message = "created 30957/888/200", .fields = fields};
  CHECK(TextLine(line, false, PIPE_BUF) ==
        "2026-11-24T06:42:44.123Z info    created 30957/888/200 pass=4 path=dragons/200.yaml empty=\"\" "
        "detail=\"two words\" quote=\"a\\\"b\" lines=\"one\\ntwo\" back=\"a\\\\b\" equals=\"a=b\"\n");
}

TEST_CASE("a text line is coloured by its level where asked for") {
  const std::vector<LogField> fields = {{"pass", 4}};
  const LogLine line{.time = kTime, .level = LogLevel::kWarning, .message = "refused", .fields = fields};
  CHECK(TextLine(line, true, PIPE_BUF) ==
        "\x1b[2m2026-11-24T06:42:44.123Z\x1b[0m \x1b[33mwarning\x1b[0m refused \x1b[2mpass=\x1b[0m4\n");
}

TEST_CASE("a JSON line is one object with time, level, msg and the fields in their order") {
  const std::vector<LogField> fields = {{"pass", -4}, {"detail", "say \"hi\"\n"}};
  const LogLine line{.time = kTime, .level = LogLevel::kError, .message = "broken", .fields = fields};
  CHECK(JsonLine(line, PIPE_BUF) ==
        "{\"time\":\"2026-11-24T06:42:44.123Z\",\"level\":\"error\",\"msg\":\"broken\",\"pass\":-4,"
        "\"detail\":\"say \\\"hi\\\"\\n\"}\n");
}

TEST_CASE("the journal gets priority, message and a field for each value") {
  const std::vector<LogField> fields = {{"http_status", 409}, {"detail", "two words"}};
  const LogLine line{.time = kTime, .level = LogLevel::kWarning, .message = "refused 1/2/3", .fields = fields};
  CHECK(JournalFields(line) == std::vector<std::string>{"PRIORITY=4",
                                                        "MESSAGE=refused 1/2/3 http_status=409 detail=\"two words\"",
                                                        "TOKENSYNCD_HTTP_STATUS=409", "TOKENSYNCD_DETAIL=two words"});
}

TEST_CASE("foreign text stays on its line, is valid UTF-8 and moves no cursor") {
  const std::string hostile = Hostile();
  const std::vector<LogField> fields = {{"value", hostile}, {"again", std::string_view(hostile).substr(3)}};
  const LogLine line{.time = kTime, .level = LogLevel::kInfo, .message = hostile, .fields = fields};

  const std::string text = TextLine(line, false, PIPE_BUF);
  CHECK(text.back() == '\n');
  CHECK(ShowsNoControls(std::string_view(text).substr(0, text.size() - 1)));

  const std::string json = JsonLine(line, PIPE_BUF);
  CHECK(ShowsNoControls(std::string_view(json).substr(0, json.size() - 1)));
  const JsonValue value = ParseJson(json);
  REQUIRE(value.Find("value") != nullptr);
  CHECK(value.Find("value")->AsString()->find("\x1b[31mred") != std::string::npos);  // as data, it is all there

  for (const std::string& field : JournalFields(line)) CHECK(ShowsNoControls(field));
}

TEST_CASE("a line that is too long is cut in its values, and stays valid") {
  const std::string long_text(20'000, 'x');
  const std::string wild(20'000, '\x01');
  std::vector<LogField> fields;
  for (int i = 0; i < 60; ++i) fields.emplace_back("field", i % 2 == 0 ? long_text : wild);
  const auto bytes_max = GENERATE(std::size_t{256}, std::size_t{1000}, std::size_t{PIPE_BUF});
  const LogLine line{.time = kTime, .level = LogLevel::kInfo, .message = wild, .fields = fields};
  CHECK(TextLine(line, false, bytes_max).size() <= bytes_max);
  CHECK(TextLine(line, true, bytes_max).size() <= bytes_max);
  const std::string json = JsonLine(line, bytes_max);
  CHECK(json.size() <= bytes_max);
  CHECK(ParseJson(json).Find("msg")->AsString()->find("…") != std::string::npos);
}

TEST_CASE("lines below the level are left out") {
  const Ends ends = Ends::Pipe();
  Log log(LogLevel::kWarning, LogFormat::kText, ends.writing);
  log.Write(LogLevel::kInfo, "quiet");
  log.Write(LogLevel::kWarning, "loud", {{"pass", 1}});
  CHECK(!log.Takes(LogLevel::kDebug));
  CHECK(log.Takes(LogLevel::kError));
  const std::vector<std::string> lines = Lines(ends.Drain());
  REQUIRE(lines.size() == 1);
  CHECK(lines[0].ends_with(" warning loud pass=1"));
}

TEST_CASE("a pipe is no terminal: nothing is coloured") {
  const Ends ends = Ends::Pipe();
  Log log(LogLevel::kDebug, LogFormat::kAuto, ends.writing);
  log.Write(LogLevel::kError, "broken");
  CHECK(ends.Drain().find('\x1b') == std::string::npos);
}

TEST_CASE("lines of many threads are never mixed") {
  const Ends ends = Ends::Pipe();
  Log log(LogLevel::kInfo, LogFormat::kJson, ends.writing);
  constexpr int kThreads = 4;
  constexpr int kLines = 100;
  std::vector<std::thread> threads;
  std::string text;
  std::thread reader([&] {
    std::array<char, 4096> buffer{};
    while (std::count(text.begin(), text.end(), '\n') < kThreads * kLines) {
      const ssize_t count = read(ends.reading, buffer.data(), buffer.size());
      if (count <= 0) break;
      text.append(buffer.data(), static_cast<std::size_t>(count));
    }
  });
  for (int thread = 0; thread < kThreads; ++thread) {
    threads.emplace_back([&log, thread] {
      for (int i = 0; i < kLines; ++i) {
        log.Write(LogLevel::kInfo, "line", {{"thread", thread}, {"text", std::string(1000, 'x')}});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  reader.join();
  const std::vector<std::string> lines = Lines(text);
  CHECK(lines.size() == kThreads * kLines);
  for (const std::string& line : lines) CHECK_NOTHROW(ParseJson(line));
}

TEST_CASE("a reader that went away is no signal and no failure") {
  struct sigaction before {};
  struct sigaction fatal {};
  fatal.sa_handler = SIG_DFL;
  sigaction(SIGPIPE, &fatal, &before);
  const bool by_socket = GENERATE(false, true);
  Ends ends = by_socket ? Ends::Socket() : Ends::Pipe();
  Log log(LogLevel::kInfo, LogFormat::kText, ends.writing);
  ends.CloseReading();
  log.Write(LogLevel::kInfo, "into the void");
  log.Write(LogLevel::kInfo, "and again");
  sigset_t pending;
  sigpending(&pending);
  CHECK(sigismember(&pending, SIGPIPE) == 0);
  sigaction(SIGPIPE, &before, nullptr);
}

TEST_CASE("a closed descriptor is no failure") {
  Log log(LogLevel::kInfo, LogFormat::kText, 9'999);
  log.Write(LogLevel::kInfo, "nowhere");
}

TEST_CASE("a full disk is no failure") {
  const int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
  REQUIRE(full >= 0);
  Log log(LogLevel::kInfo, LogFormat::kText, full);
  log.Write(LogLevel::kInfo, "no room");
  close(full);
}

TEST_CASE("a reader that sleeps is not waited for, and is told later what it missed") {
  const bool by_socket = GENERATE(false, true);
  const Ends ends = by_socket ? Ends::Socket() : Ends::Pipe();
  Log log(LogLevel::kInfo, LogFormat::kText, ends.writing);
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 400; ++i) log.Write(LogLevel::kInfo, "line", {{"text", std::string(1'000, 'x')}});
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(15));
  const std::size_t arrived = Lines(ends.Drain()).size();
  CHECK(arrived < 400);
  log.Write(LogLevel::kInfo, "awake again");
  const std::vector<std::string> lines = Lines(ends.Drain());
  REQUIRE(lines.size() == 2);
  CHECK(lines[0].ends_with("lines of this log were lost: its reader was too slow lines=" +
                           std::to_string(400 - arrived)));
  CHECK(lines[1].ends_with("awake again"));
}

TEST_CASE("JOURNAL_STREAM of another descriptor leaves the log where it is") {
  const Ends ends = Ends::Pipe();
  setenv("JOURNAL_STREAM", "1:2", 1);
  Log log(LogLevel::kInfo, LogFormat::kAuto, ends.writing);
  unsetenv("JOURNAL_STREAM");
  log.Write(LogLevel::kInfo, "here");
  CHECK(Lines(ends.Drain()).size() == 1);
}

TEST_CASE("where no journal runs, its lines go to standard error as text") {
  if (access("/run/systemd/journal/socket", F_OK) == 0) return;
  const Ends ends = Ends::Pipe();
  struct stat status {};
  REQUIRE(fstat(ends.writing, &status) == 0);
  setenv("JOURNAL_STREAM", (std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino)).c_str(), 1);
  const LogFormat format = GENERATE(LogFormat::kAuto, LogFormat::kJournal);
  Log log(LogLevel::kInfo, format, ends.writing);
  unsetenv("JOURNAL_STREAM");
  log.Write(LogLevel::kInfo, "here");
  CHECK(Lines(ends.Drain()).size() == 1);
}
