/// The configuration file: what is taken, what is refused, and how it is told.
#include "config.h"

#include <unistd.h>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "config_values.h"
#include "errors.h"

using namespace tokensync;  // NOLINT(google-build-using-namespace)
using namespace std::chrono_literals;

namespace {

/// A folder with a configuration file, and no credentials but those that a test asks for.
class Workshop {
 public:
  Workshop() {
    std::string name = (std::filesystem::temp_directory_path() / "config-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
    unsetenv("CREDENTIALS_DIRECTORY");
  }
  Workshop(const Workshop&) = delete;
  Workshop& operator=(const Workshop&) = delete;
  ~Workshop() {
    unsetenv("CREDENTIALS_DIRECTORY");
    std::filesystem::remove_all(path_);
  }

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path file() const { return path_ / "tokensyncd.yaml"; }

  Config Load(std::string_view text) const {
    std::ofstream(file(), std::ios::binary) << text;
    return LoadConfig(file());
  }
  std::string Error(std::string_view text) const {
    try {
      Load(text);
    } catch (const ConfigError& error) {
      return error.what();
    }
    return {};
  }

 private:
  std::filesystem::path path_;
};

const std::string kSource = "source: {url: /srv/tokens.git}\n";

std::size_t Count(const std::string& text, std::string_view part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

}  // namespace

TEST_CASE("every key of the documented configuration is taken") {
  const Workshop workshop;
  const Config config = workshop.Load(R"(
source:
  url: https://git.example.com/acme/tokens.git   # https, http, ssh, git@host:path, file:// or a path; bare or not
  branch: release/1.x
  path: manifests/live
  poll_interval: 90s
  timeout: 5m
  username: sync
  token_file: /etc/t
  ca_file: /etc/ca
  ssh_key_file: /etc/key
  known_hosts_file: /etc/hosts
  proxy: http://proxy.example.com:3128
  verify: every
  allowed_signers_file: /etc/signers
  openpgp_keyring_file: /etc/keyring
  verify_from: "0123456789abcdef0123456789abcdef01234567"
  on_rewrite: apply
  previous_url: git@git.example.com:acme/old.git
api:
  endpoint: https://metadata.sequence.app/
  token_file: /etc/tokensyncd/sequence.jwt
  ca_file: ""
  concurrency: 8
  requests_per_minute: 0
  rate_share: 0.25
  timeout: 1500ms
  field_spelling: snake_case
  read_back: never
  survey: always
policy:
  on_changed: report
  on_removed: report
ledger:
  path: /var/lib/tokensyncd/other.db
log:
  level: debug
  format: json
control:
  socket: /run/tokensyncd/c.sock
http:
  listen: "[::1]:9180"
  certificate_file: /etc/chain.pem
  key_file: /etc/tls.key
webhook:
  secret_file: /etc/new
  previous_secret_file: /etc/old
  repository: acme/tokens
  requests_per_minute: 600
)");
  CHECK(config.source.url == "https://git.example.com/acme/tokens.git");
  CHECK(config.source.ref == SourceRef{.kind = SourceRef::Kind::kBranch, .text = "release/1.x"});
  CHECK(config.source.path == "manifests/live");
  CHECK(config.source.poll_interval == 90s);
  CHECK(config.source.timeout == 5min);
  CHECK(config.source.username == "sync");
  CHECK(config.source.token_file == "/etc/t");
  CHECK(config.source.ca_file == "/etc/ca");
  CHECK(config.source.ssh_key_file == "/etc/key");
  CHECK(config.source.known_hosts_file == "/etc/hosts");
  CHECK(config.source.proxy == "http://proxy.example.com:3128");
  CHECK(config.source.verify == Verify::kEvery);
  CHECK(config.source.allowed_signers_file == "/etc/signers");
  CHECK(config.source.openpgp_keyring_file == "/etc/keyring");
  CHECK(config.source.verify_from == CommitId{"0123456789abcdef0123456789abcdef01234567"});
  CHECK(config.source.on_rewrite == OnRewrite::kApply);
  CHECK(config.source.previous_url == "git@git.example.com:acme/old.git");
  CHECK(config.api.endpoint == "https://metadata.sequence.app");
  CHECK(config.api.token_file == "/etc/tokensyncd/sequence.jwt");
  CHECK(config.api.ca_file.empty());
  CHECK(config.api.concurrency == 8);
  CHECK(config.api.requests_per_minute == 0);
  CHECK(config.api.rate_share == 0.25);
  CHECK(config.api.timeout == 1500ms);
  CHECK(config.api.field_spelling == FieldSpelling::kSnakeCase);
  CHECK(config.api.read_back == ReadBack::kNever);
  CHECK(config.api.survey == SurveyMode::kAlways);
  CHECK(config.ledger.path == "/var/lib/tokensyncd/other.db");
  CHECK(config.StateDirectory() == "/var/lib/tokensyncd");
  CHECK(config.log.level == LogLevel::kDebug);
  CHECK(config.log.format == LogFormat::kJson);
  CHECK(config.control.socket == "/run/tokensyncd/c.sock");
  CHECK(config.http.listen == "[::1]:9180");
  CHECK(config.http.certificate_file == "/etc/chain.pem");
  CHECK(config.http.key_file == "/etc/tls.key");
  CHECK(config.webhook.secret_file == "/etc/new");
  CHECK(config.webhook.previous_secret_file == "/etc/old");
  CHECK(config.webhook.repository == "acme/tokens");
  CHECK(config.webhook.requests_per_minute == 600);
  CHECK_NOTHROW(RequireApiToken(config));
}

TEST_CASE("all but source.url has a default, and the token file is asked for by those who need it") {
  const Workshop workshop;
  const Config config = workshop.Load(kSource);
  const Config defaults;
  CHECK(config.source.ref == SourceRef{.kind = SourceRef::Kind::kBranch, .text = "main"});
  CHECK(config.source.verify == Verify::kOff);
  CHECK(config.source.on_rewrite == OnRewrite::kHold);
  CHECK(config.http.listen.empty());
  CHECK(config.webhook.secret_file.empty());
  CHECK(config.webhook.requests_per_minute == 60);
  CHECK(config.source.poll_interval == 60s);
  CHECK(config.api.endpoint == "https://metadata.sequence.app");
  CHECK(config.api.survey == SurveyMode::kAuto);
  CHECK(config.api.rate_share == 1);
  CHECK(config.source.previous_url.empty());
  CHECK(workshop.Load(kSource + "api: {rate_share: 1}\n").api.rate_share == 1);
  CHECK(config.ledger.path == defaults.ledger.path);
  CHECK(config.control.socket == defaults.control.socket);
  CHECK_THROWS_AS(RequireApiToken(config), ConfigError);
  CHECK_NOTHROW(workshop.Load(kSource + "api:\nlog: ~\n"));
}

TEST_CASE("what is followed is a branch, tags of a pattern, or versions of a range") {
  const Workshop workshop;
  const auto ref = [&](const std::string& text) {
    return workshop.Load("source: {url: /x, ref: {" + text + "}}\n").source.ref;
  };
  CHECK(ref("branch: live") == SourceRef{.kind = SourceRef::Kind::kBranch, .text = "live"});
  CHECK(ref("tag: \"release-*\"") == SourceRef{.kind = SourceRef::Kind::kTag, .text = "release-*"});
  CHECK(ref("semver: \">=1.2.0 <2.0.0\"") == SourceRef{.kind = SourceRef::Kind::kSemver, .text = ">=1.2.0 <2.0.0"});
}

TEST_CASE("relative files are looked up among the credentials first, then beside the configuration") {
  const Workshop workshop;
  std::filesystem::create_directory(workshop.path() / "credentials");
  std::ofstream(workshop.path() / "credentials" / "jwt") << "x";
  const std::string text =
      "source: {url: repo, token_file: git}\napi: {token_file: jwt}\nledger: {path: state/l.db}\ncontrol: {socket: "
      "../c}\n";
  CHECK(workshop.Load(text).api.token_file == workshop.path() / "jwt");
  setenv("CREDENTIALS_DIRECTORY", (workshop.path() / "credentials").c_str(), 1);
  const Config config = workshop.Load(text);
  CHECK(config.api.token_file == workshop.path() / "credentials" / "jwt");
  std::ofstream(workshop.path() / "credentials" / "tokensyncd_jwt") << "y";
  CHECK(workshop.Load(text).api.token_file == workshop.path() / "credentials" / "tokensyncd_jwt");
  CHECK(config.source.token_file == workshop.path() / "git");
  CHECK(config.source.url == (workshop.path() / "repo").string());
  CHECK(config.ledger.path == workshop.path() / "state" / "l.db");
  CHECK(config.control.socket == workshop.path().parent_path() / "c");
}

TEST_CASE("each fault of the configuration is named with its place and what to write") {
  const Workshop workshop;
  struct Case {
    std::string text;
    const char* told;
  };
  const Case cases[] = {
      {"", ":1:1: missing 'source.url'"},
      {"source:\n  branch: main\n", ":2:3: missing 'source.url'"},
      {"source: {url: \"\"}\n", ":1:15: source.url: an empty URL"},
      {"source: {url: 5}\n", ":1:15: source.url: an integer, not a string"},
      {"source: x\n", ":1:9: 'source' is a string, not a map"},
      {"[]\n", ":1:1: the configuration is a list, not a map"},
      {kSource + "sorce: {}\n", ":2:1: unknown key 'sorce'\n"},
      {kSource + "sorce: {}\n", "= did you mean 'source'?"},
      {kSource + "api: {concurency: 3}\n", ":2:7: unknown key 'api.concurency'"},
      {kSource + "api: {concurency: 3}\n", "= did you mean 'concurrency'?"},
      {kSource + "api: {concurrency: 0}\n", ":2:20: api.concurrency: not a whole number within its bounds"},
      {kSource + "api: {concurrency: 257}\n", "= write a number from 1 to 256"},
      {kSource + "api: {concurrency: \"3\"}\n", ":2:20: api.concurrency"},
      {kSource + "api: {concurrency: 1.5}\n", ":2:20: api.concurrency"},
      {kSource + "api: {requests_per_minute: -1}\n", ":2:28: api.requests_per_minute"},
      {kSource + "api: {timeout: 30}\n", ":2:16: api.timeout: not a duration"},
      {kSource + "api: {timeout: 1d}\n", ":2:16: api.timeout: not a duration"},
      {kSource + "api: {timeout: 0}\n", ":2:16: api.timeout: a duration out of its bounds"},
      {kSource + "api: {timeout: 99ms}\n", "= write 100ms to 10m"},
      {kSource + "api: {timeout: 11m}\n", "= write 100ms to 10m"},
      {kSource + "api: {timeout: 99999999999999999999h}\n", "not a duration"},
      {"source: {url: /x, poll_interval: 500ms}\n", "= write 0, or 1s to 168h"},
      {"source: {url: /x, branch: \"\"}\n", "source.branch: no name of a branch"},
      {"source: {url: /x, branch: a..b}\n", "source.branch: no name of a branch"},
      {"source: {url: /x, branch: 7}\n", "source.branch: an integer, not a string"},
      {"source: {url: /x, path: ../y}\n", "source.path: no folder within the repository"},
      {"source: {url: /x, path: /y}\n", "source.path: no folder within the repository"},
      {"source: {url: \"ftp://h/x\"}\n", "source.url: a URL scheme that is not known"},
      {"source: {url: \"git://h/x\"}\n", "source.url: a URL scheme that is not known"},
      {"source: {url: \"https:///x\"}\n", "source.url: a URL without a host"},
      {"source: {url: \"https://h:0/x\"}\n", "source.url: a URL whose port"},
      {"source: {url: \"file://h/x\", x: 1}\n", "unknown key 'source.x'"},
      {"source: {url: \"git@host:x.git\"}\n", "source.url: ssh without source.ssh_key_file"},
      {"source: {url: \"ssh://h/x\", ssh_key_file: /k}\n", "source.url: ssh without source.known_hosts_file"},
      {"source: {url: ~}\n", "source.url: nothing (null), not a string"},
      {"source: {url: \"~/x\"}\n", "source.url: '~' is not expanded"},
      {kSource + "api: {token_file: \"~/jwt\"}\n", "api.token_file: '~' is not expanded"},
      {kSource + "api: {endpoint: metadata.sequence.app}\n", "api.endpoint: a URL that begins with neither"},
      {kSource + "api: {endpoint: \"http://metadata.sequence.app\"}\n", "send the service token in clear text"},
      {kSource + "api: {endpoint: \"https://h?x\"}\n", "api.endpoint: a query or fragment"},
      {kSource + "api: {endpoint: \"https://h#x\"}\n", "api.endpoint: a query or fragment"},
      {kSource + "api: {endpoint: \"https://u@h\"}\n", "api.endpoint: a user name"},
      {kSource + "api: {endpoint: \"https://\"}\n", "api.endpoint: a URL without a host"},
      {kSource + "api: {field_spelling: snake}\n", "api.field_spelling: 'snake' is not known"},
      {kSource + "api: {field_spelling: Both}\n", "= did you mean 'both'?"},
      {kSource + "api: {read_back: true}\n", "api.read_back: true or false, not a string"},
      {kSource + "api: {survey: sometimes}\n", "api.survey: 'sometimes' is not known"},
      {kSource + "api: {rate_share: 0}\n", ":2:19: api.rate_share: not a share of a whole"},
      {kSource + "api: {rate_share: 1.01}\n", "api.rate_share: not a share of a whole"},
      {kSource + "api: {rate_share: -0.5}\n", "api.rate_share: not a share of a whole"},
      {kSource + "api: {rate_share: .nan}\n", "= write a number above 0 and up to 1, such as 0.5"},
      {kSource + "api: {rate_share: \"0.5\"}\n", "api.rate_share: not a share of a whole"},
      {kSource + "api: {rate_share: 50%}\n", "api.rate_share: not a share of a whole"},
      {"source: {url: /x, previous_url: 5}\n", "source.previous_url: an integer, not a string"},
      {kSource + "policy: {on_changed: update}\n", ":2:22: policy.on_changed: 'update' is not available yet"},
      {kSource + "policy: {on_removed: delete}\n", ":2:22: policy.on_removed: 'delete' is not available yet"},
      {kSource + "policy: {on_removed: ignore}\n", "policy.on_removed: 'ignore' is not known"},
      {kSource + "http: {listen: \"9180\"}\n", ":2:16: http.listen: no address to listen at"},
      {kSource + "http: {listen: \"example.com:80\"}\n", "http.listen: no address to listen at"},
      {kSource + "http: {listen: \"127.0.0.1:99999\"}\n", "http.listen: no address to listen at"},
      {kSource + "http: {listen: \"::1:9180\"}\n", "http.listen: no address to listen at"},
      {kSource + "http: {key_file: k}\n", "one of certificate_file and key_file without the other"},
      {kSource + "webhook: {previous_secret_file: k}\n", "webhook: previous_secret_file without secret_file"},
      {kSource + "webhook: {requests_per_minute: 0}\n", "webhook.requests_per_minute: not a whole number"},
      {"source: {url: /x, ref: main}\n", "'source.ref' is a string, not a map"},
      {"source: {url: /x, ref: {branch: a, tag: b}}\n", "more than one of branch, tag and semver"},
      {"source: {url: /x, branch: a, ref: {tag: b}}\n", "source.ref: source.branch stands beside it"},
      {"source: {url: /x, ref: {semver: \">=x.1\"}}\n", "source.ref.semver: "},
      {"source: {url: /x, ref: {tags: b}}\n", "= did you mean 'tag'?"},
      {"source: {url: /x, proxy: \"socks5://h:1\"}\n", "source.proxy: a proxy's URL that does not begin with http://"},
      {"source: {url: /x, proxy: \"http://h/path\"}\n", "source.proxy: a proxy's URL with more than host and port"},
      {"source: {url: /x, verify: head}\n", ":1:27: source.verify: nobody is trusted"},
      {"source: {url: /x, verify: all}\n", "source.verify: 'all' is not known"},
      {"source: {url: /x, verify_from: abc}\n", "source.verify_from: no whole id of a commit"},
      {"source: {url: /x, on_rewrite: ask}\n", "source.on_rewrite: 'ask' is not known"},
      {kSource + "log: {level: warn}\n", "= did you mean 'warning'?"},
      {kSource + "log: {format: xml}\n", "= known here: auto, text, json, journal"},
      {kSource + "ledger: {path: \"\"}\n", "ledger.path: no name of a file"},
      {kSource + "ledger: {path: /var/lib/}\n", "ledger.path: no name of a file"},
      {kSource + "control: {socket: /" + std::string(120, 'x') + "}\n",
       "control.socket: a path of more than 107 bytes"},
      {kSource + "log: {}\nlog: {}\n", ":3:1: duplicate key 'log', first in line 2"},
      {kSource + "---\n" + kSource, ":3:1: a second document"},
      {kSource + "log: [\n", ": a '[' that is not closed here"},
      {kSource + "\xFF", ":2:1: invalid UTF-8"},
      {kSource + "log: !env X\n", "the tag '!env' is not known"},
  };
  for (const Case& c : cases) {
    CAPTURE(c.text);
    const std::string error = workshop.Error(c.text);
    CHECK_THAT(error, Catch::StartsWith("reading the configuration "));
    CHECK_THAT(error, Catch::Contains(c.told));
  }
}

TEST_CASE("all faults are told at once, each with its line and a caret") {
  const Workshop workshop;
  const std::string error =
      workshop.Error("source:\n  url: ftp://x/y\n  brunch: main\napi:\n  timeout: 5\nlog:\n  level: loud\n");
  CHECK(Count(error, "\n      | ") == 4);
  CHECK_THAT(
      error,
      Catch::Contains(
          ":3:3: unknown key 'source.brunch'\n    3 |   brunch: main\n      |   ^\n      = did you mean 'branch'?"));
}

TEST_CASE("a secret in a URL, or in place of a file name, is refused and not repeated") {
  const Workshop workshop;
  const std::string secret = "s" + std::to_string(getpid()) + "ecret";
  const std::string jwt = "eyJ" + secret + std::string(50, 'x');
  for (const std::string& text :
       {"source: {url: \"https://u:" + secret + "@h/x\"}\n", "source: {url: \"https://ghp_" + secret + "@h/x\"}\n",
        "source: {url: \"ssh://git:" + secret + "@h/x\"}\n",
        kSource + "api: {endpoint: \"https://u:" + secret + "@h\"}\n", kSource + "api: {token_file: " + jwt + "}\n",
        "source: {url: \"https://u:" + secret + "@h/x\", foo: 1}\n", "source: {url: \"https://u:" + secret + "@h/x}\n",
        // Beside, and within, what is wrong for another reason.
        kSource + "api: {token_file: " + jwt + ", concurrency: 0}\n", kSource + "api: {tokenfile: " + jwt + "}\n",
        kSource + "log: {level: " + jwt + "}\n", kSource + jwt + "\n", kSource + jwt + ": 1\n",
        "source: {url: /x, previous_url: \"https://u:" + secret + "@h/x\"}\n",
        "source:\n  url https://u:" + secret + "@h/x\n", kSource + "log: {level: \"https://u:" + secret + "@h\"}\n",
        kSource + "log: {level: \"https://u:" + secret + std::string(60, 'x') + "@h\"}\n",
        kSource + "key: \"-----BEGIN KEY-----" + secret + "\"\n"}) {
    const std::string error = workshop.Error(text);
    CHECK_FALSE(error.empty());
    CHECK(error.find(secret) == std::string::npos);
  }
  CHECK_THAT(workshop.Error("source: {url: \"https://u:" + secret + "@h/x\"}\n"),
             Catch::Contains("source.url: a secret in the URL"));
}

TEST_CASE("good values are taken") {
  const Workshop workshop;
  for (const std::string& text :
       {std::string("source: {url: \"file:///srv/x\"}\n"), std::string("source: {url: \"http://git.example.com/x\"}\n"),
        std::string("source: {url: \"https://user@git.example.com:8443/x\"}\n"),
        std::string("source: {url: git@h:x, ssh_key_file: /k, known_hosts_file: /h}\n"),
        std::string("source: {url: \"ssh://git@h:22/x\", ssh_key_file: /k, known_hosts_file: /h}\n"),
        std::string("source: {url: /x, poll_interval: 0}\n"), std::string("source: {url: /x, poll_interval: 0s}\n"),
        kSource + "api: {endpoint: \"http://127.0.0.1:8080\"}\n",
        kSource + "api: {endpoint: \"http://[::1]:8080/base/\"}\n", kSource + "api: {endpoint: \"http://localhost\"}\n",
        kSource + "api: {token_file: \"\"}\n"}) {
    CAPTURE(text);
    CHECK(workshop.Error(text).empty());
  }
  CHECK(workshop.Load(kSource + "api: {endpoint: \"http://[::1]:8080/base/\"}\n").api.endpoint ==
        "http://[::1]:8080/base");
}

TEST_CASE("a configuration that is not there, a folder or too large is a ConfigError") {
  const Workshop workshop;
  CHECK_THROWS_AS(LoadConfig(workshop.path() / "none.yaml"), ConfigError);
  CHECK_THROWS_AS(LoadConfig(workshop.path()), ConfigError);
  CHECK_THAT(workshop.Error(std::string((1U << 20U) + 1, '#')), Catch::Contains("more than 1 MiB"));
}

TEST_CASE("durations are whole numbers with a unit") {
  CHECK(ParseDuration("0") == 0ms);
  CHECK(ParseDuration("250ms") == 250ms);
  CHECK(ParseDuration("30s") == 30s);
  CHECK(ParseDuration("5m") == 5min);
  CHECK(ParseDuration("2h") == 2h);
  for (const char* text : {"", "5", "s", "-5s", "1.5s", "5 s", "5S", "1m30s", "5d", "9999999h", "0x5s"}) {
    CAPTURE(text);
    CHECK_FALSE(ParseDuration(text));
  }
}
