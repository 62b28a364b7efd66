/// The configuration file as values.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "log_level.h"
#include "model.h"
#include "source_ref.h"

namespace tokensync {

/// Whose signatures a commit needs.
enum class Verify {
  kOff,   ///< nobody's
  kHead,  ///< the head's own is good
  kEvery  ///< and that of every commit that it brings
};
/// What becomes of a head that does not continue the one before.
enum class OnRewrite { kHold, kApply };

struct SourceConfig {
  std::string url;
  SourceRef ref;  ///< source.branch or source.ref
  std::string path = ".";
  Duration poll_interval = std::chrono::seconds(60);  ///< 0: only when triggered
  Duration timeout = std::chrono::seconds(120);       ///< for one fetch as a whole
  std::string username;                               ///< for http(s); empty: what the URL says, else "git"
  std::filesystem::path token_file;                   ///< password or access token for http(s); empty: none
  std::filesystem::path ca_file;                      ///< extra trust anchors for https, PEM; empty: none
  std::filesystem::path ssh_key_file;                 ///< private key for ssh
  std::filesystem::path known_hosts_file;             ///< mandatory for ssh
  std::string proxy;  ///< URL of an HTTP proxy for http(s), without a password; empty: what the environment says
  Verify verify = Verify::kOff;
  std::filesystem::path allowed_signers_file;  ///< of ssh signatures; it or the keyring where `verify` is on
  std::filesystem::path openpgp_keyring_file;
  std::optional<CommitId> verify_from;  ///< what it reaches needs no signature of its own
  OnRewrite on_rewrite = OnRewrite::kHold;
  /// The URL that the ledger followed before: confirms that `url` is the same team's repository. Empty: nothing is.
  std::string previous_url;
  bool operator==(const SourceConfig&) const = default;
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
  bool operator==(const ApiConfig&) const = default;
};

struct LedgerConfig {
  std::filesystem::path path = "/var/lib/tokensyncd/ledger.db";
  bool operator==(const LedgerConfig&) const = default;
};

struct LogConfig {
  LogLevel level = LogLevel::kInfo;
  LogFormat format = LogFormat::kAuto;
  bool operator==(const LogConfig&) const = default;
};

struct ControlConfig {
  std::filesystem::path socket = "/run/tokensyncd/control.sock";
  bool operator==(const ControlConfig&) const = default;
};

struct HttpConfig {
  std::string listen;                      ///< "127.0.0.1:9180", "[::1]:9180"; empty: no listener of our own
  std::filesystem::path certificate_file;  ///< PEM, with its chain: https; both or none
  std::filesystem::path key_file;
  bool operator==(const HttpConfig&) const = default;
};

struct WebhookConfig {
  std::filesystem::path secret_file;           ///< empty: no webhook is taken
  std::filesystem::path previous_secret_file;  ///< taken as well while a secret is replaced; empty: none
  std::string repository;                      ///< as the forge names it; empty: by the path of source.url
  std::uint32_t requests_per_minute = 60;
  bool operator==(const WebhookConfig&) const = default;
};

struct Config {
  SourceConfig source;
  ApiConfig api;
  LedgerConfig ledger;
  LogConfig log;
  ControlConfig control;
  HttpConfig http;
  WebhookConfig webhook;

  bool operator==(const Config&) const = default;

  /// The folder that holds the ledger; the mirror is kept beside it.
  std::filesystem::path StateDirectory() const { return ledger.path.parent_path(); }
};

/// Reads and checks the file. Every problem of it is in the one ConfigError, each with line, column, a caret and
/// advice. Files that it names are looked up (relative ones in $CREDENTIALS_DIRECTORY first, under tokensyncd_NAME and
/// then NAME, after that beside the configuration file) but not read; those that are not there yet are named as beside
/// the configuration file. Relative `ledger.path` and `control.socket`, and a `source.url` that is a relative path, are
/// beside the configuration file too. `api.endpoint` ends without '/'. A value that is not available yet (policy update
/// and delete) is a problem of its own.
Config LoadConfig(const std::filesystem::path& file);

/// For commands that call the service. Throws ConfigError where no api.token_file is set.
void RequireApiToken(const Config& config);

}  // namespace tokensync
