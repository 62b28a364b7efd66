#include "git_fetch.h"

#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <optional>

#include "git_fetch_protocol.h"
#include "git_source.h"
#include "git_text.h"
#include "open_file.h"
#include "wait_status.h"

extern char** environ;

namespace tokensync {

namespace {

using SteadyClock = std::chrono::steady_clock;

constexpr auto kBeatInterval = std::chrono::seconds(1);

[[noreturn]] void ThrowErrno(const char* doing, int error) {
  throw FetchStop(FetchFailure::kInternal, std::string(doing) + ": " + std::strerror(error));
}

/// A running program; killed and reaped with its owner.
class ChildProcess {
 public:
  /// `channel` becomes its standard input and output; it inherits no other descriptor but standard error.
  ChildProcess(const std::string& program, int channel) {
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    ::posix_spawn_file_actions_init(&actions);
    ::posix_spawn_file_actions_adddup2(&actions, channel, STDIN_FILENO);
    ::posix_spawn_file_actions_adddup2(&actions, channel, STDOUT_FILENO);
    ::posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
    sigset_t none;
    sigset_t all;
    ::sigemptyset(&none);
    ::sigfillset(&all);
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setsigmask(&attributes, &none);
    ::posix_spawnattr_setsigdefault(&attributes, &all);
    // A group of its own: Ctrl-C on a terminal is for the parent, which ends in order.
    ::posix_spawnattr_setpgroup(&attributes, 0);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);
    std::string name = program;
    std::string command = "git-fetch";
    char* arguments[] = {name.data(), command.data(), nullptr};
    const int error = ::posix_spawn(&pid_, program.c_str(), &actions, &attributes, arguments, environ);
    ::posix_spawn_file_actions_destroy(&actions);
    ::posix_spawnattr_destroy(&attributes);
    if (error != 0) {
      pid_ = 0;
      ThrowErrno(("starting the fetching program " + program).c_str(), error);
    }
  }

  ~ChildProcess() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    Reap();
  }
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  /// Its wait status, as soon as it has ended.
  std::optional<int> Ended() {
    int status = 0;
    const pid_t got = ::waitpid(pid_, &status, WNOHANG);
    if (got == 0 || (got < 0 && errno == EINTR)) return std::nullopt;
    pid_ = 0;
    return got < 0 ? 0 : status;
  }

 private:
  void Reap() {
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
    pid_ = 0;
  }

  pid_t pid_ = 0;
};

/// What the child said so far.
class Replies {
 public:
  void Take(std::string_view bytes) {
    pending_ += bytes;
    total_ += bytes.size();
    if (total_ > kRepliesBytesMax) throw FetchStop(FetchFailure::kInternal, "the fetching program says too much");
    for (auto end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n')) {
      if (auto reply = ReadReply(std::string_view(pending_).substr(0, end))) Take(*reply);
      pending_.erase(0, end + 1);
    }
  }
  const std::string& phase() const { return phase_; }
  const std::optional<FetchReply>& result() const { return result_; }

 private:
  void Take(const FetchReply& reply) {
    if (const auto* phase = std::get_if<FetchPhase>(&reply)) {
      phase_ = phase->doing;
    } else {
      result_ = reply;
    }
  }

  std::string pending_;
  std::size_t total_ = 0;
  std::string phase_ = "starting";
  std::optional<FetchReply> result_;
};

void Send(int channel, const std::string& text) {
  for (std::size_t at = 0; at < text.size();) {
    const ssize_t sent = ::send(channel, text.data() + at, text.size() - at, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    // A child that reads nothing has ended, which its status tells better.
    if (sent <= 0) return;
    at += static_cast<std::size_t>(sent);
  }
}

[[noreturn]] void ThrowTimedOut(const FetchRequest& request, const std::string& phase) {
  const double seconds = static_cast<double>(request.timeout.count()) / 1000;
  std::string shown = std::to_string(seconds);
  shown.erase(shown.find_last_not_of('0') + 1);
  if (shown.back() == '.') shown.pop_back();
  throw FetchStop(FetchFailure::kTimedOut, "not done after " + shown + " s, while " + phase +
                                               "; given up; check that the server answers, or raise source.timeout");
}

/// "branch 'main'"
std::string Quoted(const SourceRef& ref) {
  const std::string text = ref.Text();
  return text.substr(0, text.find(' ') + 1) + "'" + CleanText(ref.text, 300) + "'";
}

/// Both ends of what parent and child say to each other.
struct Channel {
  Channel() {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) ThrowErrno("opening a channel", errno);
    ours = OpenFile(ends[0]);
    theirs = OpenFile(ends[1]);
  }
  OpenFile ours;
  OpenFile theirs;
};

}  // namespace

