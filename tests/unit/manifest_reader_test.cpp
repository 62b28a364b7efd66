/// Whole repositories: which files count, what is unreadable, what is ambiguous, payloads read again.
#include "manifest_reader.h"

#include <fmt/format.h>
#include <unistd.h>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "directory_tree.h"
#include "manifest_memory_tree.h"
#include "sha256.h"

using namespace tokensync;  // NOLINT(google-build-using-namespace)

namespace {

std::string Token(int id, std::string_view fields = {}) {
  return fmt::format("projectId: 1\ncollectionId: 2\ntoken: {{tokenId: {}, name: N{}{}}}\n", id,
                     fields.empty() ? "" : ", ", fields);
}

std::vector<std::string> Keys(const DesiredState& state) {
  std::vector<std::string> keys;
  for (const Entry& entry : state.entries) keys.push_back(entry.key.Text());
  return keys;
}

using Texts = std::vector<std::string>;

/// A folder of the file system that goes with the test.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "manifests-XXXXXX").string();
    REQUIRE(mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder() { std::filesystem::remove_all(path_); }

  const std::filesystem::path& path() const { return path_; }
  void Put(const std::string& name, std::string_view bytes) const {
    std::filesystem::create_directories((path_ / name).parent_path());
    std::ofstream(path_ / name, std::ios::binary) << bytes;
  }

 private:
  std::filesystem::path path_;
};

}  // namespace

TEST_CASE("the yaml, yml and json files outside of dot folders are manifests") {
  MemoryTree tree{{"a.yaml", Token(1)},
                  {"b.yml", Token(2)},
                  {"x/y/c.json", R"({"projectId":1,"collectionId":2,"token":{"tokenId":"3","name":"N"}})"},
                  {"README.md", "# hi"},
                  {".hidden.yaml", "x"},
                  {".github/w.yaml", "x"},
                  {"x/.cache/d.yaml", "x"},
                  {"y.yaml.bak", "x"},
                  {"z.txt", "x"}};
  const DesiredState state = ManifestReader().Read(tree);
  CHECK(state.problems.empty());
  CHECK(Keys(state) == Texts{"1/2/1", "1/2/2", "1/2/3"});
  CHECK(state.manifests == 3);
  CHECK(state.commit.hex.empty());
}

TEST_CASE("entries are sorted by number and know their place") {
  MemoryTree tree{
      {"m.yaml",
       "projectId: 1\ncollectionId: 2\ntokens:\n- tokenId: 10\n  name: A\n- {tokenId: 9, name: B}\n---\n" + Token(1)}};
  const DesiredState state = ManifestReader().Read(tree);
  REQUIRE(Keys(state) == Texts{"1/2/1", "1/2/9", "1/2/10"});
  CHECK(state.entries[0].ordinal == 2);
  CHECK(state.entries[0].line == 10);
  CHECK(state.entries[0].column == 8);
  CHECK(state.entries[1].ordinal == 1);
  CHECK(state.entries[1].line == 6);
  CHECK(state.entries[1].column == 3);
  CHECK(state.entries[2].line == 4);
  CHECK(state.entries[0].manifest == state.entries[2].manifest);
  CHECK(state.entries[0].manifest->path == "m.yaml");
  CHECK_FALSE(state.entries[0].manifest->blob_id.empty());
}

TEST_CASE("one bad manifest stops no other, and none of its tokens count") {
  MemoryTree tree{{"a.yaml", Token(1)}, {"b.yaml", Token(2) + "---\n" + Token(3, "nmae: x")}, {"c.yaml", Token(4)}};
  const DesiredState state = ManifestReader().Read(tree);
  CHECK(Keys(state) == Texts{"1/2/1", "1/2/4"});
  CHECK(state.unreadable == Texts{"b.yaml"});
  REQUIRE(state.problems.size() == 1);
  CHECK(state.problems[0].place == Place{"b.yaml", 7, 30});
  CHECK(state.problems[0].text == "token: {tokenId: 3, name: N, nmae: x}");
  CHECK(state.manifests == 3);
}

