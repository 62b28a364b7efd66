/// The command line: what it means, and what it answers to what means nothing.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "command_line.h"
#include "samples.h"
#include "text.h"
#include "time_text.h"

using namespace tokensync;

namespace {

using Parsed = std::variant<Command, EndNow>;

Parsed Parse(const std::vector<std::string>& words) {
  std::vector<const char*> argv = {"tokensyncd"};
  for (const std::string& word : words) argv.push_back(word.c_str());
  argv.push_back(nullptr);
  return ParseCommandLine(static_cast<int>(argv.size()) - 1, argv.data(), At(0));
}

template <class Wanted>
Wanted Of(const std::vector<std::string>& words) {
  const Parsed parsed = Parse(words);
  if (const auto* end = std::get_if<EndNow>(&parsed)) FAIL(end->text);
  return std::get<Wanted>(std::get<Command>(parsed));
}

EndNow End(const std::vector<std::string>& words) {
  const Parsed parsed = Parse(words);
  REQUIRE(std::holds_alternative<EndNow>(parsed));
  return std::get<EndNow>(parsed);
}

const std::vector<std::string> kCommands = {"run",     "sync",  "plan",    "validate", "status",
                                            "history", "audit", "trigger", "approve",  "backup"};

}  // namespace

TEST_CASE("each command is known, with the usual configuration") {
  CHECK(Of<RunCommand>({"run"}).config == "/etc/tokensyncd/tokensyncd.yaml");
  CHECK(Of<SyncCommand>({"sync"}).revision == std::nullopt);
  CHECK(!Of<PlanCommand>({"plan"}).json);
  CHECK(Of<ValidateCommand>({"validate", "."}).paths == std::vector<std::filesystem::path>{"."});
  CHECK(!Of<StatusCommand>({"status"}).json);
  CHECK(!Of<HistoryCommand>({"history"}).token);
  CHECK(!Of<AuditCommand>({"audit"}).json);
  CHECK(!Of<TriggerCommand>({"trigger"}).wait);
  CHECK(Of<BackupCommand>({"backup", "copy.db"}).file == "copy.db");
}

TEST_CASE("the configuration is named before or after the command") {
  CHECK(Of<RunCommand>({"--config", "a.yaml", "run"}).config == "a.yaml");
  CHECK(Of<RunCommand>({"run", "--config", "a.yaml"}).config == "a.yaml");
  CHECK(Of<TriggerCommand>({"trigger", "--config=a.yaml", "--wait"}).config == "a.yaml");
}

TEST_CASE("options reach their command") {
  const auto plan = Of<PlanCommand>({"plan", "--json", "--diff", "--revision", "origin/season-2"});
  CHECK(plan.json);
  CHECK(plan.diff);
  CHECK(plan.revision == "origin/season-2");
  CHECK(Of<SyncCommand>({"sync", "--revision=v1.0"}).revision == "v1.0");
  CHECK(Of<StatusCommand>({"status", "--json"}).json);
  CHECK(Of<AuditCommand>({"audit", "--json"}).json);
  CHECK(Of<TriggerCommand>({"trigger", "--wait"}).wait);
  const auto history = Of<HistoryCommand>(
      {"history", "--token", "30957/888/200", "--commit", "ABCDEF12", "--since", "2h", "--limit", "10", "--json"});
  CHECK(history.token == SampleKey(200));
  CHECK(history.commit == "abcdef12");
  CHECK(history.since == At(-2 * 3'600'000));
  CHECK(history.limit == 10);
  CHECK(history.json);
}

TEST_CASE("validate takes paths of any kind") {
  const auto command = Of<ValidateCommand>({"validate", "--format", "github", "a", "[b]", "c d", "--", "-e"});
  CHECK(command.paths == std::vector<std::filesystem::path>{"a", "./[b]", "c d", "./-e"});
  CHECK(command.format == ValidateFormat::kGithub);
  CHECK(Of<ValidateCommand>({"validate", "a", "--format=json"}).format == ValidateFormat::kJson);
  CHECK(Of<ValidateCommand>({"validate", "a", "--format=text"}).format == ValidateFormat::kText);
}

TEST_CASE("help of the program names every command and exit status") {
  const EndNow end = End({"--help"});
  CHECK(end.status == 0);
  CHECK(end.ToStandardOutput());
  for (const std::string& command : kCommands) CHECK_THAT(end.text, Catch::Contains("\n  " + command + " "));
  for (const char* status : {"64", "65", "70", "73", "75", "77", "78"}) CHECK_THAT(end.text, Catch::Contains(status));
  CHECK_THAT(end.text, Catch::Contains("Usage: tokensyncd ") && Catch::Contains("--config FILE"));
}

