#include "config.h"

#include <fmt/format.h>

#include <algorithm>
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
#include "proxy_url.h"
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
    ReadWebhook(Open(file, "webhook"));
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
    value = folder_ / named;
    const char* credentials = std::getenv("CREDENTIALS_DIRECTORY");
    if (credentials == nullptr || *credentials == '\0') return;
    // systemd puts the unit's name for a folder of credentials before the name of each file in it.
    for (const std::string& name : {"tokensyncd_" + named.string(), named.string()}) {
      std::error_code error;
      if (!fs::exists(fs::path(credentials) / name, error)) continue;
      value = fs::path(credentials) / name;
      return;
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
    ReadRef(section);
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
    if (const auto proxy = section.Text("proxy", member)) {
      const bool is_http = kind == SourceTransport::kHttp || kind == SourceTransport::kHttps;
      if (const auto fault = FaultOfProxy(*proxy)) {
        // The text may hold a password.
        AddFault(*member, "source.proxy", WithAdvice(*fault, true));
      } else if (!proxy->empty() && !is_http) {
        section.Fault(*member, "a proxy for a source that is reached by neither http nor https", "remove it");
      }
      source.proxy = *proxy;
    }
    ReadTrust(section);
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

  void ReadRef(Section& source) {
    SourceRef& ref = config_.source.ref;
    const YamlMember* branch = nullptr;
    if (const auto name = source.Text("branch", branch)) {
      ref.text = *name;
      if (const auto fault = FaultOf(ref)) AddFault(*branch, "source.branch", WithAdvice(*fault));
    }
    const YamlMember* member = source.Take("ref");
    if (member == nullptr) return;
    static constexpr std::array<Choice<SourceRef::Kind>, 3> kKinds = {
        {{"branch", SourceRef::Kind::kBranch}, {"tag", SourceRef::Kind::kTag}, {"semver", SourceRef::Kind::kSemver}}};
    constexpr const char* kAdvice = "write one of {branch: main}, {tag: \"release-*\"} and {semver: \">=1.0.0\"}";
    Section section("source.ref", &member->value, problems_);
    std::size_t named = 0;
    for (const auto& [key, kind] : kKinds) {
      const YamlMember* value = nullptr;
      const auto text = section.Text(key, value);
      if (!text) continue;
      ++named;
      ref = {.kind = kind, .text = *text};
      if (const auto fault = FaultOf(ref)) AddFault(*value, "source.ref." + std::string(key), WithAdvice(*fault));
    }
    section.Finish();
    if (named > 1) source.Fault(*member, "more than one of branch, tag and semver", kAdvice);
    if (branch != nullptr) source.Fault(*member, "source.branch stands beside it", "keep one of the two");
  }

  void ReadTrust(Section& section) {
    SourceConfig& source = config_.source;
    static constexpr std::array<Choice<Verify>, 3> kVerify = {
        {{"off", Verify::kOff}, {"head", Verify::kHead}, {"every", Verify::kEvery}}};
    section.OneOf("verify", kVerify, source.verify);
    CredentialFile(section, "allowed_signers_file", source.allowed_signers_file);
    CredentialFile(section, "openpgp_keyring_file", source.openpgp_keyring_file);
    if (source.verify != Verify::kOff && source.allowed_signers_file.empty() && source.openpgp_keyring_file.empty()) {
      section.Fault(*section.Take("verify"), "nobody is trusted",
                    "name source.allowed_signers_file, source.openpgp_keyring_file or both");
    }
    const YamlMember* member = nullptr;
    if (const auto from = section.Text("verify_from", member); from && !from->empty()) {
      source.verify_from = CommitId{*from};
      const bool is_id = from->size() == 40 && from->find_first_not_of("0123456789abcdef") == std::string::npos;
      if (!is_id) section.Fault(*member, "no whole id of a commit", "write its 40 hexadecimal digits, in quotes");
    }
    static constexpr std::array<Choice<OnRewrite>, 2> kOnRewrite = {
        {{"hold", OnRewrite::kHold}, {"apply", OnRewrite::kApply}}};
    section.OneOf("on_rewrite", kOnRewrite, source.on_rewrite);
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
    HttpConfig& http = config_.http;
    const YamlMember* member = nullptr;
    if (const auto listen = section.Text("listen", member); listen && !listen->empty()) {
      if (!IsListenAddress(*listen)) {
        section.Fault(*member, "no address to listen at", "write an address and a port, such as 127.0.0.1:9180");
      }
      http.listen = *listen;
    }
    CredentialFile(section, "certificate_file", http.certificate_file);
    CredentialFile(section, "key_file", http.key_file);
    if (http.certificate_file.empty() != http.key_file.empty()) {
      problems_.Add(section.Position(), "http: one of certificate_file and key_file without the other",
                    "name both for https, or none");
    }
    section.Finish();
  }

  void ReadWebhook(Section section) {
    WebhookConfig& webhook = config_.webhook;
    CredentialFile(section, "secret_file", webhook.secret_file);
    CredentialFile(section, "previous_secret_file", webhook.previous_secret_file);
    if (webhook.secret_file.empty() && !webhook.previous_secret_file.empty()) {
      problems_.Add(section.Position(), "webhook: previous_secret_file without secret_file",
                    "name the new secret as secret_file");
    }
    const YamlMember* member = nullptr;
    if (const auto repository = section.Text("repository", member)) webhook.repository = *repository;
    section.Number("requests_per_minute", 1, 100'000, webhook.requests_per_minute);
    section.Finish();
  }

  /// A text "what; advice", taken apart.
  static UrlFault WithAdvice(const std::string& text, bool secret = false) {
    const std::size_t end = std::min(text.find("; "), text.size());
    return {text.substr(0, end), text.substr(std::min(end + 2, text.size())), secret};
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
