/// Fetching over ssh, https and http from real servers; time-outs against a peer that never answers.
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <stdexcept>
#include <thread>

#include "git_servers.h"
#include "git_workshop.h"

namespace tokensync::test {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

namespace {

bool LockIsFree(const fs::path& mirror) {
  const int descriptor = ::open((mirror.string() + ".lock").c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return false;
  const bool locked = ::flock(descriptor, LOCK_EX | LOCK_NB) == 0;
  ::close(descriptor);
  return locked;
}

bool HasNoChild() {
  return ::waitpid(-1, nullptr, WNOHANG) < 0;
}

}  // namespace

TEST_CASE("ssh: the right key and a known host") {
  Workshop shop;
  WorkTree source(shop.folder / "source");
  CommitId head = source.Put("a.yaml", "a: 1\n", "first");
  SshServer server(shop.folder / "ssh");
  const fs::path key = server.MakeKey("user");
  server.Authorize(key);
  shop.request.url = server.Url(source.url());
  shop.request.ssh_key_file = key;
  shop.request.known_hosts_file = shop.folder / "known_hosts";
  WriteFile(shop.request.known_hosts_file, server.KnownHostLine());

  SECTION("fetches, and fetches again") {
    CHECK(shop.Fetch() == head);
    head = source.Put("a.yaml", "a: 2\n", "second");
    CHECK(shop.Fetch() == head);
    CHECK(shop.Fetch() == head);
    CHECK(GitMirror(shop.mirror).Tree(head, ".")->List().size() == 1);
  }
  SECTION("among lines that libssh2 cannot read and with hashed names") {
    Run({"ssh-keygen", "-H", "-f", shop.request.known_hosts_file.string()});
    const std::string hashed = ReadFile(shop.request.known_hosts_file);
    CHECK(hashed.rfind("|1|", 0) == 0);
    WriteFile(shop.request.known_hosts_file,
              "# comment\n\n@cert-authority *.example.com ssh-rsa AAAA\nnonsense\n" + hashed);
    CHECK(shop.Fetch() == head);
  }
  SECTION("and the files are read again for each fetch") {
    GitFetcher fetcher(FetchProgram());
    CHECK(fetcher.Fetch(shop.request) == head);
    const std::string right = ReadFile(key);
    WriteFile(key, ReadFile(server.MakeKey("stranger")));
    CHECK_THROWS_WITH(fetcher.Fetch(shop.request), Contains("refuses the key"));
    WriteFile(key, right);
    WriteFile(shop.request.known_hosts_file, "# nobody\n");
    CHECK_THROWS_WITH(fetcher.Fetch(shop.request), Contains("holds no host key"));
    WriteFile(shop.request.known_hosts_file, server.KnownHostLine());
    CHECK(fetcher.Fetch(shop.request) == head);
  }
  SECTION("where an RSA key of the host comes first") {
    const std::string line = server.KnownHostLine();
    server.MakeKey("rsa", "rsa");
    WriteFile(shop.request.known_hosts_file,
              line.substr(0, line.find(' ') + 1) + ReadFile(shop.folder / "ssh" / "rsa.pub") + line);
    CHECK(shop.Fetch() == head);
  }
  SECTION("an empty repository and a missing one") {
    WorkTree empty(shop.folder / "empty");
    shop.request.url = server.Url(empty.url());
    CHECK(shop.FetchFails().failure() == FetchFailure::kEmpty);
    shop.request.url = server.Url("/nowhere/at/all");
    const GitFetchError error = shop.FetchFails();
    CHECK(error.failure() == FetchFailure::kNotRepository);
    CHECK_THAT(error.what(), Contains("/nowhere/at/all"));
    shop.request.url = server.Url(source.url());
    shop.request.ref.text = "none";
    CHECK_THAT(shop.FetchFails().what(), Contains("'main'"));
  }
  CHECK(shop.BesideMirror().empty());
}

TEST_CASE("ssh: who is not trusted, or does not trust us, is refused with a reason") {
  Workshop shop;
  WorkTree source(shop.folder / "source");
  source.Put("a.yaml", "a: 1\n", "first");
  SshServer server(shop.folder / "ssh");
  const fs::path key = server.MakeKey("user");
  server.Authorize(key);
  const std::string line = server.KnownHostLine();
  const std::string name = line.substr(0, line.find(' ') + 1);
  shop.request.url = server.Url(source.url());
  shop.request.ssh_key_file = key;
  shop.request.known_hosts_file = shop.folder / "known_hosts";
  WriteFile(shop.request.known_hosts_file, line);
  auto public_half = [&](const std::string& of) { return ReadFile(shop.folder / "ssh" / (of + ".pub")); };
  auto fingerprint = [&](const std::string& of) {
    const std::string shown = Run({"ssh-keygen", "-l", "-f", (shop.folder / "ssh" / (of + ".pub")).string()});
    const auto begin = shown.find("SHA256:");
    return shown.substr(begin, shown.find(' ', begin) - begin);
  };

  SECTION("a key that the server does not know") {
    shop.request.ssh_key_file = server.MakeKey("stranger");
    const GitFetchError error = shop.FetchFails();
    CHECK(error.failure() == FetchFailure::kRefused);
    CHECK_THAT(error.what(), Contains("refuses the key") && Contains("stranger") && !Contains("RSA"));
  }
  SECTION("an RSA key, which libssh2 cannot sign with as servers want it") {
    shop.request.ssh_key_file = server.MakeKey("rsa", "rsa");
    server.Authorize(shop.request.ssh_key_file);
    const GitFetchError error = shop.FetchFails();
    CHECK(error.failure() == FetchFailure::kRefused);
    CHECK_THAT(error.what(), Contains("RSA") && Contains("ed25519"));
  }
  SECTION("a host that is not in the file: its fingerprint is told") {
    WriteFile(shop.request.known_hosts_file, "other.example.com " + public_half("host"));
    const GitFetchError error = shop.FetchFails();
    CHECK(error.failure() == FetchFailure::kHostKey);
    CHECK_THAT(error.what(), Contains("unknown") && Contains(fingerprint("host")));
  }
  SECTION("a host whose key has changed") {
    server.MakeKey("former");
    WriteFile(shop.request.known_hosts_file, name + public_half("former"));
    const GitFetchError error = shop.FetchFails();
    CHECK(error.failure() == FetchFailure::kHostKey);
    CHECK_THAT(error.what(), Contains("posing") && Contains(fingerprint("host")));
  }
  SECTION("a host of which only an RSA key is known") {
    server.MakeKey("rsa", "rsa");
    WriteFile(shop.request.known_hosts_file, name + public_half("rsa"));
    const GitFetchError error = shop.FetchFails();
    CHECK(error.failure() == FetchFailure::kHostKey);
    CHECK_THAT(error.what(), Contains("RSA") && Contains("ed25519"));
  }
  SECTION("no known host at all") {
    WriteFile(shop.request.known_hosts_file, "# nobody\n");
    CHECK(shop.FetchFails().failure() == FetchFailure::kHostKey);
  }
  SECTION("files that are missing, or are not what they should be") {
    shop.request.known_hosts_file = shop.folder / "none";
    CHECK_THAT(shop.FetchFails().what(), Contains("known_hosts_file") && Contains("No such file"));
    shop.request.known_hosts_file.clear();
    CHECK_THAT(shop.FetchFails().what(), Contains("known_hosts_file"));
    shop.request.known_hosts_file = shop.folder / "known_hosts";
    shop.request.ssh_key_file = key.string() + ".pub";
    CHECK_THAT(shop.FetchFails().what(), Contains("not a private key"));
    Run({"ssh-keygen", "-q", "-t", "ed25519", "-N", std::to_string(::getpid()) + "-phrase", "-f",
         (shop.folder / "locked").string()});
    shop.request.ssh_key_file = shop.folder / "locked";
    CHECK_THAT(shop.FetchFails().what(), Contains("passphrase"));
  }
  CHECK_FALSE(fs::exists(shop.mirror));
}

TEST_CASE("https with a private authority") {
  Workshop shop;
  const fs::path repositories = shop.folder / "repositories";
  WorkTree source(repositories / "source");
  CommitId head = source.Put("a.yaml", "a: 1\n", "first");
  WorkTree empty(repositories / "empty");
  SilentPeer elsewhere;
  HttpsServer server(shop.folder / "https", repositories, elsewhere.port());
  shop.request.url = server.Url("/open/source/.git");
  shop.request.ca_file = server.ca_file();

  SECTION("fetches, and fetches again") {
    CHECK(shop.Fetch() == head);
    head = source.Put("a.yaml", "a: 2\n", "second");
    CHECK(shop.Fetch() == head);
    CHECK(shop.Fetch() == head);
    CHECK(GitMirror(shop.mirror).Tree(head, ".")->List().size() == 1);
    shop.request.url = server.PlainUrl("/open/source/.git");
    CHECK(shop.Fetch() == head);
  }
  SECTION("an authority that is not named is not trusted") {
    shop.request.ca_file.clear();
    const GitFetchError error = shop.FetchFails();
    CHECK(error.failure() == FetchFailure::kCertificate);
    CHECK_THAT(error.what(), Contains("not correctly signed") && Contains("source.ca_file"));
    shop.request.ca_file = shop.folder / "https" / "users";
    CHECK_THAT(shop.FetchFails().what(), Contains("holds no PEM certificate"));
  }
  SECTION("a certificate for another name, or one that has expired, is not trusted, and hears no credential") {
    shop.request.username = server.user();
    shop.request.password = Secret(server.password());
    shop.request.url = "https://127.0.0.1:" + std::to_string(server.port()) + "/private/source/.git";
    CHECK(shop.FetchFails().failure() == FetchFailure::kCertificate);
    shop.request.url = server.MisnamedUrl("/private/source/.git");
    CHECK(shop.FetchFails().failure() == FetchFailure::kCertificate);
    shop.request.url = server.ExpiredUrl("/private/source/.git");
    const GitFetchError error = shop.FetchFails();
    CHECK(error.failure() == FetchFailure::kCertificate);
    CHECK_THAT(error.what(), Contains("expired"));
    CHECK(server.AccessLog().empty());
  }
  SECTION("the right password, with the user of the URL or of the request") {
    shop.request.url = server.Url("/private/source/.git");
    shop.request.password = Secret(server.password());
    shop.request.username = server.user();
    CHECK(shop.Fetch() == head);
    shop.request.username.clear();
    shop.request.url.insert(std::string("https://").size(), server.user() + "@");
    CHECK(shop.Fetch() == head);
    CHECK_THAT(server.AccessLog(), Contains("POST /private/source/.git/git-upload-pack 200 deploy"));
  }
  SECTION("a wrong password is tried once and shown nowhere") {
    shop.request.url = server.Url("/private/source/.git");
    shop.request.username = server.user();
    shop.request.password = Secret(server.password() + "x");
    const GitFetchError error = shop.FetchFails();
    CHECK(error.failure() == FetchFailure::kRefused);
    CHECK_THAT(error.what(), Contains("refuses the credential of user 'deploy'") && !Contains(server.password()));
    const std::string log = server.AccessLog();
    CHECK(std::count(log.begin(), log.end(), '\n') == 2);
  }
  SECTION("no password where one is asked for") {
    shop.request.url = server.Url("/private/source/.git");
    CHECK_THAT(shop.FetchFails().what(), Contains("asks for a credential") && Contains("source.token_file"));
  }
  SECTION("missing, empty, unwell, no git") {
    shop.request.url = server.Url("/open/none.git");
    CHECK(shop.FetchFails().failure() == FetchFailure::kNotRepository);
    shop.request.url = server.Url("/open/empty/.git");
    CHECK(shop.FetchFails().failure() == FetchFailure::kEmpty);
    shop.request.url = server.Url("/broken/x.git");
    const GitFetchError unwell = shop.FetchFails();
    CHECK(unwell.failure() == FetchFailure::kUnreachable);
    CHECK_THAT(unwell.what(), Contains("503"));
    shop.request.url = server.Url("/page/x.git");
    CHECK(shop.FetchFails().failure() == FetchFailure::kNotRepository);
  }
  SECTION("a redirect on the same server is followed") {
    shop.request.url = server.Url("/renamed/source/.git");
    CHECK(shop.Fetch() == head);
  }
  SECTION("a redirect to another host is not followed, and that host hears nothing") {
    shop.request.url = server.Url("/moved/source/.git");
    shop.request.password = Secret(server.password());
    const GitFetchError error = shop.FetchFails();
    CHECK(error.failure() == FetchFailure::kUnusable);
    CHECK_THAT(error.what(), Contains("redirect") && Contains("source.url"));
    CHECK_FALSE(elsewhere.Contacted());
  }
  SECTION("a redirect to another port gets no credential") {
    shop.request.url = server.Url("/elsewhere/source/.git");
    shop.request.username = server.user();
    shop.request.password = Secret(server.password());
    CHECK(shop.FetchFails().failure() == FetchFailure::kRefused);
    CHECK_THAT(server.AccessLog(), !Contains("deploy"));
  }
  CHECK(shop.BesideMirror().empty());
}

TEST_CASE("nobody listens, or the name does not exist") {
  Workshop shop;
  int port = 0;
  {
    const LoopbackSocket socket;
    port = socket.port();
  }
  for (const std::string scheme : {"http://", "https://"}) {
    shop.request.url = scheme + "localhost:" + std::to_string(port) + "/x.git";
    const GitFetchError error = shop.FetchFails();
    CHECK(error.failure() == FetchFailure::kUnreachable);
    CHECK_THAT(error.what(), Contains("localhost"));
  }
  shop.request.url = "http://no-such-host.invalid/x.git";
  const GitFetchError error = shop.FetchFails();
  CHECK(error.failure() == FetchFailure::kUnreachable);
  CHECK_THAT(error.what(), Contains("no-such-host.invalid"));
}

TEST_CASE("a peer that never answers ends at the time-out, whatever the transport") {
  Workshop shop;
  SilentPeer peer;
  SshServer keys(shop.folder / "ssh");
  shop.request.ssh_key_file = keys.MakeKey("user");
  shop.request.known_hosts_file = shop.folder / "known_hosts";
  WriteFile(shop.request.known_hosts_file, keys.KnownHostLine());
  shop.request.timeout = std::chrono::milliseconds(1'500);
  for (const std::string scheme : {"http", "https", "ssh"}) {
    shop.request.url = scheme + "://127.0.0.1:" + std::to_string(peer.port()) + "/x.git";
    int beats = 0;
    const auto begin = std::chrono::steady_clock::now();
    try {
      GitFetcher(FetchProgram()).Fetch(shop.request, [&] { ++beats; });
      FAIL("it ended");
    } catch (const GitFetchError& error) {
      CHECK(error.failure() == FetchFailure::kTimedOut);
      CHECK_THAT(error.what(), Contains("1.5 s") && Contains("connecting to 127.0.0.1"));
    }
    const auto took = std::chrono::steady_clock::now() - begin;
    CHECK(took >= shop.request.timeout);
    CHECK(took < std::chrono::seconds(10));
    CHECK(beats == 2);
    CHECK(peer.Contacted());
    CHECK(HasNoChild());
  }
  WorkTree source(shop.folder / "source");
  shop.request.timeout = std::chrono::seconds(60);
  shop.request.url = source.url();
  const CommitId head = source.Put("a.yaml", "a: 1\n", "first");
  CHECK(shop.Fetch() == head);
  CHECK(shop.BesideMirror().empty());
}

TEST_CASE("an exception from the beat ends the child") {
  Workshop shop;
  SilentPeer peer;
  shop.request.url = "http://127.0.0.1:" + std::to_string(peer.port()) + "/x.git";
  auto beat = [&] {
    if (peer.Contacted()) throw std::runtime_error("told to stop");
  };
  CHECK_THROWS_WITH(GitFetcher(FetchProgram()).Fetch(shop.request, beat), "told to stop");
  CHECK(HasNoChild());
}

TEST_CASE("of two fetches into one mirror the second waits for the first, within its own time") {
  Workshop shop;
  SilentPeer peer;
  WorkTree source(shop.folder / "source");
  const CommitId head = source.Put("a.yaml", "a: 1\n", "first");
  std::atomic<bool> stop{false};
  FetchRequest held = shop.request;
  held.url = "http://127.0.0.1:" + std::to_string(peer.port()) + "/x.git";
  std::thread first([&] {
    try {
      GitFetcher(FetchProgram()).Fetch(held, [&] {
        if (stop) throw std::runtime_error("stop");
      });
    } catch (const std::runtime_error&) {
    }
  });
  const bool connected = WaitUntil([&] { return peer.Contacted(); });
  CHECK(connected);
  shop.request.url = source.url();
  shop.request.timeout = std::chrono::milliseconds(700);
  CHECK_THAT(shop.FetchFails().what(), Contains("waiting for another fetch"));

  shop.request.timeout = std::chrono::seconds(60);
  CHECK(GitFetcher(FetchProgram()).Fetch(shop.request, [&] { stop = true; }) == head);
  first.join();
  CHECK(shop.BesideMirror().empty());
}

TEST_CASE("the child dies with its parent") {
  Workshop shop;
  SilentPeer peer;
  shop.request.url = "http://127.0.0.1:" + std::to_string(peer.port()) + "/x.git";
  const pid_t parent = ::fork();
  REQUIRE(parent >= 0);
  if (parent == 0) {
    try {
      GitFetcher(FetchProgram()).Fetch(shop.request);
    } catch (const std::exception&) {
    }
    ::_exit(1);
  }
  CHECK(WaitUntil([&] { return peer.Contacted(); }));
  CHECK_FALSE(LockIsFree(shop.mirror));
  ::kill(parent, SIGKILL);
  ::waitpid(parent, nullptr, 0);
  CHECK(WaitUntil([&] { return LockIsFree(shop.mirror); }));
}

TEST_CASE("the child shows no secret, dumps no core and inherits no descriptor") {
  Workshop shop;
  SilentPeer peer;
  shop.request.url = "http://127.0.0.1:" + std::to_string(peer.port()) + "/x.git";
  const std::string word = "secret" + std::to_string(::getpid()) + "word";
  shop.request.password = Secret(word);
  std::string command_line;
  std::string environment;
  std::string limits;
  std::vector<std::string> descriptors;
  // Without close-on-exec, as some library may open one.
  WriteFile(shop.folder / "private", "");
  const int open = ::open((shop.folder / "private").c_str(), O_RDONLY);
  auto look = [&] {
    if (!peer.Contacted()) return;
    for (const fs::directory_entry& entry : fs::directory_iterator("/proc")) {
      const std::string pid = entry.path().filename().string();
      if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
      const std::string status = ReadFile(entry.path() / "status");
      if (status.find("\nPPid:\t" + std::to_string(::getpid()) + "\n") == std::string::npos) continue;
      command_line = ReadFile(entry.path() / "cmdline");
      environment = ReadFile(entry.path() / "environ");
      limits = ReadFile(entry.path() / "limits");
      for (const fs::directory_entry& one : fs::directory_iterator(entry.path() / "fd")) {
        std::error_code ignored;
        descriptors.push_back(fs::read_symlink(one.path(), ignored).string());
      }
    }
    throw std::runtime_error("seen");
  };
  CHECK_THROWS_WITH(GitFetcher(FetchProgram()).Fetch(shop.request, look), "seen");
  ::close(open);
  CHECK_THAT(command_line, Contains("git-fetch") && !Contains(word));
  CHECK_THAT(environment, !Contains(word));
  const auto core = limits.find("Max core file size");
  REQUIRE(core != std::string::npos);
  CHECK(limits.substr(core, 60).find(" 0 ") != std::string::npos);
  CHECK(descriptors.size() >= 3);
  CHECK(std::count(descriptors.begin(), descriptors.end(), (shop.folder / "private").string()) == 0);
  CHECK(descriptors.size() <= 5);  // its channel twice, standard error, the lock, the connection
}

}  // namespace tokensync::test
