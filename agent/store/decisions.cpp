// SPDX-License-Identifier: Apache-2.0
// The tables of alerts, incidents, silences and of what is owed to people.
#include <algorithm>
#include <tuple>

#include "store/tables.hpp"

namespace ronda::store {
namespace {

Status check_json(Database& db, const std::string& what, const std::string& text, std::size_t most) {
  if (text.size() > most)
    return Error(Errc::range, what + ": its data has at most " + std::to_string(most) + " bytes, this has " + std::to_string(text.size()));
  RONDA_TRY(const auto valid, db.number("SELECT json_valid(?)", 0, text));
  if (valid == 0) return Error(Errc::invalid, what + ": its data is not JSON");
  return done();
}

/// What a repeated event must be equal to: a decision whose answer was lost is given again.
Status check_same(Database& db, const IncidentEvent& event) {
  RONDA_TRY(const auto same, db.number("SELECT count(*) FROM incident_event WHERE incident=? AND seq=? AND at=? AND kind=? AND data=?", 0,
                                       event.incident, event.seq, event.at, event.kind, event.data));
  if (same == 1) return done();
  return Error(Errc::exists,
               "incident '" + event.incident + "' has another event " + std::to_string(event.seq) + " already; events are never changed");
}

Status append_event(Database& db, const IncidentEvent& event) {
  RONDA_TRY(std::ignore,
            check_json(db, "event " + std::to_string(event.seq) + " of incident '" + event.incident + "'", event.data, event_data_max));
  RONDA_TRY(std::ignore, db.run("INSERT INTO incident_event(incident,seq,at,kind,author,source,data) VALUES(?,?,?,?,?,?,?) "
                                "ON CONFLICT DO NOTHING",
                                event.incident, event.seq, event.at, event.kind, event.author, event.source, event.data));
  if (db.changes() == 0) return check_same(db, event);
  return db.run("INSERT INTO incident(id,opened,changed,closed) VALUES(?,?,?,0) ON CONFLICT DO UPDATE SET changed=excluded.changed",
                event.incident, event.at, event.at);
}

Status save_alert(Database& db, const AlertState& alert) {
  if (!alert.data) return db.run("DELETE FROM alert_state WHERE name=? AND at<=?", alert.name, alert.at);
  RONDA_TRY(std::ignore, check_json(db, "alert '" + alert.name + "'", *alert.data, event_data_max));
  return db.run(
      "INSERT INTO alert_state(name,at,data) VALUES(?,?,?) ON CONFLICT DO UPDATE SET at=excluded.at,data=excluded.data "
      "WHERE excluded.at>=at",
      alert.name, alert.at, *alert.data);
}

Status save_silence(Database& db, const SilenceRow& silence) {
  if (!silence.data) return db.run("DELETE FROM silence WHERE id=?", silence.id);
  RONDA_TRY(std::ignore, check_json(db, "silence '" + silence.id + "'", *silence.data, event_data_max));
  return db.run("REPLACE INTO silence(id,until,data) VALUES(?,?,?)", silence.id, silence.until, *silence.data);
}

// It may be there: a commit whose sync failed is found again by who opens the file next. Then the row given again tells more, for
// what became of it meanwhile was kept in it and nowhere else. What has ended stays so, as in change_row.
Status add_row(Database& db, const OutboxRow& row) {
  RONDA_TRY(std::ignore, check_json(db, "message '" + row.id + "'", row.text.fields, outbox_text_max));
  return db.run(
      "INSERT INTO outbox(id,incident,grp,notifier,contact,recipient,level,event,ord,state,carrier,attempts,queued_at,"
      "next_at,first_at,last_error,title,body,fields) VALUES(?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?) ON CONFLICT DO UPDATE SET "
      "state=excluded.state,carrier=excluded.carrier,attempts=excluded.attempts,next_at=excluded.next_at,first_at=excluded.first_at,"
      "last_error=excluded.last_error,title=excluded.title,body=excluded.body,fields=excluded.fields "
      "WHERE outbox.state<2 AND excluded.attempts>=outbox.attempts",
      row.id, row.incident, row.group, row.notifier, row.contact, row.to, row.level, row.event, row.order,
      static_cast<std::int64_t>(row.state), row.carrier, row.attempts, row.queued_at, row.next_at, row.first_at, row.last_error,
      row.text.title, row.text.body, row.text.fields);
}

// What was delivered stays so, whatever comes late.
Status change_row(Database& db, const OutboxChange& change) {
  RONDA_TRY(std::ignore, db.run("UPDATE outbox SET state=?,carrier=?,attempts=?,next_at=?,first_at=?,last_error=? WHERE id=? AND state<>2",
                                static_cast<std::int64_t>(change.state), change.carrier, change.attempts, change.next_at, change.first_at,
                                change.last_error, change.id));
  if (!change.text) return done();
  RONDA_TRY(std::ignore, check_json(db, "message '" + change.id + "'", change.text->fields, outbox_text_max));
  return db.run("UPDATE outbox SET title=?,body=?,fields=? WHERE id=?", change.text->title, change.text->body, change.text->fields,
                change.id);
}

constexpr const char* row_columns_owed =
    "SELECT id,incident,grp,notifier,contact,recipient,level,event,ord,state,carrier,attempts,queued_at,next_at,first_at,"
    "last_error,title,'','{}' FROM outbox WHERE state<2 ORDER BY ord";
constexpr const char* row_columns_newest =
    "SELECT id,incident,grp,notifier,contact,recipient,level,event,ord,state,carrier,attempts,queued_at,next_at,first_at,"
    "last_error,title,body,fields FROM outbox ORDER BY ord DESC LIMIT ?";
constexpr const char* row_columns_of =
    "SELECT id,incident,grp,notifier,contact,recipient,level,event,ord,state,carrier,attempts,queued_at,next_at,first_at,"
    "last_error,title,body,fields FROM outbox WHERE incident=? ORDER BY ord";
constexpr const char* row_columns_one =
    "SELECT id,incident,grp,notifier,contact,recipient,level,event,ord,state,carrier,attempts,queued_at,next_at,first_at,"
    "last_error,title,body,fields FROM outbox WHERE id=?";

OutboxRow outbox_row(const Row& row) {
  const auto text = [&](int column) { return std::string(row.text(column)); };
  OutboxRow out;
  out.id = text(0);
  out.incident = text(1);
  out.group = text(2);
  out.notifier = text(3);
  out.contact = text(4);
  out.to = text(5);
  out.level = text(6);
  out.event = text(7);
  out.order = row.integer(8);
  // what is neither delivered nor dead is owed, as in the conditions of the queries
  out.state = static_cast<OutboxState>(std::clamp<std::int64_t>(row.integer(9), 0, static_cast<std::int64_t>(OutboxState::dead)));
  out.carrier = text(10);
  out.attempts = row.integer(11);
  out.queued_at = row.integer(12);
  out.next_at = row.integer(13);
  out.first_at = row.integer(14);
  out.last_error = text(15);
  out.text = {text(16), text(17), text(18)};
  return out;
}

IncidentEvent event_of(const Row& row) {
  return {std::string(row.text(0)), row.integer(1),           row.integer(2),          std::string(row.text(3)),
          std::string(row.text(4)), std::string(row.text(5)), std::string(row.text(6))};
}

}  // namespace

std::size_t Decision::bytes() const {
  const auto text = [](const OutboxText& t) { return t.title.size() + t.body.size() + t.fields.size(); };
  std::size_t bytes = sizeof(Decision);
  for (const IncidentEvent& event : events) bytes += sizeof event + event.incident.size() + event.data.size() + event.kind.size();
  for (const AlertState& alert : alerts) bytes += sizeof alert + alert.name.size() + (alert.data ? alert.data->size() : 0);
  for (const SilenceRow& silence : silences) bytes += sizeof silence + (silence.data ? silence.data->size() : 0);
  for (const OutboxRow& row : outbox) bytes += sizeof row + row.id.size() + row.last_error.size() + text(row.text);
  for (const OutboxChange& change : changes) bytes += sizeof change + change.id.size() + (change.text ? text(*change.text) : 0);
  for (const DeliveryAttempt& attempt : trail) bytes += sizeof attempt + attempt.id.size() + attempt.detail.size();
  return bytes + marks.size() * sizeof(IncidentMark);
}

Status apply_decision(Database& db, const Decision& decision) {
  if (decision.order && decision.order->is_refused(decision.number))
    return Error(Errc::unavailable, "what was decided before it is not stored yet");
  for (const IncidentEvent& event : decision.events) {
    RONDA_TRY(std::ignore, append_event(db, event));
  }
  for (const IncidentMark& mark : decision.marks) {
    RONDA_TRY(std::ignore, db.run("UPDATE incident SET closed=? WHERE id=?", mark.closed, mark.incident));
  }
  for (const AlertState& alert : decision.alerts) {
    RONDA_TRY(std::ignore, save_alert(db, alert));
  }
  for (const SilenceRow& silence : decision.silences) {
    RONDA_TRY(std::ignore, save_silence(db, silence));
  }
  for (const OutboxRow& row : decision.outbox) {
    RONDA_TRY(std::ignore, add_row(db, row));
  }
  for (const OutboxChange& change : decision.changes) {
    RONDA_TRY(std::ignore, change_row(db, change));
  }
  for (const DeliveryAttempt& attempt : decision.trail) {
    RONDA_TRY(std::ignore, db.run("REPLACE INTO delivery(id,number,started,ended,outcome,detail) VALUES(?,?,?,?,?,?)", attempt.id,
                                  attempt.number, attempt.started, attempt.ended, attempt.outcome, attempt.detail));
  }
  return done();
}

Result<std::vector<IncidentEvent>> load_open_incidents(Database& db) {
  std::vector<IncidentEvent> all;
  RONDA_TRY(std::ignore, db.each("SELECT e.incident,e.seq,e.at,e.kind,e.author,e.source,e.data FROM incident i JOIN incident_event e "
                                 "ON e.incident=i.id WHERE i.closed=0 ORDER BY e.incident,e.seq",
                                 [&](const Row& row) { all.push_back(event_of(row)); }));
  return all;
}

Result<std::vector<IncidentEvent>> load_incident(Database& db, const std::string& incident) {
  std::vector<IncidentEvent> all;
  RONDA_TRY(std::ignore, db.each(
                             "SELECT incident,seq,at,kind,author,source,data FROM incident_event WHERE incident=? ORDER BY seq",
                             [&](const Row& row) { all.push_back(event_of(row)); }, incident));
  return all;
}

Result<std::vector<IncidentSummary>> load_incident_ids(Database& db, std::int64_t limit) {
  std::vector<IncidentSummary> all;
  RONDA_TRY(std::ignore,
            db.each(
                "SELECT i.id,i.opened,i.changed,i.closed,coalesce(e.data,'') FROM incident i LEFT JOIN incident_event e "
                "ON e.incident=i.id AND e.seq=1 ORDER BY i.opened DESC LIMIT ?",
                [&](const Row& row) {
                  all.push_back({std::string(row.text(0)), row.integer(1), row.integer(2), row.integer(3), std::string(row.text(4))});
                },
                limit));
  return all;
}

Result<std::vector<AlertState>> load_alert_states(Database& db) {
  std::vector<AlertState> all;
  RONDA_TRY(std::ignore, db.each("SELECT name,at,data FROM alert_state ORDER BY name", [&](const Row& row) {
    all.push_back({std::string(row.text(0)), row.integer(1), std::string(row.text(2))});
  }));
  return all;
}

Result<std::vector<SilenceRow>> load_silences(Database& db) {
  std::vector<SilenceRow> all;
  RONDA_TRY(std::ignore, db.each("SELECT id,until,data FROM silence ORDER BY until", [&](const Row& row) {
    all.push_back({std::string(row.text(0)), row.integer(1), std::string(row.text(2))});
  }));
  return all;
}

Result<std::vector<OutboxRow>> load_outbox(Database& db) {
  std::vector<OutboxRow> all;
  RONDA_TRY(std::ignore, db.each(row_columns_owed, [&](const Row& row) { all.push_back(outbox_row(row)); }));
  return all;
}

Result<std::vector<OutboxRow>> list_outbox(Database& db, const std::string& incident, std::int64_t limit) {
  std::vector<OutboxRow> all;
  const auto keep = [&](const Row& row) { all.push_back(outbox_row(row)); };
  if (incident.empty()) {
    RONDA_TRY(std::ignore, db.each(row_columns_newest, keep, limit));
  } else {
    RONDA_TRY(std::ignore, db.each(row_columns_of, keep, incident));
  }
  return all;
}

Result<std::vector<OutboxRow>> load_outbox_rows(Database& db, const std::vector<std::string>& ids) {
  std::vector<OutboxRow> all;
  for (const std::string& id : ids) {
    RONDA_TRY(std::ignore, db.each(
                               row_columns_one, [&](const Row& row) { all.push_back(outbox_row(row)); }, id));
  }
  return all;
}

/// An id that begins so lies from the prefix on, before the prefix with its last byte one higher
static std::string after_prefix(std::string prefix) {
  if (!prefix.empty()) ++prefix.back();
  return prefix;
}

Result<std::vector<OutboxRow>> list_outbox_prefix(Database& db, const std::string& prefix) {
  std::vector<OutboxRow> all;
  RONDA_TRY(std::ignore, db.each(
                             "SELECT id,incident,grp,notifier,contact,recipient,level,event,ord,state,carrier,attempts,queued_at,next_at,"
                             "first_at,last_error,title,body,fields FROM outbox WHERE id>=? AND id<? ORDER BY ord LIMIT 1000",
                             [&](const Row& row) { all.push_back(outbox_row(row)); }, prefix, after_prefix(prefix)));
  return all;
}

Result<std::vector<OutboxRow>> list_dead(Database& db, std::int64_t limit) {
  std::vector<OutboxRow> all;
  RONDA_TRY(std::ignore, db.each(
                             "SELECT id,incident,grp,notifier,contact,recipient,level,event,ord,state,carrier,attempts,queued_at,next_at,"
                             "first_at,last_error,title,'','{}' FROM outbox WHERE state=3 ORDER BY ord DESC LIMIT ?",
                             [&](const Row& row) { all.push_back(outbox_row(row)); }, limit));
  return all;
}

static DeliveryAttempt attempt_row(const Row& row) {
  return {std::string(row.text(0)), row.integer(1), row.integer(2), row.integer(3), std::string(row.text(4)), std::string(row.text(5))};
}

Result<std::vector<DeliveryAttempt>> load_trail_prefix(Database& db, const std::string& prefix) {
  std::vector<DeliveryAttempt> all;
  RONDA_TRY(std::ignore, db.each(
                             "SELECT id,number,started,ended,outcome,detail FROM delivery WHERE id>=? AND id<? ORDER BY started,id,number "
                             "LIMIT 10000",
                             [&](const Row& row) { all.push_back(attempt_row(row)); }, prefix, after_prefix(prefix)));
  return all;
}

Result<std::vector<DeliveryAttempt>> load_trail(Database& db, const std::string& incident) {
  std::vector<DeliveryAttempt> all;
  RONDA_TRY(std::ignore, db.each(
                             "SELECT d.id,d.number,d.started,d.ended,d.outcome,d.detail FROM outbox o JOIN delivery d ON d.id=o.id "
                             "WHERE o.incident=? ORDER BY d.started,d.id,d.number",
                             [&](const Row& row) { all.push_back(attempt_row(row)); }, incident));
  return all;
}

Result<std::vector<DeliveryAttempt>> load_last_attempts(Database& db, const std::vector<std::string>& ids) {
  std::vector<DeliveryAttempt> all;
  for (const std::string& id : ids) {
    RONDA_TRY(std::ignore, db.each(
                               "SELECT id,number,started,ended,outcome,detail FROM delivery WHERE id=? ORDER BY number DESC LIMIT 1",
                               [&](const Row& row) { all.push_back(attempt_row(row)); }, id));
  }
  return all;
}

Status forget_delivered(Database& db, std::int64_t now, std::int64_t rows, std::int64_t* gone) {
  constexpr std::int64_t kept = std::int64_t{400} * 86'400'000'000'000;
  std::vector<std::string> old;
  RONDA_TRY(std::ignore, db.each(
                             "SELECT id FROM outbox WHERE state>=2 AND queued_at<? LIMIT ?",
                             [&](const Row& row) { old.emplace_back(row.text(0)); }, now - kept, rows));
  for (const std::string& id : old) {
    RONDA_TRY(std::ignore, db.run("DELETE FROM delivery WHERE id=?", id));
    RONDA_TRY(std::ignore, db.run("DELETE FROM outbox WHERE id=?", id));
    *gone += db.changes();  // none of an id that is a blob: it must not seem to be progress
  }
  return done();
}

}  // namespace ronda::store
