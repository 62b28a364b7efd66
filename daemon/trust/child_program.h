/// Programs as child processes: without a shell, with closed descriptors, few variables, bounded output and a time-out.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "verification_time.h"

namespace tokensync {

/// The file that this name of a program means: itself if it has a '/', else the first of $PATH.
/// Throws EnvironmentError where there is none. `package`: Debian's name, for the text.
std::filesystem::path FindProgram(const std::filesystem::path& name, std::string_view package);

struct ProgramCall {
  std::filesystem::path program;
  std::vector<std::string> arguments{};  ///< without the program's name
  /// HOME. Besides, it has PATH, LC_ALL=C and, where it is set, TZ.
  std::filesystem::path home{};
};

/// A running program, leader of a process group of its own; the whole group is killed with its owner.
class ChildProgram {
 public:
  struct Descriptors {
    int input = -1;
    int output = -1;
    int errors = 2;
  };
  /// The descriptors stay the caller's; the child has no others. Throws EnvironmentError.
  ChildProgram(const ProgramCall& call, Descriptors descriptors);
  ~ChildProgram();
  ChildProgram(const ChildProgram&) = delete;
  ChildProgram& operator=(const ChildProgram&) = delete;

  /// Its wait status, once it has ended.
  std::optional<int> Ended();

 private:
  void KillGroup();

  pid_t pid_ = 0;
  std::optional<int> status_;
};

/// What a program came to. Of each text, the first 64 KiB; both are foreign.
struct ProgramResult {
  int exit_status = 0;
  std::string output{};
  std::string errors{};
};

/// Runs a program to its end, with the file as its standard input.
/// Throws EnvironmentError where it cannot be started, was ended by a signal or did not end in time; what it started is
/// gone in any case.
ProgramResult RunProgram(const ProgramCall& call, const std::filesystem::path& input, VerificationTime& time);

/// "ssh-keygen did not end within 20 s and was killed; …".
[[noreturn]] void ThrowOutOfTime(const std::filesystem::path& program, const VerificationTime& time);

}  // namespace tokensync
