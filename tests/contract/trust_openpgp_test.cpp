/// Commits signed with OpenPGP keys by git and gpg themselves.
#include <catch2/catch.hpp>
#include <random>
#include <string>

#include "openpgp_packet.h"
#include "trust_workshop.h"

namespace tokensync::test {

namespace {

const std::string kLongAgo = "--faked-system-time=20200101T000000!";
const std::string kLongAgoLater = "--faked-system-time=20200101T001000!";

struct PgpShop : TrustWorkshop {
  SignatureVerifier verifier{Files(), Programs()};

  std::string Check(const SignedCommit& commit) {
    return Signer(verifier.Verify(commit.signature, commit.data, commit.committed));
  }
  std::string ErrorOf(const SignedCommit& commit) {
    try {
      return "no error: " + Check(commit);
    } catch (const EnvironmentError& error) {
      return error.what();
    }
  }
};

void Replace(std::string& text, const std::string& old, const std::string& with) {
  for (std::size_t at = text.find(old); at != std::string::npos; at = text.find(old, at + with.size())) {
    text.replace(at, old.size(), with);
  }
}

}  // namespace

TEST_CASE("a commit signed with a key of the keyring is good, armoured or not") {
  PgpShop shop;
  const std::string ada = shop.MakePgpKey("Ada Example <ada@example.com>");
  const std::string bob = shop.MakePgpKey("Bob Beispiel <bob@example.com>", {}, "never", "rsa2048");
  const SignedCommit adas = shop.CommitByPgp(ada);
  const SignedCommit bobs = shop.CommitByPgp(bob);
  shop.ExportKeyring({ada, bob});
  CHECK(shop.Check(adas) == "Ada Example <ada@example.com> (openpgp " + ada + ")");
  CHECK(shop.Check(bobs) == "Bob Beispiel <bob@example.com> (openpgp " + bob + ")");
  shop.ExportKeyring({ada, bob}, false);
  CHECK(shop.Check(adas) == "Ada Example <ada@example.com> (openpgp " + ada + ")");
  shop.Write("keyring", shop.Gpg({"--armor", "--export", bob}) + "\n" + shop.Gpg({"--armor", "--export", ada}));
  CHECK(shop.Check(adas) == "Ada Example <ada@example.com> (openpgp " + ada + ")");
  CHECK(shop.Check(bobs) == "Bob Beispiel <bob@example.com> (openpgp " + bob + ")");
}

TEST_CASE("what the keyring holds now counts") {
  PgpShop shop;
  const std::string ada = shop.MakePgpKey("Ada Example <ada@example.com>");
  const std::string bob = shop.MakePgpKey("Bob Beispiel <bob@example.com>");
  const SignedCommit adas = shop.CommitByPgp(ada);
  const SignedCommit bobs = shop.CommitByPgp(bob);
  shop.ExportKeyring({ada});
  CHECK_THAT(shop.Check(adas), Catch::StartsWith("Ada Example"));
  CHECK_THAT(shop.Check(bobs), Catch::StartsWith("bad: the key ") && Catch::Contains(bob) &&
                                   Catch::Contains("is not in source.openpgp_keyring_file"));
  shop.ExportKeyring({bob});
  CHECK_THAT(shop.Check(adas), Catch::StartsWith("bad: the key "));
  CHECK_THAT(shop.Check(bobs), Catch::StartsWith("Bob Beispiel"));
}

TEST_CASE("a signing subkey is good, and named by its primary key") {
  PgpShop shop;
  const std::string ada = shop.MakePgpKey("Ada Example <ada@example.com>");
  shop.Gpg({"--quick-add-key", ada, "ed25519", "sign", "never"});
  shop.ExportKeyring({ada});
  const SignedCommit commit = shop.CommitByPgp(ada);
  CHECK(shop.Check(commit) == "Ada Example <ada@example.com> (openpgp " + ada + ")");
  const std::string list = shop.Gpg({"--with-colons", "--list-keys", ada});
  const std::string subkey = list.substr(list.find("\nfpr:", list.find("\nsub:")) + 13, 40);
  REQUIRE(subkey != ada);
  CHECK(shop.Check(shop.CommitByPgp(subkey + "!")) == "Ada Example <ada@example.com> (openpgp " + ada + ")");
}

TEST_CASE("a key that has run out or was revoked, and a signature that has run out, are refused") {
  PgpShop shop;
  const std::string old = shop.MakePgpKey("Olga Old <olga@example.com>", {kLongAgo}, "2d");
  const std::string lasting = shop.MakePgpKey("Lars Lasting <lars@example.com>", {kLongAgo});
  shop.ExportKeyring({old, lasting});
  CHECK_THAT(shop.Check(shop.SignByGpg({kLongAgoLater, "--local-user", old})),
             Catch::StartsWith("bad: the key " + old + " of Olga Old <olga@example.com> expired on 2020-01-03"));
  CHECK_THAT(shop.Check(shop.SignByGpg({kLongAgoLater, "--local-user", lasting})), Catch::StartsWith("Lars Lasting"));
  CHECK_THAT(shop.Check(shop.SignByGpg({kLongAgoLater, "--default-sig-expire", "1d", "--local-user", lasting})),
             Catch::Contains("bad: its OpenPGP signature by " + lasting) && Catch::Contains("expired on 2020-01-02"));

  const SignedCommit before = shop.CommitByPgp(lasting);
  CHECK_THAT(shop.Check(before), Catch::StartsWith("Lars Lasting"));
  std::string revocation = shop.Read("gnupg/openpgp-revocs.d/" + lasting + ".rev");
  Replace(revocation, ":-----BEGIN", "-----BEGIN");
  shop.Gpg({"--import"}, revocation);
  shop.ExportKeyring({old, lasting});
  CHECK_THAT(shop.Check(before), Catch::StartsWith("bad: the key " + lasting) && Catch::Contains("was revoked"));
}

TEST_CASE("an OpenPGP signature that does not fit the data is refused") {
  PgpShop shop;
  const std::string ada = shop.MakePgpKey("Ada Example <ada@example.com>");
  shop.ExportKeyring({ada});
  const SignedCommit first = shop.CommitByPgp(ada);
  const SignedCommit second = shop.CommitByPgp(ada);
  for (const std::size_t at : {std::size_t{0}, first.data.size() / 2, first.data.size() - 1}) {
    SignedCommit changed = first;
    changed.data[at] = static_cast<char>(changed.data[at] ^ 1);
    CHECK_THAT(shop.Check(changed), Catch::StartsWith("bad: ") && Catch::Contains("does not fit it"));
  }
  CHECK_THAT(shop.Check({.signature = second.signature, .data = first.data}), Catch::Contains("does not fit it"));
  CHECK_THAT(shop.Check({.signature = first.signature, .data = ""}), Catch::Contains("does not fit it"));
  CHECK_THAT(shop.Check(first), Catch::StartsWith("Ada Example"));
}

TEST_CASE("what is no single OpenPGP signature is refused") {
  PgpShop shop;
  const std::string ada = shop.MakePgpKey("Ada Example <ada@example.com>");
  const std::string bob = shop.MakePgpKey("Bob Beispiel <bob@example.com>");
  shop.ExportKeyring({ada, bob});
  const SignedCommit good = shop.CommitByPgp(ada);
  const auto with = [&](const std::string& signature) {
    return shop.Check({.signature = signature, .data = good.data});
  };
  const std::string begin = "-----BEGIN PGP SIGNATURE-----\n\n";
  const std::string end = "-----END PGP SIGNATURE-----\n";
  for (const std::string& bad :
       {begin + end, begin + "AAAA\n" + end, begin + "%%%%\n" + end, begin + std::string(60'000, 'A') + "\n" + end,
        good.signature.substr(0, good.signature.size() / 2) + "\n" + end, good.signature + good.signature}) {
    INFO(bad.substr(0, 100));
    CHECK_THAT(with(bad), Catch::StartsWith("bad: "));
  }
  for (std::size_t size = good.signature.size() - 30; size > 40; size -= 30) {
    CHECK_THAT(with(good.signature.substr(0, size) + "\n" + end), Catch::StartsWith("bad: "));
  }
  SECTION("by two keys, both of the keyring") {
    const SignedCommit two = shop.SignByGpg({"--local-user", ada, "--local-user", bob}, good.data);
    CHECK_THAT(shop.Check(two), Catch::StartsWith("bad: it has more than one signature"));
  }
  SECTION("a signed message of its own, which fits itself") {
    std::string inline_signed = shop.Gpg({"--armor", "--local-user", ada, "--sign"}, "another text");
    Replace(inline_signed, "PGP MESSAGE", "PGP SIGNATURE");
    CHECK_THAT(with(inline_signed), Catch::StartsWith("bad: "));
    std::string stored = shop.Gpg({"--armor", "-z", "0", "--local-user", ada, "--sign"}, good.data);
    Replace(stored, "PGP MESSAGE", "PGP SIGNATURE");
    CHECK_THAT(with(stored), Catch::StartsWith("bad: "));
  }
  SECTION("a key") {
    std::string key = shop.Gpg({"--armor", "--export", ada});
    Replace(key, "PGP PUBLIC KEY BLOCK", "PGP SIGNATURE");
    CHECK_THAT(with(key), Catch::StartsWith("bad: "));
  }
  SECTION("a signature before or after other packets") {
    // As gpg writes it: one line of armour headers at most, an empty one, digits, check sum.
    const std::string lone_marker = "ygNQR1A=";  // new format, tag 10, "PGP"
    CHECK_THAT(with(begin + lone_marker + "\n" + end), Catch::Contains("is none"));
    const std::string packed = "yAcDQlpoOQAA";  // tag 8, bzip2
    CHECK_THAT(with(begin + packed + "\n" + end), Catch::Contains("is none"));
    std::string doubled = good.signature;
    Replace(doubled, "\n=", "\nygNQR1A=\n=");
    CHECK_THAT(with(doubled), Catch::StartsWith("bad: "));
  }
  CHECK_THAT(with(good.signature), Catch::StartsWith("Ada Example"));
}

TEST_CASE("armour of any bytes is looked at without harm, and what is let through is one packet's") {
  const std::string begin = "-----BEGIN PGP SIGNATURE-----\n\n";
  const std::string end = "\n-----END PGP SIGNATURE-----";
  // Signature packets with each form of length, and lengths that are not there.
  for (const char* const whole : {"iAEA", "iQABAA==", "igAAAAEA", "wgEA", "wv8AAAABAA=="}) {
    CHECK_FALSE(FaultOfOpenPgpArmour(begin + whole + end));
  }
  for (const char* const other :
       {"iAIA", "iAEAAA==", "iwAA", "igD/////", "wsA=", "wuAA", "wv//////", "wv8=", "CAEA", "qAEA",
        "iA==", "iAEA=", "====", "iAEA\niAEA=\n", "iAEA\n=AAAA\niAEA", "\niAEA", "i AEA"}) {
    INFO(other);
    CHECK(FaultOfOpenPgpArmour(begin + other + end));
  }
  std::mt19937 random(1);
  for (int round = 0; round < 50'000; ++round) {
    std::string text = begin + "iHUEABYKAB0WIQQAAAAAAAAAAA==\n=AAAA" + end;
    for (int change = 0; change < 3; ++change) text[random() % text.size()] = static_cast<char>(random());
    text.resize(text.size() - random() % 3 * (random() % text.size()) / 2);
    static_cast<void>(FaultOfOpenPgpArmour(text));
  }
}

TEST_CASE("armour as other programs write it is read as well") {
  PgpShop shop;
  const std::string ada = shop.MakePgpKey("Ada Example <ada@example.com>");
  shop.ExportKeyring({ada});
  const SignedCommit good = shop.CommitByPgp(ada);
  const auto with = [&](const std::string& signature) {
    return shop.Check({.signature = signature, .data = good.data});
  };
  std::string changed = good.signature;
  Replace(changed, "-----\n\n", "-----\nVersion: 1\nComment: none\n\n");
  REQUIRE(changed != good.signature);
  CHECK_THAT(with(changed), Catch::StartsWith("Ada Example"));
  CHECK_THAT(with(good.signature + "\n \n"), Catch::StartsWith("Ada Example"));
  changed.clear();
  for (const char c : good.signature) changed += c == '\n' ? std::string("\r\n") : std::string(1, c);
  CHECK_THAT(with(changed), Catch::StartsWith("Ada Example"));
  changed = good.signature;
  const std::size_t checksum = changed.find("\n=");
  changed.erase(checksum, changed.find('\n', checksum + 1) - checksum);
  CHECK_THAT(with(changed), Catch::StartsWith("Ada Example"));
}

TEST_CASE("a signature over a hash that can be forged is refused") {
  PgpShop shop;
  const std::string ada = shop.MakePgpKey("Ada Example <ada@example.com>", {}, "never", "rsa2048");
  shop.ExportKeyring({ada});
  CHECK_THAT(shop.Check(shop.SignByGpg({"--digest-algo", "SHA256"})), Catch::StartsWith("Ada Example"));
  CHECK_THAT(shop.Check(shop.SignByGpg({"--digest-algo", "SHA1"})),
             Catch::Contains("a SHA1 hash, which can be forged"));
}

TEST_CASE("a keyring that cannot be used is an error of the environment") {
  PgpShop shop;
  const std::string ada = shop.MakePgpKey("Ada Example <ada@example.com>");
  const SignedCommit commit = shop.CommitByPgp(ada);
  const auto fails = [&](const std::string& cause) {
    CHECK_THAT(shop.ErrorOf(commit), Catch::Contains("source.openpgp_keyring_file") && Catch::Contains(cause) &&
                                         !Catch::Contains("no error"));
  };
  fails("No such file or directory");
  for (const std::string& garbage : {std::string(), std::string("garbage"), std::string(1000, '\0'),
                                     std::string("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n"), commit.signature}) {
    shop.Write("keyring", garbage);
    fails("it holds no OpenPGP public key");
  }
  shop.Write("keyring", std::string(SignatureVerifier::kTrustFileBytesMax + 1, 'x'));
  fails("it has more than");
  shop.Write("keyring", shop.Gpg({"--armor", "--export-secret-keys", ada}));
  fails("it holds secret keys");
  shop.ExportKeyring({ada});
  const std::string whole = shop.Read("keyring");
  shop.Write("keyring", whole.substr(0, whole.size() / 2));
  fails("it holds no OpenPGP public key");
  shop.Write("keyring", whole);
  CHECK_THAT(shop.Check(commit), Catch::StartsWith("Ada Example"));

  SignatureVerifier without({.allowed_signers_file = {}, .openpgp_keyring_file = {}, .scratch_folder = shop.Scratch()});
  CHECK_THAT(Signer(without.Verify(commit.signature, commit.data, commit.committed)),
             Catch::Contains("source.openpgp_keyring_file is not set"));
}

}  // namespace tokensync::test
