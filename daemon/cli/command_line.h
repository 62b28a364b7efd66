/// The command line as a value.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "model.h"

namespace tokensync {

struct RunCommand {
  std::filesystem::path config{};
};
struct SyncCommand {
  std::filesystem::path config{};
  std::optional<std::string> revision{};  ///< as git names commits; nothing: the head of the configured branch
};
struct PlanCommand {
  std::filesystem::path config{};
  std::optional<std::string> revision{};
  bool json = false;
  bool diff = false;
};
enum class ValidateFormat { kText, kJson, kGithub };
struct ValidateCommand {
  std::vector<std::filesystem::path> paths{};  ///< at least one
  ValidateFormat format = ValidateFormat::kText;
};
struct StatusCommand {
  std::filesystem::path config{};
  bool json = false;
};
struct HistoryCommand {
  std::filesystem::path config{};
  std::optional<TokenKey> token{};
  std::optional<std::string> commit{};  ///< 4 to 40 lower-case hexadecimal digits: the beginning of a commit's id
  std::optional<TimePoint> since{};
  std::optional<std::uint64_t> limit{};  ///< the newest so many; at least 1
  bool json = false;
};
struct AuditCommand {
  std::filesystem::path config{};
  bool json = false;
};
struct TriggerCommand {
  std::filesystem::path config{};
  bool wait = false;
};

struct ApproveCommand {
  std::filesystem::path config{};
  std::string fingerprint{};  ///< 8 to 64 lower-case hexadecimal digits: the beginning of a plan's fingerprint
  bool wait = false;
};

struct BackupCommand {
  std::filesystem::path config{};
  std::filesystem::path file{};
  bool json = false;
};

using Command = std::variant<RunCommand, SyncCommand, PlanCommand, ValidateCommand, StatusCommand, HistoryCommand,
                             AuditCommand, TriggerCommand, ApproveCommand, BackupCommand>;

/// The command line needs no command to be carried out: print `text` and end with `status`.
struct EndNow {
  int status = 0;
  std::string text{};
  /// Help and version are output; a usage error is not.
  bool ToStandardOutput() const { return status == 0; }
};

/// What the command line asks for: a command, or help, version (status 0) or a usage error (status 64).
/// `now` is what relative times are counted from.
std::variant<Command, EndNow> ParseCommandLine(int argc, const char* const* argv, TimePoint now);

}  // namespace tokensync
