// SPDX-License-Identifier: Apache-2.0
#include "store/store.hpp"

#include <atomic>
#include <optional>
#include <utility>

#include "store/owner.hpp"
#include "store/tables.hpp"
#include "store/unsure_claims.hpp"

namespace ronda::store {

class Store::Impl : public Owner {
 public:
  using Owner::Owner;

  /// One job: `work` on the owner's thread, `done` with its result after the commit.
  template <class T, class Function>
  void add(std::size_t bytes, bool after_observed, Function work, Done<T> done_call, std::function<void()> refused = {}) {
    auto result = std::make_shared<std::optional<Result<T>>>();
    Job job;
    job.bytes = bytes + 200;
    job.after_observed = after_observed;
    job.refused = std::move(refused);
    job.run = [result, work = std::move(work)](const Work& w) -> Status {
      result->emplace(work(w));
      if (**result) return done();
      return (*result)->error();
    };
    job.answer = [result, call = std::move(done_call)](const Status& status) -> std::function<void()> {
      if (!status) result->emplace(status.error());
      return [result, call] {
        if (call) call(std::move(**result));
      };
    };
    submit(std::move(job));
  }
  template <class T, class Function>
  void write(std::size_t bytes, Function work, Done<T> done_call) {
    add<T>(bytes, false, std::move(work), std::move(done_call));
  }
  template <class T, class Function>
  void read(Function work, Done<T> done_call) {
    add<T>(0, false, std::move(work), std::move(done_call));
  }

  void claim(const InstanceId& id, std::int64_t scheduled, Done<Claim> done_call) {
    const auto is_made = std::make_shared<bool>(false);  // by this job, and so only where it ran: on the owner's thread
    const auto was_unsure = std::make_shared<bool>(false);
    const auto work = [this, id, scheduled, is_made, was_unsure](const Work& w) -> Result<Claim> {
      *was_unsure = unsure_claims_.take(id, scheduled) || *was_unsure;  // it may run again after a roll-back
      auto claimed = store::claim_slot(w.db, id, scheduled, w.now);
      if (claimed && *claimed == Claim::already_done && *was_unsure) claimed = claim_again(w.db, id, scheduled);
      *is_made = claimed && *claimed == Claim::claimed;
      if (!claimed && *was_unsure) unsure_claims_.add(id, scheduled);
      return claimed;
    };
    add<Claim>(0, false, work, std::move(done_call), [this, id, scheduled, is_made, was_unsure] {
      if (!*is_made && !*was_unsure) return;
      unsure_claims_.add(id, scheduled);
      has_unsure_claims_ = true;
    });
  }

  static Result<Claim> claim_again(Database& db, const InstanceId& id, std::int64_t scheduled) {
    RONDA_TRY(const bool is_started, is_slot_started(db, id, scheduled));
    return is_started ? Claim::claimed : Claim::already_done;
  }

  /// Nobody was told that they are claimed, so nothing began: to the next life they are owed.
  void withdraw_unsure_claims() {
    if (!has_unsure_claims_) return;
    write<Unit>(0,
                [this](const Work& w) -> Result<Unit> {
                  for (const auto& [id, scheduled] : unsure_claims_.all()) {
                    RONDA_TRY(std::ignore, store::withdraw_slot(w.db, id, scheduled));
                  }
                  return Unit{};
                },
                {});
  }

