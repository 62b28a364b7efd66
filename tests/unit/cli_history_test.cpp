/// Records as lines for people, JSON for scripts and fields for the log.
#include <catch2/catch.hpp>
#include <memory>
#include <string>
#include <vector>

#include "change_log.h"
#include "history_text.h"
#include "json_text.h"
#include "samples.h"
#include "text.h"

using namespace tokensync;

namespace {

constexpr Terminal kPipe{};

LogRecord SampleRecord() {
  return {.time = At(123),
          .pass = 4,
          .key = SampleKey(200),
          .action = "create",
          .digest = SampleDigest(2),
          .attempt = 1,
          .commit = std::make_shared<Commit>(Commit{.id = {"0123456789" + std::string(30, 'a')},
                                                    .author = "Ada Lovelace <ada@example.com>",
                                                    .subject = "Add the dragon"}),
          .path = "dragons/200.yaml",
          .line = 5,
          .answer = {.http_status = 200},
          .duration = Duration(42)};
}

LogRecord RefusedRecord() {
  LogRecord record = SampleRecord();
  record.answer = {.http_status = 400,
                   .error_name = "WebrpcBadRequest",
                   .error_code = -4,
                   .message = "bad request",
                   .cause = "the name is \x1b[31mtoo long"};
  record.detail = "second try";
  return record;
}

HistoryRow RowOf(const LogRecord& record, std::string_view event, std::string_view state) {
  return {.seq = 17, .record = record, .event = event, .state = state, .hash = "beef"};
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    lines.push_back(text.substr(at, text.find('\n', at) - at));
  }
  return lines;
}

}  // namespace

TEST_CASE("a record is one line of fixed columns below its header where there is no terminal") {
  const LogRecord record = SampleRecord();
  CHECK(HistoryHeader(kPipe) ==
        "TIME                      PASS   COMMIT    AUTHOR          KEY                   ACTION   EVENT               "
        "  TRY  HTTP  WHERE                         DETAIL\n");
  CHECK(HistoryLine(RowOf(record, "token-created", "confirmed"), kPipe) ==
        "2024-10-04T00:00:00.123Z      4  01234567  Ada Lovelace    30957/888/200         create   token-created       "
        "  #1   200   dragons/200.yaml:5\n");
}

TEST_CASE("what the service answered follows, with foreign text as text") {
  const LogRecord record = RefusedRecord();
  CHECK_THAT(HistoryLine(RowOf(record, "create-refused", "rejected"), kPipe),
             Catch::EndsWith("dragons/200.yaml:5            WebrpcBadRequest (-4): bad request: the name is "
                             "\\u001b[31mtoo long; second try\n"));
}

TEST_CASE("a record without commit, path and answer has dashes and gaps") {
  LogRecord record{.time = At(0), .pass = 4, .key = SampleKey(7), .action = "report"};
  record.detail = "removed";
  CHECK(HistoryLine(RowOf(record, "drift-reported", "confirmed"), kPipe) ==
        "2024-10-04T00:00:00.000Z      4  -         -               30957/888/7           report   drift-reported      "
        "                                           removed\n");
}

TEST_CASE("a narrow terminal gets more lines, none of them wider than it is") {
  LogRecord record = RefusedRecord();
  record.detail = std::string(300, 'w') + " 龍龍龍 and so on";
  const int columns = GENERATE(20, 60, 80, 120, 200);
  const std::string text =
      HistoryLine(RowOf(record, "create-refused", "rejected"), {.colour = false, .columns = columns});
  const std::vector<std::string> lines = Lines(text);
  CHECK(lines.size() > 1);
  for (const std::string& line : lines) {
    CAPTURE(line);
    if (columns >= 60) CHECK(ColumnsOf(line) <= static_cast<std::size_t>(columns));
    CHECK(!line.ends_with(' '));
  }
  for (std::size_t at = 1; at < lines.size(); ++at) CHECK(lines[at].starts_with("    "));
  CHECK_THAT(text, Catch::Contains("and") && Catch::Contains("龍龍龍"));
}

