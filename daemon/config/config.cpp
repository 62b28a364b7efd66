#include "config.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "config_section.h"
#include "config_values.h"
#include "errors.h"
#include "problem_text.h"
#include "source_text.h"
#include "written_secrets.h"
#include "yaml_reader.h"

namespace tokensync {

namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::size_t kFileBytesMax = std::size_t{1} << 20U;

std::string ReadFile(const fs::path& file) {
  std::error_code error;
  if (fs::is_directory(file, error)) {
    throw ConfigError(fmt::format("reading the configuration {}: it is a folder; name the file", file.string()));
  }
  std::ifstream stream(file, std::ios::binary);
  std::string bytes;
  std::array<char, 4096> block{};
  while (stream && bytes.size() <= kFileBytesMax) {
    stream.read(block.data(), static_cast<std::streamsize>(block.size()));
    bytes.append(block.data(), static_cast<std::size_t>(stream.gcount()));
  }
  if (!stream.is_open() || stream.bad()) {
    throw ConfigError(fmt::format("reading the configuration {}: {}", file.string(), std::strerror(errno)));
  }
  if (bytes.size() > kFileBytesMax) {
    throw ConfigError(fmt::format("reading the configuration {}: it has more than 1 MiB", file.string()));
  }
  return bytes;
}

/// The file's values, section by section.
class ConfigReader {
 public:
  ConfigReader(fs::path folder, ProblemList& problems) : folder_(std::move(folder)), problems_(problems) {}

  Config Read(const YamlNode* document) {
    Section file({}, document, problems_);
    ReadSource(Open(file, "source"));
    ReadApi(Open(file, "api"));
    ReadPolicy(Open(file, "policy"));
    ReadLedger(Open(file, "ledger"));
    ReadLog(Open(file, "log"));
    ReadControl(Open(file, "control"));
    ReadHttp(Open(file, "http"));
    file.Finish();
    return std::move(config_);
  }

 private:
  Section Open(Section& file, std::string_view name) {
    const YamlMember* member = file.Take(name);
    return {std::string(name), member == nullptr ? nullptr : &member->value, problems_};
  }

  static bool IsPath(Section& section, const YamlMember& member, std::string_view text) {
    if (!text.starts_with("~")) return true;
    section.Fault(member, "'~' is not expanded", "write the whole path");
    return false;
  }

  /// A file that is only read: among the credentials, or beside the configuration.
  void CredentialFile(Section& section, std::string_view key, fs::path& value) {
    const YamlMember* member = nullptr;
    const auto text = section.Text(key, member);
    if (!text || !IsPath(section, *member, *text)) return;
    if (IsSecretItself(*text)) {
      AddFault(*member, key,
               {"a secret instead of the name of a file", "put it into a file, and name that here", true});
      return;
    }
    const fs::path named(*text);
    value = named;
    if (text->empty() || named.is_absolute()) return;
    const char* credentials = std::getenv("CREDENTIALS_DIRECTORY");
    std::error_code error;
    if (credentials != nullptr && *credentials != '\0' && fs::exists(fs::path(credentials) / named, error)) {
      value = fs::path(credentials) / named;
    } else {
      value = folder_ / named;
    }
  }

  /// A file that the program makes.
  const YamlMember* OwnFile(Section& section, std::string_view key, fs::path& value) {
    const YamlMember* member = nullptr;
    const auto text = section.Text(key, member);
    if (!text || !IsPath(section, *member, *text)) return nullptr;
    const fs::path named(*text);
    if (!named.has_filename()) {
      section.Fault(*member, "no name of a file", "write the path of a file");
      return nullptr;
    }
    value = (folder_ / named).lexically_normal();
    return member;
  }

  void ReadSource(Section section) {
    SourceConfig& source = config_.source;
    const YamlMember* url_member = nullptr;
    const YamlMember* member = nullptr;
    SourceTransport kind = SourceTransport::kPath;
    if (const auto url = section.Text("url", url_member)) {
      SourceUrl checked = CheckSourceUrl(*url);
      if (checked.fault) AddFault(*url_member, "source.url", std::move(*checked.fault));
      kind = checked.kind;
      source.url = *url;
      const bool is_path = kind == SourceTransport::kPath && url->find("://") == std::string::npos;
      if (is_path && IsPath(section, *url_member, *url)) source.url = (folder_ / *url).lexically_normal().string();
    } else if (url_member == nullptr) {
      problems_.Add(section.Position(), "missing 'source.url'", "name the repository that holds the manifests");
    }
    if (const auto branch = section.Text("branch", member)) {
      if (!IsBranchName(*branch)) section.Fault(*member, "no name of a branch", "write a name such as main");
      source.branch = *branch;
    }
    if (const auto path = section.Text("path", member)) {
      if (!IsFolderInside(*path)) {
        section.Fault(*member, "no folder within the repository", "write a relative path without '..', or '.'");
      }
      source.path = *path;
    }
    section.Time("poll_interval", seconds(1), hours(24 * 7), true, source.poll_interval);
    section.Time("timeout", seconds(1), hours(1), false, source.timeout);
    if (const auto username = section.Text("username", member)) source.username = *username;
    CredentialFile(section, "token_file", source.token_file);
    CredentialFile(section, "ca_file", source.ca_file);
    CredentialFile(section, "ssh_key_file", source.ssh_key_file);
    CredentialFile(section, "known_hosts_file", source.known_hosts_file);
    if (const auto previous = section.Text("previous_url", member)) {
      auto fault = CheckSourceUrl(*previous).fault;
      if (fault && !previous->empty()) AddFault(*member, "source.previous_url", *std::move(fault));
      source.previous_url = *previous;
    }
    if (kind == SourceTransport::kSsh && url_member != nullptr) {
      if (source.ssh_key_file.empty())
        section.Fault(*url_member, "ssh without source.ssh_key_file", "name the private key");
      if (source.known_hosts_file.empty()) {
        section.Fault(*url_member, "ssh without source.known_hosts_file",
                      "name a file that holds the host's key, as ssh-keyscan writes it");
      }
    }
    section.Finish();
  }