 private:
  UnsureClaims unsure_claims_;
  std::atomic<bool> has_unsure_claims_ = false;  // or has had
};

Result<std::unique_ptr<Store>> Store::open(Options options) {
  auto impl = std::make_unique<Impl>(std::move(options));
  if (const Status opened = impl->start(); !opened) return opened.error();
  return std::unique_ptr<Store>(new Store(std::move(impl)));
}

Store::Store(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Store::~Store() {
  close();
}
void Store::close() {
  impl_->withdraw_unsure_claims();
  impl_->stop();
}
const OpenReport& Store::report() const {
  return impl_->report();
}
Health Store::health() const {
  return impl_->health();
}

void Store::claim_slot(InstanceId id, std::int64_t scheduled, Done<Claim> done) {
  impl_->claim(id, scheduled, std::move(done));
}

void Store::withdraw_slot(InstanceId id, std::int64_t scheduled, Done<Unit> done) {
  impl_->write<Unit>(
      0, [id = std::move(id), scheduled](const Work& w) { return store::withdraw_slot(w.db, id, scheduled); }, std::move(done));
}

void Store::finish_slot(InstanceId id, std::int64_t scheduled, std::string outcome, Done<Unit> done) {
  const std::size_t bytes = outcome.size();
  impl_->write<Unit>(
      bytes,
      [id = std::move(id), scheduled, outcome = std::move(outcome)](const Work& w) {
        return store::finish_slot(w.db, id, scheduled, outcome, w.now);
      },
      std::move(done));
}

void Store::close_slot(Slot slot, Done<Claim> done) {
  impl_->write<Claim>(
      slot.outcome.size(),
      [slot = std::move(slot)](const Work& w) {
        Slot dated = slot;
        if (dated.changed == 0) dated.changed = w.now;
        return store::close_slot(w.db, dated);
      },
      std::move(done));
}

void Store::record_missed(MissedRange range, Done<Unit> done) {
  impl_->write<Unit>(
      range.reason.size(),
      [range = std::move(range)](const Work& w) {
        MissedRange dated = range;
        if (dated.recorded == 0) dated.recorded = w.now;
        return store::record_missed(w.db, dated);
      },
      std::move(done));
}

void Store::write_kv(KvSpace space, std::uint32_t state_version, std::vector<KvWrite> writes, Done<Unit> done) {
  std::size_t bytes = 0;
  for (const KvWrite& write : writes) bytes += write.key.size() + (write.value ? write.value->size() : 0);
  impl_->write<Unit>(
      bytes,
      [space = std::move(space), state_version, writes = std::move(writes)](const Work& w) {
        return store::write_kv(w.db, space, state_version, writes, w.now);
      },
      std::move(done));
}

void Store::accept_call(CallEffects effects, Done<Unit> done) {
  std::size_t bytes = effects.slot_outcome.size();
  for (const KvWrite& write : effects.kv) bytes += write.key.size() + (write.value ? write.value->size() : 0);
  for (const JournalEvent& event : effects.events) bytes += event.data.size();
  impl_->write<Unit>(
      bytes, [effects = std::move(effects)](const Work& w) { return apply_call(w.db, effects, w.host, w.now); }, std::move(done));
}

void Store::post_inbox(InstanceId id, InboxEvent event, Done<Posted> done) {
  impl_->write<Posted>(
      event.text.size(),
      [id = std::move(id), event = std::move(event)](const Work& w) {
        InboxEvent dated = event;
        if (dated.wall == 0) dated.wall = w.now;
        return store::post_inbox(w.db, id, dated);
      },
      std::move(done));
}

void Store::remove_inbox(InstanceId id, std::vector<std::int64_t> events, Done<Unit> done) {
  impl_->write<Unit>(
      events.size() * 8, [id = std::move(id), events = std::move(events)](const Work& w) { return store::remove_inbox(w.db, id, events); },
      std::move(done));
}

void Store::append_journal(JournalEvent event, Done<Unit> done) {
  impl_->write<Unit>(
      event.data.size(), [event = std::move(event)](const Work& w) { return store::append_journal(w.db, event, w.host, w.now); },
      std::move(done));
}

void Store::put_quarantine(Quarantine quarantine, Done<Unit> done) {
  impl_->write<Unit>(
      0, [q = std::move(quarantine)](const Work& w) { return store::put_quarantine(w.db, q); }, std::move(done));
}

void Store::clear_quarantine(std::string subject, Done<Unit> done) {
  impl_->write<Unit>(
      0, [subject = std::move(subject)](const Work& w) { return store::clear_quarantine(w.db, subject); }, std::move(done));
}

void Store::note_calendars(std::vector<KnownCalendar> present, Done<Unit> done) {
  const std::size_t bytes = present.size() * sizeof(KnownCalendar);
  impl_->write<Unit>(
      bytes, [present = std::move(present)](const Work& w) { return store::note_calendars(w.db, present); }, std::move(done));
}

void Store::mark_configured(std::vector<InstanceId> configured, Done<Unit> done) {
  const std::size_t bytes = configured.size() * sizeof(InstanceId);
  impl_->write<Unit>(
      bytes, [configured = std::move(configured)](const Work& w) { return store::mark_configured(w.db, configured, w.now); },
      std::move(done));
}

void Store::drop_instance(InstanceId id, Done<Unit> done) {
  impl_->add<Unit>(
      0, true,
      [id = std::move(id)](const Work& w) {
        // else what is still held in memory would bring it back
        return w.observed ? store::drop_instance(w.db, id) : w.observed;
      },
      std::move(done));
}

void Store::observe(std::vector<Observed> batch, std::vector<Sampled> samples) {
  impl_->observe(std::move(batch), std::move(samples));
}

void Store::observe(InstanceState state, Run run) {
  std::vector<Observed> one;
  one.push_back({std::move(state), std::move(run)});
  impl_->observe(std::move(one), {});
}

void Store::flush(Done<Unit> done) {
  impl_->add<Unit>(
      0, true, [](const Work& w) { return w.observed; }, std::move(done));
}

void Store::load_instances(Done<std::vector<InstanceState>> done) {
  impl_->add<std::vector<InstanceState>>(
      0, true, [](const Work& w) { return store::load_instances(w.db); }, std::move(done));
}

void Store::load_runs(InstanceId id, Done<std::vector<Run>> done) {
  impl_->add<std::vector<Run>>(
      0, true, [id = std::move(id)](const Work& w) { return store::load_runs(w.db, id); }, std::move(done));
}

void Store::load_slots(InstanceId id, std::int64_t limit, Done<std::vector<Slot>> done) {
  impl_->read<std::vector<Slot>>([id = std::move(id), limit](const Work& w) { return store::load_slots(w.db, id, limit); },
                                 std::move(done));
}

void Store::load_started_slots(Done<std::vector<Slot>> done) {
  impl_->read<std::vector<Slot>>([](const Work& w) { return store::load_started_slots(w.db); }, std::move(done));
}

void Store::load_calendars(Done<std::vector<KnownCalendar>> done) {
  impl_->read<std::vector<KnownCalendar>>([](const Work& w) { return store::load_calendars(w.db); }, std::move(done));
}

void Store::load_last_slots(Done<std::vector<Slot>> done) {
  impl_->read<std::vector<Slot>>([](const Work& w) { return store::load_last_slots(w.db); }, std::move(done));
}

void Store::load_missed(InstanceId id, std::int64_t limit, Done<std::vector<MissedRange>> done) {
  impl_->read<std::vector<MissedRange>>([id = std::move(id), limit](const Work& w) { return store::load_missed(w.db, id, limit); },
                                        std::move(done));
}

void Store::load_kv(KvSpace space, Done<KvContent> done) {
  impl_->read<KvContent>([space = std::move(space)](const Work& w) { return store::load_kv(w.db, space, w.now); }, std::move(done));
}

void Store::load_kv_versions(Done<std::vector<KvVersion>> done) {
  impl_->read<std::vector<KvVersion>>([](const Work& w) { return store::load_kv_versions(w.db); }, std::move(done));
}

void Store::peek_inbox(InstanceId id, std::int64_t limit, Done<std::vector<InboxEvent>> done) {
  impl_->read<std::vector<InboxEvent>>([id = std::move(id), limit](const Work& w) { return store::peek_inbox(w.db, id, limit); },
                                       std::move(done));
}

void Store::load_inbox_owners(Done<std::vector<InstanceId>> done) {
  impl_->read<std::vector<InstanceId>>([](const Work& w) { return store::load_inbox_owners(w.db); }, std::move(done));
}

void Store::load_journal(std::int64_t limit, Done<std::vector<JournalEvent>> done) {
  impl_->read<std::vector<JournalEvent>>([limit](const Work& w) { return store::load_journal(w.db, limit); }, std::move(done));
}

void Store::load_quarantines(Done<std::vector<Quarantine>> done) {
  impl_->read<std::vector<Quarantine>>([](const Work& w) { return store::load_quarantines(w.db); }, std::move(done));
}

void Store::keep_samples(SampleRetention retention) {
  impl_->keep_samples(retention);
}

void Store::load_samples(SampleQuery query, Done<std::vector<LoadedSeries>> done) {
  impl_->add<std::vector<LoadedSeries>>(
      query.check.size(), true, [book = &impl_->book(), query = std::move(query)](const Work& w) { return book->load(w.db, query); },
      std::move(done));
}

void Store::decide(Decision decision, Done<Unit> done) {
  const std::size_t bytes = decision.bytes();
  std::function<void()> refused;
  if (decision.order) refused = [order = decision.order, number = decision.number] { order->refuse_from(number); };
  impl_->add<Unit>(
      bytes, false, [decision = std::move(decision)](const Work& w) { return apply_decision(w.db, decision); }, std::move(done),
      std::move(refused));
}

void Store::record_attempt(std::vector<OutboxChange> changes, std::vector<DeliveryAttempt> trail, Done<Unit> done) {
  Decision decision;
  decision.changes = std::move(changes);
  decision.trail = std::move(trail);
  decide(std::move(decision), std::move(done));
}

void Store::load_incidents(Done<std::vector<IncidentEvent>> done) {
  impl_->read<std::vector<IncidentEvent>>([](const Work& w) { return store::load_open_incidents(w.db); }, std::move(done));
}

void Store::load_incident(std::string incident, Done<std::vector<IncidentEvent>> done) {
  impl_->read<std::vector<IncidentEvent>>([incident = std::move(incident)](const Work& w) { return store::load_incident(w.db, incident); },
                                          std::move(done));
}

void Store::load_incident_ids(std::int64_t limit, Done<std::vector<IncidentSummary>> done) {
  impl_->read<std::vector<IncidentSummary>>([limit](const Work& w) { return store::load_incident_ids(w.db, limit); }, std::move(done));
}

void Store::load_alert_states(Done<std::vector<AlertState>> done) {
  impl_->read<std::vector<AlertState>>([](const Work& w) { return store::load_alert_states(w.db); }, std::move(done));
}

void Store::load_silences(Done<std::vector<SilenceRow>> done) {
  impl_->read<std::vector<SilenceRow>>([](const Work& w) { return store::load_silences(w.db); }, std::move(done));
}

void Store::load_outbox(Done<std::vector<OutboxRow>> done) {
  impl_->read<std::vector<OutboxRow>>([](const Work& w) { return store::load_outbox(w.db); }, std::move(done));
}

void Store::load_outbox_rows(std::vector<std::string> ids, Done<std::vector<OutboxRow>> done) {
  impl_->read<std::vector<OutboxRow>>([ids = std::move(ids)](const Work& w) { return store::load_outbox_rows(w.db, ids); },
                                      std::move(done));
}

void Store::list_outbox(std::string incident, std::int64_t limit, Done<std::vector<OutboxRow>> done) {
  impl_->read<std::vector<OutboxRow>>(
      [incident = std::move(incident), limit](const Work& w) { return store::list_outbox(w.db, incident, limit); }, std::move(done));
}

void Store::list_outbox_prefix(std::string prefix, Done<std::vector<OutboxRow>> done) {
  impl_->read<std::vector<OutboxRow>>([prefix = std::move(prefix)](const Work& w) { return store::list_outbox_prefix(w.db, prefix); },
                                      std::move(done));
}

void Store::load_trail_prefix(std::string prefix, Done<std::vector<DeliveryAttempt>> done) {
  impl_->read<std::vector<DeliveryAttempt>>([prefix = std::move(prefix)](const Work& w) { return store::load_trail_prefix(w.db, prefix); },
                                            std::move(done));
}

void Store::list_dead(std::int64_t limit, Done<std::vector<OutboxRow>> done) {
  impl_->read<std::vector<OutboxRow>>([limit](const Work& w) { return store::list_dead(w.db, limit); }, std::move(done));
}

void Store::load_trail(std::string incident, Done<std::vector<DeliveryAttempt>> done) {
  impl_->read<std::vector<DeliveryAttempt>>([incident = std::move(incident)](const Work& w) { return store::load_trail(w.db, incident); },
                                            std::move(done));
}

void Store::load_last_attempts(std::vector<std::string> ids, Done<std::vector<DeliveryAttempt>> done) {
  impl_->read<std::vector<DeliveryAttempt>>([ids = std::move(ids)](const Work& w) { return store::load_last_attempts(w.db, ids); },
                                            std::move(done));
}

void Store::backup(std::string path, Done<Unit> done) {
  Job job;
  job.backup = path.empty() ? "?" : std::move(path);
  job.answer = [call = std::move(done)](const Status& status) -> std::function<void()> {
    return [call, status] {
      if (call) call(status);
    };
  };
  impl_->submit(std::move(job));
}

}  // namespace ronda::store
