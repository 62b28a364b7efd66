/// The control socket from both of its sides, and its file.
#include <grp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <array>
#include <catch2/catch.hpp>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

#include "control_client.h"
#include "control_test_support.h"

using namespace tokensync;
using std::chrono::milliseconds;

TEST_CASE("a trigger is taken at once, with the peer that the kernel names") {
  const TemporaryFolder folder;
  ScriptedDaemon daemon;
  ControlServer server(folder / "s", daemon);
  const JsonValue taken = TriggerPass(folder / "s", false);
  CHECK(taken == JsonValue(JsonObject{{"taken", true}, {"ticket", 1}}));
  CHECK(daemon.peer().uid == getuid());
  CHECK(daemon.peer().gid == getgid());
  CHECK(daemon.peer().pid == getpid());
  CHECK(!daemon.peer().user.empty());
}

TEST_CASE("a waiting trigger gets the summary of its pass") {
  const TemporaryFolder folder;
  ScriptedDaemon daemon;
  ControlServer server(folder / "s", daemon);
  JsonValue summary;
  std::thread client([&] { summary = TriggerPass(folder / "s", true); });
  CHECK(Eventually([&] { return daemon.asked() > 0; }));
  daemon.EndPass(1, JsonObject{{"result", "complete"}});
  server.Wake();
  client.join();
  CHECK(summary == JsonValue(JsonObject{{"result", "complete"}}));
}

TEST_CASE("a pass that ends without a wake is noticed all the same") {
  const TemporaryFolder folder;
  ScriptedDaemon daemon;
  ControlServer server(folder / "s", daemon);
  JsonValue summary = false;
  std::thread client([&] { summary = TriggerPass(folder / "s", true); });
  CHECK(Eventually([&] { return daemon.asked() > 0; }));
  daemon.EndPass(1, nullptr);
  client.join();
  CHECK(summary.IsNull());
}

TEST_CASE("a pass that does not end in time is told as that, and goes on") {
  const TemporaryFolder folder;
  ScriptedDaemon daemon;
  ControlServer server(folder / "s", daemon);
  CHECK_THROWS_WITH(TriggerPass(folder / "s", true, Duration(50)), Catch::Contains("did not end within"));
  CHECK(daemon.tickets() == 1);
}

TEST_CASE("status is what the daemon says") {
  const TemporaryFolder folder;
  ScriptedDaemon daemon;
  daemon.SetStatus(JsonObject{{"state", "pass"}, {"note", "line\nbreak"}, {"big", std::string(2'000'000, 'x')}});
  ControlServer server(folder / "s", daemon);
  const std::optional<JsonValue> status = QueryStatus(folder / "s");
  REQUIRE(status);
  CHECK(*status == daemon.OnStatus());
}

TEST_CASE("where no daemon answers, status is nothing and trigger says so") {
  const TemporaryFolder folder;
  CHECK(!QueryStatus(folder / "none"));
  CHECK_THROWS_AS(TriggerPass(folder / "none", false), EnvironmentError);
  CHECK_THROWS_WITH(TriggerPass(folder / "none", false),
                    Catch::Contains("no tokensyncd answers at") && Catch::Contains("is the service running?"));
}

TEST_CASE("who may not is told which group may") {
  if (getuid() != 0) return;  // nobody can be kept out from here by another user
  const TemporaryFolder folder;
  ScriptedDaemon daemon;
  ControlServer server(folder / "s", daemon);
  std::filesystem::permissions(folder.path(), std::filesystem::perms(0711));
  std::array<gid_t, 64> groups{};
  const int group_count = getgroups(static_cast<int>(groups.size()), groups.data());
  REQUIRE(group_count >= 0);
  REQUIRE(setgroups(0, nullptr) == 0);
  REQUIRE(setegid(65534) == 0);
  REQUIRE(seteuid(65534) == 0);
  std::string text;
  try {
    TriggerPass(folder / "s", false);
  } catch (const EnvironmentError& error) {
    text = error.what();
  }
  CHECK_THROWS_AS(QueryStatus(folder / "s"), EnvironmentError);
  REQUIRE(seteuid(0) == 0);
  REQUIRE(setegid(0) == 0);
  REQUIRE(setgroups(static_cast<std::size_t>(group_count), groups.data()) == 0);
  CHECK_THAT(text, Catch::Contains("permission denied; members of the group 'root' may"));
}

TEST_CASE("the socket is for its owner and group only, and goes with the server") {
  const TemporaryFolder folder;
  ScriptedDaemon daemon;
  {
    ControlServer server(folder / "s", daemon);
    struct stat status {};
    REQUIRE(stat((folder / "s").c_str(), &status) == 0);
    CHECK((status.st_mode & 07777U) == 0660U);
    CHECK(S_ISSOCK(status.st_mode));
    server.Stop();
    CHECK(!std::filesystem::exists(folder / "s"));
    server.Stop();
    server.Wake();
  }
}

