/// The stand-in's endpoint for scripts, TLS, and the program standin-metadata.
#include <Poco/Net/Context.h>
#include <Poco/Net/HTTPRequest.h>
#include <Poco/Net/HTTPResponse.h>
#include <Poco/Net/HTTPSClientSession.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "raw_http.h"
#include "standin_server.h"

namespace tokensync::standin {
namespace {

using Catch::Contains;
using Clock = std::chrono::steady_clock;
namespace fs = std::filesystem;

constexpr std::chrono::seconds kLong{20};

/// A folder that goes with the test.
class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "standin-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~Folder() { fs::remove_all(path_); }
  std::string File(const std::string& name) const { return (path_ / name).string(); }

 private:
  fs::path path_;
};

std::string Contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A certificate for 127.0.0.1 that signs itself.
void MakeCertificate(const Folder& folder) {
  const std::string command =
      "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test " +
      std::string("-addext subjectAltName=IP:127.0.0.1 -keyout ") + folder.File("key.pem") + " -out " +
      folder.File("cert.pem") + " 2>/dev/null";
  REQUIRE(std::system(command.c_str()) == 0);
}

/// POST over TLS with verification, by Poco's client. The status, and the body in `body`.
int SecurePost(std::uint16_t port, const std::string& ca_file, const std::string& content, std::string& body) {
  using namespace Poco::Net;
  const Context::Ptr context(new Context(Context::TLS_CLIENT_USE, "", "", ca_file, Context::VERIFY_STRICT, 9, false));
  HTTPSClientSession session("127.0.0.1", port, context);
  HTTPRequest request("POST", "/rpc/Collections/CreateToken", "HTTP/1.1");
  request.setContentType("application/json");
  request.setContentLength64(static_cast<Poco::Int64>(content.size()));
  request.set("Authorization", "Bearer x");
  session.sendRequest(request) << content;
  HTTPResponse response;
  std::istream& stream = session.receiveResponse(response);
  body.assign(std::istreambuf_iterator<char>(stream), {});
  return response.getStatus();
}

TEST_CASE("scripts see state, tokens and requests, and set faults, under /standin/") {
  StandinServer server;
  RawClient client(server.port());
  CHECK(client
            .Post("/standin/tokens",
                  R"([{"projectId":1,"collectionId":2,"private":true,"token":{"tokenId":"10","name":"a"}},
    {"projectId":1,"collectionId":2,"token":{"tokenId":"9","name":"b"}}])")
            .body == "{\"stored\":2}\n");
  CHECK(
      client.Post("/standin/tokens", R"({"projectId":1,"collectionId":2,"token":{"tokenId":"11","name":"c"}})").body ==
      "{\"stored\":1}\n");
  CHECK(client.Post("/standin/tokens", R"({"projectId":1,"token":{}})").status == 400);
  CHECK(client.Get("/standin/tokens").body ==
        "[{\"projectId\":1,\"collectionId\":2,\"private\":false,\"token\":{\"name\":\"b\",\"tokenId\":\"9\"}},\n"
        "{\"projectId\":1,\"collectionId\":2,\"private\":true,\"token\":{\"name\":\"a\",\"tokenId\":\"10\"}},\n"
        "{\"projectId\":1,\"collectionId\":2,\"private\":false,\"token\":{\"name\":\"c\",\"tokenId\":\"11\"}}]\n");
  CHECK(client.Get("/standin/tokens?format=lines&page=1&page_size=2").body ==
        "{\"projectId\":1,\"collectionId\":2,\"private\":false,\"token\":{\"name\":\"c\",\"tokenId\":\"11\"}}\n");
  CHECK(client.Get("/standin/tokens?page=x").status == 400);

