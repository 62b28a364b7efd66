/// Following tags: which one, of whatever kind, and what the mirror knows then.
#include <catch2/catch.hpp>

#include "git_servers.h"
#include "git_workshop.h"

namespace tokensync::test {

namespace fs = std::filesystem;
using Catch::Matchers::Contains;
using Kind = SourceRef::Kind;

namespace {

/// A source that is fetched from its folder, or over http.
class TagShop : public Workshop {
 public:
  WorkTree source{folder / "repositories" / "source"};

  void Serve(bool by_http) {
    request.url = source.url();
    if (!by_http) return;
    server_ = std::make_unique<HttpsServer>(folder / "https", folder / "repositories", elsewhere_.port());
    request.url = server_->PlainUrl("/open/source/.git");
  }
  void Follow(Kind kind, const std::string& text) { request.ref = {kind, text}; }
  /// A new commit, and a tag of it with a message of its own.
  CommitId Release(const std::string& tag) {
    const CommitId commit = source.Put("a.yaml", tag + "\n", "for " + tag);
    source.Git({"tag", "--annotate", "--message=" + tag, tag});
    return commit;
  }

 private:
  SilentPeer elsewhere_;
  std::unique_ptr<HttpsServer> server_;
};

}  // namespace

TEST_CASE("the highest version within a range is followed, whatever kind of tag it is") {
  TagShop shop;
  WorkTree& source = shop.source;
  const CommitId light = source.Put("a.yaml", "a: 1\n", "first");
  source.Git({"tag", "1.0.0"});
  const CommitId annotated = shop.Release("v1.9.0");
  shop.Release("v1.10.0-rc.1");
  const CommitId nested = shop.Release("inner");
  source.Git({"tag", "--annotate", "--message=of a tag", "v2.0.0", "inner"});
  source.Git({"tag", "--annotate", "--message=of a tag of a tag", "v2.0.1", "v2.0.0"});
  shop.Serve(GENERATE(false, true));
  GitMirror mirror(shop.mirror);

  shop.Follow(Kind::kSemver, "1.0.x");
  CHECK(shop.Fetch() == light);
  shop.Follow(Kind::kSemver, "^1");
  CHECK(shop.Fetch() == annotated);
  CHECK(shop.Fetch() == annotated);
  CHECK(mirror.Resolve("HEAD") == annotated);
  CHECK(mirror.Resolve("v1.9.0") == annotated);
  CHECK(mirror.Resolve("1.0.0") == light);
  CHECK(mirror.Tree(annotated, ".")->List().size() == 1);
  shop.Follow(Kind::kSemver, ">=2.0.0 <3");
  CHECK(shop.Fetch() == nested);
  CHECK(mirror.Resolve("HEAD") == nested);
  CHECK(mirror.Resolve("v2.0.1") == nested);

  // A new tag, also of an old commit; one that moved; one that went.
  shop.Follow(Kind::kSemver, "^1");
  const CommitId newer = shop.Release("v1.10.0");
  CHECK(shop.Fetch() == newer);
  CHECK(mirror.Descends(newer, annotated));
  const std::string tag_object = source.Git({"rev-parse", "v1.10.0"});
  CHECK_FALSE(mirror.Descends(newer, CommitId{tag_object.substr(0, 40)}));
  source.Git({"tag", "--annotate", "--message=back", "v1.11.0", annotated.hex});
  CHECK(shop.Fetch() == annotated);
  CHECK(mirror.Resolve("v1.11.0") == annotated);
  const CommitId moved = source.Put("a.yaml", "a: 9\n", "moved to");
  source.Git({"tag", "--force", "v1.11.0"});
  CHECK(shop.Fetch() == moved);
  CHECK(mirror.Resolve("v1.11.0") == moved);
  source.Git({"tag", "--delete", "v1.11.0"});
  CHECK(shop.Fetch() == newer);
  CHECK_FALSE(mirror.Descends(newer, moved));
  CHECK_THROWS_AS(mirror.Resolve("v1.11.0"), EnvironmentError);
  CHECK(mirror.Resolve("v1.9.0") == annotated);
  CHECK(mirror.Resolve("HEAD") == newer);
  Run({"git", "--git-dir=" + shop.mirror.string(), "fsck", "--strict"}, {{"GIT_CONFIG_NOSYSTEM", "1"}});
  CHECK(shop.BesideMirror().empty());
}

TEST_CASE("of the tags that match a pattern, the last by git's own version order is followed") {
  TagShop shop;
  CommitId commit;
  for (const char* tag :
       {"release-2", "release-10", "release-9.1", "release-10-a", "release-010", "release/11", "x-99"}) {
    commit = shop.Release(tag);
  }
  shop.Serve(false);
  for (const std::string pattern : {"release-*", "release*", "release-?", "*-[0-9]*", "*"}) {
    CAPTURE(pattern);
    shop.Follow(Kind::kTag, pattern);
    const CommitId head = shop.Fetch();
    const std::string sorted = shop.source.Git({"tag", "--list", "--sort=-version:refname", pattern});
    const std::string newest = sorted.substr(0, sorted.find('\n'));
    CHECK(head.hex + "\n" == shop.source.Git({"rev-parse", newest + "^{commit}"}));
  }
}

TEST_CASE("a tag that cannot be followed is an error that says what there is") {
  TagShop shop;
  const bool by_http = GENERATE(false, true);
  SECTION("an empty repository") {
    shop.Serve(by_http);
    shop.Follow(Kind::kTag, "v*");
    const GitFetchError error = shop.FetchFails();
    CHECK(error.failure() == FetchFailure::kEmpty);
    CHECK_THAT(error.what(), Contains("fetching tags 'v*' of ") && Contains("source.ref"));
  }
  SECTION("no tag at all, none that matches, and none that leads to a commit") {
    shop.source.Put("a.yaml", "a: 1\n", "first");
    shop.Serve(by_http);
    shop.Follow(Kind::kSemver, "^2");
    CHECK_THAT(shop.FetchFails().what(), Contains("no tag at all"));
    for (int i = 1; i < 12; ++i) shop.source.Git({"tag", "v1." + std::to_string(i) + ".0"});
    GitFetchError error = shop.FetchFails();
    CHECK(error.failure() == FetchFailure::kNoBranch);
    CHECK_THAT(error.what(), Contains("fetching versions '^2'") && Contains("it has 'v1.11.0', 'v1.10.0', 'v1.9.0'") &&
                                 Contains("and 3 more"));
    shop.source.Git({"tag", "v2.0.0", "HEAD:a.yaml"});
    shop.source.Git({"tag", "--annotate", "--message=of a tree", "v2.1.0", "HEAD^{tree}"});
    error = shop.FetchFails();
    CHECK(error.failure() == FetchFailure::kUnusable);
    CHECK_THAT(error.what(), Contains("refs/tags/v2.1.0 leads to a tree, not to a commit"));
    shop.source.Git({"tag", "--delete", "v2.1.0"});
    CHECK_THAT(shop.FetchFails().what(), Contains("refs/tags/v2.0.0 leads to a blob"));
  }
  SECTION("a range that is none") {
    shop.Serve(false);
    shop.Follow(Kind::kSemver, "latest");
    const GitFetchError error = shop.FetchFails();
    CHECK(error.failure() == FetchFailure::kUnusable);
    CHECK_THAT(error.what(), Contains("'latest' is no version"));
  }
}

TEST_CASE("what is followed may change, and names that the source no longer has lead nowhere") {
  TagShop shop;
  const CommitId tagged = shop.Release("v1.0.0");
  shop.source.Git({"branch", "a"});
  const CommitId head = shop.source.Put("b.yaml", "b: 1\n", "after the tag");
  shop.Serve(false);
  GitMirror mirror(shop.mirror);
  CHECK(shop.Fetch() == head);
  shop.Follow(Kind::kTag, "*");
  CHECK(shop.Fetch() == tagged);
  CHECK(mirror.Resolve("HEAD") == tagged);
  CHECK(mirror.Resolve("main") == head);
  shop.Follow(Kind::kBranch, "a");
  CHECK(shop.Fetch() == tagged);
  // A branch in the place of a folder of branches.
  shop.source.Git({"branch", "--move", "a", "a/b"});
  shop.Follow(Kind::kBranch, "a/b");
  CHECK(shop.Fetch() == tagged);
  CHECK_THROWS_AS(mirror.Resolve("a"), EnvironmentError);
  shop.source.Git({"commit", "--quiet", "--amend", "--message=another"});
  CHECK(shop.Fetch() == tagged);
  CHECK_THROWS_AS(mirror.Resolve("main"), EnvironmentError);
  CHECK(mirror.Resolve("HEAD") == tagged);
  CHECK(shop.BesideMirror().empty());
}

}  // namespace tokensync::test