TEST_CASE("collection.yaml files are inherited, the nearest first") {
  MemoryTree tree{{"collection.yaml", "projectId: 1\ncollectionId: 2\ndefaults: {image: far}\n"},
                  {"x/collection.yaml", "collectionId: 3\nprivate: true\n"},
                  {"a.yaml", "token: {tokenId: 1, name: N}\n"},
                  {"x/y/b.yaml", "token: {tokenId: 1, name: N}\n"},
                  {"x-y.yaml", "token: {tokenId: 2, name: N}\n"}};
  ManifestReader reader;
  const DesiredState state = reader.Read(tree);
  CHECK(state.problems.empty());
  REQUIRE(Keys(state) == Texts{"1/2/1", "1/2/2", "1/3/1"});
  CHECK(state.entries[2].manifest->inherited == Texts{"x/collection.yaml", "collection.yaml"});
  CHECK(state.entries[0].manifest->inherited == Texts{"collection.yaml"});
  CHECK(state.entries[2].is_private);
  CHECK(reader.Payload(tree, state.entries[2]) == R"({"image":"far","name":"N","tokenId":"1"})");
  CHECK(state.manifests == 3);
}

TEST_CASE("a bad collection.yaml makes everything below it unreadable, and what it lacks is told once") {
  MemoryTree tree{{"x/collection.yaml", "projectId: 1\ncolectionId: 2\n"},
                  {"x/a.yaml", "token: {tokenId: 1}\n"},
                  {"x/y/b.yaml", "token: {tokenId: 2, name: N, nmae: x}\n"},
                  {"z.yaml", Token(3)}};
  const DesiredState state = ManifestReader().Read(tree);
  CHECK(Keys(state) == Texts{"1/2/3"});
  CHECK(state.unreadable == Texts{"x/a.yaml", "x/collection.yaml", "x/y/b.yaml"});
  REQUIRE(state.problems.size() == 2);
  CHECK(state.problems[0].place == Place{"x/collection.yaml", 2, 1});
  CHECK(state.problems[1].place.path == "x/y/b.yaml");
}

TEST_CASE("a collection.yaml is checked also where it has no manifests") {
  MemoryTree tree{{"x/collection.yaml", "foo: 1\n"}};
  const DesiredState state = ManifestReader().Read(tree);
  CHECK(state.unreadable == Texts{"x/collection.yaml"});
  CHECK(state.problems.size() == 1);
}

TEST_CASE("ignore files leave out manifests and collection files") {
  MemoryTree tree{{".tokensyncignore", "drafts/\n*.draft.yaml\n"},
                  {"drafts/a.yaml", "bad: ["},
                  {"b.draft.yaml", "bad: ["},
                  {"x/.tokensyncignore", "!keep.draft.yaml\n/collection.yaml\n"},
                  {"x/keep.draft.yaml", Token(1)},
                  {"x/collection.yaml", "bad: ["},
                  {"drafts/collection.yaml", "bad: ["}};
  const DesiredState state = ManifestReader().Read(tree);
  CHECK(state.problems.empty());
  CHECK(Keys(state) == Texts{"1/2/1"});
  CHECK(state.manifests == 1);
}

TEST_CASE("a bad ignore file makes everything below it unreadable") {
  for (const std::string& bytes : {std::string("a[\n"), std::string("\xFF\n"), std::string("a\0b", 3)}) {
    MemoryTree tree{{"x/.tokensyncignore", bytes},
                    {"x/a.yaml", Token(1)},
                    {"x/y/collection.yaml", "projectId: 1\n"},
                    {"x/y/b.yaml", "bad: ["},
                    {"c.yaml", Token(2)}};
    const DesiredState state = ManifestReader().Read(tree);
    CHECK(Keys(state) == Texts{"1/2/2"});
    CHECK(state.unreadable == Texts{"x/.tokensyncignore", "x/a.yaml", "x/y/b.yaml", "x/y/collection.yaml"});
    REQUIRE(state.problems.size() == 1);
    CHECK(state.problems[0].place.path == "x/.tokensyncignore");
  }
}

TEST_CASE("symbolic links, other things, large files and odd names are problems") {
  MemoryTree tree{{"big.yaml", std::string(ManifestReader::kFileBytesMax + 1, '#')},
                  {"a\xFF.yaml", Token(1)},
                  {"ok.yaml", Token(2)}};
  tree.PutKind("link.yaml", FileKind::kSymbolicLink);
  tree.PutKind("README", FileKind::kSymbolicLink);
  tree.PutKind("module.json", FileKind::kOther);
  tree.PutKind("x/collection.yaml", FileKind::kSymbolicLink);
  tree.Put("x/b.yaml", Token(3));
  const DesiredState state = ManifestReader().Read(tree);
  CHECK(Keys(state) == Texts{"1/2/2"});
  CHECK(state.unreadable ==
        Texts{"a\xEF\xBF\xBD.yaml", "big.yaml", "link.yaml", "module.json", "x/b.yaml", "x/collection.yaml"});
  Texts told;
  for (const Problem& problem : state.problems) told.push_back(problem.place.path + ": " + problem.what);
  CHECK(told == Texts{"a\xEF\xBF\xBD.yaml: a file name that is no UTF-8", "big.yaml: a file of more than 8 MiB",
                      "link.yaml: a symbolic link", "module.json: no regular file",
                      "x/collection.yaml: a symbolic link"});
}

