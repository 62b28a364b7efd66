#include "schema.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <fmt/format.h>

#include <array>
#include <map>
#include <mutex>

#include "columns.h"

namespace tokensync {

namespace {

constexpr const char* kFirstLayout = R"sql(
-- Which steps made this layout, and when.
CREATE TABLE migration (
  name          TEXT NOT NULL PRIMARY KEY,
  applied_at_ms INTEGER NOT NULL
) STRICT;

-- Whose ledger this is, and what its runner knows between passes: one row.
CREATE TABLE runner (
  id                INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  endpoint          TEXT NOT NULL,     -- never changes: a ledger tells what exists at one service
  source_url        TEXT NOT NULL,     -- may change: the same repository gets another name
  program_version   TEXT NOT NULL,     -- that opened the ledger last
  created_ms        INTEGER NOT NULL,
  head_seen         TEXT CHECK (length(head_seen) = 40 AND head_seen NOT GLOB '*[^0-9a-f]*'),
  head_applied      TEXT CHECK (length(head_applied) = 40 AND head_applied NOT GLOB '*[^0-9a-f]*'),
  last_pass         INTEGER NOT NULL DEFAULT 0 CHECK (last_pass >= 0),
  failures_in_a_row INTEGER NOT NULL DEFAULT 0 CHECK (failures_in_a_row >= 0)
) STRICT;

-- The newest passes. Not part of the log: old rows are dropped.
CREATE TABLE pass (
  pass          INTEGER NOT NULL PRIMARY KEY CHECK (pass > 0),
  cause         TEXT NOT NULL,
  started_ms    INTEGER NOT NULL,
  ended_ms      INTEGER NOT NULL,
  commit_id     TEXT CHECK (length(commit_id) = 40 AND commit_id NOT GLOB '*[^0-9a-f]*'),  -- NULL: none was reached
  result        TEXT NOT NULL CHECK (result IN ('complete', 'incomplete', 'stopped', 'environment', 'denied')),
  created       INTEGER NOT NULL CHECK (created >= 0),
  confirmed     INTEGER NOT NULL CHECK (confirmed >= 0),
  reported      INTEGER NOT NULL CHECK (reported >= 0),
  rejected      INTEGER NOT NULL CHECK (rejected >= 0),
  conflicting   INTEGER NOT NULL CHECK (conflicting >= 0),
  unresolved    INTEGER NOT NULL CHECK (unresolved >= 0),
  bad_manifests INTEGER NOT NULL CHECK (bad_manifests >= 0),
  error         TEXT CHECK (error <> '')
) STRICT;

-- What is known of each token. The CHECK is the variant EntryState: each state has its own columns and no others.
-- token_len ahead of token_id sorts the decimal texts by number: no integer type holds a uint256.
CREATE TABLE entry (
  project          INTEGER NOT NULL CHECK (project BETWEEN 0 AND 9007199254740992),
  collection       INTEGER NOT NULL CHECK (collection BETWEEN 0 AND 9007199254740992),
  token_len        INTEGER NOT NULL CHECK (token_len = length(token_id)),
  token_id         TEXT NOT NULL CHECK (length(token_id) BETWEEN 1 AND 78 AND token_id NOT GLOB '*[^0-9]*'
                                        AND (token_id = '0' OR token_id NOT GLOB '0*')),
  state            TEXT NOT NULL,
  digest           BLOB NOT NULL CHECK (length(digest) = 32),
  attempt          INTEGER CHECK (attempt >= 0),
  due_ms           INTEGER,
  since_ms         INTEGER,
  unknown_since_ms INTEGER,
  readings         INTEGER CHECK (readings >= 0),
  absent_readings  INTEGER CHECK (absent_readings BETWEEN 0 AND readings),
  known_to_exist   INTEGER CHECK (known_to_exist IN (0, 1)),
  remote_digest    BLOB CHECK (length(remote_digest) = 32),
  drift            TEXT CHECK (drift IN ('changed', 'removed')),
  drift_digest     BLOB CHECK (length(drift_digest) = 32),
  CHECK ((drift_digest IS NOT NULL) = (drift IS 'changed')),
  CHECK (CASE state
    WHEN 'pending' THEN attempt IS NOT NULL AND due_ms IS NOT NULL
      AND since_ms IS NULL AND unknown_since_ms IS NULL AND readings IS NULL AND absent_readings IS NULL
      AND known_to_exist IS NULL AND remote_digest IS NULL AND drift IS NULL
    WHEN 'submitting' THEN attempt IS NOT NULL AND since_ms IS NOT NULL
      AND due_ms IS NULL AND readings IS NULL AND absent_readings IS NULL
      AND known_to_exist IS NULL AND remote_digest IS NULL AND drift IS NULL
    WHEN 'uncertain' THEN attempt IS NOT NULL AND since_ms IS NOT NULL AND due_ms IS NOT NULL
      AND readings IS NOT NULL AND absent_readings IS NOT NULL AND known_to_exist IS NOT NULL
      AND unknown_since_ms IS NULL AND remote_digest IS NULL AND drift IS NULL
    WHEN 'confirmed' THEN attempt IS NULL AND due_ms IS NULL AND since_ms IS NULL AND unknown_since_ms IS NULL
      AND readings IS NULL AND absent_readings IS NULL AND known_to_exist IS NULL AND remote_digest IS NULL
    WHEN 'rejected' THEN attempt IS NOT NULL
      AND due_ms IS NULL AND since_ms IS NULL AND unknown_since_ms IS NULL AND readings IS NULL
      AND absent_readings IS NULL AND known_to_exist IS NULL AND remote_digest IS NULL AND drift IS NULL
    WHEN 'conflicting' THEN attempt IS NULL AND due_ms IS NULL AND since_ms IS NULL AND unknown_since_ms IS NULL
      AND readings IS NULL AND absent_readings IS NULL AND known_to_exist IS NULL
    ELSE 0 END),
  PRIMARY KEY (project, collection, token_len, token_id)
) STRICT, WITHOUT ROWID;

-- What was sent last. Apart from entry, so that reading all entries does not read all payloads.
CREATE TABLE payload (
  project    INTEGER NOT NULL,
  collection INTEGER NOT NULL,
  token_len  INTEGER NOT NULL,
  token_id   TEXT NOT NULL,
  payload    TEXT NOT NULL,
  is_private INTEGER NOT NULL CHECK (is_private IN (0, 1)),
  PRIMARY KEY (project, collection, token_len, token_id),
  FOREIGN KEY (project, collection, token_len, token_id) REFERENCES entry ON DELETE CASCADE
) STRICT;

-- Commits that the log names: thousands of rows name the same one.
CREATE TABLE git_commit (
  commit_no INTEGER NOT NULL PRIMARY KEY,
  id        TEXT NOT NULL UNIQUE CHECK (length(id) = 40 AND id NOT GLOB '*[^0-9a-f]*'),
  author    TEXT NOT NULL,
  subject   TEXT NOT NULL,
  time_ms   INTEGER NOT NULL
) STRICT;

-- What happened, in order; folding it with Advance() gives entry. An absent value is NULL, never ''.
-- The events' own columns are unchecked here: an event that a later version adds must not rebuild this table.
CREATE TABLE log (
  seq           INTEGER NOT NULL PRIMARY KEY,
  time_ms       INTEGER NOT NULL,
  pass          INTEGER NOT NULL CHECK (pass >= 0),
  project       INTEGER NOT NULL,
  collection    INTEGER NOT NULL,
  token_id      TEXT NOT NULL,
  action        TEXT NOT NULL,
  event         TEXT NOT NULL,
  event_digest  BLOB CHECK (length(event_digest) = 32),
  event_attempt INTEGER,
  event_at_ms   INTEGER,
  event_due_ms  INTEGER,
  event_settled INTEGER CHECK (event_settled IN (0, 1)),
  event_spent   INTEGER CHECK (event_spent IN (0, 1)),
  event_drift   TEXT CHECK (event_drift IN ('changed', 'removed')),
  state_after   TEXT NOT NULL,
  digest        BLOB CHECK (length(digest) = 32),
  other_digest  BLOB CHECK (length(other_digest) = 32),
  attempt       INTEGER NOT NULL CHECK (attempt >= 0),
  commit_no     INTEGER REFERENCES git_commit,
  path          TEXT CHECK (path <> ''),
  line          INTEGER NOT NULL CHECK (line >= 0),
  http_status   INTEGER,
  error_name    TEXT CHECK (error_name <> ''),
  error_code    INTEGER,
  message       TEXT CHECK (message <> ''),
  cause         TEXT CHECK (cause <> ''),
  duration_ms   INTEGER NOT NULL,
  detail        TEXT CHECK (detail <> ''),
  prev_hash     BLOB NOT NULL CHECK (length(prev_hash) = 32),
  hash          BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE INDEX log_by_token ON log (project, collection, token_id);
CREATE INDEX log_by_commit ON log (commit_no);
CREATE INDEX log_by_time ON log (time_ms);

-- Where the log ends: a chain alone does not show that its last links are gone.
CREATE TABLE log_head (
  id   INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
  seq  INTEGER NOT NULL CHECK (seq >= 0),
  hash BLOB NOT NULL CHECK (length(hash) = 32)
) STRICT;

CREATE TRIGGER log_refuses_update BEFORE UPDATE ON log
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER log_refuses_delete BEFORE DELETE ON log
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
-- INSERT OR REPLACE deletes without the trigger above: what is not the next number is refused before that.
CREATE TRIGGER log_refuses_gaps BEFORE INSERT ON log
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM log)
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER git_commit_refuses_update BEFORE UPDATE ON git_commit
BEGIN SELECT RAISE(ABORT, 'commits that the log names do not change'); END;
CREATE TRIGGER git_commit_refuses_delete BEFORE DELETE ON git_commit
BEGIN SELECT RAISE(ABORT, 'commits that the log names do not change'); END;
)sql";

constexpr const char* kSurveys = R"sql(
-- Collections that were read as a whole before anything was created in them.
CREATE TABLE survey (
  project     INTEGER NOT NULL CHECK (project BETWEEN 0 AND 9007199254740992),
  collection  INTEGER NOT NULL CHECK (collection BETWEEN 0 AND 9007199254740992),
  surveyed_ms INTEGER NOT NULL,
  PRIMARY KEY (project, collection)
) STRICT, WITHOUT ROWID;

-- Tokens that a survey found and that neither git nor the ledger laid claim to: they exist, whoever made them.
CREATE TABLE unclaimed (
  project    INTEGER NOT NULL CHECK (project BETWEEN 0 AND 9007199254740992),
  collection INTEGER NOT NULL CHECK (collection BETWEEN 0 AND 9007199254740992),
  token_len  INTEGER NOT NULL CHECK (token_len = length(token_id)),
  token_id   TEXT NOT NULL CHECK (length(token_id) BETWEEN 1 AND 78 AND token_id NOT GLOB '*[^0-9]*'
                                  AND (token_id = '0' OR token_id NOT GLOB '0*')),
  PRIMARY KEY (project, collection, token_len, token_id)
) STRICT, WITHOUT ROWID;

-- When the ledger was found not to be the one that ran last.
ALTER TABLE runner ADD COLUMN distrusted_since_ms INTEGER;
-- Changes whenever that is found: two ledgers that go on from one copy differ in it, the copy differs from both.
ALTER TABLE runner ADD COLUMN incarnation INTEGER NOT NULL DEFAULT 0 CHECK (incarnation >= 0);
ALTER TABLE pass ADD COLUMN adopted INTEGER NOT NULL DEFAULT 0 CHECK (adopted >= 0);
-- The sum over all rows of entry that the last change of them left: see entries_sum.h. NULL only within this step.
ALTER TABLE log_head ADD COLUMN entries_sum BLOB CHECK (length(entries_sum) = 32);
)sql";

