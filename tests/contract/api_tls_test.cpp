/// Whom the HTTP adapter talks to over TLS: the right service, and nobody else.
#include <fmt/format.h>
#include <catch2/catch.hpp>

#include <fstream>

#include "api_test_certificates.h"
#include "api_test_support.h"
#include "errors.h"
#include "standin_server.h"

namespace tokensync {
namespace {

standin::StandinOptions ServedBy(const TestAuthority::ServerFiles& files) {
  standin::StandinOptions options;
  options.tls_certificate_file = files.certificate.string();
  options.tls_key_file = files.key.string();
  options.bearer = RunToken().Reveal();
  return options;
}

HttpApiOptions Trusting(const TestAuthority& authority) {
  HttpApiOptions options;
  options.ca_file = authority.ca_file();
  return options;
}

TEST_CASE("a service with the right certificate is spoken to, by address and by name") {
  TestAuthority authority;
  standin::StandinServer server(ServedBy(authority.Issue()));
  SetClock clock;
  const std::string host = GENERATE(as<std::string>(), "127.0.0.1", "localhost");
  const auto api = ApiFor(fmt::format("https://{}:{}", host, server.port()), clock, Trusting(authority));
  for (const std::string id : {"1", "2", "3"}) {
    const Completion create = api->Perform(CreateCall(id));
    INFO(create.answer.message);
    CHECK(NameOf(create.created) == "created");
    CHECK(NameOf(api->Perform(ReadCall(id)).read) == "found");
  }
  CHECK(server.counts().connections == 1);
  CHECK(server.counts().creates_applied == 3);
}

TEST_CASE("a TLS connection that the service closed while idle is replaced") {
  TestAuthority authority;
  standin::StandinServer server(ServedBy(authority.Issue()));
  SetClock clock;
  const auto api = ApiFor(server.url(), clock, Trusting(authority));
  CHECK(NameOf(api->Perform(CreateCall("1")).created) == "created");
  server.CutAllConnections();
  CHECK(NameOf(api->Perform(CreateCall("2")).created) == "created");
  CHECK(server.counts().creates_applied == 2);
  CHECK(server.counts().connections == 2);
}

TEST_CASE("a service with a wrong certificate is sent nothing, and the reason is told") {
  TestAuthority authority;
  TestAuthority stranger;
  struct Case {
    TestAuthority::ServerFiles files;
    const char* host;
    const char* reason;
  };
  const std::vector<Case> cases = {
      {stranger.Issue(), "127.0.0.1", "unable to get local issuer certificate"},
      {authority.Issue({.subject_alternatives = "DNS:localhost", .expired = true}), "localhost", "expired"},
      {authority.Issue({.subject_alternatives = "DNS:metadata.example"}), "localhost", "ostname mismatch"},
      {authority.Issue({.subject_alternatives = "DNS:localhost"}), "127.0.0.1", "IP address mismatch"},
      {authority.Issue({.subject_alternatives = "IP:127.0.0.2"}), "127.0.0.1", "IP address mismatch"},
      // A name that only looks like the address.
      {authority.Issue({.subject_alternatives = "DNS:127.0.0.1"}), "127.0.0.1", "IP address mismatch"},
  };
  for (const Case& wrong : cases) {
    INFO(wrong.reason);
    standin::StandinServer server(ServedBy(wrong.files));
    SetClock clock;
    const auto api = ApiFor(fmt::format("https://{}:{}", wrong.host, server.port()), clock, Trusting(authority));
    const Completion create = api->Perform(CreateCall("1"));
    CHECK(NameOf(create.created) == "not-sent");
    CHECK_THAT(create.answer.message, Catch::Contains("certificate is refused") && Catch::Contains(wrong.reason));
    CHECK(NameOf(api->Perform(ReadCall("1")).read) == "reading-failed");
    CHECK(server.counts().calls.empty());
  }
}

TEST_CASE("a self-made authority is trusted only where the configuration names it") {
  TestAuthority authority;
  standin::StandinServer server(ServedBy(authority.Issue()));
  SetClock clock;
  CHECK(NameOf(ApiFor(server.url(), clock)->Perform(CreateCall("1")).created) == "not-sent");
  CHECK(server.counts().calls.empty());
}

TEST_CASE("plain HTTP towards a TLS service creates nothing") {
  TestAuthority authority;
  standin::StandinServer server(ServedBy(authority.Issue()));
  SetClock clock;
  HttpApiOptions options;
  options.timeout = std::chrono::seconds(3);
  const auto api = ApiFor(fmt::format("http://127.0.0.1:{}", server.port()), clock, options);
  const std::string outcome = NameOf(api->Perform(CreateCall("1")).created);
  CHECK(outcome == "unknown");
  CHECK(server.counts().tokens == 0);
}

TEST_CASE("trust anchors that cannot be used are a configuration error that names the file") {
  const TestAuthority authority;
  const auto empty = authority.folder() / "empty.pem";
  std::ofstream(empty) << "no certificate\n";
  SetClock clock;
  for (const auto& file : {empty, authority.folder() / "none.pem", authority.folder()}) {
    HttpApiOptions options;
    options.ca_file = file;
    CHECK_THROWS_AS(ApiFor("https://127.0.0.1:1", clock, options), ConfigError);
    CHECK_THROWS_WITH(ApiFor("https://127.0.0.1:1", clock, options), Catch::Contains(file.string()));
  }
}

}  // namespace
}  // namespace tokensync
