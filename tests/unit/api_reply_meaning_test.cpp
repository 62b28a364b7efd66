/// The tables of the service's protocol: what each reply makes true.
#include <fmt/format.h>
#include <catch2/catch.hpp>

#include <vector>

#include "api_test_support.h"
#include "json_text.h"
#include "reply_meaning.h"
#include "sha256.h"

namespace tokensync {
namespace {

constexpr TimePoint kNow{std::chrono::seconds(1'800'000'000)};

HttpReply Reply(int status, std::string body, std::vector<std::pair<std::string, std::string>> headers = {}) {
  return HttpReply{status, std::move(headers), std::move(body), true};
}

std::string ErrorText(std::string_view name, int code, int status) {
  return fmt::format(R"({{"error":"{}","code":{},"msg":"because","cause":"deeper","status":{}}})", name, code, status);
}

CreateReading Create(const HttpReply& reply, const Call& call = CreateCall("7")) {
  return ClassifyCreate(reply, call, kNow, ForeignText(RunToken()));
}

ReadReading Read(const HttpReply& reply, const Call& call = ReadCall("7")) {
  return ClassifyRead(reply, call, kNow, ForeignText(RunToken()));
}

ListReading List(const HttpReply& reply) {
  return ClassifyList(reply, ListCall(0), kNow, ForeignText(RunToken()));
}

struct Row {
  const char* name;
  int code;
  int status;
  const char* create;
  const char* read;
  const char* list;
};

TEST_CASE("every documented error has its meaning") {
  const std::vector<Row> rows = {
      // The published ones.
      {"WebrpcEndpoint", 0, 400, "refused-after-tries", "reading-failed", "refused-after-tries"},
      {"WebrpcRequestFailed", -1, 400, "unknown", "reading-failed", "reading-failed"},
      {"WebrpcBadRoute", -2, 404, "denied-endpoint", "unsupported", "unsupported"},
      {"WebrpcBadMethod", -3, 405, "denied-endpoint", "unsupported", "unsupported"},
      {"WebrpcBadRequest", -4, 400, "refused", "reading-failed", "refused"},
      {"WebrpcBadResponse", -5, 500, "unknown", "reading-failed", "reading-failed"},
      {"WebrpcServerPanic", -6, 500, "unknown", "reading-failed", "reading-failed"},
      {"WebrpcInternalError", -7, 500, "unknown", "reading-failed", "reading-failed"},
      {"WebrpcClientDisconnected", -8, 400, "unknown", "reading-failed", "reading-failed"},
      {"WebrpcStreamLost", -9, 400, "unknown", "reading-failed", "reading-failed"},
      {"Unauthorized", 1000, 401, "denied-credential", "denied-credential", "denied-credential"},
      {"PermissionDenied", 1001, 403, "denied-credential", "denied-credential", "denied-credential"},
      {"SessionExpired", 1002, 403, "denied-credential", "denied-credential", "denied-credential"},
      {"MethodNotFound", 1003, 404, "denied-endpoint", "unsupported", "unsupported"},
      {"RequestConflict", 1004, 409, "already-there", "reading-failed", "refused-after-tries"},
      {"Fail", 1005, 500, "unknown", "reading-failed", "reading-failed"},
      {"Geoblocked", 1006, 451, "denied-credential", "denied-credential", "denied-credential"},
      {"Timeout", 2000, 408, "unknown", "reading-failed", "reading-failed"},
      {"InvalidArgument", 2001, 400, "refused", "reading-failed", "refused"},
      {"RequiredArgument", 2002, 400, "refused", "reading-failed", "refused"},
      {"QueryFailed", 2003, 400, "refused-after-tries", "reading-failed", "refused-after-tries"},
      {"ValidationFailed", 2004, 400, "refused", "reading-failed", "refused"},
      {"RateLimited", 2005, 429, "throttled", "throttled", "throttled"},
      {"NotFound", 3000, 400, "refused-after-tries", "absent", "listed"},
      {"ProjectNotFound", 3002, 400, "denied-credential", "denied-credential", "denied-credential"},
      {"ChainNotFound", 3003, 400, "refused-after-tries", "reading-failed", "refused-after-tries"},
      {"TokenDirectoryDisabled", 4001, 400, "refused-after-tries", "reading-failed", "refused-after-tries"},
      // The newest schema.
      {"Fail", 1005, 400, "refused-after-tries", "reading-failed", "refused-after-tries"},
      {"TaskFailed", 1007, 400, "refused-after-tries", "reading-failed", "refused-after-tries"},
      {"Deprecated", 1008, 400, "refused-after-tries", "reading-failed", "refused-after-tries"},
      {"WebrpcClientAborted", -8, 400, "unknown", "reading-failed", "reading-failed"},
      // The middleware's, whose codes collide with those above.
      {"RateLimited", 1007, 429, "throttled", "throttled", "throttled"},
      {"RateLimited", 1201, 429, "throttled", "throttled", "throttled"},
      {"ProjectNotFound", 1008, 401, "denied-credential", "denied-credential", "denied-credential"},
      {"InvalidService", 1009, 403, "denied-credential", "denied-credential", "denied-credential"},
      {"AccessKeyNotFound", 1101, 401, "denied-credential", "denied-credential", "denied-credential"},
      {"AccessKeyMismatch", 1102, 403, "denied-credential", "denied-credential", "denied-credential"},
      {"InvalidOrigin", 1103, 403, "denied-credential", "denied-credential", "denied-credential"},
      {"QuotaExceeded", 1200, 423, "denied-quota", "denied-quota", "denied-quota"},
      {"Timeout", 1900, 408, "unknown", "reading-failed", "reading-failed"},
  };
  for (const Row& row : rows) {
    INFO(row.name << " " << row.code << " " << row.status);
    const HttpReply reply = Reply(row.status, ErrorText(row.name, row.code, row.status));
    const CreateReading create = Create(reply);
    const ReadReading read = Read(reply);
    const ListReading list = List(reply);
    CHECK(NameOf(create.outcome) == row.create);
    CHECK(NameOf(read.outcome) == row.read);
    CHECK(NameOf(list.outcome) == row.list);
    for (const ServiceAnswer& answer : {create.answer, read.answer, list.answer}) {
      CHECK(answer.http_status == row.status);
      CHECK(answer.error_name == row.name);
      CHECK(answer.error_code == row.code);
      CHECK(answer.message == "because");
      CHECK(answer.cause == "deeper");
    }
  }
}

TEST_CASE("at 400 the name decides before the code") {
  const std::vector<Row> rows = {
      {"RateLimited", 1007, 400, "throttled", "throttled", "throttled"},
      {"ProjectNotFound", 1008, 400, "denied-credential", "denied-credential", "denied-credential"},
      {"RequestConflict", 2001, 400, "already-there", "reading-failed", "refused-after-tries"},
      {"RequestConflict", 1004, 400, "already-there", "reading-failed", "refused-after-tries"},
      {"MethodNotFound", 0, 400, "denied-endpoint", "unsupported", "unsupported"},
      {"QuotaExceeded", 0, 400, "denied-quota", "denied-quota", "denied-quota"},
      {"SessionExpired", 0, 400, "denied-credential", "denied-credential", "denied-credential"},
      {"Timeout", 0, 400, "unknown", "reading-failed", "reading-failed"},
      {"NotFound", 0, 400, "refused-after-tries", "absent", "listed"},
      // Unknown names: the code decides, but for what would be claimed to be absent.
      {"Brandnew", 2004, 400, "refused", "reading-failed", "refused"},
      {"Brandnew", 1004, 400, "already-there", "reading-failed", "refused-after-tries"},
      {"Brandnew", 3002, 400, "denied-credential", "denied-credential", "denied-credential"},
      {"Brandnew", 3000, 400, "refused-after-tries", "reading-failed", "refused-after-tries"},
      {"Brandnew", 1007, 400, "refused-after-tries", "reading-failed", "refused-after-tries"},
      {"Brandnew", 1008, 400, "refused-after-tries", "reading-failed", "refused-after-tries"},
      {"Brandnew", 77, 400, "refused-after-tries", "reading-failed", "refused-after-tries"},
  };
  for (const Row& row : rows) {
    INFO(row.name << " " << row.code);
    const HttpReply reply = Reply(row.status, ErrorText(row.name, row.code, row.status));
    CHECK(NameOf(Create(reply).outcome) == row.create);
    CHECK(NameOf(Read(reply).outcome) == row.read);
    CHECK(NameOf(List(reply).outcome) == row.list);
  }
  CHECK(NameOf(Read(Reply(400, R"({"code":3000})")).outcome) == "absent");
  CHECK(NameOf(Create(Reply(400, R"({"code":2001})")).outcome) == "refused");
}

TEST_CASE("the status decides before the error's name") {
  const std::vector<Row> rows = {
      {"InvalidArgument", 2001, 401, "denied-credential", "denied-credential", "denied-credential"},
      {"NotFound", 3000, 404, "denied-endpoint", "reading-failed", "reading-failed"},
      {"NotFound", 3000, 500, "unknown", "reading-failed", "reading-failed"},
      {"InvalidArgument", 2001, 500, "unknown", "reading-failed", "reading-failed"},
      {"InvalidArgument", 2001, 409, "already-there", "reading-failed", "refused-after-tries"},
      {"InvalidArgument", 2001, 422, "refused-after-tries", "reading-failed", "refused-after-tries"},
      {"RequestConflict", 1004, 503, "unknown", "reading-failed", "reading-failed"},
      {"Whatever", 1, 423, "denied-quota", "denied-quota", "denied-quota"},
  };
  for (const Row& row : rows) {
    INFO(row.name << " " << row.status);
    const HttpReply reply = Reply(row.status, ErrorText(row.name, row.code, row.status));
    CHECK(NameOf(Create(reply).outcome) == row.create);
    CHECK(NameOf(Read(reply).outcome) == row.read);
    CHECK(NameOf(List(reply).outcome) == row.list);
  }
}

TEST_CASE("a status has its meaning whatever the body is") {
  struct StatusRow {
    int status;
    const char* create;
    const char* read;
    const char* list;
  };
  const std::vector<StatusRow> rows = {
      {201, "unknown", "reading-failed", "reading-failed"},
      {202, "unknown", "reading-failed", "reading-failed"},
      {204, "unknown", "reading-failed", "reading-failed"},
      {301, "denied-endpoint", "denied-endpoint", "denied-endpoint"},
      {302, "denied-endpoint", "denied-endpoint", "denied-endpoint"},
      {304, "denied-endpoint", "denied-endpoint", "denied-endpoint"},
      {400, "refused-after-tries", "reading-failed", "refused-after-tries"},
      {401, "denied-credential", "denied-credential", "denied-credential"},
      {402, "refused-after-tries", "reading-failed", "refused-after-tries"},
      {403, "denied-credential", "denied-credential", "denied-credential"},
      {404, "denied-endpoint", "denied-endpoint", "denied-endpoint"},
      {405, "denied-endpoint", "unsupported", "unsupported"},
      {407, "denied-endpoint", "denied-endpoint", "denied-endpoint"},
      {408, "unknown", "reading-failed", "reading-failed"},
      {409, "already-there", "reading-failed", "refused-after-tries"},
      {413, "refused", "reading-failed", "refused"},
      {418, "refused-after-tries", "reading-failed", "refused-after-tries"},
      {423, "denied-quota", "denied-quota", "denied-quota"},
      {428, "throttled", "throttled", "throttled"},
      {429, "throttled", "throttled", "throttled"},
      {451, "denied-credential", "denied-credential", "denied-credential"},
      {499, "unknown", "reading-failed", "reading-failed"},
      {500, "unknown", "reading-failed", "reading-failed"},
      {501, "unknown", "reading-failed", "reading-failed"},
      {502, "unknown", "reading-failed", "reading-failed"},
      {503, "unknown", "reading-failed", "reading-failed"},
      {504, "unknown", "reading-failed", "reading-failed"},
      {599, "unknown", "reading-failed", "reading-failed"},
      {600, "unknown", "reading-failed", "reading-failed"},
      {999, "unknown", "reading-failed", "reading-failed"},
  };
  const std::vector<std::string> bodies = {
      "",   "plain text", "<html><body>Bad Gateway</body></html>",         "null",       "[]",
      "{}", "\"text\"",   R"({"error":7,"code":"x","msg":[],"cause":{}})", "{\"error\"", std::string("\0\xFF\xFE", 3)};
  for (const StatusRow& row : rows) {
    for (const std::string& body : bodies) {
      INFO(row.status << " " << body);
      const CreateReading create = Create(Reply(row.status, body));
      const ReadReading read = Read(Reply(row.status, body));
      const ListReading list = List(Reply(row.status, body));
      CHECK(NameOf(create.outcome) == row.create);
      CHECK(NameOf(read.outcome) == row.read);
      CHECK(NameOf(list.outcome) == row.list);
      CHECK(create.answer.http_status == row.status);
      CHECK_FALSE(create.answer.message.empty());
      CHECK_FALSE(read.answer.message.empty());
      CHECK_FALSE(list.answer.message.empty());
    }
  }
}

TEST_CASE("a 200 without our token is unknown") {
  const std::string body = GENERATE(
      as<std::string>(), "", "{}", "null", "[]", "<html></html>", R"({"token":null})", R"({"token":{}})",
      R"({"token":{"tokenId":"8","name":"Dragon 7"}})", R"({"token":{"tokenId":7}})", R"({"token":{"tokenId":"07"}})",
      R"({"token":[{"tokenId":"7"}]})", R"({"token":{"tokenId":"7"}} trailing)", R"({"token":{"tokenId":"7")",
      "{\"token\":{\"tokenId\":\"7\",\"name\":\"\xFF\"}}", R"({"error":"Fail","code":1005,"msg":"m","status":200})");
  INFO(body);
  const CreateReading create = Create(Reply(200, body));
  CHECK(NameOf(create.outcome) == "unknown");
  CHECK_FALSE(create.answer.message.empty());
  const ReadReading read = Read(Reply(200, body));
  CHECK(NameOf(read.outcome) == "reading-failed");
  CHECK_FALSE(read.answer.message.empty());
}

TEST_CASE("a body that is not complete counts only where the status says enough") {
  const auto cut = [](int status, std::string body) {
    HttpReply reply = Reply(status, std::move(body));
    reply.body_complete = false;
    return reply;
  };
  CHECK(NameOf(Create(cut(200, TokenReply("7"))).outcome) == "unknown");
  CHECK(NameOf(Read(cut(200, TokenReply("7"))).outcome) == "reading-failed");
  CHECK(NameOf(Create(cut(400, "{\"error\":\"Inv")).outcome) == "unknown");
  CHECK(NameOf(Read(cut(404, "{\"error\":\"Web")).outcome) == "reading-failed");
  // What there is of it reads well, and may go on.
  for (const char* name : {"RateLimited", "ProjectNotFound", "QuotaExceeded", "RequestConflict", "NotFound"}) {
    INFO(name);
    CHECK(NameOf(Create(cut(400, ErrorText(name, 1, 400))).outcome) == "unknown");
    CHECK(NameOf(Read(cut(400, ErrorText(name, 1, 400))).outcome) == "reading-failed");
  }
  CHECK(NameOf(Create(cut(409, "")).outcome) == "already-there");
  CHECK(NameOf(Create(cut(401, "")).outcome) == "denied-credential");
  CHECK(NameOf(Create(cut(429, "")).outcome) == "throttled");
}

TEST_CASE("what the service did not keep is told by field") {
  const CreateReading reading = Create(
      Reply(200, R"({"token":{"tokenId":"7","name":"Other","externalUrl":"","unheard_of":1,"status":"AVAILABLE"}})"));
  REQUIRE(NameOf(reading.outcome) == "created");
  const auto& differences = std::get<Created>(reading.outcome).differences;
  REQUIRE(differences.size() == 2);
  CHECK(differences[0].field == "name");
  CHECK(differences[0].sent == "\"Dragon 7\"");
  CHECK(differences[0].kept == "\"Other\"");
  CHECK(differences[1].field == "externalUrl");
  CHECK(differences[1].kept.find("example") == std::string::npos);
}

TEST_CASE("a token that is read back is compared by meaning, in either spelling") {
  const std::string member = GENERATE(as<std::string>(), "external_url", "externalUrl");
  const ReadReading reading = Read(Reply(
      200, fmt::format(R"({{"token":{{"tokenId":"7","name":"Dragon 7","{}":"https://example.com/7","image":"",)"
                       R"("properties":{{}},"attributes":[],"decimals":null,"status":"AVAILABLE"}},"assets":[]}})",
                       member)));
  REQUIRE(NameOf(reading.outcome) == "found");
  CHECK(std::get<Found>(reading.outcome).remote_digest == PayloadDigest(ReadCall("7").payload, false));
  CHECK(reading.answer.http_status == 200);
}

TEST_CASE("the digest of a token that differs is that of what the service holds, with our private") {
  Call call = ReadCall("7");
  call.is_private = true;
  const ReadReading reading =
      Read(Reply(200, R"({"token":{"tokenId":"7","name":"Other","image_data":"x","imageData":""}})"), call);
  REQUIRE(NameOf(reading.outcome) == "found-different");
  CHECK(std::get<Found>(reading.outcome).remote_digest ==
        PayloadDigest(R"({"imageData":"x","name":"Other","tokenId":"7"})", true));
}

TEST_CASE("a token nested as deeply as a manifest may be is read back") {
  std::string deep;
  for (int i = 0; i < 62; ++i) deep += "[";
  deep += "1";
  for (int i = 0; i < 62; ++i) deep += "]";
  Call call = ReadCall("7");
  call.payload = R"({"name":"N","properties":{"p":)" + deep + R"(},"tokenId":"7"})";
  CHECK(NameOf(Read(Reply(200, R"({"token":)" + call.payload + "}"), call).outcome) == "found");
}

TEST_CASE("a reply that throttles tells for how long") {
  using Headers = std::vector<std::pair<std::string, std::string>>;
  const auto waits = [](int status, Headers headers) {
    return std::get<Throttled>(Create(Reply(status, "slow down", std::move(headers))).outcome).retry_after;
  };
  using std::chrono::hours;
  using std::chrono::seconds;
  CHECK(waits(429, {{"retry-after", "60"}}) == seconds(60));
  CHECK(waits(429, {{"retry-after", "0"}}) == seconds(0));
  CHECK(waits(429, {{"retry-after", "99999999999999"}}) == hours(24));
  CHECK(waits(429, {{"retry-after", "Fri, 15 Jan 2027 08:01:30 GMT"}}) == seconds(90));
  CHECK(waits(429, {{"retry-after", "Friday, 15-Jan-27 08:01:30 GMT"}}) == seconds(90));
  CHECK(waits(429, {{"retry-after", "Fri Jan 15 08:01:30 2027"}}) == seconds(90));
  CHECK(waits(429, {{"retry-after", "Wed Sep  6 08:49:37 2028"}}) == hours(24));
  CHECK(waits(429, {{"retry-after", "Sunday, 06-Nov-94 08:49:37 GMT"}}) == seconds(0));
  CHECK(waits(429, {{"retry-after", "Fri, 15 Jan 2027 07:00:00 GMT"}}) == seconds(0));
  CHECK(waits(429, {{"retry-after", "Wed, 15 Jan 2087 07:00:00 GMT"}}) == hours(24));
  CHECK(waits(429, {{"credits-rate-reset", "1800000042"}}) == seconds(42));
  CHECK(waits(429, {{"retry-after", "7"}, {"credits-rate-reset", "1800000042"}}) == seconds(7));
  CHECK(waits(429, {{"retry-after", "soon"}, {"credits-rate-reset", "1800000042"}}) == seconds(42));
  for (const char* odd :
       {"-5", "5.5", "60 s", "2027-01-15T08:01:30Z", "Fri, 15 Jan 2027 08:01:30", "Fri Jan 15 2027"}) {
    CHECK(waits(429, {{"retry-after", odd}}) == std::nullopt);
  }
  CHECK(waits(429, {{"retry-after", ""}}) == std::nullopt);
  CHECK(waits(429, {{"credits-rate-reset", "18446744073709551615"}}) == std::nullopt);
  CHECK(waits(429, {}) == std::nullopt);
  CHECK(waits(428, {{"retry-after", "5"}}) == seconds(5));
}

TEST_CASE("every reply's rate headers are handed on") {
  const CreateReading reading = Create(
      Reply(200, TokenReply("7"),
            {{"credits-rate-limit", "3000"}, {"credits-rate-remaining", "12"}, {"credits-rate-reset", "1800000060"}}));
  CHECK(reading.hint.limit == 3000);
  CHECK(reading.hint.remaining == 12);
  CHECK(reading.hint.reset == kNow + std::chrono::seconds(60));
  const ListReading page = List(Reply(200, R"({"tokens":[]})", {{"credits-rate-remaining", "11"}}));
  CHECK(page.hint.remaining == 11);
  const ReadReading odd = Read(Reply(500, "",
                                     {{"credits-rate-limit", "many"},
                                      {"credits-rate-remaining", "-1"},
                                      {"credits-rate-reset", "999999999999999999999"}}));
  CHECK_FALSE(odd.hint.limit);
  CHECK_FALSE(odd.hint.remaining);
  CHECK_FALSE(odd.hint.reset);
}

TEST_CASE("the service's texts are cut, on one line and without the token") {
  const std::string& token = RunToken().Reveal();
  const std::string long_text = "line\\nnext \\u001b[31mred " + token + " " + std::string(2000, 'x');
  const CreateReading reading = Create(
      Reply(400, fmt::format(R"({{"error":"{0}","code":1e99,"msg":"{0}","cause":"{0}","status":400}})", long_text)));
  CHECK_FALSE(reading.answer.error_code);
  for (const std::string& text : {reading.answer.error_name, reading.answer.message, reading.answer.cause}) {
    CHECK(text.starts_with("line\\nnext \\u001b[31mred *** xxx"));
    CHECK(text.ends_with("x…"));
    CHECK(text.size() < 520);
  }
}

}  // namespace
}  // namespace tokensync
