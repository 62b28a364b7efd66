/// Fetching from folders, and how the mirror heals.
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <random>

#include "git_mirror_folder.h"
#include "git_workshop.h"

namespace tokensync::test {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;

namespace {

std::vector<fs::path> FilesBelow(const fs::path& folder, const std::string& extension) {
  std::vector<fs::path> files;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && (extension.empty() || entry.path().extension() == extension)) {
      files.push_back(entry.path());
    }
  }
  return files;
}

// All texts of a commit, read as the daemon reads them.
std::string AllTexts(GitMirror& mirror, const CommitId& commit) {
  const auto tree = mirror.Tree(commit, ".");
  std::string all;
  for (const TreeFile& file : tree->List()) all += tree->Read(file, 1'000'000).value();
  return all;
}

void MakeWritable(const fs::path& file) {
  fs::permissions(file, fs::perms::owner_write, fs::perm_options::add);
}

}  // namespace

TEST_CASE("a work tree, a bare repository and a file URL give the same head") {
  Workshop shop;
  WorkTree source(shop.folder / "my source");
  const CommitId head = source.Put("a.yaml", "a: 1\n", "first");
  Run({"git", "clone", "--quiet", "--bare", source.url(), (shop.folder / "bare.git").string()});

  for (const std::string& url : {source.url(), (shop.folder / "bare.git").string(),
                                 "file://" + (shop.folder / "my%20source").string(), source.url() + "/"}) {
    shop.request.url = url;
    CHECK(shop.Fetch() == head);
    GitMirror mirror(shop.mirror);
    CHECK(AllTexts(mirror, head) == "a: 1\n");
    CHECK(shop.BesideMirror().empty());
    CHECK(Run({"git", "--git-dir=" + shop.mirror.string(), "count-objects"}).rfind("0 objects", 0) == 0);
  }
}

TEST_CASE("a relative path is relative to the working directory") {
  Workshop shop;
  WorkTree source(shop.folder / "source");
  const CommitId head = source.Put("a.yaml", "a: 1\n", "first");
  shop.request.url = fs::relative(source.path(), fs::current_path()).string();
  CHECK(shop.Fetch() == head);
}

TEST_CASE("a later fetch brings what is new, and only the branch") {
  Workshop shop;
  WorkTree source(shop.folder / "source");
  source.Put("a.yaml", "a: 1\n", "first");
  shop.request.url = source.url();
  shop.Fetch();
  source.Git({"checkout", "--quiet", "-b", "other"});
  const CommitId other = source.Put("b.yaml", "b: 1\n", "on another branch");
  source.Git({"checkout", "--quiet", "main"});
  const CommitId head = source.Put("a.yaml", "a: 2\n", "second");

  CHECK(shop.Fetch() == head);
  GitMirror mirror(shop.mirror);
  CHECK(AllTexts(mirror, head) == "a: 2\n");
  CHECK(mirror.Resolve("HEAD") == head);
  CHECK(mirror.Resolve("main") == head);
  CHECK_THROWS_AS(mirror.Tree(other, "."), EnvironmentError);
  CHECK_FALSE(IsMarkedDamaged(shop.mirror));
  const auto packs = CountPacks(shop.mirror / "objects");
  const auto written = fs::last_write_time(shop.mirror / "refs" / "heads");
  CHECK(shop.Fetch() == head);
  CHECK(CountPacks(shop.mirror / "objects") == packs);
  CHECK(fs::last_write_time(shop.mirror / "refs" / "heads") == written);
}

TEST_CASE("a force push is followed, and the old head no longer counts as an ancestor") {
  Workshop shop;
  WorkTree source(shop.folder / "source");
  const CommitId first = source.Put("a.yaml", "a: 1\n", "first");
  const CommitId second = source.Put("a.yaml", "a: 2\n", "second");
  shop.request.url = source.url();
  shop.Fetch();
  source.Git({"reset", "--quiet", "--hard", "HEAD~1"});
  const CommitId replaced = source.Put("a.yaml", "a: 3\n", "instead");

  CHECK(shop.Fetch() == replaced);
  GitMirror mirror(shop.mirror);
  CHECK(mirror.Descends(replaced, first));
  CHECK(mirror.Descends(replaced, replaced));
  CHECK_FALSE(mirror.Descends(replaced, second));
  CHECK_FALSE(mirror.Descends(replaced, CommitId{std::string(40, 'a')}));
  CHECK_FALSE(mirror.Descends(replaced, CommitId{"nonsense"}));
}

