// SPDX-License-Identifier: Apache-2.0
#include "store/schema.hpp"

#include <array>
#include <fstream>
#include <tuple>

#include "store/state_dir.hpp"

namespace ronda::store {
namespace {

// Append only: a step that has been released is never edited.
constexpr std::array<const char*, 5> steps = {
    // 1: what the first agent keeps
    R"sql(
CREATE TABLE meta(name TEXT PRIMARY KEY, value) WITHOUT ROWID;

CREATE TABLE instance(
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL,
  status INTEGER NOT NULL, since INTEGER NOT NULL, last_run INTEGER NOT NULL, last_ok INTEGER NOT NULL,
  failures INTEGER NOT NULL, runs INTEGER NOT NULL, summary TEXT NOT NULL, detail TEXT NOT NULL,
  UNIQUE(kind, name));
-- a ring: position is the number of the run modulo its length, so the oldest is overwritten in place
CREATE TABLE run(
  instance INTEGER NOT NULL, position INTEGER NOT NULL, started INTEGER NOT NULL, duration INTEGER NOT NULL,
  status INTEGER NOT NULL, summary TEXT NOT NULL, PRIMARY KEY(instance, position)) WITHOUT ROWID;

CREATE TABLE slot(
  kind TEXT NOT NULL, name TEXT NOT NULL, scheduled INTEGER NOT NULL, state INTEGER NOT NULL,
  changed INTEGER NOT NULL, outcome TEXT NOT NULL, PRIMARY KEY(kind, name, scheduled)) WITHOUT ROWID;
CREATE INDEX slot_started ON slot(state) WHERE state = 0;
CREATE INDEX slot_age ON slot(scheduled);
CREATE TABLE missed(
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
  count INTEGER NOT NULL, reason TEXT NOT NULL, recorded INTEGER NOT NULL);
CREATE INDEX missed_of ON missed(kind, name, id);

CREATE TABLE kv_space(
  id INTEGER PRIMARY KEY, kind TEXT NOT NULL, name TEXT NOT NULL, plugin TEXT NOT NULL,
  state_version INTEGER NOT NULL, used INTEGER NOT NULL, UNIQUE(kind, name, plugin));
CREATE TABLE kv(
  space INTEGER NOT NULL, key BLOB NOT NULL, expires INTEGER NOT NULL, value BLOB NOT NULL,
  PRIMARY KEY(space, key)) WITHOUT ROWID;
CREATE INDEX kv_expires ON kv(expires) WHERE expires > 0;
CREATE INDEX kv_expires_of ON kv(space, expires) WHERE expires > 0;

-- AUTOINCREMENT: an id that was taken is never given to a later event
CREATE TABLE inbox(
  id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, name TEXT NOT NULL, event TEXT NOT NULL,
  code INTEGER NOT NULL, text BLOB NOT NULL, wall INTEGER NOT NULL);
CREATE INDEX inbox_of ON inbox(kind, name, id);

CREATE TABLE journal(
  seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, host TEXT NOT NULL, wall INTEGER NOT NULL,
  kind TEXT NOT NULL, subject TEXT NOT NULL, data TEXT NOT NULL);

CREATE TABLE quarantine(
  subject TEXT PRIMARY KEY, reason TEXT NOT NULL, since INTEGER NOT NULL, probe_at INTEGER NOT NULL,
  fingerprint TEXT NOT NULL) WITHOUT ROWID;
)sql",
    // 2: since when an instance is not configured any more
    R"sql(
CREATE TABLE left_instance(
  kind TEXT NOT NULL, name TEXT NOT NULL, since INTEGER NOT NULL, PRIMARY KEY(kind, name)) WITHOUT ROWID;
)sql",
    // 3: since when each instance has the calendar that it has; of those from before nobody knows
    R"sql(
CREATE TABLE calendar(
  kind TEXT NOT NULL, name TEXT NOT NULL, text TEXT NOT NULL, since INTEGER NOT NULL, PRIMARY KEY(kind, name)) WITHOUT ROWID;
INSERT INTO calendar SELECT DISTINCT kind, name, '', 0 FROM slot;
)sql",
    // 4: what was measured
    R"sql(
CREATE TABLE series(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL, metric TEXT NOT NULL, labels BLOB NOT NULL, unit TEXT NOT NULL,
  shape INTEGER NOT NULL, seen INTEGER NOT NULL, UNIQUE(name, metric, labels));
-- one row a result, in the order in which they came, so that each flush writes at the end of the table only
CREATE TABLE sample(seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, data BLOB NOT NULL);
-- by time and then by series: what is written together and forgotten together lies together
CREATE TABLE raw(bucket INTEGER NOT NULL, series INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY(bucket, series)) WITHOUT ROWID;
CREATE TABLE five(bucket INTEGER NOT NULL, series INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY(bucket, series)) WITHOUT ROWID;
CREATE TABLE hours(bucket INTEGER NOT NULL, series INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY(bucket, series)) WITHOUT ROWID;
)sql",
    // 5: alerts, incidents and what is owed to people
    R"sql(