  CHECK(client.Post("/standin/faults", R"({"existing":"overwrite"})").status == 200);
  CHECK_THAT(client.Post("/standin/faults", R"({"existing":1})").body, Contains("faults.existing is not a string"));
  CHECK(client.Call("CreateToken", CreateBody("1")).status == 200);
  CHECK(client.Call("CreateToken", CreateBody("1")).status == 200);
  const std::string state = client.Get("/standin/state").body;
  CHECK_THAT(state, Contains(R"("calls":{"CreateToken":2},"answers":{"200":2},"creates_applied":2)"));
  CHECK_THAT(state, Contains(R"("duplicates":["1/2/1"])") && Contains(R"("tokens":4)"));
  CHECK_THAT(state, Contains("\"digest\":\"" + server.Digest() + "\""));
  CHECK_THAT(client.Get("/standin/requests").body, Contains(R"("Authorization":"Bearer some.jwt")"));
  CHECK(client.Post("/standin/release", "").status == 200);
  CHECK(client.Post("/standin/reset", "").status == 200);
  CHECK_THAT(client.Get("/standin/state").body, Contains("\"tokens\":0") && Contains("\"calls\":{}"));
  CHECK(client.Get("/standin/nothing").status == 404);
  CHECK(client.Get("/standin/faults").status == 404);
  CHECK(client.Post("/standin/cut", "").status == 0);
}

TEST_CASE("over TLS the service is the same, and cuts and resets are cuts and resets") {
  const Folder folder;
  MakeCertificate(folder);
  StandinServer server({.tls_certificate_file = folder.File("cert.pem"), .tls_key_file = folder.File("key.pem")});
  CHECK(server.url() == "https://127.0.0.1:" + std::to_string(server.port()));
  std::string body;
  CHECK(SecurePost(server.port(), folder.File("cert.pem"), CreateBody("1"), body) == 200);
  CHECK_THAT(body, Contains("\"tokenId\":\"1\""));
  // More than one TLS record.
  const std::string large = R"({"collectionId":2,"token":{"tokenId":"2","name":")" + std::string(100'000, 'x') + "\"}}";
  CHECK(SecurePost(server.port(), folder.File("cert.pem"), large, body) == 200);
  CHECK(body.size() > 100'000);

  const std::string effect =
      GENERATE(R"({"effect":"cut"})", R"({"effect":"cut","reset":true})", R"({"effect":"nothing","longest_ms":1})");
  server.SetFaults("{\"rules\":[" + effect + "]}");
  CHECK_THROWS(SecurePost(server.port(), folder.File("cert.pem"), CreateBody("3"), body));
  // Poco takes headers that end in their middle for whole ones.
  server.SetFaults(R"({"rules":[{"effect":"cut_reply","bytes":30}]})");
  CHECK(SecurePost(server.port(), folder.File("cert.pem"), CreateBody("3"), body) == 200);
  CHECK(body.empty());
  // A client that speaks no TLS, and one that does not trust us.
  RawClient plain(server.port());
  CHECK(plain.Call("CreateToken", CreateBody("4")).status == 0);
  CHECK_THROWS(SecurePost(server.port(), "", CreateBody("5"), body));
  CHECK(server.counts().tokens == 2);
}