TEST_CASE("columns keep their places on a narrow terminal too") {
  const LogRecord record = SampleRecord();
  const Terminal terminal{.colour = false, .columns = 100};
  CHECK(HistoryLine(RowOf(record, "token-created", "confirmed"), terminal) ==
        "2024-10-04T00:00:00.123Z      4  01234567  Ada Lovelace    30957/888/200         create\n"
        "    token-created         #1   200   dragons/200.yaml:5\n");
  CHECK(HistoryHeader(terminal) ==
        "TIME                      PASS   COMMIT    AUTHOR          KEY                   ACTION\n"
        "    EVENT                 TRY  HTTP  WHERE                         DETAIL\n");
}

TEST_CASE("an event is coloured by how it went") {
  const LogRecord record = SampleRecord();
  const Terminal terminal{.colour = true, .columns = 200};
  CHECK_THAT(HistoryLine(RowOf(record, "token-created", "confirmed"), terminal),
             Catch::Contains("\x1b[32mtoken-created\x1b[0m         #1"));
  CHECK_THAT(HistoryLine(RowOf(record, "create-refused", "rejected"), terminal),
             Catch::Contains("\x1b[31mcreate-refused\x1b[0m        #1"));
}

TEST_CASE("an author is shown by name, cut, and without escapes") {
  LogRecord record = SampleRecord();
  record.commit = std::make_shared<Commit>(Commit{.id = {"0123456789"}, .author = "\x1b]0;x\x07 Maximilian <m@x>"});
  CHECK_THAT(HistoryLine(RowOf(record, "token-created", "confirmed"), kPipe),
             Catch::Contains("  \\u001b]0;x\\u0…  30957/888/200"));
  record.commit = std::make_shared<Commit>(Commit{.id = {"0123456789"}, .author = "<m@x>"});
  CHECK_THAT(HistoryLine(RowOf(record, "token-created", "confirmed"), kPipe), Catch::Contains("  <m@x>  "));
}