CREATE TABLE incident(
  id TEXT PRIMARY KEY, opened INTEGER NOT NULL, changed INTEGER NOT NULL, closed INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX incident_open ON incident(id) WHERE closed = 0;
CREATE INDEX incident_age ON incident(opened);
CREATE TABLE incident_event(
  incident TEXT NOT NULL, seq INTEGER NOT NULL, at INTEGER NOT NULL, kind TEXT NOT NULL, author TEXT NOT NULL,
  source TEXT NOT NULL, data TEXT NOT NULL, PRIMARY KEY(incident, seq)) WITHOUT ROWID;
CREATE TRIGGER incident_event_stays BEFORE UPDATE ON incident_event
BEGIN SELECT RAISE(ABORT, 'events of incidents are never changed'); END;

CREATE TABLE alert_state(name TEXT PRIMARY KEY, at INTEGER NOT NULL, data TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE silence(id TEXT PRIMARY KEY, until INTEGER NOT NULL, data TEXT NOT NULL) WITHOUT ROWID;

-- state: queued, sending, delivered, dead; carrier: the row whose message carries this one too
CREATE TABLE outbox(
  id TEXT PRIMARY KEY, incident TEXT NOT NULL, grp TEXT NOT NULL, notifier TEXT NOT NULL, contact TEXT NOT NULL,
  recipient TEXT NOT NULL, level TEXT NOT NULL, event TEXT NOT NULL, ord INTEGER NOT NULL, state INTEGER NOT NULL,
  carrier TEXT NOT NULL, attempts INTEGER NOT NULL, queued_at INTEGER NOT NULL, next_at INTEGER NOT NULL,
  first_at INTEGER NOT NULL, last_error TEXT NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL, fields TEXT NOT NULL);
CREATE INDEX outbox_owed ON outbox(ord) WHERE state < 2;
CREATE INDEX outbox_age ON outbox(queued_at) WHERE state >= 2;
CREATE INDEX outbox_of ON outbox(incident, ord);
CREATE TABLE delivery(
  id TEXT NOT NULL, number INTEGER NOT NULL, started INTEGER NOT NULL, ended INTEGER NOT NULL, outcome TEXT NOT NULL,
  detail TEXT NOT NULL, PRIMARY KEY(id, number)) WITHOUT ROWID;
)sql",
};

std::string newer_text(const std::string& path, std::int64_t version) {
  return "'" + path + "' was written by a newer ronda (schema " + std::to_string(version) + ", this one knows " +
         std::to_string(steps.size()) + "); nothing was changed; install that version again, or restore a backup";
}

// The version stands twice, in the header and in the table meta: one flipped bit is damage, not a newer agent.
Status compare_versions(Database& db, const std::string& path, std::int64_t version) {
  RONDA_TRY(const auto written, db.number("SELECT value FROM meta WHERE name='schema'", -1));
  if (written != version || version < 1)
    return Error(Errc::corrupt, "'" + path + "': header and content disagree about the schema (" +
                                    std::to_string(version) + ", " + std::to_string(written) + ")");
  if (version > schema_version()) return Error(Errc::invalid, newer_text(path, version));
  return done();
}

}  // namespace

int schema_version() { return static_cast<int>(steps.size()); }

Status refuse_newer_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::array<unsigned char, 100> header{};
  if (!in.read(reinterpret_cast<char*>(header.data()), header.size())) return done();
  const auto number = [&](std::size_t at) {
    return (std::int64_t{header[at]} << 24) | (header[at + 1] << 16) | (header[at + 2] << 8) | header[at + 3];
  };
  // file format of SQLite, 1.3: user version at 60, application id at 68
  const std::int64_t version = number(60);
  if (number(68) != application_id || version <= schema_version()) return done();
  in.close();
  RONDA_TRY(auto db, Database::open_unchanging(path));
  const Status status = compare_versions(db, path, version);
  if (status || status.error().code() == Errc::invalid) return status;
  // What contradicts the header may still be in the WAL: refuse_foreign() reads through it.
  const auto wal = file_state(path + "-wal");
  if (wal && wal->size > 0) return done();
  return Error(Errc::corrupt, status.error().message());
}

Status refuse_foreign(Database& db, const std::string& path) {
  RONDA_TRY(const auto id, db.number("PRAGMA application_id", 0));
  RONDA_TRY(const auto version, db.number("PRAGMA user_version", 0));
  RONDA_TRY(const auto objects, db.number("SELECT count(*) FROM sqlite_schema", 0));
  RONDA_TRY(const auto ours, db.number("SELECT count(*) FROM sqlite_schema WHERE name IN ('meta','kv_space','slot')", 0));
  if (objects == 0) return done();
  if (id == application_id || ours == 3) return compare_versions(db, path, id == application_id ? version : -1);
  return Error(Errc::invalid, "'" + path + "' is a database of another program (application id " + std::to_string(id) +
                                  "); nothing was changed; move it away, or give --state another directory");
}

Status migrate(Database& db) {
  RONDA_TRY(const auto version, db.number("PRAGMA user_version", 0));
  for (std::size_t step = static_cast<std::size_t>(version); step < steps.size(); ++step) {
    const std::string sql = "BEGIN IMMEDIATE;" + std::string(steps[step]) +
                            ";PRAGMA application_id=" + std::to_string(application_id) +
                            ";PRAGMA user_version=" + std::to_string(step + 1) +
                            ";REPLACE INTO meta VALUES('schema'," + std::to_string(step + 1) + ");COMMIT;";
    if (auto status = db.script(sql.c_str()); !status) {
      db.roll_back();
      return std::move(status).error().with_context("schema step " + std::to_string(step + 1));
    }
  }
  return done();
}

}  // namespace ronda::store
