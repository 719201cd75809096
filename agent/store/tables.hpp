// SPDX-License-Identifier: Apache-2.0
// What can be done with each table, as functions over a connection that is inside a transaction.
// Each may be run again after a roll-back and keeps nothing outside the database. Time is a parameter.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "store/database.hpp"
#include "store/decision.hpp"
#include "store/types.hpp"

namespace ronda::store {

// instances.cpp (observed)
struct Observation {
  InstanceState state;
  std::vector<Run> runs;  // oldest first
};
Status save_observation(Database& db, const Observation& observation);
Result<std::vector<InstanceState>> load_instances(Database& db);
Result<std::vector<Run>> load_runs(Database& db, const InstanceId& id);  // newest first
Status drop_instance(Database& db, const InstanceId& id);

// left.cpp
/// These are all that are configured: others that the store knows have left, since now or since longer.
Status mark_configured(Database& db, std::span<const InstanceId> configured, std::int64_t now);
/// At most so many of those that left too long ago, each as a whole.
Status drop_left(Database& db, std::int64_t now, std::int64_t instances, std::int64_t* gone);

// slots.cpp
/// An instant that retention may have forgotten is never claimed anew.
Result<Claim> claim_slot(Database& db, const InstanceId& id, std::int64_t scheduled, std::int64_t now);
/// It is claimed and nothing ended it.
Result<bool> is_slot_started(Database& db, const InstanceId& id, std::int64_t scheduled);
/// Also of a slot that was run without a claim, because the store did not work then.
/// Errc::not_found when it is finished already.
Status finish_slot(Database& db, const InstanceId& id, std::int64_t scheduled, const std::string& outcome, std::int64_t now);
/// Takes back the claim of a slot whose run did not begin: it is owed again.
Status withdraw_slot(Database& db, const InstanceId& id, std::int64_t scheduled);
/// A slot that is not run, and why; never replaces what is there.
Result<Claim> close_slot(Database& db, const Slot& slot);
Status record_missed(Database& db, const MissedRange& range);
Result<std::vector<Slot>> load_slots(Database& db, const InstanceId& id, std::int64_t limit);  // newest first
Result<std::vector<Slot>> load_started_slots(Database& db);
Status forget_slots(Database& db, std::int64_t now, std::int64_t rows, std::int64_t* gone);
Result<std::vector<Slot>> load_last_slots(Database& db);  // the newest of every instance
/// Of one that is known, and the same, `since` stays.
Status note_calendars(Database& db, std::span<const KnownCalendar> present);
Result<std::vector<KnownCalendar>> load_calendars(Database& db);
Result<std::vector<MissedRange>> load_missed(Database& db, const InstanceId& id, std::int64_t limit);

// kv.cpp
Result<KvContent> load_kv(Database& db, const KvSpace& space, std::int64_t now);
Result<std::vector<KvVersion>> load_kv_versions(Database& db);
/// All of it or, with Errc::range, nothing.
Status write_kv(Database& db, const KvSpace& space, std::uint32_t state_version, std::span<const KvWrite> writes, std::int64_t now);

// inbox.cpp
/// A full inbox drops its oldest heartbeat, else its oldest event.
Result<Posted> post_inbox(Database& db, const InstanceId& id, const InboxEvent& event);
Result<std::vector<InboxEvent>> peek_inbox(Database& db, const InstanceId& id, std::int64_t limit);  // oldest first
Status remove_inbox(Database& db, const InstanceId& id, std::span<const std::int64_t> events);
Result<std::vector<InstanceId>> load_inbox_owners(Database& db);

// journal.cpp
Status append_journal(Database& db, const JournalEvent& event, const std::string& host, std::int64_t now);
Result<std::vector<JournalEvent>> load_journal(Database& db, std::int64_t limit);  // newest first
Status put_quarantine(Database& db, const Quarantine& quarantine);
Status clear_quarantine(Database& db, const std::string& subject);
Result<std::vector<Quarantine>> load_quarantines(Database& db);
Status apply_call(Database& db, const CallEffects& effects, const std::string& host, std::int64_t now);

// decisions.cpp
Status apply_decision(Database& db, const Decision& decision);
Result<std::vector<IncidentEvent>> load_open_incidents(Database& db);  // by incident, then seq
Result<std::vector<IncidentEvent>> load_incident(Database& db, const std::string& incident);
Result<std::vector<IncidentSummary>> load_incident_ids(Database& db, std::int64_t limit);  // newest first
Result<std::vector<AlertState>> load_alert_states(Database& db);
Result<std::vector<SilenceRow>> load_silences(Database& db);
Result<std::vector<OutboxRow>> load_outbox(Database& db);  // what is owed, in its order; title only
Result<std::vector<OutboxRow>> load_outbox_rows(Database& db, const std::vector<std::string>& ids);
/// Of one incident in order, or the newest of all.
Result<std::vector<OutboxRow>> list_outbox(Database& db, const std::string& incident, std::int64_t limit);
Result<std::vector<DeliveryAttempt>> load_trail(Database& db, const std::string& incident);
Result<std::vector<DeliveryAttempt>> load_last_attempts(Database& db, const std::vector<std::string>& ids);
Result<std::vector<OutboxRow>> list_outbox_prefix(Database& db, const std::string& prefix);
Result<std::vector<DeliveryAttempt>> load_trail_prefix(Database& db, const std::string& prefix);
Result<std::vector<OutboxRow>> list_dead(Database& db, std::int64_t limit);
Status forget_delivered(Database& db, std::int64_t now, std::int64_t rows, std::int64_t* gone);

// meta.cpp
struct Meta {
  std::string host, store;
  std::int64_t generation = 0;
  bool clean = false;
};
Result<Meta> load_meta(Database& db);
Status save_meta(Database& db, const Meta& meta);
/// Deletes at most `rows` rows of each table that are past their time; how many there were in all.
Result<std::int64_t> retention_step(Database& db, std::int64_t now, std::int64_t rows);
/// Deletes at most `rows` rows of what was only observed, in the order of its keys: room on a full disk.
Result<std::int64_t> shed_step(Database& db, std::int64_t rows);

}  // namespace ronda::store
