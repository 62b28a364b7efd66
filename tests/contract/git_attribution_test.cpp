/// Who brought a manifest's present text.
#include <catch2/catch.hpp>

#include "git_workshop.h"

namespace tokensync::test {

namespace {

using Manifests = std::vector<std::shared_ptr<const Manifest>>;

std::shared_ptr<const Manifest> File(const std::string& path, std::vector<std::string> inherited = {}) {
  return std::make_shared<Manifest>(Manifest{path, "", std::move(inherited)});
}

class History : public Workshop {
 public:
  History() : source(folder / "source") { request.url = source.url(); }
  std::vector<Provenance> Attribute(GitMirror& reader, const Manifests& manifests, const std::string& below = ".") {
    return reader.Attribute(Fetch(), below, manifests);
  }
  /// Which commit a single path is attributed to, by a reader without memory.
  CommitId Of(const std::string& path) {
    GitMirror reader(mirror);
    return Attribute(reader, {File(path)}).at(0).commit->id;
  }
  WorkTree source;
};

std::vector<std::string> Subjects(const std::vector<Provenance>& all) {
  std::vector<std::string> subjects;
  for (const Provenance& one : all) subjects.push_back(one.commit->subject);
  return subjects;
}

std::vector<std::uint32_t> Ranks(const std::vector<Provenance>& all) {
  std::vector<std::uint32_t> ranks;
  for (const Provenance& one : all) ranks.push_back(one.age_rank);
  return ranks;
}

using Texts = std::vector<std::string>;
using Numbers = std::vector<std::uint32_t>;

}  // namespace

TEST_CASE("each file is attributed to the commit that brought its present text, nearest first") {
  History h;
  h.source.Write("old.yaml", "1");
  h.source.Write("also-old.yaml", "1");
  h.source.Put("dir/x.yaml", "1", "one");
  h.source.Put("dir/x.yaml", "2", "two");
  h.source.Put("unrelated.txt", "", "three");
  const CommitId four = h.source.Put("new.yaml", "1", "four");
  h.source.Put("unrelated.txt", "more", "five");

  GitMirror reader(h.mirror);
  const auto all = h.Attribute(reader, {File("old.yaml"), File("new.yaml"), File("dir/x.yaml"), File("also-old.yaml")});
  CHECK(Subjects(all) == Texts{"one", "four", "two", "one"});
  CHECK(Ranks(all) == Numbers{2, 0, 1, 2});
  CHECK(all[0].commit == all[3].commit);
  CHECK(all[1].commit->id == four);
  CHECK(all[1].commit->author == "Ada Maker <maker@example.com>");
  CHECK(all[1].commit->time == TimePoint(std::chrono::seconds(1'700'000'240)));
  CHECK(reader.Attribute(four, ".", Manifests{}).empty());
}

TEST_CASE("a rename, a revert and a change of mode: by the text at the path") {
  History h;
  const CommitId first = h.source.Put("a.yaml", "1", "first");
  h.source.Put("a.yaml", "2", "change");
  const CommitId reverted = h.source.Put("a.yaml", "1", "revert");
  CHECK(h.Of("a.yaml") == reverted);

  h.source.Git({"mv", "a.yaml", "b.yaml"});
  const CommitId renamed = h.source.Commit("rename");
  CHECK(h.Of("b.yaml") == renamed);

  std::filesystem::permissions(h.source.path() / "b.yaml", std::filesystem::perms::owner_all);
  h.source.Commit("make it executable");
  CHECK(h.Of("b.yaml") == renamed);
}

TEST_CASE("a file that becomes a folder, and a folder that becomes a file") {
  History h;
  h.source.Put("a", "1", "file");
  h.source.Git({"rm", "--quiet", "a"});
  const CommitId folder = h.source.Put("a/b.yaml", "1", "folder");
  CHECK(h.Of("a/b.yaml") == folder);
  h.source.Git({"rm", "--quiet", "-r", "a"});
  const CommitId file = h.source.Put("a", "1", "file again");
  CHECK(h.Of("a") == file);
}

TEST_CASE("a merge brings only what none of its parents has") {
  History h;
  h.source.Write("base.yaml", "1");
  h.source.Put("both.yaml", "1\n2\n3\n4\n5\n6\n7\n8\n9\n", "base");
  h.source.Git({"checkout", "--quiet", "-b", "side"});
  h.source.Put("side.yaml", "1", "side");
  h.source.Put("both.yaml", "one\n2\n3\n4\n5\n6\n7\n8\n9\n", "side edits both");
  h.source.Git({"checkout", "--quiet", "main"});
  h.source.Put("main.yaml", "1", "main");
  h.source.Put("both.yaml", "1\n2\n3\n4\n5\n6\n7\n8\nnine\n", "main edits both");
  h.source.Git({"merge", "--quiet", "--no-edit", "--no-ff", "-m", "merge", "side"});
  h.source.Put("after.yaml", "1", "after");

  GitMirror reader(h.mirror);
  const auto all = h.Attribute(
      reader, {File("base.yaml"), File("side.yaml"), File("main.yaml"), File("both.yaml"), File("after.yaml")});
  CHECK(Subjects(all) == Texts{"base", "side", "main", "merge", "after"});
  CHECK(all[4].age_rank == 0);
  CHECK(all[3].age_rank == 1);
  CHECK(all[0].age_rank == 4);
}

TEST_CASE("a change of an inherited file counts as a change of the manifests below it") {
  History h;
  h.source.Write("game/collection.yaml", "projectId: 1");
  h.source.Write("game/a/collection.yaml", "private: true");
  h.source.Write("game/a/x.yaml", "1");
  h.source.Put("game/b.yaml", "1", "first");
  h.source.Put("game/a/collection.yaml", "private: false", "inner");
  h.source.Put("game/b.yaml", "2", "own");

  const Manifests manifests{File("a/x.yaml", {"a/collection.yaml", "collection.yaml"}),
                            File("b.yaml", {"collection.yaml"})};
  GitMirror reader(h.mirror);
  CHECK(Subjects(h.Attribute(reader, manifests, "game/")) == Texts{"inner", "own"});
  h.source.Put("game/collection.yaml", "projectId: 2", "outer");
  const auto all = h.Attribute(reader, manifests, "./game");
  CHECK(Subjects(all) == Texts{"outer", "outer"});
  CHECK(Ranks(all) == Numbers{0, 0});
}

TEST_CASE("what is remembered gives the same answers as a new walk, whatever is pushed") {
  History h;
  Manifests manifests;
  for (int i = 0; i < 12; ++i) {
    const std::string path = (i % 2 == 0 ? "even/" : "") + std::to_string(i) + ".yaml";
    h.source.Put(path, "0", "make " + std::to_string(i));
    manifests.push_back(File(path));
  }
  GitMirror with_memory(h.mirror);
  auto same_as_new = [&](const Manifests& asked) {
    const CommitId head = h.Fetch();
    GitMirror without(h.mirror);
    const auto expected = without.Attribute(head, ".", asked);
    const auto actual = with_memory.Attribute(head, ".", asked);
    CHECK(Subjects(actual) == Subjects(expected));
    CHECK(Ranks(actual) == Ranks(expected));
  };
  same_as_new({manifests[3]});
  same_as_new(manifests);
  same_as_new({manifests[7], manifests[2]});
  h.source.Put("3.yaml", "1", "change 3");
  same_as_new(manifests);
  h.source.Put("3.yaml", "0", "revert 3");
  same_as_new({manifests[3], manifests[0]});
  h.source.Git({"checkout", "--quiet", "-b", "side", "HEAD~6"});
  h.source.Put("even/2.yaml", "side", "side 2");
  h.source.Git({"checkout", "--quiet", "main"});
  h.source.Put("5.yaml", "1", "main 5");
  same_as_new(manifests);
  h.source.Git({"merge", "--quiet", "-m", "merge", "side"});
  same_as_new(manifests);
  h.source.Git({"reset", "--quiet", "--hard", "HEAD~3"});
  h.source.Put("1.yaml", "forced", "forced");
  same_as_new(manifests);
}

TEST_CASE("many commits of one second keep their order") {
  History h;
  Manifests manifests;
  h.source.Put("start", "", "start");
  for (int i = 0; i < 5; ++i) {
    const std::string path = std::to_string(i) + ".yaml";
    h.source.Write(path, "1");
    h.source.Git({"add", "--all"});
    h.source.Git({"commit", "--quiet", "-m", path});
    manifests.push_back(File(path));
  }
  GitMirror reader(h.mirror);
  CHECK(Ranks(h.Attribute(reader, manifests)) == Numbers{4, 3, 2, 1, 0});
}

TEST_CASE("beyond the limit of the walk the oldest commit that was looked at stands in") {
  History h;
  h.source.Put("old.yaml", "1", "one");
  h.source.Put("mid.yaml", "1", "two");
  h.source.Put("x", "1", "three");
  h.source.Put("new.yaml", "1", "four");
  GitMirror reader(h.mirror, {}, WalkLimits{2, std::chrono::seconds(20)});
  const auto all = h.Attribute(reader, {File("old.yaml"), File("mid.yaml"), File("new.yaml")});
  CHECK(Subjects(all) == Texts{"three", "three", "four"});
  CHECK(Ranks(all) == Numbers{1, 1, 0});

  GitMirror hasty(h.mirror, {}, WalkLimits{50'000, std::chrono::seconds(0)});
  CHECK(Subjects(h.Attribute(hasty, {File("old.yaml")})) == Texts{"four"});
}

TEST_CASE("a path that the commit does not hold is attributed to the commit itself") {
  History h;
  h.source.Put("a.yaml", "1", "one");
  h.source.Put("x", "1", "two");
  GitMirror reader(h.mirror);
  CHECK(Subjects(h.Attribute(reader, {File("nowhere/b.yaml"), File("a.yaml")})) == Texts{"two", "one"});
}

TEST_CASE("an author and a subject that are not UTF-8, or steer a terminal, are made harmless") {
  History h;
  h.source.SetAuthor("J\xf6rg \x1b[31mRed");
  h.source.Git({"config", "i18n.commitEncoding", "ISO-8859-1"});
  h.source.Put("a.yaml", "1", "gr\xfc\xdf\x07" + std::string(500, 'x') + "\n\nbody");
  GitMirror reader(h.mirror);
  const auto all = h.Attribute(reader, {File("a.yaml")});
  CHECK(all[0].commit->author == "J\xef\xbf\xbdrg  [31mRed <maker@example.com>");
  CHECK(all[0].commit->subject.size() <= 200);
  CHECK(all[0].commit->subject.rfind("gr\xef\xbf\xbd\xef\xbf\xbd x", 0) == 0);
}

TEST_CASE("ten thousand manifests over a few hundred commits are attributed quickly, and again at once") {
  History h;
  Manifests manifests;
  for (int i = 0; i < 10'000; ++i) {
    const std::string path = "d" + std::to_string(i % 100) + "/" + std::to_string(i) + ".yaml";
    h.source.Write(path, std::to_string(i));
    manifests.push_back(File(path));
  }
  h.source.Commit("all");
  std::string script;
  for (int i = 0; i < 300; ++i) {
    const std::string mark = std::to_string(i);
    script += "commit refs/heads/main\ncommitter C <c@example.com> " + std::to_string(1'700'001'000 + i) +
              " +0000\ndata " + std::to_string(mark.size()) + "\n" + mark + "\n" +
              (i == 0 ? "from refs/heads/main^0\n" : "") + "M 100644 inline d" + std::to_string(i % 100) + "/" + mark +
              ".yaml\ndata 1\nx\n";
  }
  WriteFile(h.folder / "script", script);
  Run({"sh", "-c", "git -C \"$1\" fast-import --quiet <\"$2\"", "sh", h.source.url(), (h.folder / "script").string()});
  const CommitId head = h.Fetch();

  GitMirror reader(h.mirror);
  auto begin = std::chrono::steady_clock::now();
  auto took = [&] {
    const auto now = std::chrono::steady_clock::now();
    const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now - begin);
    begin = now;
    return ms;
  };
  const auto all = reader.Attribute(head, ".", manifests);
  const auto first = took();
  CHECK(all[0].commit->subject == "0");
  CHECK(all[299].commit->subject == "299");
  CHECK(all[299].age_rank == 0);
  CHECK(all[9'999].commit->subject == "all");
  took();
  reader.Attribute(head, ".", manifests);
  const auto again = took();
  CAPTURE(first.count(), again.count());
  CHECK(first < std::chrono::seconds(10));
  CHECK(again < std::chrono::seconds(2));
}

}  // namespace tokensync::test