/// A child that waits for its request.
class GitFetcher::Child {
 public:
  explicit Child(const std::string& program) : process_(program, channel_.theirs.fd()) { channel_.theirs.Close(); }

  bool Waits() { return !process_.Ended(); }
  /// Has it carry the request out, once.
  CommitId Run(const FetchRequest& request, SteadyClock::time_point deadline, const std::function<void()>& beat);

 private:
  Channel channel_;
  ChildProcess process_;
};

CommitId GitFetcher::Child::Run(const FetchRequest& request, SteadyClock::time_point deadline,
                                const std::function<void()>& beat) {
  const OpenFile& ours = channel_.ours;
  Send(ours.fd(), WriteRequest(ChildRequest{request, ::getpid()}));
  ::shutdown(ours.fd(), SHUT_WR);

  Replies replies;
  bool open = true;
  std::optional<int> status;
  auto next_beat = SteadyClock::now();
  while (open || !status) {
    const auto now = SteadyClock::now();
    if (now >= next_beat) {
      if (beat) beat();
      next_beat = now + kBeatInterval;
    }
    if (now >= deadline) ThrowTimedOut(request, replies.phase());
    const auto wait = std::chrono::ceil<std::chrono::milliseconds>(std::min(deadline, next_beat) - now);
    if (open) {
      pollfd poll{ours.fd(), POLLIN, 0};
      const int ready = ::poll(&poll, 1, static_cast<int>(wait.count()));
      if (ready < 0 && errno != EINTR) ThrowErrno("waiting for the fetching program", errno);
      if (ready > 0) {
        char buffer[4096];
        const ssize_t got = ::recv(ours.fd(), buffer, sizeof buffer, 0);
        if (got > 0) replies.Take(std::string_view(buffer, static_cast<std::size_t>(got)));
        if (got == 0 || (got < 0 && errno != EINTR)) open = false;
      }
    } else {
      // The channel closes in the last moments of the process.
      ::poll(nullptr, 0, 1);
    }
    if (!open) status = process_.Ended();
  }
  // The answer is the last thing that the child does; how it ended after that changes nothing.
  if (!replies.result()) {
    throw FetchStop(FetchFailure::kInternal,
                    "the fetching program " + WaitStatusText(*status) + " while " + replies.phase());
  }
  if (const auto* failed = std::get_if<FetchFailed>(&*replies.result())) throw FetchStop(failed->failure, failed->text);
  return std::get<FetchDone>(*replies.result()).head;
}

GitFetcher::GitFetcher(std::filesystem::path program) : program_(std::move(program)) {}

GitFetcher::~GitFetcher() = default;

void GitFetcher::Prepare() {
  if (prepared_ && prepared_->Waits()) return;
  prepared_.reset();
  try {
    prepared_ = std::make_unique<Child>(program_.string());
  } catch (const FetchStop&) {
    // Fetch() tries again, and says why.
  }
}

CommitId GitFetcher::Fetch(const FetchRequest& request, const std::function<void()>& beat) {
  const auto deadline = SteadyClock::now() + request.timeout;
  std::unique_ptr<Child> child = std::move(prepared_);
  try {
    if (!child || !child->Waits()) child = std::make_unique<Child>(program_.string());
    return child->Run(request, deadline, beat);
  } catch (const FetchStop& stop) {
    throw GitFetchError(stop.failure,
                        "fetching " + Quoted(request.ref) + " of " + ShownUrl(request.url) + ": " + stop.what());
  }
}

}  // namespace tokensync
