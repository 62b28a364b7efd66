/// Real git repositories in temporary folders, made by `git`, and fetches from them.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "git_fetch.h"
#include "git_mirror.h"

namespace tokensync::test {

class TempFolder {
 public:
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

using Environment = std::map<std::string, std::string>;

/// A program that was started; killed with its process group and reaped with its owner.
class StartedProgram {
 public:
  /// `input`, `output`: descriptors that become standard input and output; -1: /dev/null.
  StartedProgram(const std::vector<std::string>& command, const Environment& environment, int input = -1,
                 int output = -1, const std::filesystem::path& errors = "/dev/null");
  ~StartedProgram();
  StartedProgram(const StartedProgram&) = delete;
  StartedProgram& operator=(const StartedProgram&) = delete;
  bool Running();
  int Wait();

 private:
  pid_t pid_ = 0;
};

/// Runs a command to its end and gives its standard output. Throws std::runtime_error where it fails.
std::string Run(const std::vector<std::string>& command, const Environment& environment = {});

bool WaitUntil(const std::function<bool()>& condition, std::chrono::milliseconds limit = std::chrono::seconds(20));

std::string ReadFile(const std::filesystem::path& file);
void WriteFile(const std::filesystem::path& file, const std::string& text);

/// A work tree with its repository. Commits are a minute apart from each other, so that their order is certain.
class WorkTree {
 public:
  explicit WorkTree(std::filesystem::path path);
  const std::filesystem::path& path() const { return path_; }
  std::string url() const { return path_.string(); }

  std::string Git(std::vector<std::string> arguments);
  void Write(const std::string& file, const std::string& text);
  /// Commits all that changed; gives the commit.
  CommitId Commit(const std::string& message);
  CommitId Put(const std::string& file, const std::string& text, const std::string& message);
  CommitId Head();
  void SetAuthor(const std::string& author) { author_ = author; }

 private:
  std::filesystem::path path_;
  std::string author_ = "Ada Maker";
  long time_ = 1'700'000'000;
};

/// A folder with a mirror in it, and fetches into it.
class Workshop {
 public:
  TempFolder folder;
  std::filesystem::path mirror = folder / "state/mirror.git";
  FetchRequest request;

  explicit Workshop(const std::string& url = "");
  CommitId Fetch();
  /// Fetches, and gives the error. Throws where the fetch succeeds.
  GitFetchError FetchFails();
  /// Names of what lies beside the mirror, but for its lock.
  std::vector<std::string> BesideMirror() const;
};

/// The program that fetches.
std::filesystem::path FetchProgram();

}  // namespace tokensync::test
