// SPDX-License-Identifier: Apache-2.0
// What the agent remembers: one SQLite file in the state directory, owned by one thread. Owed writes are durable
// before their callback says so; observed writes are written a batch at a time, as soon as they come.
// It never blocks its caller, never says that something is durable that is not, and never deletes a damaged file.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "store/decision.hpp"
#include "store/types.hpp"

namespace ronda::store {

/// Called once, by Options::post. An error of an owed write means "not promised": after a crash or an I/O error
/// it may be there all the same.
template <class T>
using Done = std::function<void(Result<T>)>;

struct Options {
  std::string directory;
  /// Runs a function later on the thread of the caller; called from the store's thread, and from the caller's own
  /// when a call is refused at once.
  std::function<void(std::function<void()>)> post;
  std::function<std::int64_t()> wall_ns;  // thread-safe, like mono_ns
  std::function<std::int64_t()> mono_ns;
  /// After every change, by `post`; may be empty.
  std::function<void(const Health&)> on_health;
  /// Once the directory is this agent's and before its database is touched, on the store's thread while open()
  /// waits; not at all where the directory cannot be reached then. May be empty.
  std::function<void()> on_owned;
  std::chrono::milliseconds flush_after{0};     // oldest observed write to its flush
  std::chrono::milliseconds retry_after{1000};  // between two attempts to be well again, or to flush
  std::int64_t ballast_bytes = std::int64_t{8} * 1024 * 1024;
  std::string vfs;  // a SQLite VFS by name, for tests
};

class Store {
 public:
  /// Waits until the file is open. An error is a refusal to start: denied (modes, owner), exists (another agent),
  /// invalid (newer schema, another program's file). Trouble with the disk is no error: health() is `failed` then.
  static Result<std::unique_ptr<Store>> open(Options options);
  ~Store();

  /// Finishes what is queued, flushes, marks the shutdown as clean. Later calls answer Errc::unavailable.
  void close();

  const OpenReport& report() const;
  Health health() const;  // any thread

  // --- owed -------------------------------------------------------------------------------------
  /// At most one `claimed` for (id, scheduled), for ever: run the slot only after it.
  void claim_slot(InstanceId id, std::int64_t scheduled, Done<Claim> done);
  /// The claim of a run that did not begin and will not in this life: the slot is owed again at the next start.
  void withdraw_slot(InstanceId id, std::int64_t scheduled, Done<Unit> done);
  /// Also for a slot that ran without a claim. Errc::not_found: it is finished already.
  void finish_slot(InstanceId id, std::int64_t scheduled, std::string outcome, Done<Unit> done);
  /// A slot that will not run: `state` is missed or skipped, `outcome` says why.
  void close_slot(Slot slot, Done<Claim> done);
  void record_missed(MissedRange range, Done<Unit> done);
  /// What instances run by now; of one that is known, and the same, `since` stays. What leaves
  /// the configuration is forgotten by mark_configured().
  void note_calendars(std::vector<KnownCalendar> present, Done<Unit> done);
  void write_kv(KvSpace space, std::uint32_t state_version, std::vector<KvWrite> writes, Done<Unit> done);
  /// The result of a call is accepted: its kv writes, taken inbox events, slot and events in one transaction.
  /// Errc::range (kv over its quota, an event too long): nothing is applied; repeat without `kv`, else the slot stays
  /// started and the inbox events come again. Errc::not_found: the slot is finished already, nothing is applied.
  void accept_call(CallEffects effects, Done<Unit> done);
  /// A full inbox (inbox_events_max) gives up its oldest heartbeat, else its oldest event.
  void post_inbox(InstanceId id, InboxEvent event, Done<Posted> done);
  void remove_inbox(InstanceId id, std::vector<std::int64_t> events, Done<Unit> done);
  void append_journal(JournalEvent event, Done<Unit> done);
  void put_quarantine(Quarantine quarantine, Done<Unit> done);
  void clear_quarantine(std::string subject, Done<Unit> done);
  /// Alerts, incident events, silences and outbox rows of one decision, in one transaction: durable before `done`, and
  /// only then may its effects begin. Decisions that wait together share one sync. Errc::exists: another event has that
  /// number; Errc::range and Errc::invalid: data too long or no JSON; nothing is applied then. Errc::unavailable: not
  /// promised (the disk, the file, or one before it in its Order): send without it, keep the decision and give it again when the store is
  /// well; the same decision twice does no harm.
  void decide(Decision decision, Done<Unit> done);
  /// What became of messages, and the lines of their trail.
  void record_attempt(std::vector<OutboxChange> changes, std::vector<DeliveryAttempt> trail, Done<Unit> done);
  /// All instances of the configuration. What the store knows of others is dropped once they have been gone for 30 days.
  void mark_configured(std::vector<InstanceId> configured, Done<Unit> done);
  /// Everything of an instance that is gone for good, except slots, journal and samples: these go when their time is over.
  void drop_instance(InstanceId id, Done<Unit> done);