TEST_CASE("what is wrong with the source is said plainly, and is never an empty answer") {
  Workshop shop;
  WorkTree source(shop.folder / "source");
  shop.request.url = source.url();

  SECTION("no such folder") {
    shop.request.url = (shop.folder / "nowhere").string();
    const GitFetchError error = shop.FetchFails();
    CHECK(error.failure() == FetchFailure::kNotRepository);
    CHECK_THAT(error.what(), Contains("fetching branch 'main' of " + shop.request.url) && Contains("no such folder"));
  }
  SECTION("a folder that is no repository, even inside of one") {
    fs::create_directories(source.path() / "sub");
    shop.request.url = (source.path() / "sub").string();
    CHECK(shop.FetchFails().failure() == FetchFailure::kNotRepository);
  }
  SECTION("an empty repository") {
    const GitFetchError error = shop.FetchFails();
    CHECK(error.failure() == FetchFailure::kEmpty);
    CHECK_THAT(error.what(), Contains("empty"));
  }
  SECTION("no such branch: some that exist are named") {
    source.Put("a.yaml", "a: 1\n", "first");
    source.Git({"branch", "release/1"});
    shop.request.ref.text = "mian";
    const GitFetchError error = shop.FetchFails();
    CHECK(error.failure() == FetchFailure::kNoBranch);
    CHECK_THAT(error.what(), Contains("'main'") && Contains("'release/1'") && Contains("source.branch"));
  }
  SECTION("a branch name that git forbids") {
    shop.request.ref.text = "a:b";
    CHECK(shop.FetchFails().failure() == FetchFailure::kUnusable);
  }
  SECTION("a shallow clone") {
    source.Put("a.yaml", "a: 1\n", "first");
    source.Put("a.yaml", "a: 2\n", "second");
    Run({"git", "clone", "--quiet", "--depth=1", "file://" + source.url(), (shop.folder / "shallow").string()});
    shop.request.url = (shop.folder / "shallow").string();
    CHECK_THAT(shop.FetchFails().what(), Contains("shallow"));
  }
  SECTION("a password in the URL") {
    const std::string word = "not" + std::to_string(::getpid()) + "shown";
    shop.request.url = "https://user:" + word + "@git.example.com/x.git";
    const GitFetchError error = shop.FetchFails();
    CHECK(error.failure() == FetchFailure::kUnusable);
    CHECK_THAT(error.what(), Contains("token_file") && !Contains(word));
  }
  CHECK_FALSE(fs::exists(shop.mirror));
}

TEST_CASE("a failed fetch leaves the mirror as it was") {
  Workshop shop;
  WorkTree source(shop.folder / "source");
  const CommitId head = source.Put("a.yaml", "a: 1\n", "first");
  shop.request.url = source.url();
  shop.Fetch();
  shop.request.url = (shop.folder / "nowhere").string();
  shop.FetchFails();
  GitMirror mirror(shop.mirror);
  CHECK(AllTexts(mirror, head) == "a: 1\n");
  CHECK(shop.BesideMirror().empty());
}

TEST_CASE("a source that belongs to another user works") {
  REQUIRE(::geteuid() == 0);
  Workshop shop;
  WorkTree source(shop.folder / "source");
  const CommitId head = source.Put("a.yaml", "a: 1\n", "first");
  Run({"chown", "-R", "65534:65534", source.url()});
  shop.request.url = source.url();
  CHECK(shop.Fetch() == head);
}