TEST_CASE("a record as JSON has all its members, null where there is nothing") {
  const LogRecord record = RefusedRecord();
  CHECK(
      CanonicalJson(HistoryJson(RowOf(record, "create-refused", "rejected"))) ==
      R"({"action":"create","actor":null,"attempt":1,"author":"Ada Lovelace <ada@example.com>","cause":"the name is \u001b[31mtoo long",)"
      R"("commit":"0123456789aaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","detail":"second try",)"
      R"("digest":"0202020202020202020202020202020202020202020202020202020202020202","duration_ms":42,"error_code":-4,)"
      R"("error_name":"WebrpcBadRequest","event":"create-refused","hash":"beef","http_status":400,"key":"30957/888/200",)"
      R"("line":5,"message":"bad request","other_digest":null,"pass":4,"path":"dragons/200.yaml","seq":17,)"
      R"("signer":null,"state":"rejected","subject":"Add the dragon","time":"2024-10-04T00:00:00.123Z"})");
  LogRecord bare{.time = At(0), .pass = 4, .key = SampleKey(7), .action = "report"};
  bare.detail = "not \xFF UTF-8";
  const JsonValue json = HistoryJson(RowOf(bare, "drift-reported", "confirmed"));
  CHECK(json.AsObject()->size() == 25);
  for (const char* name : {"commit", "author", "subject", "path", "line", "digest", "http_status", "error_name"}) {
    CHECK(json.Find(name)->IsNull());
  }
  CHECK(ParseJson(PrintableJson(json)) == json);
}

TEST_CASE("a notice is a record without a token, and its JSON has the same members") {
  const Notice notice{.time = At(123),
                      .pass = 4,
                      .kind = NoticeKind::kHeadRefused,
                      .commit = SampleRecord().commit,
                      .actor = "ada (uid 1000)",
                      .detail = "it is not signed"};
  const HistoryNotice row{.seq = 18, .notice = notice, .action = "head", .hash = "beef"};
  CHECK(HistoryLine(row, kPipe) ==
        "2024-10-04T00:00:00.123Z      4  01234567  Ada Lovelace    -                     head     head-refused"
        "                                                   it is not signed; by ada (uid 1000)\n");
  const JsonValue json = HistoryJson(row);
  CHECK(json.Find("key")->IsNull());
  CHECK(*json.Find("event")->AsString() == "head-refused");
  CHECK(*json.Find("actor")->AsString() == "ada (uid 1000)");
  const LogRecord record = SampleRecord();
  const JsonValue other = HistoryJson(RowOf(record, "token-created", "confirmed"));
  for (const auto& [name, value] : *other.AsObject()) CHECK(json.Find(name) != nullptr);
  CHECK(other.AsObject()->size() == json.AsObject()->size());
  CHECK(LevelOf(notice) == LogLevel::kError);
  CHECK(MessageOf(notice) == "the head is refused");
}

TEST_CASE("a record that somebody vouches for says who") {
  LogRecord record = SampleRecord();
  record.signer = "ada@example.com (ssh SHA256:x)";
  CHECK_THAT(HistoryLine(RowOf(record, "token-created", "confirmed"), kPipe),
             Catch::Contains("  signed by ada@example.com (ssh SHA256:x)"));
  CHECK(*HistoryJson(RowOf(record, "token-created", "confirmed")).Find("signer")->AsString() == record.signer);
}

TEST_CASE("a change is a line of the log under the names of the record's columns") {
  const Change change{
      .event = CreateRefused{}, .after = Rejected{.digest = SampleDigest(2), .attempts = 1}, .record = RefusedRecord()};
  CHECK(MessageOf(change) == "refused 30957/888/200");
  CHECK(LevelOf(change) == LogLevel::kWarning);
  CHECK(FieldsOf(change) == std::vector<LogField>{{"pass", 4},
                                                  {"key", "30957/888/200"},
                                                  {"action", "create"},
                                                  {"event", "create-refused"},
                                                  {"state", "rejected"},
                                                  {"attempt", 1},
                                                  {"path", "dragons/200.yaml"},
                                                  {"line", 5},
                                                  {"commit", "0123456789" + std::string(30, 'a')},
                                                  {"author", "Ada Lovelace <ada@example.com>"},
                                                  {"subject", "Add the dragon"},
                                                  {"http_status", 400},
                                                  {"error_name", "WebrpcBadRequest"},
                                                  {"error_code", -4},
                                                  {"message", "bad request"},
                                                  {"cause", "the name is \x1b[31mtoo long"},
                                                  {"duration_ms", 42},
                                                  {"detail", "second try"},
                                                  {"digest", SampleDigest(2).Hex()}});
}

TEST_CASE("each event has its level and its words") {
  struct Row {
    Event event;
    LogLevel level;
    std::string message;
  };
  const std::vector<Row> rows = {
      {CreateIntended{}, LogLevel::kDebug, "creating 30957/888/200"},
      {TokenCreated{}, LogLevel::kInfo, "created 30957/888/200"},
      {TokenExisted{}, LogLevel::kInfo, "exists already: 30957/888/200"},
      {CreateLost{}, LogLevel::kWarning, "lost the answer for 30957/888/200"},
      {RunInterrupted{}, LogLevel::kWarning, "interrupted in mid-call: 30957/888/200"},
      {ReadEqual{}, LogLevel::kInfo, "confirmed 30957/888/200"},
      {ReadDifferent{}, LogLevel::kWarning, "conflict: the service holds another 30957/888/200"},
      {DriftReported{.drift = {.declared = SampleDigest(1)}}, LogLevel::kWarning, "changed in git: 30957/888/200"},
      {DriftReported{}, LogLevel::kWarning, "removed from git: 30957/888/200"},
      {EntryWithdrawn{}, LogLevel::kInfo, "withdrawn 30957/888/200"},
  };
  for (const Row& row : rows) {
    const Change change{.event = row.event, .record = SampleRecord()};
    CHECK(LevelOf(change) == row.level);
    CHECK(MessageOf(change) == row.message);
  }
}

TEST_CASE("a bare change has no empty fields") {
  const Change change{.event = DriftReported{},
                      .after = Confirmed{},
                      .record = {.time = At(0), .pass = 4, .key = SampleKey(7), .action = "report"}};
  CHECK(FieldsOf(change) == std::vector<LogField>{{"pass", 4},
                                                  {"key", "30957/888/7"},
                                                  {"action", "report"},
                                                  {"event", "drift-reported"},
                                                  {"state", "confirmed"}});
}
