/// URLs, foreign text, signatures in commits, and what parent and child say to each other.
#include <catch2/catch.hpp>
#include <filesystem>

#include "git_fetch_protocol.h"
#include "git_signed_text.h"
#include "git_source.h"
#include "git_text.h"

namespace tokensync::test {

using Catch::Matchers::Contains;

TEST_CASE("a URL says which transport, address, user and host are meant") {
  struct Row {
    std::string url;
    SourceKind kind;
    std::string address;
    std::string user;
    std::string host;
    int port;
  };
  const std::string here = std::filesystem::current_path().lexically_normal().string();
  const Row row = GENERATE_COPY(Row{"https://git.example.com/a/b.git", SourceKind::kHttps,
                                    "https://git.example.com/a/b.git", "git", "git.example.com", 0},
                                Row{"https://me%40corp@git.example.com:8443/b.git", SourceKind::kHttps,
                                    "https://git.example.com:8443/b.git", "me@corp", "git.example.com", 8443},
                                Row{"http://[::1]:80/b", SourceKind::kHttp, "http://[::1]:80/b", "git", "::1", 80},
                                Row{"ssh://h/b.git", SourceKind::kSsh, "ssh://git@h/b.git", "git", "h", 0},
                                Row{"ssh://me@h:2222/~/b", SourceKind::kSsh, "ssh://me@h:2222/~/b", "me", "h", 2222},
                                Row{"me@h:b.git", SourceKind::kSsh, "me@h:b.git", "me", "h", 0},
                                Row{"h:dir/b.git", SourceKind::kSsh, "git@h:dir/b.git", "git", "h", 0},
                                Row{"/srv/git/b.git/", SourceKind::kLocal, "/srv/git/b.git", "", "", 0},
                                Row{"./a:b", SourceKind::kLocal, here + "/a:b", "", "", 0},
                                Row{"b", SourceKind::kLocal, here + "/b", "", "", 0},
                                Row{"file:///srv/my%20git", SourceKind::kLocal, "/srv/my git", "", "", 0},
                                Row{"file://localhost/srv", SourceKind::kLocal, "/srv", "", "", 0});
  CAPTURE(row.url);
  const GitSource source = ParseSource(row.url, "");
  CHECK(source.kind == row.kind);
  CHECK(source.address == row.address);
  CHECK(source.username == row.user);
  CHECK(source.host == row.host);
  CHECK(source.port == row.port);
}

TEST_CASE("the configured user counts where the URL names none") {
  CHECK(ParseSource("https://h/b", "deploy").username == "deploy");
  CHECK(ParseSource("https://me@h/b", "deploy").username == "me");
}

TEST_CASE("a URL that cannot be used is refused with what to write instead") {
  const std::string url = GENERATE("", "ftp://h/b", "git://h/b", "https://", "https://h", "https:///b", "ssh://h/",
                                   "file://h/b", "file://", "h:", "me@:b", "https://me:word@h/b", "me:word@h:b");
  CAPTURE(url);
  try {
    ParseSource(url, "");
    FAIL("taken");
  } catch (const FetchStop& stop) {
    CHECK(stop.failure == FetchFailure::kUnusable);
    CHECK_THAT(stop.what(), !Contains("word@") && !Contains(":word"));
  }
}

TEST_CASE("a URL is shown without its password") {
  CHECK(ShownUrl("https://me:word@h:1/b@c") == "https://me:***@h:1/b@c");
  CHECK(ShownUrl("https://me:wo@rd@h/b") == "https://me:***@h/b");
  CHECK(ShownUrl("me:word@h:b") == "me:***@h:b");
  for (const std::string url : {"https://me@h:1/b", "https://h:1/b@c", "me@h:b", "/srv/a@b:c", "x"}) {
    CHECK(ShownUrl(url) == url);
  }
}

TEST_CASE("foreign text becomes one harmless line of UTF-8") {
  CHECK(CleanText("  plain  ", 100) == "plain");
  CHECK(CleanText("a\nb\x1b[0m\x7f", 100) == "a b [0m");
  CHECK(CleanText("\xc3\xa4\xff\xc3", 100) == "\xc3\xa4\xef\xbf\xbd\xef\xbf\xbd");
  CHECK(CleanText("\xed\xa0\x80", 100) == "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");
  CHECK(CleanText("\xc0\xaf", 100) == "\xef\xbf\xbd\xef\xbf\xbd");
  CHECK(CleanText("\xc2\x9b!\xe2\x80\xae", 100) == "!");
  CHECK(CleanText("a\xc3\xa4", 2) == "a");
  CHECK(IsUtf8("\xf0\x9f\x90\x89"));
  CHECK_FALSE(IsUtf8("\xf5\x80\x80\x80"));
}

TEST_CASE("a commit is its signature and what was signed, as git takes it apart") {
  const std::string head = "tree 1\nparent 2\nauthor a\ncommitter c\n";
  const std::string signature = "-----BEGIN X-----\n\nabc\n-----END X-----\n";
  const std::string header = "gpgsig -----BEGIN X-----\n \n abc\n -----END X-----\n";
  const std::string message = "\nsubject\n\nbody\n";
  SignedText text = SplitSignature(head + header + message);
  CHECK(text.signature == signature);
  CHECK(text.signed_data == head + message);

  // Other headers, continued ones too, are signed; what looks like a signature in the message is message. A signature
  // for another hash is neither.
  const std::string more = "mergetag object 3\n gpgsig x\n";
  const std::string other = "gpgsig-sha256 y\n z\n";
  const std::string quoting = message + header + " tail" + std::string("\0tail", 5);
  text = SplitSignature(head + more + other + header + "encoding e\n" + quoting);
  CHECK(text.signature == signature);
  CHECK(text.signed_data == head + more + "encoding e\n" + quoting);

  for (const std::string& unsigned_commit :
       {std::string(), head, head + message, head + quoting, head + header + header + message,
        head + header + "encoding e\n" + header + message, head + "gpgsig\n" + message, header.substr(7) + message}) {
    CAPTURE(unsigned_commit);
    CHECK(SplitSignature(unsigned_commit).signature.empty());
    CHECK(SplitSignature(unsigned_commit).signed_data.empty());
  }
  CHECK(SplitSignature(head + "gpgsig x").signature == "x");
}

TEST_CASE("a request and its replies survive the way") {
  ChildRequest request;
  request.parent = 4711;
  request.fetch.mirror = "/var/lib/x/mirror.git";
  request.fetch.url = "https://h/\"b\"";
  request.fetch.ref = {SourceRef::Kind::kTag, "m\xc3\xa4in-*"};
  request.fetch.proxy = "http://h:1";
  request.fetch.username = "u";
  request.fetch.password = Secret("p\n\\");
  request.fetch.ssh_key_file = "/k";
  request.fetch.known_hosts_file = "/h";
  request.fetch.ca_file = "/c";
  request.fetch.timeout = std::chrono::milliseconds(1234);
  const ChildRequest back = ReadRequest(WriteRequest(request));
  CHECK(back.parent == 4711);
  CHECK(back.fetch.mirror == request.fetch.mirror);
  CHECK(back.fetch.url == request.fetch.url);
  CHECK(back.fetch.ref == request.fetch.ref);
  CHECK(back.fetch.proxy == "http://h:1");
  CHECK(back.fetch.username == "u");
  CHECK(back.fetch.password.Reveal() == "p\n\\");
  CHECK(back.fetch.ssh_key_file == "/k");
  CHECK(back.fetch.known_hosts_file == "/h");
  CHECK(back.fetch.ca_file == "/c");
  CHECK(back.fetch.timeout == request.fetch.timeout);

  CHECK(std::get<FetchPhase>(*ReadReply(WriteReply(FetchPhase{"connecting"}))).doing == "connecting");
  CHECK(std::get<FetchDone>(*ReadReply(WriteReply(FetchDone{CommitId{"abc"}}))).head.hex == "abc");
  const auto failed = std::get<FetchFailed>(*ReadReply(WriteReply(FetchFailed{FetchFailure::kNoBranch, "why\n"})));
  CHECK(failed.failure == FetchFailure::kNoBranch);
  CHECK(failed.text == "why");
  CHECK_FALSE(ReadReply("{}"));
  CHECK_FALSE(ReadReply("nonsense"));
}

TEST_CASE("a request that is no JSON, not UTF-8, or too long is refused") {
  CHECK_THROWS_AS(ReadRequest(""), FetchStop);
  CHECK_THROWS_AS(ReadRequest("{\"url\":1}"), FetchStop);
  ChildRequest request;
  request.fetch.password = Secret("\xff");
  CHECK_THROWS_WITH(WriteRequest(request), Contains("password"));
  request.fetch.password = Secret(std::string(70'000, 'x'));
  CHECK_THROWS_WITH(WriteRequest(request), Contains("too long"));
}

}  // namespace tokensync::test