TEST_CASE("a source with alternates or with very many packs is packed anew") {
  Workshop shop;
  WorkTree source(shop.folder / "source");
  const CommitId head = source.Put("a.yaml", "a: 1\n", "first");
  SECTION("alternates") {
    Run({"git", "clone", "--quiet", "--shared", "--bare", source.url(), (shop.folder / "shared.git").string()});
    shop.request.url = (shop.folder / "shared.git").string();
  }
  SECTION("packs") {
    source.Git({"repack", "--quiet"});
    for (const std::string kind : {".pack", ".idx"}) {
      const fs::path file = FilesBelow(source.path() / ".git" / "objects" / "pack", kind).at(0);
      for (int i = 100; i < 210; ++i) {
        fs::copy_file(file, file.parent_path() / ("pack-" + std::string(37, 'a') + std::to_string(i) + kind));
      }
    }
    REQUIRE(CountPacks(source.path() / ".git" / "objects") > 100);
    shop.request.url = source.url();
  }
  CHECK(shop.Fetch() == head);
  CHECK_FALSE(fs::exists(shop.mirror / "objects" / "info" / "alternates"));
  CHECK(CountPacks(shop.mirror / "objects") == 1);
  Run({"git", "--git-dir=" + shop.mirror.string(), "fsck", "--strict"}, {{"GIT_CONFIG_NOSYSTEM", "1"}});
}

TEST_CASE("a mirror of another source, or of too many packs, is cloned anew") {
  Workshop shop;
  WorkTree source(shop.folder / "source");
  WorkTree second(shop.folder / "second");
  source.Put("a.yaml", "a: 1\n", "first");
  const CommitId head = second.Put("b.yaml", "b: 1\n", "other");
  shop.request.url = source.url();
  shop.Fetch();
  SECTION("another source") {
    shop.request.url = second.url();
    CHECK(shop.Fetch() == head);
    GitMirror mirror(shop.mirror);
    CHECK(AllTexts(mirror, head) == "b: 1\n");
  }
  SECTION("too many packs") {
    for (int i = 0; i < 201; ++i) {
      WriteFile(shop.mirror / "objects" / "pack" / ("pack-" + std::to_string(i) + ".pack"), "");
    }
    shop.Fetch();
    CHECK(CountPacks(shop.mirror / "objects") < 10);
  }
  CHECK(shop.BesideMirror().empty());
}