TEST_CASE("a file of exactly 8 MiB is read") {
  std::string bytes = Token(1) + "#";
  bytes.resize(ManifestReader::kFileBytesMax, 'x');
  MemoryTree tree{{"a.yaml", bytes}};
  CHECK(Keys(ManifestReader().Read(tree)) == Texts{"1/2/1"});
}

TEST_CASE("a token declared twice counts nowhere, and both places are named") {
  MemoryTree tree{{"a.yaml", Token(1)},
                  {"x/b.yaml", Token(1) + "---\n" + Token(2)},
                  {"c.yaml", Token(3) + "---\n" + Token(3)},
                  {"d.yaml", Token(1) + "bad: 1\n"}};
  const DesiredState state = ManifestReader().Read(tree);
  CHECK(Keys(state) == Texts{"1/2/2"});
  REQUIRE(state.ambiguous.size() == 2);
  CHECK(state.ambiguous[0].Text() == "1/2/1");
  CHECK(state.IsAmbiguous(*TokenKey::Parse("1/2/3")));
  CHECK(state.unreadable == Texts{"d.yaml"});
  REQUIRE(state.problems.size() == 5);
  CHECK(state.problems[0].place == Place{"a.yaml", 3, 8});
  CHECK(state.problems[0].what == "the token 1/2/1 is declared more than once: also at x/b.yaml:3:8");
  CHECK(state.problems[0].text == "token: {tokenId: 1, name: N}");
  CHECK(state.problems[1].what == "the token 1/2/3 is declared more than once: also at c.yaml:7:8");
  CHECK(state.problems[2].what == "the token 1/2/3 is declared more than once: also at c.yaml:3:8");
  CHECK(state.problems[4].place == Place{"x/b.yaml", 3, 8});
}

TEST_CASE("one token id in two collections is two tokens") {
  MemoryTree tree{{"a.yaml", Token(1)}, {"b.yaml", "projectId: 1\ncollectionId: 3\ntoken: {tokenId: 1, name: N}\n"}};
  CHECK(Keys(ManifestReader().Read(tree)) == Texts{"1/2/1", "1/3/1"});
}

TEST_CASE("the payload is read again, checked, and remembered for a while") {
  std::string many = "projectId: 1\ncollectionId: 2\ntokens:\n";
  for (int i = 0; i < 50; ++i) many += fmt::format("- {{tokenId: {}, name: \"{}\"}}\n", i, i);
  MemoryTree tree{{"many.yaml", many}, {"one.yaml", Token(100)}};
  ManifestReader reader;
  const DesiredState state = reader.Read(tree);
  REQUIRE(state.entries.size() == 51);
  const std::size_t reads = tree.reads();
  for (const Entry& entry : state.entries) {
    const std::string payload = reader.Payload(tree, entry);
    CHECK(PayloadDigest(payload, entry.is_private) == entry.digest);
    CHECK_THAT(payload, Catch::Contains("\"tokenId\":\"" + entry.key.token.text() + "\""));
  }
  CHECK(tree.reads() - reads == 2);
}

TEST_CASE("a payload whose file changed, shrank or went is an EnvironmentError") {
  for (const std::string& now : {Token(1, "image: x"), Token(2), std::string("bad: ["),
                                 std::string("projectId: 1\ncollectionId: 2\ntokens: []\n")}) {
    MemoryTree tree{{"a.yaml", Token(1)}};
    ManifestReader reader;
    const DesiredState state = reader.Read(tree);
    tree.Put("a.yaml", now);
    CHECK_THROWS_AS(reader.Payload(tree, state.entries.at(0)), EnvironmentError);
  }
  MemoryTree tree{{"a.yaml", Token(1)}};
  ManifestReader reader;
  const DesiredState state = reader.Read(tree);
  tree.Remove("a.yaml");
  CHECK_THROWS_AS(reader.Payload(tree, state.entries.at(0)), EnvironmentError);
}