constexpr const char* kNotices = R"sql(
-- Only a new table lets go of a NOT NULL: log and pass are made anew, their rows copied as they are. A copied row keeps
-- its hash, since each new column is NULL in it. Of a log of a million rows this takes some ten seconds, and as much disk
-- again as the log has: the WAL holds the copy until the commit, and the pages of the old table stay in the file for
-- rows to come. The whole step is within one transaction: where it is cut off, the old layout is there.

-- Otherwise a view that somebody made over one of the two would forbid to rename its successor.
PRAGMA legacy_alter_table = ON;

-- What happened, in order; folding the rows about tokens with Advance() gives entry. A row that is about no token is a
-- notice: its event is one of NoticeName(). An absent value is NULL, never ''.
-- The events' own columns are unchecked here: an event that a later version adds must not rebuild this table.
CREATE TABLE new_log (
  seq           INTEGER NOT NULL PRIMARY KEY,
  time_ms       INTEGER NOT NULL,
  pass          INTEGER NOT NULL CHECK (pass >= 0),  -- 0: outside of a pass
  project       INTEGER,
  collection    INTEGER,
  token_id      TEXT,
  action        TEXT NOT NULL,
  event         TEXT NOT NULL,
  event_digest  BLOB CHECK (length(event_digest) = 32),
  event_attempt INTEGER,
  event_at_ms   INTEGER,
  event_due_ms  INTEGER,
  event_settled INTEGER CHECK (event_settled IN (0, 1)),
  event_spent   INTEGER CHECK (event_spent IN (0, 1)),
  event_drift   TEXT CHECK (event_drift IN ('changed', 'removed')),
  state_after   TEXT,
  digest        BLOB CHECK (length(digest) = 32),
  other_digest  BLOB CHECK (length(other_digest) = 32),
  attempt       INTEGER NOT NULL CHECK (attempt >= 0),
  commit_no     INTEGER REFERENCES git_commit,
  signer        TEXT CHECK (signer <> ''),
  actor         TEXT CHECK (actor <> ''),
  path          TEXT CHECK (path <> ''),
  line          INTEGER NOT NULL CHECK (line >= 0),
  http_status   INTEGER,
  error_name    TEXT CHECK (error_name <> ''),
  error_code    INTEGER,
  message       TEXT CHECK (message <> ''),
  cause         TEXT CHECK (cause <> ''),
  duration_ms   INTEGER NOT NULL,
  detail        TEXT CHECK (detail <> ''),
  prev_hash     BLOB NOT NULL CHECK (length(prev_hash) = 32),
  hash          BLOB NOT NULL CHECK (length(hash) = 32),
  CHECK ((project IS NULL) + (collection IS NULL) + (token_id IS NULL) + (state_after IS NULL) IN (0, 4))
) STRICT;