  // --- observed ---------------------------------------------------------------------------------
  /// Never fails and never waits; what could not be kept is counted in Health::dropped_observed. What is handed over
  /// together is written together, so gather: each batch costs a sync.
  void observe(std::vector<Observed> batch, std::vector<Sampled> samples = {});
  void observe(InstanceState state, Run run);
  /// Writes what is observed now. Errc::unavailable: it is still held, and will be tried again.
  void flush(Done<Unit> done);

  /// How long samples are kept from here on. Until it is said all are.
  void keep_samples(SampleRetention retention);

  // --- reads: they see every write that was queued before them ------------------------------------
  void load_instances(Done<std::vector<InstanceState>> done);
  void load_runs(InstanceId id, Done<std::vector<Run>> done);                        // newest first
  void load_slots(InstanceId id, std::int64_t limit, Done<std::vector<Slot>> done);  // newest first
  /// At start, before anything is claimed: runs that nobody owns any more. Finish each.
  void load_started_slots(Done<std::vector<Slot>> done);
  void load_calendars(Done<std::vector<KnownCalendar>> done);
  void load_last_slots(Done<std::vector<Slot>> done);  // the newest of every instance
  void load_missed(InstanceId id, std::int64_t limit, Done<std::vector<MissedRange>> done);
  void load_kv(KvSpace space, Done<KvContent> done);
  void load_kv_versions(Done<std::vector<KvVersion>> done);
  void peek_inbox(InstanceId id, std::int64_t limit, Done<std::vector<InboxEvent>> done);  // oldest first
  void load_inbox_owners(Done<std::vector<InstanceId>> done);
  void load_journal(std::int64_t limit, Done<std::vector<JournalEvent>> done);  // newest first
  void load_quarantines(Done<std::vector<Quarantine>> done);
  /// All series of a check that are known, also those without anything in the time asked for. About 10 us for each series
  /// and five minutes (or hour) of it, during which the store does nothing else: ask for a day at a time.
  void load_samples(SampleQuery query, Done<std::vector<LoadedSeries>> done);
  /// All events of the incidents that are not closed: by incident, then seq.
  void load_incidents(Done<std::vector<IncidentEvent>> done);
  void load_incident(std::string incident, Done<std::vector<IncidentEvent>> done);
  void load_incident_ids(std::int64_t limit, Done<std::vector<IncidentSummary>> done);  // newest first
  void load_alert_states(Done<std::vector<AlertState>> done);
  void load_silences(Done<std::vector<SilenceRow>> done);
  /// What is owed, in its order; of the text only the title (there may be 100,000).
  void load_outbox(Done<std::vector<OutboxRow>> done);
  void load_outbox_rows(std::vector<std::string> ids, Done<std::vector<OutboxRow>> done);
  /// All of an incident in order, or with an empty one the newest `limit` of all.
  void list_outbox(std::string incident, std::int64_t limit, Done<std::vector<OutboxRow>> done);
  void load_trail(std::string incident, Done<std::vector<DeliveryAttempt>> done);
  /// Of each of these messages that was tried.
  void load_last_attempts(std::vector<std::string> ids, Done<std::vector<DeliveryAttempt>> done);
  /// Messages whose ids begin so, in order, and the trail of each; for what belongs to no incident. At most 1000.
  void list_outbox_prefix(std::string prefix, Done<std::vector<OutboxRow>> done);
  void load_trail_prefix(std::string prefix, Done<std::vector<DeliveryAttempt>> done);
  /// The newest dead letters.
  void list_dead(std::int64_t limit, Done<std::vector<OutboxRow>> done);

  // --- copies -----------------------------------------------------------------------------------
  /// A copy in one file, checked and synced, while the store goes on. `path` is absolute and must not exist.
  void backup(std::string path, Done<Unit> done);

 private:
  class Impl;
  explicit Store(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// Puts a backup in the place of the database of an agent that does not run. Returns the name under which the old
/// database was set aside, empty when there was none.
Result<std::string> restore(const std::string& file, const std::string& directory, std::int64_t wall_ns);

}  // namespace ronda::store
