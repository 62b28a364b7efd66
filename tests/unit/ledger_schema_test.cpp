/// The layout defends itself, whoever writes.
#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>

#include <catch2/catch.hpp>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "ledger_contract_samples.h"
#include "ledger_test_support.h"

namespace tokensync {
namespace {

using Catch::Matchers::Contains;

/// What SQLite says against it; "" where it takes it. Nothing of it stays.
std::string Refusal(SQLite::Database& database, const std::string& sql) {
  database.exec("SAVEPOINT trial");
  std::string text;
  try {
    database.exec(sql);
  } catch (const SQLite::Exception& error) {
    text = error.what();
  }
  database.exec("ROLLBACK TO trial; RELEASE trial");
  return text;
}

TEST_CASE("each state takes its own columns, all of them, and no other", "[ledger]") {
  const TemporaryFolder folder;
  TellStories(folder.Ledger());
  SQLite::Database database(folder.Ledger().string(), SQLite::OPEN_READWRITE);
  const std::vector<std::string> optional_columns = {
      "attempt",        "due_ms",        "since_ms", "unknown_since_ms", "readings", "absent_readings",
      "known_to_exist", "remote_digest", "drift",    "drift_digest"};
  // Those that a state may have or not. drift 'removed' is alone, 'changed' comes with a digest.
  const std::set<std::string> free_of = {"submitting unknown_since_ms", "conflicting remote_digest"};

  std::vector<std::pair<std::string, std::string>> rows;  // token, state
  SQLite::Statement query(database, "SELECT token_id, state FROM entry");
  while (query.executeStep()) rows.emplace_back(query.getColumn(0).getString(), query.getColumn(1).getString());
  query.reset();
  REQUIRE(rows.size() == Stories().size() - 1);

  int refused = 0;
  for (const auto& [token, state] : rows) {
    for (const std::string& column : optional_columns) {
      INFO(state << " " << column << " of token " << token);
      const std::string where = " FROM entry WHERE token_id = '" + token + "'";
      const bool is_set = database.execAndGet("SELECT " + column + " IS NOT NULL" + where).getInt() != 0;
      const std::string drift = database.execAndGet("SELECT coalesce(drift, '')" + where).getString();
      const bool digest = column == "remote_digest" || column == "drift_digest";
      const std::string value = is_set ? "NULL" : digest ? "zeroblob(32)" : column == "drift" ? "'removed'" : "0";
      const bool may_drift = state == "confirmed" || state == "conflicting";
      const bool allowed =
          free_of.contains(state + " " + column) || (column == "drift" && may_drift && drift != "changed");
      const std::string text =
          Refusal(database, fmt::format("UPDATE entry SET {} = {} WHERE token_id = '{}'", column, value, token));
      if (allowed) {
        CHECK(text == "");
      } else {
        CHECK_THAT(text, Contains("CHECK constraint failed"));
        ++refused;
      }
    }
  }
  CHECK(refused > 150);
}

TEST_CASE("values of the wrong type or range are refused", "[ledger]") {
  const TemporaryFolder folder;
  TellStories(folder.Ledger());
  SqliteLedger::Open(folder.Ledger(), SomeIdentity())->SaveCheckpoint(FullCheckpoint(), nullptr);
  SQLite::Database database(folder.Ledger().string(), SQLite::OPEN_READWRITE);
  database.exec("PRAGMA foreign_keys = ON");
  for (const char* sql : {
           "UPDATE entry SET digest = 'text'",
           "UPDATE entry SET digest = zeroblob(31)",
           "UPDATE entry SET digest = NULL",
           "UPDATE entry SET state = 'none'",
           "UPDATE entry SET state = 'unheard-of'",
           "UPDATE entry SET due_ms = 'soon' WHERE state = 'pending'",
           "UPDATE entry SET due_ms = 1.5 WHERE state = 'pending'",
           "UPDATE entry SET attempt = -1 WHERE state = 'pending'",
           "UPDATE entry SET known_to_exist = 2 WHERE state = 'uncertain'",
           "UPDATE entry SET absent_readings = readings + 1 WHERE state = 'uncertain'",
           "UPDATE entry SET drift = 'somehow' WHERE state = 'confirmed'",
           "UPDATE entry SET token_id = '007', token_len = 2",
           "UPDATE entry SET token_id = '0x7', token_len = 3",
           "UPDATE entry SET token_id = '', token_len = 0",
           "UPDATE entry SET project = 9007199254740993",
           "UPDATE entry SET project = -1",
           "UPDATE payload SET is_private = 2",
           "UPDATE payload SET payload = NULL",
           "UPDATE payload SET payload = x'00'",
           "UPDATE payload SET token_id = '999', token_len = 3 WHERE token_id = '1'",
           "UPDATE entry SET token_id = '01', token_len = 2 WHERE token_id = '1'",
           "UPDATE runner SET head_seen = 'main'",
           "UPDATE runner SET head_seen = '0123456789ABCDEF0123456789abcdef01234567'",
           "UPDATE runner SET last_pass = -1",
           "UPDATE log_head SET hash = zeroblob(1)",
           "UPDATE log_head SET entries_sum = zeroblob(1)",
           "UPDATE runner SET incarnation = -1",
           "UPDATE runner SET distrusted_since_ms = 'long ago'",
           "INSERT INTO survey VALUES (1, 9007199254740993, 0)",
           "INSERT INTO survey VALUES (1, -1, 0)",
           "INSERT INTO survey VALUES (1, 2, NULL)",
           "INSERT INTO runner (id, endpoint, source_url, program_version, created_ms) VALUES (2, '', '', '', 0)",
           "INSERT INTO pass SELECT 1, 'x', 0, 0, NULL, 'splendid', 0, 0, 0, 0, 0, 0, 0, 0, NULL",
           "UPDATE runner SET head_accepted = 'main'",
           "UPDATE runner SET head_vouched = ''",
           "UPDATE runner SET held_fingerprint = NULL",
           "UPDATE runner SET held_commit = NULL",
           "UPDATE runner SET held_since_ms = NULL",
           "UPDATE runner SET held_why = NULL",
           "UPDATE runner SET held_approved = NULL",
           "UPDATE runner SET held_approved = 2",
           "UPDATE runner SET held_fingerprint = upper(held_fingerprint)",
           "UPDATE runner SET held_fingerprint = substr(held_fingerprint, 2)",
           "UPDATE runner SET held_commit = held_fingerprint",
           "UPDATE runner SET refused_commit = NULL",
           "UPDATE runner SET refused_why = NULL",
           "INSERT INTO git_commit VALUES (NULL, 'abc', '', '', 0)",
       }) {
    INFO(sql);
    CHECK(Refusal(database, sql) != "");
  }
}

TEST_CASE("the log takes its next row and refuses every other change", "[ledger]") {
  const TemporaryFolder folder;
  TellStories(folder.Ledger());
  SQLite::Database database(folder.Ledger().string(), SQLite::OPEN_READWRITE);
  std::vector<std::string> columns;
  SQLite::Statement names(database, "SELECT name FROM pragma_table_info('log')");
  while (names.executeStep()) columns.push_back(names.getColumn(0).getString());
  names.reset();
  // The first row again, with some columns as given.
  const auto insert_with = [&](const char* verb, const std::map<std::string, std::string>& given) {
    std::string values;
    for (const std::string& column : columns) {
      const auto other = given.find(column);
      values += (values.empty() ? "" : ", ") + (other == given.end() ? column : other->second);
    }
    return Refusal(database, fmt::format("{} INTO log SELECT {} FROM log WHERE seq = 1", verb, values));
  };
  const std::string next = "(SELECT max(seq) + 1 FROM log)";
  const auto insert = [&](const char* verb, const std::string& seq) { return insert_with(verb, {{"seq", seq}}); };
  CHECK(insert("INSERT", next) == "");
  const auto refuses = Contains("append-only");
  CHECK_THAT(insert("INSERT", "(SELECT max(seq) + 2 FROM log)"), refuses);
  CHECK_THAT(insert("INSERT", "0"), refuses);
  CHECK_THAT(insert("INSERT OR REPLACE", "1"), refuses);
  CHECK_THAT(insert("REPLACE", "(SELECT max(seq) FROM log)"), refuses);
  CHECK_THAT(Refusal(database, "UPDATE log SET message = 'x' WHERE seq = 1"), refuses);
  CHECK_THAT(Refusal(database, "UPDATE OR REPLACE log SET seq = 2 WHERE seq = 1"), refuses);
  CHECK_THAT(Refusal(database, "DELETE FROM log WHERE seq = (SELECT max(seq) FROM log)"), refuses);
  CHECK_THAT(Refusal(database, "DELETE FROM log"), refuses);
  // A row is about a token or it is not, and that by all four columns.
  const std::vector<std::string> about = {"project", "collection", "token_id", "state_after"};
  for (unsigned int absent = 0; absent < 16; ++absent) {
    std::map<std::string, std::string> given = {{"seq", next}};
    for (unsigned int at = 0; at < 4; ++at) {
      if ((absent >> at & 1U) != 0) given[about[at]] = "NULL";
    }
    INFO(absent);
    CHECK(insert_with("INSERT", given).empty() == (absent == 0 || absent == 15));
  }
  for (const char* column : {"signer", "actor"}) {
    CHECK(insert_with("INSERT", {{"seq", next}, {column, "'ada'"}}) == "");
    CHECK_THAT(insert_with("INSERT", {{"seq", next}, {column, "''"}}), Contains("CHECK constraint failed"));
  }
  CHECK_THAT(Refusal(database, "UPDATE git_commit SET author = 'x'"), Contains("do not change"));
  CHECK_THAT(Refusal(database, "DELETE FROM git_commit"), Contains("do not change"));
}

}  // namespace
}  // namespace tokensync
