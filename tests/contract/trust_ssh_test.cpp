/// Commits signed with ssh keys by git itself.
#include <catch2/catch.hpp>
#include <string>

#include "trust_workshop.h"

namespace tokensync::test {

namespace {

struct SshShop : TrustWorkshop {
  SignatureVerifier verifier{Files(), Programs()};

  std::string Check(const SignedCommit& commit) {
    return Signer(verifier.Verify(commit.signature, commit.data, commit.committed));
  }
  /// Lets this key sign, with these options of the line.
  void Allow(const std::string& key, const std::string& options = "") {
    Write("allowed", "# the team\n\nada@example.com " + options + (options.empty() ? "" : " ") + key + "\n");
  }
};

}  // namespace

TEST_CASE("a commit signed with a key of allowed_signers is good, whatever the kind of key") {
  SshShop shop;
  const std::string ed25519 = shop.MakeSshKey("ed25519");
  const std::string ecdsa = shop.MakeSshKey("ecdsa", {"-t", "ecdsa"});
  const std::string rsa = shop.MakeSshKey("rsa", {"-t", "rsa", "-b", "2048"});
  shop.Write("allowed", "ada@example.com " + ed25519 + "\nbob " + ecdsa + "\ncarl@example.com " + rsa + "\n");
  for (int round = 0; round < 2; ++round) {
    CHECK_THAT(shop.Check(shop.CommitBySsh("ed25519")), Catch::StartsWith("ada@example.com (ssh SHA256:"));
    CHECK_THAT(shop.Check(shop.CommitBySsh("ecdsa")), Catch::StartsWith("bob (ssh SHA256:"));
    CHECK_THAT(shop.Check(shop.CommitBySsh("rsa")), Catch::StartsWith("carl@example.com (ssh SHA256:"));
  }
  const std::string fingerprint = shop.Run({"ssh-keygen", "-lf", (shop / "ed25519").string()});
  const std::string signer = shop.Check(shop.CommitBySsh("ed25519"));
  const std::string shown = signer.substr(signer.find("SHA256:"));
  CHECK(Contains(fingerprint, shown.substr(0, shown.size() - 1)));
}

TEST_CASE("a commit without a signature is refused") {
  SshShop shop;
  shop.Allow(shop.MakeSshKey("key"));
  CHECK_THAT(shop.Check(shop.CommitUnsigned()), Catch::StartsWith("bad: it is not signed"));
  CHECK(std::filesystem::is_empty(shop.Scratch()));
}

TEST_CASE("a key that is not in allowed_signers is refused by its fingerprint") {
  SshShop shop;
  shop.Allow(shop.MakeSshKey("listed"));
  shop.MakeSshKey("other");
  const std::string why = shop.Check(shop.CommitBySsh("other"));
  CHECK_THAT(why, Catch::StartsWith("bad: the key SHA256:"));
  CHECK_THAT(why, Catch::Contains("is in no line of source.allowed_signers_file"));
}

TEST_CASE("a line of allowed_signers counts only for its namespaces and its time") {
  SshShop shop;
  const std::string key = shop.MakeSshKey("key");
  const SignedCommit commit = shop.CommitBySsh("key");  // of 2023-11-14T22:14:20Z
  const auto with = [&](const std::string& options) {
    shop.Allow(key, options);
    return shop.Check(commit);
  };
  CHECK_THAT(with("namespaces=\"file\""), Catch::Contains("not permitted for use in signature namespace \"git\""));
  CHECK_THAT(with("namespaces=\"file,git\""), Catch::StartsWith("ada@example.com (ssh"));
  CHECK_THAT(with("valid-before=\"20231114221419Z\""), Catch::Contains("bad: ") && Catch::Contains("key has expired"));
  CHECK_THAT(with("valid-before=\"20231114221421Z\""), Catch::StartsWith("ada@example.com (ssh"));
  CHECK_THAT(with("valid-after=\"20231114221421Z\""), Catch::Contains("bad: ") && Catch::Contains("not yet valid"));
  CHECK_THAT(with("valid-after=\"20231114221419Z\""), Catch::StartsWith("ada@example.com (ssh"));
  CHECK_THAT(with("valid-after=\"20231114221419Z\",valid-before=\"20231114221421Z\",namespaces=\"git\""),
             Catch::StartsWith("ada@example.com (ssh"));
  CHECK_THAT(with("no-such-option"), Catch::StartsWith("bad: ") && Catch::Contains("allowed_signers:3"));
}

TEST_CASE("a time at which no key can be judged is refused") {
  SshShop shop;
  shop.Allow(shop.MakeSshKey("key"), "valid-before=\"20300101Z\"");
  SignedCommit commit = shop.CommitBySsh("key");
  for (const TimePoint time : {TimePoint::min(), TimePoint{}, TimePoint::max(), TimePoint(std::chrono::hours(-1))}) {
    commit.committed = time;
    CHECK_THAT(shop.Check(commit), Catch::StartsWith("bad: no validity of a key"));
  }
}

TEST_CASE("a signature that does not fit the data is refused, whoever made it") {
  SshShop shop;
  shop.Allow(shop.MakeSshKey("key"));
  shop.MakeSshKey("other");
  const SignedCommit first = shop.CommitBySsh("key");
  const SignedCommit second = shop.CommitBySsh("key");
  REQUIRE_THAT(shop.Check(first), Catch::StartsWith("ada@example.com"));
  const auto refused = [&](SignedCommit commit) {
    CHECK_THAT(shop.Check(commit), Catch::StartsWith("bad: its ssh signature does not hold for it: "));
  };
  for (const std::size_t at : {std::size_t{0}, first.data.size() / 2, first.data.size() - 1}) {
    SignedCommit changed = first;
    changed.data[at] = static_cast<char>(changed.data[at] ^ 1);
    refused(changed);
  }
  refused({.signature = first.signature, .data = first.data + "\n", .committed = first.committed});
  refused({.signature = first.signature, .data = "", .committed = first.committed});
  refused({.signature = second.signature, .data = first.data, .committed = first.committed});
  // As the one that is known, but of another key.
  SignedCommit others = shop.CommitBySsh("other");
  others.data = first.data;
  refused(others);
}

TEST_CASE("a signature made for another namespace than git is refused") {
  SshShop shop;
  shop.Allow(shop.MakeSshKey("key"));
  SignedCommit commit = shop.CommitBySsh("key");
  commit.signature =
      shop.Run({"ssh-keygen", "-Y", "sign", "-q", "-n", "file", "-f", (shop / "key").string()}, commit.data);
  CHECK_THAT(shop.Check(commit), Catch::Contains("namespace does not match"));
}

TEST_CASE("what is no whole signature is refused") {
  SshShop shop;
  shop.Allow(shop.MakeSshKey("key"));
  const SignedCommit commit = shop.CommitBySsh("key");
  const std::string& good = commit.signature;
  const std::string begin = "-----BEGIN SSH SIGNATURE-----\n";
  const std::string end = "-----END SSH SIGNATURE-----\n";
  const auto with = [&](const std::string& signature) {
    return shop.Check({.signature = signature, .data = commit.data, .committed = commit.committed});
  };
  REQUIRE_THAT(with(good + "\n \n"), Catch::StartsWith("ada@example.com"));
  for (const std::string& bad : {begin + end,
                                 begin + "AAAA\n" + end,
                                 begin + "%%%%\n" + end,
                                 begin + "U1NIU0lH\n" + end,
                                 begin + std::string(60'000, 'A') + "\n" + end,
                                 good.substr(0, good.size() / 2),
                                 good.substr(0, good.size() - 3),
                                 good + good,
                                 good + "more\n",
                                 "x" + good,
                                 std::string("-----BEGIN SSH SIGNATURE"),
                                 begin,
                                 std::string("garbage"),
                                 std::string("-"),
                                 std::string("--help"),
                                 good.substr(0, 80) + std::string(1, '\0') + good.substr(80),
                                 std::string(SignatureVerifier::kSignatureBytesMax + 1, 'A'),
                                 std::string(5, '\0'),
                                 std::string("\xff\xfe"),
                                 std::string("-----BEGIN SIGNED MESSAGE-----\nAAAA\n-----END SIGNED MESSAGE-----\n"),
                                 std::string("-----BEGIN PGP MESSAGE-----\nAAAA\n-----END PGP MESSAGE-----\n")}) {
    INFO(bad.substr(0, 100));
    CHECK_THAT(with(bad), Catch::StartsWith("bad: "));
  }
  for (const std::string& none : {std::string(), std::string("\n \n")}) {
    CHECK_THAT(with(none), Catch::StartsWith("bad: it is not signed"));
  }
  CHECK_THAT(with("-----BEGIN SIGNED MESSAGE-----\nAAAA\n-----END SIGNED MESSAGE-----\n"), Catch::Contains("X.509"));
  CHECK_THAT(with(good + good), Catch::Contains("more than one signature"));
  for (std::size_t size = good.size() - 2; size > 40; size -= 40) {
    CHECK_THAT(with(good.substr(0, size)), Catch::StartsWith("bad: its signature is cut off"));
    CHECK_THAT(with(good.substr(0, size) + "\n" + end), Catch::StartsWith("bad: its ssh signature does not hold"));
  }
  CHECK_THAT(shop.Check({.signature = good,
                         .data = std::string(SignatureVerifier::kSignedBytesMax + 1, 'x'),
                         .committed = commit.committed}),
             Catch::StartsWith("bad: it has more than 1048576 bytes"));
  CHECK_THAT(with(good), Catch::StartsWith("ada@example.com"));
}

TEST_CASE("names in allowed_signers that look like options or patterns are names") {
  SshShop shop;
  const std::string key = shop.MakeSshKey("key");
  const SignedCommit commit = shop.CommitBySsh("key");
  const auto named = [&](const std::string& name) {
    shop.Write("allowed", name + " " + key + "\n");
    return shop.Check(commit);
  };
  CHECK_THAT(named("-Yverify"), Catch::StartsWith("-Yverify (ssh SHA256:"));
  CHECK_THAT(named("--"), Catch::StartsWith("-- (ssh SHA256:"));
  CHECK_THAT(named("-"), Catch::StartsWith("- (ssh SHA256:"));
  CHECK_THAT(named("\"Ada with ED25519 key SHA256:me\""),
             Catch::StartsWith("Ada with ED25519 key SHA256:me (ssh SHA256:"));
  CHECK_THAT(named("*@example.com"), Catch::StartsWith("*@example.com (ssh SHA256:"));
  CHECK_THAT(named("!bob@example.com,ada@example.com"), Catch::Contains("ada@example.com (ssh SHA256:"));
  CHECK_THAT(named("\x1b[31mada"), Catch::StartsWith("\\u001b[31mada (ssh SHA256:"));
}

TEST_CASE("a certificate is good by a cert-authority line, for its principals and its time") {
  SshShop shop;
  const std::string authority = shop.MakeSshKey("authority");
  shop.MakeSshKey("key");
  const auto certified = [&](const std::string& principals, const std::string& validity) {
    shop.Run({"ssh-keygen", "-q", "-s", (shop / "authority").string(), "-I", "ada's", "-n", principals, "-V", validity,
              (shop / "key.pub").string()});
    return shop.CommitBySsh("key-cert.pub");
  };
  const std::string then = "20230101:20240101";
  shop.Write("allowed", "*@example.com cert-authority " + authority + "\n");
  const SignedCommit good = certified("ada@example.com", then);
  CHECK_THAT(shop.Check(good), Catch::StartsWith("ada@example.com (ssh SHA256:"));
  CHECK_THAT(shop.Check(good), Catch::StartsWith("ada@example.com (ssh SHA256:"));
  CHECK_THAT(shop.Check(certified("ada@elsewhere.example", then)), Catch::StartsWith("bad: "));
  CHECK_THAT(shop.Check(certified("ada@example.com", "20200101:20210101")), Catch::StartsWith("bad: "));
  shop.Write("allowed", "*@example.com " + authority + "\n");
  CHECK_THAT(shop.Check(good), Catch::StartsWith("bad: "));
}

TEST_CASE("allowed_signers that cannot be used is an error of the environment, and what it holds now counts") {
  SshShop shop;
  const std::string key = shop.MakeSshKey("key");
  const SignedCommit commit = shop.CommitBySsh("key");
  const auto fails = [&](const std::string& cause) {
    try {
      INFO(shop.Check(commit));
      FAIL_CHECK("no error: " << cause);
    } catch (const EnvironmentError& error) {
      CHECK_THAT(error.what(), Catch::Contains("source.allowed_signers_file") && Catch::Contains(cause));
    }
  };
  fails("No such file or directory");
  shop.Write("allowed", "");
  fails("it has no line for a key");
  shop.Write("allowed", "# nobody\n\n   \n");
  fails("it has no line for a key");
  shop.Write("allowed", std::string(SignatureVerifier::kTrustFileBytesMax + 1, '#'));
  fails("it has more than");
  shop.Write("allowed", "what is this\n\xff\xfe ssh-ed25519 AAAA\nada@example.com ssh-ed25519 AAAA\n");
  CHECK_THAT(shop.Check(commit), Catch::StartsWith("bad: no line of source.allowed_signers_file"));
  CHECK_THAT(shop.Check(commit), !Catch::Contains(shop.Scratch().string()));
  shop.Allow(key);
  CHECK_THAT(shop.Check(commit), Catch::StartsWith("ada@example.com"));
  shop.Write("allowed", "someone else " + key + "\nzoe " + key + "\n");
  CHECK_THAT(shop.Check(commit), Catch::StartsWith("zoe"));
  shop.Allow(shop.MakeSshKey("another"));
  CHECK_THAT(shop.Check(commit), Catch::StartsWith("bad: "));
  std::filesystem::remove(shop / "allowed");
  fails("No such file or directory");

  SignatureVerifier without({.allowed_signers_file = {}, .openpgp_keyring_file = {}, .scratch_folder = shop.Scratch()});
  CHECK_THAT(Signer(without.Verify(commit.signature, commit.data, commit.committed)),
             Catch::Contains("source.allowed_signers_file is not set"));
}

}  // namespace tokensync::test