INSERT INTO new_log (seq, time_ms, pass, project, collection, token_id, action, event, event_digest, event_attempt,
  event_at_ms, event_due_ms, event_settled, event_spent, event_drift, state_after, digest, other_digest, attempt,
  commit_no, path, line, http_status, error_name, error_code, message, cause, duration_ms, detail, prev_hash, hash)
SELECT seq, time_ms, pass, project, collection, token_id, action, event, event_digest, event_attempt,
  event_at_ms, event_due_ms, event_settled, event_spent, event_drift, state_after, digest, other_digest, attempt,
  commit_no, path, line, http_status, error_name, error_code, message, cause, duration_ms, detail, prev_hash, hash
FROM log ORDER BY seq;
DROP TABLE log;  -- with its indexes and triggers, and without firing one
ALTER TABLE new_log RENAME TO log;

CREATE INDEX log_by_token ON log (project, collection, token_id);
CREATE INDEX log_by_commit ON log (commit_no);
CREATE INDEX log_by_time ON log (time_ms);
CREATE TRIGGER log_refuses_update BEFORE UPDATE ON log
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
CREATE TRIGGER log_refuses_delete BEFORE DELETE ON log
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;
-- INSERT OR REPLACE deletes without the trigger above: what is not the next number is refused before that.
CREATE TRIGGER log_refuses_gaps BEFORE INSERT ON log
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM log)
BEGIN SELECT RAISE(ABORT, 'the log is append-only'); END;