TEST_CASE("progress is told, at the end with all files") {
  MemoryTree tree;
  for (int i = 0; i < 600; ++i) tree.Put(fmt::format("t/{}.yaml", i), Token(i));
  std::vector<std::pair<std::size_t, std::size_t>> told;
  const DesiredState state =
      ManifestReader().Read(tree, [&](std::size_t done, std::size_t total) { told.emplace_back(done, total); });
  CHECK(state.entries.size() == 600);
  CHECK(told.size() >= 3);
  CHECK(told.back() == std::pair<std::size_t, std::size_t>(600, 600));
}

TEST_CASE("a repository tells at most so many problems and how many more there are") {
  MemoryTree tree;
  std::string bad;
  for (int i = 0; i < 60; ++i) bad += fmt::format("k{}: 1\n", i);
  for (int i = 0; i < 250; ++i) tree.Put(fmt::format("{}.yaml", i), bad);
  const DesiredState state = ManifestReader().Read(tree);
  REQUIRE(state.problems.size() == ManifestReader::kProblemsMax + 1);
  CHECK(state.problems.back().what == "2750 more problems");
  CHECK(state.unreadable.size() == 250);
}

TEST_CASE("validate reads folders and files, with what they inherit up to the repository's root") {
  const TemporaryFolder folder;
  folder.Put("repo/.git/HEAD", "x");
  folder.Put("repo/.git/x.yaml", "bad: [");
  folder.Put("collection.yaml", "bad: [");
  folder.Put("repo/collection.yaml", "projectId: 1\ncollectionId: 2\n");
  folder.Put("repo/.tokensyncignore", "drafts\n");
  folder.Put("repo/x/collection.yaml", "defaults: {image: i}\n");
  folder.Put("repo/x/a.yaml", "token: {tokenId: 1, name: N}\n");
  folder.Put("repo/x/drafts/b.yaml", "bad: [");
  folder.Put("repo/y/c.yaml", "token: {tokenId: 1, name: N}\n");
  std::filesystem::create_symlink("a.yaml", folder.path() / "repo/x/l.yaml");

  SECTION("a folder") {
    DirectoryTree tree(folder.path() / "repo" / "x");
    const DesiredState state = ManifestReader().Read(tree);
    CHECK(Keys(state) == Texts{"1/2/1"});
    REQUIRE(state.problems.size() == 1);
    CHECK(state.problems[0].place.path == "x/l.yaml");
    CHECK(tree.ShownPath("x/l.yaml") == (folder.path() / "repo/x/l.yaml").string());
  }
  SECTION("a file") {
    DirectoryTree tree(folder.path() / "repo" / "y" / "c.yaml");
    const DesiredState state = ManifestReader().Read(tree);
    CHECK(state.problems.empty());
    CHECK(Keys(state) == Texts{"1/2/1"});
  }
  SECTION("several paths are one repository: a token declared in both is found") {
    DirectoryTree tree(std::vector{folder.path() / "repo" / "x" / "a.yaml", folder.path() / "repo" / "." / "y" / ""});
    const DesiredState state = ManifestReader().Read(tree);
    CHECK(state.ambiguous.size() == 1);
    CHECK(state.problems.size() == 2);
  }
  SECTION("a folder of no repository, below a dot folder") {
    folder.Put(".cache/z/m.yaml", Token(5));
    DirectoryTree tree(folder.path() / ".cache" / "z");
    CHECK(Keys(ManifestReader().Read(tree)) == Texts{"1/2/5"});
  }
  SECTION("nothing there") {
    CHECK_THROWS_AS(DirectoryTree(folder.path() / "none"), EnvironmentError);
  }
  SECTION("a payload of a file that changed on disk") {
    DirectoryTree tree(folder.path() / "repo" / "y");
    ManifestReader reader;
    const DesiredState state = reader.Read(tree);
    CHECK(reader.Payload(tree, state.entries.at(0)) == R"({"name":"N","tokenId":"1"})");
    folder.Put("repo/y/c.yaml", "token: {tokenId: 1, name: M}\n");
    ManifestReader other;
    other.Read(tree);
    CHECK_THROWS_AS(other.Payload(tree, state.entries.at(0)), EnvironmentError);
  }
}
