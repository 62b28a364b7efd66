/// The configuration file as values.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "log_level.h"
#include "model.h"

namespace tokensync {

struct SourceConfig {
  std::string url;
  std::string branch = "main";
  std::string path = ".";
  Duration poll_interval = std::chrono::seconds(60);  ///< 0: only when triggered
  Duration timeout = std::chrono::seconds(120);       ///< for one fetch as a whole
  std::string username;                               ///< for http(s); empty: what the URL says, else "git"
  std::filesystem::path token_file;                   ///< password or access token for http(s); empty: none
  std::filesystem::path ca_file;                      ///< extra trust anchors for https, PEM; empty: none
  std::filesystem::path ssh_key_file;                 ///< private key for ssh
  std::filesystem::path known_hosts_file;             ///< mandatory for ssh
  /// The URL that the ledger followed before: confirms that `url` is the same team's repository. Empty: nothing is.
  std::string previous_url;
};

enum class FieldSpelling { kBoth, kSnakeCase, kCamelCase };
enum class ReadBack { kAuto, kAlways, kNever };
/// Whether a collection is listed as a whole before the first create in it. kAlways: on a service that cannot list,
/// nothing is created.
enum class SurveyMode { kAuto, kAlways, kNever };

struct ApiConfig {
  std::string endpoint = "https://metadata.sequence.app";
  std::filesystem::path token_file;
  std::filesystem::path ca_file;
  std::uint32_t concurrency = 16;
  std::uint32_t requests_per_minute = 3000;  ///< 0: no limit of our own
  double rate_share = 1;                     ///< of the limit that the service tells; above 0, at most 1
  Duration timeout = std::chrono::seconds(30);
  FieldSpelling field_spelling = FieldSpelling::kBoth;
  ReadBack read_back = ReadBack::kAuto;
  SurveyMode survey = SurveyMode::kAuto;
};

struct LedgerConfig {
  std::filesystem::path path = "/var/lib/tokensyncd/ledger.db";
};

struct LogConfig {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kAuto;
};

struct ControlConfig {
  std::filesystem::path socket = "/run/tokensyncd/control.sock";
};

struct Config {
  SourceConfig source;
  ApiConfig api;
  LedgerConfig ledger;
  LogConfig log;
  ControlConfig control;

  /// The folder that holds the ledger; the mirror is kept beside it.
  std::filesystem::path StateDirectory() const { return ledger.path.parent_path(); }
};

/// Reads and checks the file. Every problem of it is in the one ConfigError, each with line, column, a caret and
/// advice. Files that it names are looked up (relative ones in $CREDENTIALS_DIRECTORY first, then beside the
/// configuration file) but not read; those that are not there yet are named as beside the configuration file. Relative
/// `ledger.path` and `control.socket`, and a `source.url` that is a relative path, are beside the configuration file
/// too. `api.endpoint` ends without '/'. A value that is not available yet (policy update and delete, http.listen) is a
/// problem of its own.
Config LoadConfig(const std::filesystem::path& file);

/// For commands that call the service. Throws ConfigError where no api.token_file is set.
void RequireApiToken(const Config& config);

}  // namespace tokensync
