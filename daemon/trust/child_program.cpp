#include "child_program.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "errors.h"
#include "open_file.h"
#include "time_text.h"
#include "wait_status.h"

namespace tokensync {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kOutputBytesMax = std::size_t{64} * 1024;
constexpr useconds_t kEndInterval = 100;
constexpr std::string_view kUsualPath = "/usr/local/bin:/usr/bin:/bin";

[[noreturn]] void FailErrno(std::string_view doing, int error) {
  throw EnvironmentError(fmt::format("checking a signature: {}: {}; will try again", doing, std::strerror(error)));
}

std::string Variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

std::string SearchPath() {
  std::string path = Variable("PATH");
  return path.empty() ? std::string(kUsualPath) : path;
}

std::vector<char*> Pointers(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  pointers.reserve(texts.size() + 1);
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

std::pair<OpenFile, OpenFile> MakePipe() {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) FailErrno("making a pipe", errno);
  return {OpenFile(ends[0]), OpenFile(ends[1])};
}

/// Reads what is there. What is beyond the limit is read and dropped, so that the program can end.
void TakeOutput(OpenFile& from, std::string& text) {
  char buffer[4096];
  const ssize_t got = ::read(from.fd(), buffer, sizeof buffer);
  if (got < 0 && errno == EINTR) return;
  if (got <= 0) return from.Close();
  text.append(buffer, std::min(static_cast<std::size_t>(got), kOutputBytesMax - text.size()));
}

}  // namespace

fs::path FindProgram(const fs::path& name, std::string_view package) {
  if (name.string().find('/') != std::string::npos) return name;
  std::string rest = SearchPath();
  while (!rest.empty()) {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    fs::path file = fs::path(rest.substr(0, colon)) / name;
    // Nothing that the working directory happens to hold.
    if (file.is_absolute() && ::access(file.c_str(), X_OK) == 0) return file;
    rest.erase(0, colon + 1);
  }
  throw EnvironmentError(fmt::format("checking a signature: the program {} is not in $PATH; install it (Debian: {})",
                                     name.string(), package));
}

ChildProgram::ChildProgram(const ProgramCall& call, Descriptors descriptors) {
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, descriptors.input, STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, descriptors.output, STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, descriptors.errors, STDERR_FILENO);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, STDERR_FILENO + 1);
  sigset_t none;
  sigset_t all;
  ::sigemptyset(&none);
  ::sigfillset(&all);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setsigmask(&attributes, &none);
  ::posix_spawnattr_setsigdefault(&attributes, &all);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP);

  std::vector<std::string> words = call.arguments;
  words.insert(words.begin(), call.program.string());
  std::vector<std::string> variables = {"PATH=" + SearchPath(), "LC_ALL=C", "HOME=" + call.home.string()};
  // Times without a zone in allowed_signers are of this machine's.
  if (const std::string zone = Variable("TZ"); !zone.empty()) variables.push_back("TZ=" + zone);
  const int error = ::posix_spawn(&pid_, call.program.c_str(), &actions, &attributes, Pointers(words).data(),
                                  Pointers(variables).data());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    pid_ = 0;
    FailErrno("starting " + call.program.string(), error);
  }
}

ChildProgram::~ChildProgram() {
  if (pid_ == 0) return;
  KillGroup();
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

std::optional<int> ChildProgram::Ended() {
  if (status_) return status_;
  // It stays a zombie until its group is dead: nobody else can have the group's number until then.
  siginfo_t info{};
  if (::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) != 0 || info.si_pid == 0) {
    return std::nullopt;
  }
  KillGroup();
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  status_ = status;
  return status_;
}

void ChildProgram::KillGroup() {
  ::kill(-pid_, SIGKILL);
}

ProgramResult RunProgram(const ProgramCall& call, const fs::path& input, VerificationTime& time) {
  const OpenFile in(::open(input.c_str(), O_RDONLY | O_CLOEXEC));
  if (in.fd() < 0) FailErrno("opening " + input.string(), errno);
  auto [output, output_end] = MakePipe();
  auto [errors, errors_end] = MakePipe();
  ChildProgram child(call, {.input = in.fd(), .output = output_end.fd(), .errors = errors_end.fd()});
  output_end.Close();
  errors_end.Close();

  ProgramResult result;
  std::optional<int> status;
  while (!status) {
    const auto left = time.Left();
    if (left.count() == 0) ThrowOutOfTime(call.program, time);
    if (output.fd() < 0 && errors.fd() < 0) {
      status = child.Ended();
      // Its ends of the pipes close in the last moments of the process.
      if (!status) ::usleep(kEndInterval);
      continue;
    }
    pollfd ends[] = {{output.fd(), POLLIN, 0}, {errors.fd(), POLLIN, 0}};
    if (::poll(ends, 2, static_cast<int>(left.count())) < 0 && errno != EINTR) FailErrno("waiting", errno);
    if (ends[0].revents != 0) TakeOutput(output, result.output);
    if (ends[1].revents != 0) TakeOutput(errors, result.errors);
  }
  if (WIFSIGNALED(*status)) {
    throw EnvironmentError(
        fmt::format("checking a signature: {} {}; will try again", call.program.string(), WaitStatusText(*status)));
  }
  result.exit_status = WEXITSTATUS(*status);
  return result;
}

void ThrowOutOfTime(const fs::path& program, const VerificationTime& time) {
  throw EnvironmentError(fmt::format("checking a signature: {} did not end within {} and was killed; will try again",
                                     program.string(), FormatDuration(time.limit())));
}

}  // namespace tokensync
