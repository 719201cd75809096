// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <tuple>

#include "store/tables.hpp"

namespace ronda::store {
namespace {

InstanceId instance_of(const Row& row) { return {std::string(row.text(0)), std::string(row.text(1))}; }

Slot slot_of(const Row& row) {
  const auto state = static_cast<SlotState>(std::clamp<std::int64_t>(row.integer(3), 0, static_cast<std::int64_t>(SlotState::skipped)));
  return {instance_of(row), row.integer(2), state, row.integer(4), std::string(row.text(5))};
}

// Longer than a month, so that the last run of a monthly job is always there.
constexpr std::int64_t slots_kept = std::int64_t{35} * 86'400'000'000'000;

/// Each instance that has a slot, by one step in the index for each: slots are many, instances few.
Result<std::vector<InstanceId>> owners(Database& db) {
  std::vector<InstanceId> all;
  InstanceId last;
  while (true) {
    bool found = false;
    // a name that is no text but a blob, as damage makes it, is behind every text: it would be found for ever
    RONDA_TRY(std::ignore, db.each("SELECT kind,name FROM slot WHERE (kind,name)>(?,?) AND typeof(kind)='text' AND typeof(name)='text' "
                                   "ORDER BY kind,name LIMIT 1",
                                   [&](const Row& row) {
                                     found = true;
                                     all.push_back(instance_of(row));
                                   },
                                   last.kind, last.name));
    if (!found) return all;
    last = all.back();
  }
}

}  // namespace

Result<Claim> close_slot(Database& db, const Slot& slot) {
  RONDA_TRY(std::ignore,
            db.run("INSERT INTO slot(kind,name,scheduled,state,changed,outcome) VALUES(?,?,?,?,?,?) "
                   "ON CONFLICT DO NOTHING",
                   slot.id.kind, slot.id.name, slot.scheduled, static_cast<std::int64_t>(slot.state), slot.changed,
                   slot.outcome));
  return db.changes() == 1 ? Claim::claimed : Claim::already_done;
}

Result<Claim> claim_slot(Database& db, const InstanceId& id, std::int64_t scheduled, std::int64_t now) {
  // By the clock of today or by the latest that retention went by: the clock may have been set back since.
  RONDA_TRY(const auto forgotten, db.number("SELECT value FROM meta WHERE name='slots_forgotten'", 0));
  if (scheduled < std::max(now - slots_kept, forgotten)) {
    RONDA_TRY(const auto newer, db.number("SELECT count(*) FROM (SELECT 1 FROM slot WHERE kind=? AND name=? AND "
                                          "scheduled>=? LIMIT 1)",
                                          0, id.kind, id.name, scheduled));
    if (newer > 0) return Claim::already_done;
  }
  return close_slot(db, {id, scheduled, SlotState::started, now, ""});
}

Result<bool> is_slot_started(Database& db, const InstanceId& id, std::int64_t scheduled) {
  RONDA_TRY(const auto started,
            db.number("SELECT count(*) FROM slot WHERE kind=? AND name=? AND scheduled=? AND state=0", 0, id.kind, id.name, scheduled));
  return started > 0;
}

Status withdraw_slot(Database& db, const InstanceId& id, std::int64_t scheduled) {
  return db.run("DELETE FROM slot WHERE kind=? AND name=? AND scheduled=? AND state=0", id.kind, id.name, scheduled);
}

Status finish_slot(Database& db, const InstanceId& id, std::int64_t scheduled, const std::string& outcome,
                   std::int64_t now) {
  RONDA_TRY(std::ignore, db.run("INSERT INTO slot(kind,name,scheduled,state,changed,outcome) VALUES(?,?,?,1,?,?) "
                                "ON CONFLICT DO UPDATE SET state=1, changed=excluded.changed, outcome=excluded.outcome "
                                "WHERE state=0",
                                id.kind, id.name, scheduled, now, outcome));
  if (db.changes() == 1) return done();
  return Error(Errc::not_found, "the slot of " + id.kind + " '" + id.name + "' at " + std::to_string(scheduled) +
                                    " is finished already");
}

Status record_missed(Database& db, const MissedRange& range) {
  return db.run("INSERT INTO missed(kind,name,first,last,count,reason,recorded) VALUES(?,?,?,?,?,?,?)", range.id.kind,
                range.id.name, range.first, range.last, range.count, range.reason, range.recorded);
}

Result<std::vector<Slot>> load_slots(Database& db, const InstanceId& id, std::int64_t limit) {
  std::vector<Slot> all;
  RONDA_TRY(std::ignore, db.each("SELECT kind,name,scheduled,state,changed,outcome FROM slot WHERE kind=? AND name=? "
                                 "ORDER BY scheduled DESC LIMIT ?",
                                 [&](const Row& row) { all.push_back(slot_of(row)); }, id.kind, id.name, limit));
  return all;
}

Result<std::vector<Slot>> load_started_slots(Database& db) {
  std::vector<Slot> all;
  RONDA_TRY(std::ignore, db.each("SELECT kind,name,scheduled,state,changed,outcome FROM slot WHERE state=0",
                                 [&](const Row& row) { all.push_back(slot_of(row)); }));
  return all;
}

Result<std::vector<Slot>> load_last_slots(Database& db) {
  std::vector<Slot> all;
  RONDA_TRY(const auto ids, owners(db));
  for (const InstanceId& id : ids) {
    RONDA_TRY(auto newest, load_slots(db, id, 1));
    if (!newest.empty()) all.push_back(std::move(newest.front()));
  }
  return all;
}

Status forget_slots(Database& db, std::int64_t now, std::int64_t rows, std::int64_t* gone) {
  const std::int64_t before = now - slots_kept;
  RONDA_TRY(std::ignore,
            db.run("DELETE FROM slot WHERE (kind,name,scheduled) IN (SELECT kind,name,scheduled FROM slot AS old WHERE "
                   "scheduled<? AND state<>0 AND EXISTS (SELECT 1 FROM slot WHERE kind=old.kind AND name=old.name AND "
                   "scheduled>old.scheduled) ORDER BY scheduled LIMIT ?)",
                   before, rows));
  const std::int64_t deleted = db.changes();
  *gone += deleted;
  if (deleted == 0) return done();
  return db.run("INSERT INTO meta(name,value) VALUES('slots_forgotten',?) ON CONFLICT DO UPDATE "
                "SET value=max(value,excluded.value)",
                before);
}

Status note_calendars(Database& db, std::span<const KnownCalendar> present) {
  for (const KnownCalendar& calendar : present) {
    RONDA_TRY(std::ignore, db.run("INSERT INTO calendar(kind,name,text,since) VALUES(?,?,?,?) ON CONFLICT DO UPDATE SET "
                                  "since=CASE text WHEN '' THEN since ELSE excluded.since END, text=excluded.text "
                                  "WHERE text<>excluded.text",
                                  calendar.id.kind, calendar.id.name, calendar.text, calendar.since));
  }
  return done();
}

Result<std::vector<KnownCalendar>> load_calendars(Database& db) {
  std::vector<KnownCalendar> all;
  RONDA_TRY(std::ignore, db.each("SELECT kind,name,text,since FROM calendar ORDER BY kind,name", [&](const Row& row) {
    all.push_back({instance_of(row), std::string(row.text(2)), row.integer(3)});
  }));
  return all;
}

Result<std::vector<MissedRange>> load_missed(Database& db, const InstanceId& id, std::int64_t limit) {
  std::vector<MissedRange> all;
  RONDA_TRY(std::ignore, db.each("SELECT kind,name,first,last,count,reason,recorded FROM missed "
                                 "WHERE kind=? AND name=? ORDER BY id DESC LIMIT ?",
                                 [&](const Row& row) {
                                   all.push_back({instance_of(row), row.integer(2), row.integer(3), row.integer(4),
                                                  std::string(row.text(5)), row.integer(6)});
                                 },
                                 id.kind, id.name, limit));
  return all;
}

}  // namespace ronda::store
