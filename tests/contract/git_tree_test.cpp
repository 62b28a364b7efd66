/// Reading a commit's files from the mirror.
#include <catch2/catch.hpp>

#include "git_workshop.h"

namespace tokensync::test {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

TEST_CASE("a commit's files are listed by path, with their kinds, and read from the mirror") {
  Workshop shop;
  WorkTree inner(shop.folder / "inner");
  inner.Put("x", "x", "inner");
  WorkTree source(shop.folder / "source");
  source.Write("a.yaml", "first\n");
  source.Write("a/b.yaml", std::string("with\0nul", 8));
  source.Write("a/.hidden", "");
  source.Write("a-b.yaml", "");
  source.Write("run.sh", "#!/bin/sh\n");
  fs::permissions(source.path() / "run.sh", fs::perms::owner_all);
  fs::create_symlink("../a.yaml", source.path() / "a" / "link.yaml");
  source.Git({"-c", "protocol.file.allow=always", "submodule", "--quiet", "add", inner.url(), "sub"});
  const CommitId head = source.Commit("all kinds");
  shop.request.url = source.url();
  shop.Fetch();

  GitMirror mirror(shop.mirror);
  const auto tree = mirror.Tree(head, ".");
  std::vector<std::pair<std::string, FileKind>> listed;
  for (const TreeFile& file : tree->List()) listed.emplace_back(file.path, file.kind);
  CHECK(listed == std::vector<std::pair<std::string, FileKind>>{{".gitmodules", FileKind::kRegular},
                                                                {"a-b.yaml", FileKind::kRegular},
                                                                {"a.yaml", FileKind::kRegular},
                                                                {"a/.hidden", FileKind::kRegular},
                                                                {"a/b.yaml", FileKind::kRegular},
                                                                {"a/link.yaml", FileKind::kSymbolicLink},
                                                                {"run.sh", FileKind::kRegular},
                                                                {"sub", FileKind::kOther}});

  const auto folder = mirror.Tree(head, "./a/");
  const std::vector<TreeFile> files = folder->List();
  REQUIRE(files.size() == 3);
  CHECK(files[1].path == "b.yaml");
  CHECK(files[1].blob_id.size() == 40);
  CHECK(folder->Read(files[0], 0) == "");
  CHECK(folder->Read(files[1], 8) == std::string("with\0nul", 8));
  CHECK(folder->Read(files[1], 7) == std::nullopt);

  CHECK_THROWS_WITH(mirror.Tree(head, "b")->List(), Contains("source.path 'b' does not exist at commit " + head.hex));
  CHECK_THROWS_WITH(mirror.Tree(head, "a.yaml")->List(), Contains("is no folder"));
  CHECK_THROWS_WITH(mirror.Tree(head, "../x"), Contains("leads out"));
  CHECK_THROWS_WITH(mirror.Tree(CommitId{std::string(40, '1')}, "."), Contains("does not hold it"));
  CHECK_THROWS_WITH(mirror.Tree(CommitId{"HEAD"}, "."), Contains("does not hold it"));
}

TEST_CASE("the same text has the same name in every commit and folder") {
  Workshop shop;
  WorkTree source(shop.folder / "source");
  source.Write("a.yaml", "same\n");
  const CommitId first = source.Put("b/c.yaml", "same\n", "first");
  const CommitId second = source.Put("a.yaml", "changed\n", "second");
  shop.request.url = source.url();
  shop.Fetch();
  GitMirror mirror(shop.mirror);
  const auto before = mirror.Tree(first, ".")->List();
  const auto after = mirror.Tree(second, ".")->List();
  CHECK(before[0].blob_id == before[1].blob_id);
  CHECK(after[1].blob_id == before[1].blob_id);
  CHECK(after[0].blob_id != before[0].blob_id);
}

TEST_CASE("a mirror that is not there yet is an error that says so") {
  const TempFolder folder;
  GitMirror mirror(folder / "mirror.git");
  CHECK_THROWS_WITH(mirror.Tree(CommitId{std::string(40, '1')}, "."), Contains("none yet"));
  CHECK_THROWS_AS(mirror.Resolve("main"), EnvironmentError);
}

TEST_CASE("a tree that was given out outlives the mirror object and the mirror's replacement") {
  Workshop shop;
  WorkTree source(shop.folder / "source");
  const CommitId head = source.Put("a.yaml", "a: 1\n", "first");
  shop.request.url = source.url();
  shop.Fetch();
  auto mirror = std::make_unique<GitMirror>(shop.mirror);
  const auto tree = mirror->Tree(head, ".");
  mirror.reset();
  CHECK(tree->Read(tree->List().at(0), 100) == "a: 1\n");

  fs::rename(shop.mirror, shop.folder / "moved");
  shop.Fetch();
  CHECK(tree->Read(tree->List().at(0), 100) == "a: 1\n");
}

TEST_CASE("revisions are named as git names them") {
  Workshop shop;
  WorkTree source(shop.folder / "source");
  const CommitId first = source.Put("a.yaml", "a: 1\n", "first");
  const CommitId second = source.Put("a.yaml", "a: 2\n", "second");
  shop.request.url = source.url();
  shop.Fetch();
  GitMirror mirror(shop.mirror);
  CHECK(mirror.Resolve("main") == second);
  CHECK(mirror.Resolve("HEAD~1") == first);
  CHECK(mirror.Resolve(first.hex) == first);
  CHECK(mirror.Resolve(first.hex.substr(0, 10)) == first);
  CHECK_THROWS_WITH(mirror.Resolve("HEAD~7"), Contains("HEAD~7"));
  CHECK_THROWS_AS(mirror.Resolve(""), EnvironmentError);
  CHECK_THROWS_AS(mirror.Resolve("main:a.yaml"), EnvironmentError);
}

}  // namespace tokensync::test