-- The newest passes. Not part of the log: old rows are dropped.
CREATE TABLE new_pass (
  pass          INTEGER NOT NULL PRIMARY KEY CHECK (pass > 0),
  cause         TEXT NOT NULL,
  started_ms    INTEGER NOT NULL,
  ended_ms      INTEGER NOT NULL,
  commit_id     TEXT CHECK (length(commit_id) = 40 AND commit_id NOT GLOB '*[^0-9a-f]*'),  -- NULL: none was reached
  result        TEXT NOT NULL CHECK (result IN ('complete', 'incomplete', 'stopped', 'environment', 'denied', 'held')),
  created       INTEGER NOT NULL CHECK (created >= 0),
  confirmed     INTEGER NOT NULL CHECK (confirmed >= 0),
  adopted       INTEGER NOT NULL CHECK (adopted >= 0),
  reported      INTEGER NOT NULL CHECK (reported >= 0),
  rejected      INTEGER NOT NULL CHECK (rejected >= 0),
  conflicting   INTEGER NOT NULL CHECK (conflicting >= 0),
  unresolved    INTEGER NOT NULL CHECK (unresolved >= 0),
  bad_manifests INTEGER NOT NULL CHECK (bad_manifests >= 0),
  error         TEXT CHECK (error <> '')
) STRICT;
INSERT INTO new_pass (pass, cause, started_ms, ended_ms, commit_id, result, created, confirmed, adopted, reported,
  rejected, conflicting, unresolved, bad_manifests, error)
SELECT pass, cause, started_ms, ended_ms, commit_id, result, created, confirmed, adopted, reported,
  rejected, conflicting, unresolved, bad_manifests, error
