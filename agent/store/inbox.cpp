// SPDX-License-Identifier: Apache-2.0
#include <tuple>

#include "store/tables.hpp"

namespace ronda::store {

Result<Posted> post_inbox(Database& db, const InstanceId& id, const InboxEvent& event) {
  if (event.text.size() > inbox_text_max)
    return Error(Errc::range, "inbox of " + id.kind + " '" + id.name + "': a text has at most 65536 bytes, this one " +
                                  std::to_string(event.text.size()));
  RONDA_TRY(const auto count, db.number("SELECT count(*) FROM inbox WHERE kind=? AND name=?", 0, id.kind, id.name));
  const bool is_full = count >= inbox_events_max;
  if (is_full) {
    RONDA_TRY(std::ignore, db.run("DELETE FROM inbox WHERE id=(SELECT id FROM inbox WHERE kind=? AND name=? "
                                  "ORDER BY event<>'heartbeat', id LIMIT 1)",
                                  id.kind, id.name));
  }
  RONDA_TRY(std::ignore, db.run("INSERT INTO inbox(kind,name,event,code,text,wall) VALUES(?,?,?,?,?,?)", id.kind, id.name, event.event,
                                std::int64_t{event.code}, Blob{event.text}, event.wall));
  RONDA_TRY(const auto row, db.number("SELECT last_insert_rowid()", 0));
  return Posted{row, is_full};
}

Result<std::vector<InboxEvent>> peek_inbox(Database& db, const InstanceId& id, std::int64_t limit) {
  std::vector<InboxEvent> all;
  RONDA_TRY(std::ignore, db.each(
                             "SELECT id,event,code,text,wall FROM inbox WHERE kind=? AND name=? ORDER BY id LIMIT ?",
                             [&](const Row& row) {
                               all.push_back({row.integer(0), std::string(row.text(1)), static_cast<std::int32_t>(row.integer(2)),
                                              std::string(row.text(3)), row.integer(4)});
                             },
                             id.kind, id.name, limit));
  return all;
}

Status remove_inbox(Database& db, const InstanceId& id, std::span<const std::int64_t> events) {
  for (const std::int64_t event : events) {
    RONDA_TRY(std::ignore, db.run("DELETE FROM inbox WHERE id=? AND kind=? AND name=?", event, id.kind, id.name));
  }
  return done();
}

Result<std::vector<InstanceId>> load_inbox_owners(Database& db) {
  std::vector<InstanceId> all;
  RONDA_TRY(std::ignore, db.each("SELECT DISTINCT kind,name FROM inbox", [&](const Row& row) {
    all.push_back({std::string(row.text(0)), std::string(row.text(1))});
  }));
  return all;
}

}  // namespace ronda::store