TEST_CASE("a damaged mirror heals, and damage never reaches the source") {
  Workshop shop;
  WorkTree source(shop.folder / "source");
  // Nothing that zlib could shorten, so that the middle of the pack is the middle of this text.
  std::mt19937 random(1);
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += static_cast<char>(random() & 0xff);
  const CommitId head = source.Put("a.yaml", text, "first");
  shop.request.url = source.url();
  shop.Fetch();
  GitMirror mirror(shop.mirror);

  SECTION("removed") {
    fs::remove_all(shop.mirror);
  }
  SECTION("a file in its place") {
    fs::remove_all(shop.mirror);
    WriteFile(shop.mirror, "no folder");
  }
  SECTION("HEAD gone") {
    fs::remove(shop.mirror / "HEAD");
  }
  SECTION("a configuration that does not parse") {
    WriteFile(shop.mirror / "config", "[[[");
  }
  SECTION("the branch names nonsense") {
    WriteFile(shop.mirror / "refs" / "heads" / "main", "nonsense\n");
  }
  SECTION("the branch names a commit that is not there") {
    WriteFile(shop.mirror / "refs" / "heads" / "main", std::string(40, 'b') + "\n");
  }
  SECTION("a folder where the branch should be") {
    fs::remove(shop.mirror / "refs" / "heads" / "main");
    fs::create_directories(shop.mirror / "refs" / "heads" / "main");
    WriteFile(shop.mirror / "refs" / "heads" / "main" / "x", head.hex + "\n");
  }
  SECTION("all objects gone") {
    fs::remove_all(shop.mirror / "objects");
    fs::create_directories(shop.mirror / "objects");
  }
  SECTION("objects emptied: noticed by the fetch or by the reader") {
    for (const fs::path& file : FilesBelow(shop.mirror / "objects", "")) {
      MakeWritable(file);
      WriteFile(file, "");
    }
    try {
      shop.Fetch();
      AllTexts(mirror, head);
    } catch (const EnvironmentError& error) {
      INFO(error.what());
    }
  }
  SECTION("one file's text gone: noticed by the reader, who marks the mirror") {
    const fs::path packs = shop.mirror / "objects" / "pack";
    fs::remove_all(packs);
    fs::create_directories(packs);
    const std::string tree = source.Git({"rev-parse", "HEAD^{tree}"});
    WriteFile(shop.folder / "wanted", head.hex + "\n" + tree);
    Run({"sh", "-c", "git -C \"$1\" pack-objects --quiet \"$2\" <\"$3\"", "sh", source.url(), (packs / "pack").string(),
         (shop.folder / "wanted").string()});
    CHECK(shop.Fetch() == head);
    CHECK_THROWS_WITH(AllTexts(mirror, head), Contains("cloned anew at the next fetch") && Contains("a.yaml"));
    CHECK(IsMarkedDamaged(shop.mirror));
  }
  SECTION("one file's text falsified: noticed by the reader") {
    const fs::path pack = FilesBelow(shop.mirror / "objects" / "pack", ".pack").at(0);
    std::string bytes = ReadFile(pack);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    MakeWritable(pack);
    WriteFile(pack, bytes);
    CHECK_THROWS_WITH(AllTexts(mirror, head), Contains("cloned anew at the next fetch"));
    CHECK(IsMarkedDamaged(shop.mirror));
  }
  SECTION("a pack cut off") {
    const fs::path pack = FilesBelow(shop.mirror / "objects" / "pack", ".pack").at(0);
    fs::resize_file(pack, fs::file_size(pack) / 2);
    try {
      shop.Fetch();
      AllTexts(mirror, head);
    } catch (const EnvironmentError& error) {
      INFO(error.what());
    }
  }

  CHECK(shop.Fetch() == head);
  CHECK(AllTexts(mirror, head) == text);
  CHECK_FALSE(IsMarkedDamaged(shop.mirror));
  CHECK(shop.BesideMirror().empty());
  source.Git({"fsck", "--strict"});
}

TEST_CASE("what a killed fetch left is cleared away by the next one") {
  Workshop shop;
  WorkTree source(shop.folder / "source");
  source.Put("a.yaml", "a: 1\n", "first");
  shop.request.url = source.url();
  shop.Fetch();
  WriteFile(fs::path(shop.mirror.string() + ".tmp-abcdef") / "repository" / "HEAD", "half");
  WriteFile(shop.mirror / "objects" / "pack" / "pack_git2_abc123", "half");
  WriteFile(shop.mirror / "refs" / "heads" / "main.lock", "");
  WriteFile(shop.mirror / "HEAD.lock", "");
  WriteFile(shop.mirror.parent_path() / "ledger.db", "not ours");

  const CommitId head = source.Put("a.yaml", "a: 2\n", "second");
  CHECK(shop.Fetch() == head);
  CHECK(shop.BesideMirror() == std::vector<std::string>{"ledger.db"});
  CHECK_FALSE(fs::exists(shop.mirror / "objects" / "pack" / "pack_git2_abc123"));
  CHECK(FilesBelow(shop.mirror, ".lock").empty());
}

TEST_CASE("a program that does not speak as the child should is an error, not a hang") {
  Workshop shop;
  shop.request.url = "/nowhere";
  auto text_of = [&](const std::string& program) -> std::string {
    try {
      GitFetcher(program).Fetch(shop.request);
    } catch (const GitFetchError& error) {
      CHECK(error.failure() == FetchFailure::kInternal);
      return error.what();
    }
    return "succeeded";
  };
  CHECK_THAT(text_of("/nonexistent"), Contains("starting"));
  CHECK_THAT(text_of("/bin/true"), Contains("ended with status 0"));
  CHECK_THAT(text_of("/bin/false"), Contains("ended with status 1"));
  CHECK_THAT(text_of("/usr/bin/yes"), Contains("too much"));
}

}  // namespace tokensync::test