FROM pass ORDER BY pass;
DROP TABLE pass;
ALTER TABLE new_pass RENAME TO pass;

PRAGMA legacy_alter_table = OFF;

-- The heads that were taken to be applied: the newest one, and the newest one up to which each commit is signed.
ALTER TABLE runner ADD COLUMN head_accepted TEXT
  CHECK (length(head_accepted) = 40 AND head_accepted NOT GLOB '*[^0-9a-f]*');
ALTER TABLE runner ADD COLUMN head_vouched TEXT
  CHECK (length(head_vouched) = 40 AND head_vouched NOT GLOB '*[^0-9a-f]*');
-- Until now every head that was seen was applied.
UPDATE runner SET head_accepted = head_seen;

-- The plan that waits for an approval, where one does.
ALTER TABLE runner ADD COLUMN held_fingerprint TEXT
  CHECK (length(held_fingerprint) = 64 AND held_fingerprint NOT GLOB '*[^0-9a-f]*');
ALTER TABLE runner ADD COLUMN held_commit TEXT
  CHECK (length(held_commit) = 40 AND held_commit NOT GLOB '*[^0-9a-f]*');
ALTER TABLE runner ADD COLUMN held_since_ms INTEGER;
ALTER TABLE runner ADD COLUMN held_why TEXT;
ALTER TABLE runner ADD COLUMN held_approved INTEGER CHECK (held_approved IN (0, 1))
  CHECK ((held_fingerprint IS NULL) + (held_commit IS NULL) + (held_since_ms IS NULL) + (held_why IS NULL)
         + (held_approved IS NULL) IN (0, 5));

-- The newest head, where it is not applied for its signatures.
ALTER TABLE runner ADD COLUMN refused_commit TEXT
  CHECK (length(refused_commit) = 40 AND refused_commit NOT GLOB '*[^0-9a-f]*');
ALTER TABLE runner ADD COLUMN refused_why TEXT CHECK ((refused_why IS NULL) = (refused_commit IS NULL));
)sql";

constexpr std::array kMigrations = {Migration{"0001 first layout", kFirstLayout}, Migration{"0002 surveys", kSurveys},
                                    Migration{"0003 notices", kNotices}};
static_assert(kMigrations.size() >= kLayoutOfNotices);

using Layout = std::map<std::string, std::string>;

/// Every table, index and trigger with its SQL; what SQLite makes by itself has none and is left out.
Layout ReadLayout(SQLite::Database& database) {
  Layout layout;
  SQLite::Statement query(database, "SELECT type || ' ' || name, sql FROM sqlite_schema WHERE sql IS NOT NULL");
  while (query.executeStep()) layout.emplace(query.getColumn(0).getString(), query.getColumn(1).getString());
  return layout;
}

Layout LayoutMadeBy(std::span<const Migration> migrations) {
  SQLite::Database model(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  ApplyMigrations(model, 0, migrations, TimePoint{});
  return ReadLayout(model);
}

std::optional<std::string> Difference(SQLite::Database& database, const Layout& expected) {
  const Layout found = ReadLayout(database);
  for (const auto& [name, sql] : expected) {
    const auto it = found.find(name);
    if (it == found.end() || it->second != sql) return name;
  }
  return std::nullopt;
}

}  // namespace

std::span<const Migration> LedgerMigrations() {
  return kMigrations;
}

void ApplyMigrations(SQLite::Database& database, std::int64_t version, std::span<const Migration> migrations,
                     TimePoint now) {
  for (const Migration& migration : migrations.subspan(static_cast<std::size_t>(version))) {
    database.exec(migration.sql);
    SQLite::Statement note(database, "INSERT INTO migration (name, applied_at_ms) VALUES (?, ?)");
    note.bind(1, std::string(migration.name));
    note.bind(2, ToMs(now));
    note.exec();
  }
  database.exec(fmt::format("PRAGMA user_version = {}", migrations.size()));
}

std::optional<std::string> LayoutDifference(SQLite::Database& database, std::span<const Migration> migrations) {
  return Difference(database, LayoutMadeBy(migrations));
}

std::optional<std::string> LayoutDifference(SQLite::Database& database, std::int64_t version) {
  static std::mutex mutex;
  static std::map<std::int64_t, Layout> known;
  const std::scoped_lock lock(mutex);
  auto it = known.find(version);
  if (it == known.end()) {
    it = known.emplace(version, LayoutMadeBy(LedgerMigrations().first(static_cast<std::size_t>(version)))).first;
  }
  return Difference(database, it->second);
}

}  // namespace tokensync