TEST_CASE("the file of a dead daemon is replaced") {
  const TemporaryFolder folder;
  ScriptedDaemon daemon;
  {
    const int dead = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    (folder / "s").native().copy(static_cast<char*>(address.sun_path), sizeof(address.sun_path) - 1);
    REQUIRE(bind(dead, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
    close(dead);
  }
  ControlServer server(folder / "s", daemon);
  CHECK(QueryStatus(folder / "s"));
}

TEST_CASE("the socket of a living daemon is left to it") {
  const TemporaryFolder folder;
  ScriptedDaemon daemon;
  ControlServer server(folder / "s", daemon);
  CHECK_THROWS_AS(ControlServer(folder / "s", daemon), EnvironmentError);
  CHECK_THROWS_WITH(ControlServer(folder / "s", daemon), Catch::Contains("another tokensyncd answers there"));
  CHECK(QueryStatus(folder / "s"));
}

TEST_CASE("a socket file that somebody else put there meanwhile is not removed") {
  const TemporaryFolder folder;
  ScriptedDaemon daemon;
  ControlServer first(folder / "s", daemon);
  std::filesystem::remove(folder / "s");
  ControlServer second(folder / "s", daemon);
  first.Stop();
  CHECK(QueryStatus(folder / "s"));
}

TEST_CASE("a path that cannot hold a socket is a configuration error") {
  const TemporaryFolder folder;
  ScriptedDaemon daemon;
  const std::string long_name(120, 'x');
  CHECK_THROWS_AS(ControlServer(folder / long_name.c_str(), daemon), ConfigError);
  CHECK_THROWS_WITH(ControlServer(folder / long_name.c_str(), daemon), Catch::Contains("1 to 107 bytes"));
  CHECK_THROWS_AS(ControlServer("", daemon), ConfigError);
  CHECK_THROWS_WITH(ControlServer(folder / "no/s", daemon), Catch::Contains("No such file or directory"));
  std::ofstream(folder / "file") << "kept";
  CHECK_THROWS_WITH(ControlServer(folder / "file", daemon), Catch::Contains("no socket"));
  CHECK(std::filesystem::file_size(folder / "file") == 4);
}

TEST_CASE("an approval is taken like a trigger, and only for a plan that waits") {
  const TemporaryFolder folder;
  ScriptedDaemon daemon;
  ControlServer server(folder / "s", daemon);
  CHECK(ApprovePlan(folder / "s", kWaitingPlan, false) == JsonValue(JsonObject{{"taken", true}, {"ticket", 1}}));
  CHECK_THROWS_WITH(ApprovePlan(folder / "s", "ffffffffffff", false), Catch::Contains("no plan of that fingerprint"));
  CHECK(daemon.tickets() == 1);
  daemon.EndPass(2, JsonObject{{"result", "complete"}});
  CHECK(ApprovePlan(folder / "s", kWaitingPlan, true) == JsonValue(JsonObject{{"result", "complete"}}));
  CHECK(!ApprovePlan(folder / "none", kWaitingPlan, false));
}

TEST_CASE("an approval without a fingerprint is told what is missing") {
  const TemporaryFolder folder;
  ScriptedDaemon daemon;
  ControlServer server(folder / "s", daemon);
  for (const auto& [request, why] : std::vector<std::pair<std::string, std::string>>{
           {R"({"command":"approve"})", "without a"},
           {R"({"command":"approve","fingerprint":7})", "hexadecimal"},
           {R"({"command":"approve","fingerprint":"XY"})", "hexadecimal"},
           {R"({"command":"approve","fingerprint":")" + std::string(65, 'a') + R"("})", "hexadecimal"},
           {R"({"command":"trigger","fingerprint":"ab"})", "unknown member"}}) {
    const RawClient client(folder / "s");
    client.Say(request + "\n");
    CHECK_THAT(ErrorOf(client.Line()), Catch::Contains(why));
  }
  CHECK(daemon.tickets() == 0);
}

TEST_CASE("a socket that somebody else opened is served, and its file stays") {
  const TemporaryFolder folder;
  const std::filesystem::path path = folder / "s";
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.native().copy(static_cast<char*>(address.sun_path), sizeof(address.sun_path) - 1);
  const int listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  REQUIRE(bind(listening, reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0);
  REQUIRE(listen(listening, 8) == 0);
  {
    ScriptedDaemon daemon;
    ControlServer server(listening, daemon);
    CHECK(TriggerPass(path, false) == JsonValue(JsonObject{{"taken", true}, {"ticket", 1}}));
  }
  CHECK(std::filesystem::exists(path));
}
