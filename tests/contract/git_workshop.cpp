#include "git_workshop.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <system_error>

#include "spawn_words.h"

namespace tokensync::test {

namespace fs = std::filesystem;

TempFolder::TempFolder() {
  std::string name = (fs::temp_directory_path() / "tokensync-git-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  path_ = fs::canonical(name);
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

StartedProgram::StartedProgram(const std::vector<std::string>& command, const Environment& environment, int input,
                               int output, const fs::path& errors) {
  SpawnWords words(command, environment);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  if (input < 0) {
    ::posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
  } else {
    ::posix_spawn_file_actions_adddup2(&actions, input, 0);
  }
  if (output < 0) {
    ::posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
  } else {
    ::posix_spawn_file_actions_adddup2(&actions, output, 1);
  }
  ::posix_spawn_file_actions_addopen(&actions, 2, errors.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  ::posix_spawn_file_actions_addclosefrom_np(&actions, 3);
  posix_spawnattr_t attributes;
  ::posix_spawnattr_init(&attributes);
  ::posix_spawnattr_setpgroup(&attributes, 0);
  ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  const int error =
      ::posix_spawnp(&pid_, words.arguments()[0], &actions, &attributes, words.arguments(), words.variables());
  ::posix_spawn_file_actions_destroy(&actions);
  ::posix_spawnattr_destroy(&attributes);
  if (error != 0) {
    pid_ = 0;
    throw std::runtime_error("starting " + command.at(0) + ": " + std::strerror(error));
  }
}

StartedProgram::~StartedProgram() {
  if (pid_ == 0) return;
  ::kill(-pid_, SIGKILL);
  Wait();
}

bool StartedProgram::Running() {
  if (pid_ == 0) return false;
  if (::waitpid(pid_, nullptr, WNOHANG) == 0) return true;
  pid_ = 0;
  return false;
}

int StartedProgram::Wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = 0;
  return status;
}

std::string Run(const std::vector<std::string>& command, const Environment& environment) {
  const TempFolder folder;
  const int output = ::open((folder / "out").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  StartedProgram program(command, environment, -1, output, folder / "err");
  ::close(output);
  if (const int status = program.Wait(); status != 0) {
    std::string text;
    for (const std::string& word : command) text += word + " ";
    throw std::runtime_error(text + "failed: " + ReadFile(folder / "err") + ReadFile(folder / "out"));
  }
  return ReadFile(folder / "out");
}

bool WaitUntil(const std::function<bool()>& condition, std::chrono::milliseconds limit) {
  const auto deadline = std::chrono::steady_clock::now() + limit;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    ::poll(nullptr, 0, 5);
  }
  return true;
}

std::string ReadFile(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void WriteFile(const fs::path& file, const std::string& text) {
  fs::create_directories(file.parent_path());
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) throw std::runtime_error("writing " + file.string() + " failed");
}

WorkTree::WorkTree(fs::path path) : path_(std::move(path)) {
  fs::create_directories(path_);
  Git({"init", "--quiet", "--initial-branch=main"});
}

std::string WorkTree::Git(std::vector<std::string> arguments) {
  const std::string date = std::to_string(time_) + " +0000";
  const Environment environment{{"HOME", path_.parent_path().string()},
                                {"GIT_CONFIG_NOSYSTEM", "1"},
                                {"GIT_AUTHOR_NAME", author_},
                                {"GIT_AUTHOR_EMAIL", "maker@example.com"},
                                {"GIT_COMMITTER_NAME", "Carl Committer"},
                                {"GIT_COMMITTER_EMAIL", "carl@example.com"},
                                {"GIT_AUTHOR_DATE", date},
                                {"GIT_COMMITTER_DATE", date}};
  std::vector<std::string> command{"git", "-C", path_.string()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  return Run(command, environment);
}

void WorkTree::Write(const std::string& file, const std::string& text) {
  WriteFile(path_ / file, text);
}

CommitId WorkTree::Commit(const std::string& message) {
  time_ += 60;
  Git({"add", "--all"});
  Git({"commit", "--quiet", "--allow-empty", "--message=" + message});
  return Head();
}

CommitId WorkTree::Put(const std::string& file, const std::string& text, const std::string& message) {
  Write(file, text);
  return Commit(message);
}

CommitId WorkTree::Head() {
  std::string hex = Git({"rev-parse", "HEAD"});
  hex.resize(40);
  return CommitId{hex};
}

Workshop::Workshop(const std::string& url) {
  // What the machine has to go through to reach the world is not for loopback.
  for (const char* name : {"http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY"}) ::unsetenv(name);
  request.mirror = mirror;
  request.url = url;
  request.timeout = std::chrono::seconds(60);
}

CommitId Workshop::Fetch() {
  return GitFetcher(FetchProgram()).Fetch(request);
}

GitFetchError Workshop::FetchFails() {
  try {
    Fetch();
  } catch (const GitFetchError& error) {
    return error;
  }
  throw std::runtime_error("the fetch succeeded");
}

std::vector<std::string> Workshop::BesideMirror() const {
  std::vector<std::string> names;
  for (const fs::directory_entry& entry : fs::directory_iterator(mirror.parent_path())) {
    const std::string name = entry.path().filename().string();
    if (name != "mirror.git" && name != "mirror.git.lock") names.push_back(name);
  }
  return names;
}

fs::path FetchProgram() {
  return TOKENSYNC_GIT_FETCH_CHILD;
}

}  // namespace tokensync::test
