/// The programs that the verifier starts: what becomes of them, of those that fail, and how fast they are.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdio>
#include <string>

#include "trust_workshop.h"

namespace tokensync::test {

namespace {

namespace fs = std::filesystem;
using SteadyClock = std::chrono::steady_clock;

/// A workshop with a commit of each kind that is good.
struct BothShop : TrustWorkshop {
  BothShop() {
    Write("allowed", "ada@example.com " + MakeSshKey("key") + "\n");
    by_ssh = CommitBySsh("key");
    const std::string key = MakePgpKey("Ada Example <ada@example.com>");
    ExportKeyring({key});
    by_pgp = CommitByPgp(key);
  }
  fs::path Script(const std::string& name, const std::string& text) const {
    Write(name, "#!/bin/sh\n" + text + "\n");
    fs::permissions(*this / name, fs::perms::owner_all);
    return *this / name;
  }
  std::string Check(SignatureVerifier& verifier, const SignedCommit& commit) const {
    try {
      return Signer(verifier.Verify(commit.signature, commit.data, commit.committed));
    } catch (const EnvironmentError& error) {
      return std::string("error: ") + error.what();
    }
  }

  SignedCommit by_ssh;
  SignedCommit by_pgp;
};

bool Soon(const std::function<bool()>& condition) {
  const auto deadline = SteadyClock::now() + std::chrono::seconds(20);
  while (!condition()) {
    if (SteadyClock::now() > deadline) return false;
    ::usleep(2000);
  }
  return true;
}

}  // namespace

TEST_CASE("no process, no socket and no file is left") {
  const BothShop shop;
  {
    SignatureVerifier verifier(shop.Files(), Programs());
    CHECK_THAT(shop.Check(verifier, shop.by_ssh), Catch::StartsWith("ada@example.com"));
    CHECK(shop.Processes("state").empty());
    CHECK_THAT(shop.Check(verifier, shop.by_pgp), Catch::StartsWith("Ada Example"));
    const auto waiting = shop.Processes("state");
    REQUIRE(waiting.size() == 1);
    CHECK(Contains(waiting[0], "openpgp-check"));
    for (const auto& entry : fs::recursive_directory_iterator(shop.Scratch())) CHECK_FALSE(entry.is_socket());
    for (const auto& entry : fs::directory_iterator(shop.Scratch())) {
      CHECK((entry.status().permissions() & (fs::perms::group_all | fs::perms::others_all)) == fs::perms::none);
    }
  }
  CHECK(shop.Processes("state").empty());
  CHECK(fs::is_empty(shop.Scratch()));
}

TEST_CASE("a program that hangs is killed when the time is up, with all that it started") {
  const BothShop shop;
  TrustPrograms programs = Programs(std::chrono::milliseconds(300));
  programs.ssh_keygen = shop.Script("hanging-ssh-keygen", "sleep 1000 & sleep 1000");
  programs.gpg = shop.Script("hanging-gpg", "exec sleep 1000");
  const auto begin = SteadyClock::now();
  SignatureVerifier verifier(shop.Files(), programs);
  CHECK_THAT(shop.Check(verifier, shop.by_ssh), Catch::StartsWith("error: ") && Catch::Contains("did not end within"));
  CHECK_THAT(shop.Check(verifier, shop.by_pgp), Catch::StartsWith("error: ") && Catch::Contains("did not end within"));
  CHECK(SteadyClock::now() - begin < std::chrono::seconds(10));
  CHECK(Soon([&] { return shop.Processes("hanging").empty() && shop.Processes("state").empty(); }));
}

TEST_CASE("a gpg that hangs in the middle of a verification is killed, and the next one is served") {
  const BothShop shop;
  const fs::path hang = shop / "hang";
  TrustPrograms programs = Programs(std::chrono::seconds(2));
  // Its own name stays in the command line, so that it is found.
  programs.gpg = shop.Script("sometimes-gpg", "case \"$*\" in *--verify*) if [ -e '" + hang.string() +
                                                  "' ]; then while :; do sleep 1000; done; fi;; esac; exec gpg \"$@\"");
  SignatureVerifier verifier(shop.Files(), programs);
  CHECK_THAT(shop.Check(verifier, shop.by_pgp), Catch::StartsWith("Ada Example"));
  shop.Write("hang", "");
  CHECK_THAT(shop.Check(verifier, shop.by_pgp), Catch::StartsWith("error: ") && Catch::Contains("did not end within"));
  CHECK(Soon([&] { return shop.Processes("sometimes-gpg").empty(); }));
  fs::remove(hang);
  CHECK_THAT(shop.Check(verifier, shop.by_pgp), Catch::StartsWith("Ada Example"));
}

TEST_CASE("a gpg that dies in the middle of a verification proves nothing about the signature") {
  const BothShop shop;
  TrustPrograms programs = Programs();
  programs.gpg = shop.Script("dying-gpg", "case \"$*\" in *--verify*) kill -9 $$;; esac; exec gpg \"$@\"");
  SignatureVerifier verifier(shop.Files(), programs);
  CHECK_THAT(shop.Check(verifier, shop.by_pgp), Catch::StartsWith("error: ") && Catch::Contains("without an answer"));
}

TEST_CASE("the sign of life is given while a program runs, and what it throws ends the program") {
  const BothShop shop;
  TrustPrograms programs = Programs();
  programs.ssh_keygen = shop.Script("hanging-ssh-keygen", "exec sleep 1000");
  programs.gpg = shop.Script("hanging-gpg", "exec sleep 1000");
  SignatureVerifier verifier(shop.Files(), programs);
  struct Stop {};
  for (const SignedCommit* commit : {&shop.by_ssh, &shop.by_pgp}) {
    CHECK_THROWS_AS(verifier.Verify(commit->signature, commit->data, commit->committed, [] { throw Stop(); }), Stop);
    CHECK(Soon([&] { return shop.Processes("hanging").empty(); }));
  }
}

TEST_CASE("the sign of life keeps its pace over verifications that are quick") {
  const BothShop shop;
  SignatureVerifier verifier(shop.Files(), Programs());
  int beats = 0;
  const auto begin = SteadyClock::now();
  int calls = 0;
  for (; beats < 2 && calls < 10'000; ++calls) {
    const SignedCommit& commit = calls % 2 == 0 ? shop.by_ssh : shop.by_pgp;
    verifier.Verify(commit.signature, commit.data, commit.committed, [&] { ++beats; });
  }
  CHECK(beats == 2);
  CHECK(calls > 2);
  CHECK(SteadyClock::now() - begin >= std::chrono::seconds(1));
}

TEST_CASE("a program that is missing, fails or answers nonsense proves nothing about the signature") {
  const BothShop shop;
  const auto with = [&](const fs::path& ssh_keygen, const fs::path& gpg, const SignedCommit& commit) {
    TrustPrograms programs = Programs();
    programs.ssh_keygen = ssh_keygen;
    programs.gpg = gpg;
    SignatureVerifier verifier(shop.Files(), programs);
    return shop.Check(verifier, commit);
  };
  CHECK_THAT(with("no-such-ssh-keygen", "gpg", shop.by_ssh),
             Catch::Contains("error: ") && Catch::Contains("openssh-client"));
  CHECK_THAT(with("/no/such", "gpg", shop.by_ssh), Catch::StartsWith("error: ") && Catch::Contains("No such file"));
  CHECK_THAT(with("ssh-keygen", "no-such-gpg", shop.by_pgp),
             Catch::StartsWith("error: ") && Catch::Contains("(Debian: gpg)"));
  CHECK_THAT(with("ssh-keygen", "/no/such", shop.by_pgp), Catch::StartsWith("error: "));
  CHECK_THAT(with("/bin/true", "/bin/true", shop.by_ssh), !Catch::StartsWith("ada"));
  CHECK_THAT(with("/bin/true", "/bin/true", shop.by_pgp), Catch::StartsWith("error: "));
  CHECK_THAT(with("/bin/false", "/bin/false", shop.by_ssh), Catch::StartsWith("bad: "));
  CHECK_THAT(with("/bin/false", "/bin/false", shop.by_pgp), Catch::StartsWith("error: "));
  const fs::path killed = shop.Script("killed", "kill -9 $$");
  CHECK_THAT(with(killed, killed, shop.by_ssh), Catch::StartsWith("error: ") && Catch::Contains("signal 9"));
  CHECK_THAT(with(killed, killed, shop.by_pgp), Catch::StartsWith("error: "));
  const fs::path liar =
      shop.Script("liar", "echo ada; echo 'Good \"git\" signature for eve with ED25519 key SHA256:x'");
  CHECK_THAT(with(liar, "gpg", shop.by_ssh), Catch::StartsWith("error: ") && Catch::Contains("not understood"));
  const fs::path talker = shop.Script("talker", "head -c 10000000 /dev/zero; head -c 10000000 /dev/zero >&2; exit 1");
  CHECK_THAT(with(talker, "gpg", shop.by_ssh), Catch::StartsWith("bad: "));
  const fs::path nobody = shop.Script("nobody", "echo 'No user exists for uid 123' >&2; exit 255");
  CHECK_THAT(with(nobody, "gpg", shop.by_ssh), Catch::StartsWith("error: ") && Catch::Contains("No user exists"));
  TrustPrograms programs = Programs();
  programs.openpgp_check = "/bin/false";
  SignatureVerifier verifier(shop.Files(), programs);
  CHECK_THAT(shop.Check(verifier, shop.by_pgp), Catch::StartsWith("error: ") && Catch::Contains("ended with status 1"));
}

TEST_CASE("programs see a bare environment and no descriptor of ours") {
  const BothShop shop;
  TrustPrograms programs = Programs();
  programs.ssh_keygen = shop.Script(
      "curious", "env >'" + (shop / "env").string() + "'; ls /proc/self/fd >'" + (shop / "fds").string() + "'; exit 1");
  SignatureVerifier verifier(shop.Files(), programs);
  ::setenv("SSH_AUTH_SOCK", "/tmp/agent", 1);
  CHECK_THAT(shop.Check(verifier, shop.by_ssh), Catch::StartsWith("bad: "));
  ::unsetenv("SSH_AUTH_SOCK");
  CHECK_FALSE(Contains(shop.Read("env"), "SSH_AUTH_SOCK"));
  CHECK(Contains(shop.Read("env"), "LC_ALL=C"));
  CHECK(shop.Read("fds") == "0\n1\n2\n3\n");
}

TEST_CASE("a checking process whose parent was killed ends, and the next verifier removes what it left") {
  const BothShop shop;
  const pid_t parent = ::fork();
  REQUIRE(parent >= 0);
  if (parent == 0) {
    SignatureVerifier verifier(shop.Files(), Programs());
    shop.Check(verifier, shop.by_pgp);
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  REQUIRE(::waitpid(parent, &status, 0) == parent);
  CHECK(WIFSIGNALED(status));
  CHECK(Soon([&] { return shop.Processes("state").empty(); }));
  CHECK_FALSE(fs::is_empty(shop.Scratch()));
  {
    SignatureVerifier one(shop.Files(), Programs());
    SignatureVerifier other(shop.Files(), Programs());
    CHECK_THAT(shop.Check(one, shop.by_pgp), Catch::StartsWith("Ada Example"));
    CHECK_THAT(shop.Check(other, shop.by_pgp), Catch::StartsWith("Ada Example"));
    CHECK_THAT(shop.Check(one, shop.by_pgp), Catch::StartsWith("Ada Example"));
    CHECK(std::distance(fs::directory_iterator(shop.Scratch()), fs::directory_iterator()) == 4);
  }
  CHECK(fs::is_empty(shop.Scratch()));
}

TEST_CASE("a scratch folder that cannot be used is an error of the environment") {
  const BothShop shop;
  TrustFiles files = shop.Files();
  files.scratch_folder = shop / "missing";
  SignatureVerifier verifier(files, Programs());
  CHECK_THAT(shop.Check(verifier, shop.by_ssh), Catch::StartsWith("error: ") && Catch::Contains("missing"));
  CHECK_THAT(shop.Check(verifier, shop.by_pgp), Catch::StartsWith("error: ") && Catch::Contains("missing"));
}

TEST_CASE("verifications per second", "[.speed]") {
  const BothShop shop;
  SignatureVerifier verifier(shop.Files(), Programs());
  for (const SignedCommit* commit : {&shop.by_ssh, &shop.by_pgp}) {
    const auto first = SteadyClock::now();
    shop.Check(verifier, *commit);
    const auto begin = SteadyClock::now();
    constexpr int kCount = 500;
    for (int i = 0; i < kCount; ++i) REQUIRE_THAT(shop.Check(verifier, *commit), Catch::Contains("da"));
    const std::chrono::duration<double> took = SteadyClock::now() - begin;
    const std::chrono::duration<double, std::milli> start = begin - first;
    std::printf("%s: first %.1f ms, then %.0f a second\n", commit == &shop.by_ssh ? "ssh" : "openpgp", start.count(),
                kCount / took.count());
  }
}

}  // namespace tokensync::test
