// SPDX-License-Identifier: Apache-2.0
#include <tuple>

#include "store/state_dir.hpp"
#include "store/tables.hpp"

namespace ronda::store {

Status append_journal(Database& db, const JournalEvent& event, const std::string& host, std::int64_t now) {
  if (event.data.size() > journal_data_max)
    return Error(Errc::range, "event '" + event.kind + "': its data has at most 65536 bytes, this has " +
                                  std::to_string(event.data.size()));
  // Here and not as a CHECK of the table: with trusted_schema off SQLite 3.40 refuses JSON functions in a schema.
  RONDA_TRY(const auto valid, db.number("SELECT json_valid(?)", 0, event.data));
  if (valid == 0) return Error(Errc::invalid, "event '" + event.kind + "': its data is not JSON");
  const std::string id = event.id.empty() ? make_uuid(now) : event.id;
  // one that is there is the same: of a commit that was refused, for its sync failed, and was found in the file after all
  return db.run("INSERT INTO journal(id,host,wall,kind,subject,data) VALUES(?,?,?,?,?,?) ON CONFLICT(id) DO NOTHING", id,
                event.host.empty() ? host : event.host, event.wall == 0 ? now : event.wall, event.kind, event.subject,
                event.data);
}

Result<std::vector<JournalEvent>> load_journal(Database& db, std::int64_t limit) {
  std::vector<JournalEvent> all;
  RONDA_TRY(std::ignore, db.each("SELECT id,host,wall,kind,subject,data FROM journal ORDER BY seq DESC LIMIT ?",
                                 [&](const Row& row) {
                                   all.push_back({std::string(row.text(0)), std::string(row.text(1)), row.integer(2),
                                                  std::string(row.text(3)), std::string(row.text(4)),
                                                  std::string(row.text(5))});
                                 },
                                 limit));
  return all;
}

Status put_quarantine(Database& db, const Quarantine& q) {
  return db.run("REPLACE INTO quarantine(subject,reason,since,probe_at,fingerprint) VALUES(?,?,?,?,?)", q.subject,
                q.reason, q.since, q.probe_at, q.fingerprint);
}

Status clear_quarantine(Database& db, const std::string& subject) {
  return db.run("DELETE FROM quarantine WHERE subject=?", subject);
}

Result<std::vector<Quarantine>> load_quarantines(Database& db) {
  std::vector<Quarantine> all;
  RONDA_TRY(std::ignore, db.each("SELECT subject,reason,since,probe_at,fingerprint FROM quarantine ORDER BY subject",
                                 [&](const Row& row) {
                                   all.push_back({std::string(row.text(0)), std::string(row.text(1)), row.integer(2),
                                                  row.integer(3), std::string(row.text(4))});
                                 }));
  return all;
}

Status apply_call(Database& db, const CallEffects& effects, const std::string& host, std::int64_t now) {
  if (!effects.kv.empty()) {
    RONDA_TRY(std::ignore, write_kv(db, {effects.id, effects.plugin}, effects.state_version, effects.kv, now));
  }
  RONDA_TRY(std::ignore, remove_inbox(db, effects.id, effects.inbox_taken));
  if (effects.slot) {
    RONDA_TRY(std::ignore, finish_slot(db, effects.id, *effects.slot, effects.slot_outcome, now));
  }
  for (const JournalEvent& event : effects.events) {
    RONDA_TRY(std::ignore, append_journal(db, event, host, now));
  }
  return done();
}

}  // namespace ronda::store