/// standin-metadata in a process of its own.
class Program {
 public:
  explicit Program(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), STANDIN_PROGRAM);
    std::vector<char*> pointers;
    for (std::string& argument : arguments) pointers.push_back(argument.data());
    pointers.push_back(nullptr);
    REQUIRE(::posix_spawn(&pid_, STANDIN_PROGRAM, nullptr, nullptr, pointers.data(), environ) == 0);
  }
  ~Program() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }

  void Terminate() const { ::kill(pid_, SIGTERM); }

  /// Its exit status; -1 where it did not end in time or not by itself.
  int Ended() {
    const auto deadline = Clock::now() + kLong;
    int status = 0;
    while (::waitpid(pid_, &status, WNOHANG) != pid_) {
      if (Clock::now() > deadline) return -1;
      std::this_thread::yield();
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_ = -1;
};

std::uint16_t AwaitPort(const std::string& file) {
  const auto deadline = Clock::now() + kLong;
  while (!fs::exists(file) && Clock::now() < deadline) std::this_thread::yield();
  return static_cast<std::uint16_t>(std::stoi("0" + Contents(file)));
}

TEST_CASE("the program tells its port, expects the given token, and ends with 0 at SIGTERM") {
  const Folder folder;
  std::ofstream(folder.File("token")) << "the.token\n";
  std::ofstream(folder.File("faults")) << R"({"existing":"overwrite"})";
  Program program({"--port", "0", "--port-file=" + folder.File("port"), "--token-file", folder.File("token"),
                   "--project", "1", "--faults", folder.File("faults")});
  const std::uint16_t port = AwaitPort(folder.File("port"));
  REQUIRE(port > 0);
  RawClient client(port);
  CHECK(client.Call("CreateToken", CreateBody("1")).status == 401);
  const std::string body = CreateBody("1");
  for (int i = 0; i < 2; ++i) {
    client.Send(
        "POST /rpc/Collections/CreateToken HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer the.token\r\n"
        "Content-Type: application/json\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body);
    CHECK(client.Receive().status == 200);
  }
  program.Terminate();
  CHECK(program.Ended() == 0);
}

TEST_CASE("the program holds its tokens over a restart, in a file") {
  const Folder folder;
  const std::vector<std::string> arguments = {"--port-file",        folder.File("port"), "--state",
                                              folder.File("state"), "--faults",          R"({"drop_field":"image"})"};
  std::string tokens;
  for (int run = 1; run <= 3; ++run) {
    fs::remove(folder.File("port"));
    Program program(arguments);
    const std::uint16_t port = AwaitPort(folder.File("port"));
    REQUIRE(port > 0);
    RawClient client(port);
    CHECK(client.Get("/standin/tokens").body == (run == 1 ? "[]\n" : tokens));
    CHECK(client.Call("CreateToken", CreateBody(std::to_string(run))).status == 200);
    if (run == 1)
      client.Post("/standin/tokens",
                  R"({"projectId":1,"collectionId":3,"private":true,"token":{"tokenId":"9","name":"\u2028é"}})");
    if (run > 1) CHECK(client.Call("CreateToken", CreateBody("1")).status == 409);
    tokens = client.Get("/standin/tokens").body;
    program.Terminate();
    CHECK(program.Ended() == 0);
  }
  CHECK_THAT(tokens, Contains("\"private\":true") && Contains("\"tokenId\":\"3\""));
  std::ofstream(folder.File("state")) << "{";
  CHECK(Program(arguments).Ended() == 75);
}

TEST_CASE("the program ends by itself when nobody calls, or its lifetime is over") {
  const std::string limit = GENERATE("--idle-exit=0", "--lifetime=0");
  Program program({"--port=0", limit});
  CHECK(program.Ended() == 0);
}

TEST_CASE("the program ends when the process that started it has ended") {
  const Folder folder;
  // Orphans become our children, so that their end can be awaited.
  REQUIRE(::prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
  const std::string command = std::string(STANDIN_PROGRAM) + " --port-file " + folder.File("port") + " >/dev/null 2>" +
                              folder.File("why") + " & echo $! >" + folder.File("pid") + "; while ! [ -e " +
                              folder.File("port") + " ]; do sleep 0.01; done";
  REQUIRE(std::system(command.c_str()) == 0);
  const pid_t pid = std::stoi(Contents(folder.File("pid")));
  const auto deadline = Clock::now() + kLong;
  int status = -1;
  while (::waitpid(pid, &status, WNOHANG) == 0 && Clock::now() < deadline) std::this_thread::yield();
  CHECK(WIFEXITED(status));
  CHECK_THAT(Contents(folder.File("why")), Contains("the process that started this one has ended"));
}

TEST_CASE("wrong arguments give 64, and what cannot be had gives 75") {
  const Folder folder;
  const StandinServer taken;
  CHECK(Program({"--prot", "0"}).Ended() == 64);
  CHECK(Program({"stray"}).Ended() == 64);
  CHECK(Program({"--port", "65536"}).Ended() == 64);
  CHECK(Program({"--tls-cert", "x"}).Ended() == 64);
  CHECK(Program({"--token-file", folder.File("none")}).Ended() == 64);
  CHECK(Program({"--port", std::to_string(taken.port())}).Ended() == 75);
  CHECK(Program({"--help"}).Ended() == 0);
}

}  // namespace
}  // namespace tokensync::standin
