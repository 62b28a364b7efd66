#include "control_client.h"

#include <fmt/format.h>
#include <grp.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "control_socket.h"
#include "json_text.h"
#include "text.h"

namespace tokensync {

namespace {

using SteadyTime = std::chrono::steady_clock::time_point;

/// For what the daemon answers at once.
constexpr Duration kAnswerTimeout{10'000};
constexpr std::size_t kAnswerBytesMax = std::size_t{4} * 1024 * 1024;

/// The group that may use the socket, as far as can be seen from outside; empty where nothing can.
std::string GroupOf(const std::filesystem::path& path) {
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 && stat(path.parent_path().c_str(), &status) != 0) return "";
  std::array<char, 16 * 1024> buffer{};
  group entry{};
  group* found = nullptr;
  getgrgid_r(status.st_gid, &entry, buffer.data(), buffer.size(), &found);
  return found != nullptr ? std::string(found->gr_name) : std::to_string(status.st_gid);
}

/// No daemon is there, rather than one that cannot be asked.
bool NobodyAnswers(int error) {
  return error == ENOENT || error == ECONNREFUSED || error == ENOTDIR;
}

[[noreturn]] void FailToConnect(const std::filesystem::path& path, int error) {
  const std::string& name = path.native();
  if (error == EACCES || error == EPERM) {
    const std::string group = GroupOf(path);
    throw EnvironmentError(fmt::format("asking tokensyncd at {}: permission denied; members of the group {} may", name,
                                       group.empty() ? "that owns it" : "'" + group + "'"));
  }
  if (NobodyAnswers(error)) {
    throw EnvironmentError(fmt::format("no tokensyncd answers at {}; is the service running?", name));
  }
  throw EnvironmentError(fmt::format("asking tokensyncd at {}: {}", name, std::strerror(error)));
}

/// One request and its answers.
class Exchange {
 public:
  Exchange(const std::filesystem::path& path, OpenFile socket) : path_(path.native()), socket_(std::move(socket)) {}

  void Ask(const JsonValue& request) {
    const std::string line = CanonicalJson(request) + "\n";
    // A daemon that hangs up at once has said why before: that is read next. A short line always fits.
    send(socket_.fd(), line.data(), line.size(), MSG_NOSIGNAL);
  }

  /// The next line of the answer, without an "error" in it. `what`: what is awaited, for the text of a failure.
  JsonValue Answer(Duration timeout, std::string_view what) {
    const std::string line = Line(std::chrono::steady_clock::now() + timeout, what);
    JsonValue answer;
    try {
      answer = ParseJson(line);
    } catch (const JsonTextError& error) {
      Fail(fmt::format("what answers there is no tokensyncd ({})", error.what()));
    }
    const JsonValue* why = answer.Find("error");
    if (why != nullptr) Fail(why->AsString() != nullptr ? PrintableText(*why->AsString(), 500) : "unknown error");
    return answer;
  }

  /// The member of an answer that has to be there.
  const JsonValue& Member(const JsonValue& answer, std::string_view name) {
    const JsonValue* member = answer.Find(name);
    if (member == nullptr) Fail("what answers there is no tokensyncd of this kind");
    return *member;
  }

 private:
  [[noreturn]] void Fail(std::string_view why) const {
    throw EnvironmentError(fmt::format("asking tokensyncd at {}: {}", path_, why));
  }

  std::string Line(SteadyTime deadline, std::string_view what) {
    for (;;) {
      if (const std::size_t end = received_.find('\n'); end != std::string::npos) {
        std::string line = received_.substr(0, end);
        received_.erase(0, end + 1);
        return line;
      }
      if (received_.size() > kAnswerBytesMax) Fail("the answer is too long");
      const Duration left =
          std::max(std::chrono::ceil<Duration>(deadline - std::chrono::steady_clock::now()), Duration(0));
      pollfd ready{.fd = socket_.fd(), .events = POLLIN, .revents = 0};
      const int count = poll(&ready, 1, static_cast<int>(std::min<std::int64_t>(left.count(), 60'000)));
      if (count > 0) {
        Receive(what);
      } else if (left == Duration(0)) {
        Fail(fmt::format("{} did not come in time", what));
      }
    }
  }

  void Receive(std::string_view what) {
    std::array<char, 16 * 1024> buffer{};
    const ssize_t count = recv(socket_.fd(), buffer.data(), buffer.size(), 0);
    if (count > 0) {
      received_.append(buffer.data(), static_cast<std::size_t>(count));
    } else if (count == 0 || (errno != EAGAIN && errno != EINTR)) {
      Fail(fmt::format("it hung up before {} came", what));
    }
  }

  std::string path_;
  OpenFile socket_;
  std::string received_;
};

/// Sends what asks for a pass, and gives its answer, or with `wait` the pass's summary.
JsonValue AskForPass(Exchange exchange, JsonObject request, bool wait, Duration timeout) {
  if (wait) {
    request["wait"] = true;
    request["timeout_ms"] = static_cast<double>(timeout.count());
  }
  exchange.Ask(std::move(request));
  JsonValue taken = exchange.Answer(kAnswerTimeout, "the answer");
  exchange.Member(taken, "taken");
  if (!wait) return taken;
  const JsonValue answer = exchange.Answer(timeout + kAnswerTimeout, "the end of the pass");
  return exchange.Member(answer, "pass");
}

}  // namespace

JsonValue TriggerPass(const std::filesystem::path& path, bool wait, Duration timeout) {
  OpenFile socket = ConnectTo(path);
  if (!socket) FailToConnect(path, errno);
  return AskForPass(Exchange(path, std::move(socket)), JsonObject{{"command", "trigger"}}, wait, timeout);
}

std::optional<JsonValue> ApprovePlan(const std::filesystem::path& path, const std::string& fingerprint, bool wait,
                                     Duration timeout) {
  OpenFile socket = ConnectTo(path);
  if (!socket) {
    if (NobodyAnswers(errno)) return std::nullopt;
    FailToConnect(path, errno);
  }
  return AskForPass(Exchange(path, std::move(socket)), JsonObject{{"command", "approve"}, {"fingerprint", fingerprint}},
                    wait, timeout);
}

std::optional<JsonValue> QueryStatus(const std::filesystem::path& path) {
  OpenFile socket = ConnectTo(path);
  if (!socket) {
    if (NobodyAnswers(errno)) return std::nullopt;
    FailToConnect(path, errno);
  }
  Exchange exchange(path, std::move(socket));
  exchange.Ask(JsonObject{{"command", "status"}});
  const JsonValue answer = exchange.Answer(kAnswerTimeout, "the answer");
  return exchange.Member(answer, "status");
}

}  // namespace tokensync