TEST_CASE("help of each command tells its use, options, exit statuses and an example, in 120 columns") {
  for (const std::string& command : kCommands) {
    CAPTURE(command);
    const EndNow end = End({command, "--help"});
    CHECK(end.status == 0);
    CHECK(end.text == End({command, "-h"}).text);
    CHECK_THAT(end.text, Catch::Contains("Usage: tokensyncd " + command) && Catch::Contains("Exit status:") &&
                             Catch::Contains("Example") && Catch::Contains("--help"));
    for (std::size_t at = 0; at < end.text.size(); at = end.text.find('\n', at) + 1) {
      const std::string line = end.text.substr(at, end.text.find('\n', at) - at);
      CAPTURE(line);
      CHECK(ColumnsOf(line) <= 120);
    }
  }
  CHECK_THAT(End({"validate", "--help"}).text, Catch::Contains("PATH ...  ") && Catch::Contains("--format FORMAT"));
  CHECK_THAT(End({"plan", "--help"}).text, Catch::Contains("--revision REV") && Catch::Contains("--config FILE"));
}

TEST_CASE("the version is one line") {
  for (const std::vector<std::string>& words : {std::vector<std::string>{"--version"}, {"run", "--version"}}) {
    const EndNow end = End(words);
    CHECK(end.status == 0);
    CHECK_THAT(end.text, Catch::Matches("tokensyncd [0-9]+\\.[0-9]+\\.[0-9]+\n"));
  }
}

TEST_CASE("a usage error says what is wrong and where help is, with status 64") {
  struct Row {
    std::vector<std::string> words;
    std::string text;
  };
  const std::vector<Row> rows = {
      {{}, "A command is required"},
      {{"--config", "a"}, "A command is required"},
      {{"fly"}, "fly"},
      {{"--fly", "run"}, "--fly"},
      {{"run", "--fly"}, "--fly"},
      {{"run", "extra"}, "extra"},
      {{"run", "--", "extra"}, "extra"},
      {{"run", "sync"}, "sync"},
      {{"run", "--config"}, "--config"},
      {{"run", "--config", ""}, "--config"},
      {{"validate"}, "PATH"},
      {{"validate", ""}, "PATH"},
      {{"validate", "a", "--config", "b"}, "--config"},
      {{"validate", "a", "--format", "xml"}, "'xml' is not text, json or github"},
      {{"plan", "--revision", ""}, "--revision"},
      {{"plan", "--json=7"}, "json"},
      {{"history", "--token", "30957/888"}, "is not PROJECT/COLLECTION/TOKENID"},
      {{"history", "--token", "30957/888/007"}, "is not PROJECT/COLLECTION/TOKENID"},
      {{"history", "--token", ""}, "--token"},
      {{"history", "--commit", "abc"}, "4 to 40 hexadecimal digits"},
      {{"history", "--commit", "wxyz"}, "4 to 40 hexadecimal digits"},
      {{"history", "--since", "soon"}, "is not a time such as"},
      {{"history", "--limit", "0"}, "is not a number from 1"},
      {{"history", "--limit", "-1"}, "is not a number from 1"},
      {{"history", "--limit", "0x10"}, "is not a number from 1"},
      {{"history", "--limit", "99999999999999999999"}, "is not a number from 1"},
      {{"history", "--limit", "1", "--limit", "2"}, "--limit"},
      {{"history", "--token", "\x1b[31m"}, "\\u001b[31m"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.words);
    const EndNow end = End(row.words);
    CHECK(end.status == 64);
    CHECK(!end.ToStandardOutput());
    CHECK_THAT(end.text,
               Catch::StartsWith("tokensyncd: ") && Catch::Contains(row.text) && Catch::Contains("--help'.\n"));
    CHECK(end.text.find('\x1b') == std::string::npos);
  }
}

TEST_CASE("the hint of a usage error is about the command") {
  CHECK_THAT(End({"plan", "--fly"}).text, Catch::EndsWith("Try 'tokensyncd plan --help'.\n"));
  CHECK_THAT(End({"history", "--limit", "0"}).text, Catch::EndsWith("Try 'tokensyncd history --help'.\n"));
  CHECK_THAT(End({"--fly"}).text, Catch::EndsWith("Try 'tokensyncd --help'.\n"));
}

TEST_CASE("approve takes the beginning of a fingerprint") {
  const auto command = Of<ApproveCommand>({"approve", "0123456789ab", "--wait"});
  CHECK(command.fingerprint == "0123456789ab");
  CHECK(command.wait);
  for (const char* bad : {"0123456", "xyz01234567", "ABCDEF012345"}) {
    CAPTURE(bad);
    CHECK(End({"approve", bad}).status == 64);
    CHECK_THAT(End({"approve", bad}).text, Catch::Contains("FINGERPRINT"));
  }
  CHECK_THAT(End({"approve"}).text, Catch::Contains("FINGERPRINT"));
}