  void ReadApi(Section section) {
    ApiConfig& api = config_.api;
    const YamlMember* member = nullptr;
    if (const auto endpoint = section.Text("endpoint", member)) {
      if (auto fault = CheckEndpoint(*endpoint)) AddFault(*member, "api.endpoint", *std::move(fault));
      api.endpoint = endpoint->substr(0, endpoint->find_last_not_of('/') + 1);
    }
    CredentialFile(section, "token_file", api.token_file);
    CredentialFile(section, "ca_file", api.ca_file);
    section.Number("concurrency", 1, 256, api.concurrency);
    section.Number("requests_per_minute", 0, 1'000'000, api.requests_per_minute);
    section.Share("rate_share", api.rate_share);
    section.Time("timeout", milliseconds(100), minutes(10), false, api.timeout);
    static constexpr std::array<Choice<FieldSpelling>, 3> kSpellings = {{{"both", FieldSpelling::kBoth},
                                                                         {"snake_case", FieldSpelling::kSnakeCase},
                                                                         {"camelCase", FieldSpelling::kCamelCase}}};
    section.OneOf("field_spelling", kSpellings, api.field_spelling);
    static constexpr std::array<Choice<ReadBack>, 3> kReadBacks = {
        {{"auto", ReadBack::kAuto}, {"always", ReadBack::kAlways}, {"never", ReadBack::kNever}}};
    section.OneOf("read_back", kReadBacks, api.read_back);
    static constexpr std::array<Choice<SurveyMode>, 3> kSurveys = {
        {{"auto", SurveyMode::kAuto}, {"always", SurveyMode::kAlways}, {"never", SurveyMode::kNever}}};
    section.OneOf("survey", kSurveys, api.survey);
    section.Finish();
  }

  void ReadPolicy(Section section) {
    section.NotYet("on_changed", "report", "update");
    section.NotYet("on_removed", "report", "delete");
    section.Finish();
  }

  void ReadLedger(Section section) {
    OwnFile(section, "path", config_.ledger.path);
    section.Finish();
  }

  void ReadLog(Section section) {
    static constexpr std::array<Choice<LogLevel>, 4> kLevels = {{{"debug", LogLevel::kDebug},
                                                                 {"info", LogLevel::kInfo},
                                                                 {"warning", LogLevel::kWarning},
                                                                 {"error", LogLevel::kError}}};
    section.OneOf("level", kLevels, config_.log.level);
    static constexpr std::array<Choice<LogFormat>, 4> kFormats = {{{"auto", LogFormat::kAuto},
                                                                   {"text", LogFormat::kText},
                                                                   {"json", LogFormat::kJson},
                                                                   {"journal", LogFormat::kJournal}}};
    section.OneOf("format", kFormats, config_.log.format);
    section.Finish();
  }

  void ReadControl(Section section) {
    // What the kernel's sockaddr_un holds, with its final NUL.
    constexpr std::size_t kSocketPathBytesMax = 107;
    const YamlMember* member = OwnFile(section, "socket", config_.control.socket);
    if (member != nullptr && config_.control.socket.native().size() > kSocketPathBytesMax) {
      section.Fault(*member, fmt::format("a path of more than {} bytes, which no socket can have", kSocketPathBytesMax),
                    "choose a shorter one");
    }
    section.Finish();
  }

  void ReadHttp(Section section) {
    const YamlMember* member = nullptr;
    const auto listen = section.Text("listen", member);
    if (listen && !listen->empty()) section.Fault(*member, "an HTTP server is not available yet", "write \"\"");
    section.Finish();
  }

  void AddFault(const YamlMember& member, std::string_view key, UrlFault fault) {
    Problem problem = problems_.source().ProblemAt(member.value.position, fmt::format("{}: {}", key, fault.what),
                                                   std::move(fault.advice));
    if (fault.secret) problem.text.clear();
    problems_.Add(std::move(problem));
  }

  fs::path folder_;
  ProblemList& problems_;
  Config config_;
};

}  // namespace

Config LoadConfig(const fs::path& file) {
  const std::string bytes = ReadFile(file);
  std::error_code error;
  const fs::path absolute = fs::absolute(file, error);
  if (error) throw ConfigError(fmt::format("reading the configuration {}: {}", file.string(), error.message()));

  const SourceText source(file.string(), bytes);
  ProblemList problems(source);
  const std::vector<YamlNode> documents = ReadYaml(source, problems);
  if (documents.size() > 1) {
    problems.Add(documents[1].position, "a second document", "a configuration is one document: remove the others");
  }
  Config config;
  // After a fault of form there is no tree to speak about.
  if (!documents.empty() || problems.empty()) {
    config = ConfigReader(absolute.parent_path(), problems).Read(documents.empty() ? nullptr : &documents[0]);
  }
  if (problems.empty()) return config;
  std::string text = fmt::format("reading the configuration {}:", file.string());
  for (Problem& problem : problems.Take()) {
    HideSecrets(problem);
    text += "\n" + ProblemText(problem, false);
  }
  throw ConfigError(text);
}

void RequireApiToken(const Config& config) {
  if (!config.api.token_file.empty()) return;
  throw ConfigError("calling the service: api.token_file is not set; name the file that holds the service token");
}

}  // namespace tokensync
