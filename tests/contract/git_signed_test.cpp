/// Commits as their signatures are judged: what git signed, and which commits there are to judge.
#include <algorithm>
#include <catch2/catch.hpp>

#include "git_workshop.h"

namespace tokensync::test {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

TEST_CASE("what ssh-keygen signed for git is what is read back") {
  Workshop shop;
  WorkTree source(shop.folder / "source");
  const fs::path key = shop.folder / "key";
  Run({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", key.string()});
  source.Git({"config", "gpg.format", "ssh"});
  source.Git({"config", "user.signingkey", key.string()});
  const CommitId plain = source.Put("a.yaml", "a: 1\n", "unsigned");
  source.Write("a.yaml", "a: 2\n");
  source.Git({"commit", "--quiet", "--all", "--gpg-sign", "--message=signed\n\ngpgsig in the message\n continued"});
  const CommitId head = source.Head();
  shop.request.url = source.url();
  REQUIRE(shop.Fetch() == head);

  GitMirror mirror(shop.mirror);
  const SignedCommit commit = mirror.ReadSigned(head);
  CHECK(commit.id == head);
  CHECK(commit.committed == TimePoint(std::chrono::seconds(1'700'000'060)));
  CHECK_THAT(commit.signature, Catch::StartsWith("-----BEGIN SSH SIGNATURE-----\n"));
  CHECK_THAT(commit.signed_data, Catch::StartsWith("tree ") && Contains("gpgsig in the message\n continued"));
  WriteFile(shop.folder / "signature", commit.signature);
  WriteFile(shop.folder / "data", commit.signed_data);
  auto check = [&] {
    Run({"sh", "-c", "ssh-keygen -Y check-novalidate -n git -s \"$1/signature\" <\"$1/data\"", "sh",
         shop.folder.path().string()});
  };
  CHECK_NOTHROW(check());
  WriteFile(shop.folder / "data", commit.signed_data + "x");
  CHECK_THROWS(check());

  CHECK(mirror.ReadSigned(plain).signature.empty());
  CHECK(mirror.ReadSigned(plain).signed_data.empty());
  CHECK_THROWS_WITH(mirror.ReadSigned(CommitId{std::string(40, '1')}), Contains("does not hold it"));
}

TEST_CASE("a commit of more than 1 MiB is not judged") {
  Workshop shop;
  WorkTree source(shop.folder / "source");
  source.Put("a.yaml", "a: 1\n", "first");
  WriteFile(shop.folder / "message", std::string(1'100'000, 'x'));
  source.Git({"commit", "--quiet", "--allow-empty", "--file=" + (shop.folder / "message").string()});
  shop.request.url = source.url();
  const CommitId head = shop.Fetch();
  CHECK_THROWS_WITH(GitMirror(shop.mirror).ReadSigned(head), Contains("1 MiB"));
}

TEST_CASE("the commits since another one are named, each after its parents") {
  Workshop shop;
  WorkTree source(shop.folder / "source");
  std::vector<CommitId> main{source.Put("a.yaml", "a: 1\n", "first")};
  source.Git({"checkout", "--quiet", "-b", "side"});
  const CommitId side = source.Put("b.yaml", "b: 1\n", "side");
  source.Git({"checkout", "--quiet", "main"});
  main.push_back(source.Put("a.yaml", "a: 2\n", "second"));
  source.Git({"merge", "--quiet", "--no-ff", "--message=merge", "side"});
  const CommitId merge = source.Head();
  // Its clock is years behind.
  source.Git({"-c", "user.name=x", "commit", "--quiet", "--allow-empty", "--message=last"});
  const CommitId head = source.Head();
  shop.request.url = source.url();
  REQUIRE(shop.Fetch() == head);
  GitMirror mirror(shop.mirror);
  using Commits = std::vector<CommitId>;

  CHECK(mirror.NotIn(head, Commits{merge}, 10) == Commits{head});
  CHECK(mirror.NotIn(head, Commits{head}, 10).empty());
  CHECK(mirror.NotIn(main[1], Commits{head}, 10).empty());
  CHECK(mirror.NotIn(head, Commits{main[1]}, 10) == Commits{side, merge, head});
  CHECK(mirror.NotIn(head, Commits{CommitId{std::string(40, '1')}, main[1], side}, 10) == Commits{merge, head});
  const Commits all = mirror.NotIn(head, {}, 10);
  REQUIRE(all.size() == 5);
  CHECK(all.front() == main[0]);
  CHECK(std::is_permutation(all.begin() + 1, all.begin() + 3, Commits{main[1], side}.begin()));
  CHECK(Commits(all.begin() + 3, all.end()) == Commits{merge, head});
  CHECK(mirror.NotIn(head, Commits{CommitId{std::string(40, '1')}}, 5) == all);
  CHECK(mirror.NotIn(head, Commits{CommitId{"main"}}, 5) == all);
  CHECK(mirror.NotIn(head, Commits{main[1]}, 3).size() == 3);
  CHECK_THROWS_WITH(mirror.NotIn(head, Commits{main[1]}, 2), Contains("more than 2") && Contains("source.verify"));
  CHECK_THROWS_WITH(mirror.NotIn(head, {}, 4), Contains("more than 4"));
  CHECK_THROWS_WITH(mirror.NotIn(CommitId{std::string(40, '1')}, {}, 4), Contains("does not hold it"));
}

}  // namespace tokensync::test
