/// Texts that come from outside: endpoint, token file, claims, and what the service wrote.
#include <unistd.h>
#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "api_test_support.h"
#include "endpoint.h"
#include "errors.h"
#include "foreign_text.h"
#include "jwt_claims.h"
#include "token_file.h"

namespace tokensync {
namespace {

TEST_CASE("an endpoint is a host, a port and a path") {
  const Endpoint plain = ParseEndpoint("https://metadata.sequence.app");
  CHECK(plain.tls);
  CHECK(plain.host == "metadata.sequence.app");
  CHECK_FALSE(plain.host_is_address);
  CHECK(plain.port == 443);
  CHECK(plain.base_path.empty());
  CHECK(plain.HostHeader() == "metadata.sequence.app");
  CHECK(plain.Text() == "metadata.sequence.app:443");

  const Endpoint local = ParseEndpoint("http://[::1]:8080/a/b//");
  CHECK_FALSE(local.tls);
  CHECK(local.host == "::1");
  CHECK(local.host_is_address);
  CHECK(local.base_path == "/a/b");
  CHECK(local.HostHeader() == "[::1]:8080");

  CHECK(ParseEndpoint("http://127.0.0.1/").HostHeader() == "127.0.0.1");
  CHECK(ParseEndpoint("http://127.0.0.1:443").HostHeader() == "127.0.0.1:443");
}

TEST_CASE("what is no endpoint is refused without repeating it") {
  const std::string url =
      GENERATE(as<std::string>(), "", "metadata.sequence.app", "ftp://host", "https://", "https://user:hunter2@host",
               "https://host?hunter2=1", "https://host#x", "https://host:0", "https://host:99999999", "https://ho st",
               "https://host/%0d%0aX:1", "https://host\r\nX: 1", "https://hö.example", "file:///etc", "https://host:x");
  INFO(url);
  try {
    ParseEndpoint(url);
    FAIL("it was taken");
  } catch (const ConfigError& error) {
    CHECK(std::string(error.what()).starts_with("reading api.endpoint: "));
    CHECK(std::string(error.what()).find("hunter2") == std::string::npos);
  }
}

/// A folder that is gone at the end.
class Folder {
 public:
  Folder() {
    std::string path = (std::filesystem::temp_directory_path() / "api-test-XXXXXX").string();
    REQUIRE(::mkdtemp(path.data()) != nullptr);
    path_ = path;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::filesystem::path Write(const std::string& text) const {
    auto file = path_ / "token";
    std::ofstream(file, std::ios::binary | std::ios::trunc) << text;
    return file;
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

TEST_CASE("a token file holds one token, with or without a newline at its end") {
  const Folder folder;
  const std::string ending = GENERATE(as<std::string>(), "", "\n", "\r\n");
  const TokenFile file(folder.Write(RunToken().Reveal() + ending));
  CHECK(file.Current().Reveal() == RunToken().Reveal());
  std::ostringstream printed;
  printed << file.Current();
  CHECK(printed.str() == "***");
}

TEST_CASE("a token file that holds no token is refused by name, without its content") {
  const Folder folder;
  const std::string text = GENERATE(as<std::string>(), "", "\n", "hunter2 hunter2", "Bearer hunter2", " hunter2",
                                    "hunter2\nhunter2", "hunter2\t", "hunter2\x01", "hunter2\x7f", "hunter2é",
                                    "hunter2" + std::string(TokenFile::kBytesMax, 'x'), std::string("hunter2\0", 8));
  const auto file = folder.Write(text);
  try {
    const TokenFile taken(file);
    FAIL("it was taken");
  } catch (const ConfigError& error) {
    CHECK(std::string(error.what()).find(file.string()) != std::string::npos);
    CHECK(std::string(error.what()).find("hunter2") == std::string::npos);
  }
}

TEST_CASE("a token file of the longest length is taken") {
  const Folder folder;
  CHECK(TokenFile(folder.Write(std::string(TokenFile::kBytesMax, 'x') + "\r\n")).Current().Reveal().size() ==
        TokenFile::kBytesMax);
}

TEST_CASE("a token file that cannot be read is a configuration error that tells why") {
  const Folder folder;
  CHECK_THROWS_WITH(TokenFile(folder.path() / "none"), Catch::Contains("No such file"));
  CHECK_THROWS_WITH(TokenFile(folder.path()), Catch::Contains("regular file"));
  CHECK_THROWS_AS(TokenFile(folder.path() / "none"), ConfigError);
}

TEST_CASE("a token file that was replaced is read anew, and one that went bad leaves the token as it was") {
  const Folder folder;
  const auto path = folder.Write("first");
  TokenFile file(path);
  folder.Write("second\n");
  CHECK(file.Current().Reveal() == "first");
  file.Refresh();
  CHECK(file.Current().Reveal() == "second");
  folder.Write("");
  CHECK_THROWS_AS(file.Refresh(), EnvironmentError);
  std::filesystem::remove(path);
  CHECK_THROWS_AS(file.Refresh(), EnvironmentError);
  CHECK(file.Current().Reveal() == "second");
}

std::string Base64Url(std::string_view bytes) {
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  unsigned bits = 0;
  int count = 0;
  for (const char byte : bytes) {
    bits = (bits << 8) | static_cast<unsigned char>(byte);
    for (count += 8; count >= 6; count -= 6) text.push_back(kAlphabet[(bits >> (count - 6)) & 63]);
  }
  if (count > 0) text.push_back(kAlphabet[(bits << (6 - count)) & 63]);
  return text;
}

std::optional<JwtClaims> ClaimsOf(std::string_view payload) {
  return ReadJwtClaims(Secret("aGVhZA." + Base64Url(payload) + ".c2ln"));
}

TEST_CASE("a token's claims are read where it has them") {
  const auto claims = ClaimsOf(R"({"project":30957,"account":"0xé?>","iat":1,"exp":1800000000})");
  REQUIRE(claims);
  CHECK(claims->project == 30957);
  CHECK(claims->expires == TimePoint(std::chrono::seconds(1'800'000'000)));
  CHECK(ClaimsOf(R"({"project":"30957"})")->project == 30957);
  for (const char* payload :
       {R"({})", R"({"project":-1,"exp":-1})", R"({"project":1.5,"exp":"soon"})", R"({"project":"x","exp":1e300})",
        R"({"project":null,"exp":null})", R"({"project":1e17})"}) {
    const auto empty = ClaimsOf(payload);
    REQUIRE(empty);
    CHECK_FALSE(empty->project);
    CHECK_FALSE(empty->expires);
  }
}

TEST_CASE("a token that is no JWT has no claims") {
  CHECK_FALSE(ClaimsOf("[]"));
  CHECK_FALSE(ClaimsOf("no json"));
  for (const char* token : {"", "opaque", "a.b", "a.!.c", "..", "a..c"}) CHECK_FALSE(ReadJwtClaims(Secret(token)));
}

TEST_CASE("a foreign text becomes one printable line") {
  const ForeignText foreign{Secret()};
  CHECK(foreign.Clean("plain é 😀") == "plain é 😀");
  CHECK(foreign.Clean("a\nb\r\tc") == "a\\nb\\r\\tc");
  CHECK(foreign.Clean(std::string_view("\0\x1b\x7f", 3)) == "\\u0000\\u001b\\u007f");
  CHECK(foreign.Clean("\xC2\x85\xE2\x80\xA8\xE2\x80\xAE") == "\\u0085\\u2028\\u202e");
  CHECK(foreign.Clean("a\xFF\xC3") == "a\xEF\xBF\xBD\xEF\xBF\xBD");
  CHECK(foreign.Clean(std::string(500, 'x')) == std::string(500, 'x'));
  CHECK(foreign.Clean(std::string(501, 'x')) == std::string(500, 'x') + "…");
}

TEST_CASE("a secret that straddles the cut is hidden") {
  const ForeignText foreign(RunToken());
  const std::string clean = foreign.Clean(std::string(490, 'x') + RunToken().Reveal());
  CHECK(clean == std::string(490, 'x') + "***");
}

TEST_CASE("short parts of a token are not searched for, since they hide ordinary words") {
  const ForeignText foreign(Secret("not.found." + std::string(20, 'q')));
  CHECK(foreign.Clean("the token was not found") == "the token was not found");
}

}  // namespace
}  // namespace tokensync
