// SPDX-License-Identifier: Apache-2.0
#include "notify/delivery.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_set>
#include <utility>

#include "notify/digest.hpp"
#include "notify/shelf.hpp"
#include "notify/siblings.hpp"
#include "notify/template.hpp"

namespace ronda::notify {
namespace {

constexpr std::int64_t replay_every = second_ns;

/// Of a message that failed for good and that others were made for: one that a person sends once more, and that fails once
/// more, makes no further ones.
constexpr std::string_view replaced_field = "replaced";

constexpr const char* text_was_lost =
    "The text of this message was lost with a damaged store; ronda incident list tells what is known now.";

bool is_replaced(const store::OutboxRow& row) {
  return value_of(fields_from_json(row.text.fields), replaced_field) == "yes";
}

bool is_ended(store::OutboxState state) {
  return state == store::OutboxState::delivered || state == store::OutboxState::dead;
}

}  // namespace

class Courier::Impl : public std::enable_shared_from_this<Courier::Impl> {
 public:
  Impl(store::Store& store, CourierClient& client, OutboxRules rules) : store_(store), client_(client), outbox_(rules) {}

  void start(store::Done<Unit> done) {
    loading_ = true;
    store_.load_outbox([weak = weak_from_this(), done = std::move(done)](Result<std::vector<store::OutboxRow>> rows) {
      const auto self = weak.lock();
      if (!self) return;
      self->loading_ = false;
      if (rows) self->take_up(*std::move(rows));
      if (done) done(self->loaded_ ? ronda::done() : Status(rows.error()));
    });
  }

  void decide(store::Decision decision, store::Done<Unit> done) {
    const std::int64_t now = client_.wall_ns();
    Effects effects = outbox_.add(decision.outbox, now);
    for (const store::OutboxRow& row : decision.outbox) shelf_.put(row, true).is_whole = true;
    note_starts(effects, now);
    Late late = take_late(effects);  // what waits already may begin with this one
    for (store::OutboxChange& change : effects.changes) keep_change(std::move(change), decision);
    tell(effects.troubles);
    commit(std::move(decision), std::move(effects.starts), std::move(done));
    begin_late(std::move(late));
    arm();
  }

  void on_result(std::string_view id, std::int64_t number, const Delivery& delivery) {
    const std::int64_t now = client_.wall_ns();
    Held* held = shelf_.find(std::string(id));
    if (held == nullptr || held->dispatched != number) return;  // late, or twice
    held->dispatched = 0;
    --in_flight_;
    store::Decision decision;
    decision.trail.push_back({held->row.id, number, held->started, now, std::string(outcome_name(delivery.what)), delivery.detail});
    std::vector<std::string> missing, messages;
    if (outbox_.would_fail_for_good(id, number, delivery, now)) {
      missing = missing_texts(*held);
      each_of(*held, [&](const std::string& one) { siblings_.add_unknown(one, messages); });
    }
    if (missing.empty() && messages.empty()) return take_result(id, number, delivery, std::move(decision));
    load_for_end(missing, messages, [id = std::string(id), number, delivery, decision = std::move(decision)](Impl& self) mutable {
      self.take_result(id, number, delivery, std::move(decision));
    });
  }

  void take_back(std::string_view id, std::int64_t number) {
    Held* held = shelf_.find(std::string(id));
    if (held == nullptr || held->dispatched != number) return;
    held->dispatched = 0;
    --in_flight_;
    run(outbox_.take_back(id, client_.wall_ns()), {});
    arm();
  }

  void tick() {
    replay();
    // not before the ends that the ring holds: what was delivered would look owed
    if (!loaded_ && !loading_ && ring_.size() == 0 && store_.health().state != store::HealthState::failed) start({});
    run(outbox_.tick(client_.wall_ns()), {});
    arm();
  }

  void on_clock_set(std::int64_t by_ns, store::Decision& decision) {
    set_by_ += by_ns;
    for (auto& [id, held] : shelf_.held()) {
      if (held.started != 0) held.started += by_ns;
    }
    Effects effects = outbox_.set_clock(by_ns, client_.wall_ns());
    for (store::OutboxChange& change : effects.changes) keep_change(std::move(change), decision);
    arm();
  }

  void on_store_health(const store::Health& health) {
    if (health.state == store::HealthState::failed) return;
    replayed_at_ = 0;
    tick();
  }
  Effects hurry(std::string_view notifier) {
    Effects effects = outbox_.hurry(notifier, client_.wall_ns());
    run(effects, {});
    arm();
    return effects;
  }

  void revive(std::string id, store::Done<Unit> done) {
    store_.load_outbox_rows({id}, [weak = weak_from_this(), id, done = std::move(done)](Result<std::vector<store::OutboxRow>> rows) {
      const auto self = weak.lock();
      if (!self) return;
      if (!rows) return done(rows.error());
      if (rows->empty()) return done(Error(Errc::not_found, "there is no message '" + id + "'; ronda notify list shows them"));
      if (rows->front().state != store::OutboxState::dead)
        return done(Error(Errc::exists, "message '" + id + "' is no dead letter: it was delivered, or still waits"));
      self->owe_again(*std::move(rows), done);
    });
  }

  void stop() {
    stopped_ = true;
    outbox_.hold();
  }
  bool is_durable() const { return durable_; }
  bool is_idle() const { return in_flight_ == 0 && storing_ == 0 && deciding_ == 0; }
  const Ring& ring() const { return ring_; }
  std::vector<SinkStatus> status() const { return outbox_.status(); }
  void set_policy(std::string_view notifier, SinkPolicy policy) { outbox_.set_policy(notifier, policy); }

 private:
  using Starts = std::vector<Start>;

  void owe_again(std::vector<store::OutboxRow> rows, store::Done<Unit> done) {
    const std::int64_t now = client_.wall_ns();
    rows.front().state = store::OutboxState::queued;
    rows.front().carrier.clear();
    rows.front().first_at = rows.front().next_at = 0;
    Effects effects = outbox_.add(rows, now);
    store::Decision decision;
    for (const store::OutboxRow& row : rows) {
      shelf_.put(row, true).is_stored = true;
      decision.changes.push_back({row.id, row.state, row.carrier, row.attempts, row.next_at, row.first_at, row.last_error, {}});
    }
    note_starts(effects, now);
    Late late = take_late(effects);
    std::ranges::move(effects.changes, std::back_inserter(decision.changes));
    commit(std::move(decision), std::move(effects.starts), std::move(done));
    begin_late(std::move(late));
    arm();
  }

  void take_up(std::vector<store::OutboxRow> rows) {
    loaded_ = true;
    const std::int64_t now = client_.wall_ns();
    store::Decision decision;
    for (const store::OutboxRow& row : rows) {
      if (shelf_.find(row.id) != nullptr) continue;
      shelf_.put(row, false).is_stored = true;
      // nobody saw how it ended, and the next attempt will not say so
      if (row.state == store::OutboxState::sending && row.carrier.empty())
        decision.trail.push_back(
            {row.id, row.attempts, row.attempts == 1 ? row.first_at : 0, now, "unknown", "the agent ended while it was under way"});
    }
    run(outbox_.restore(rows, now), std::move(decision));
    arm();
  }

  void note_starts(const Effects& effects, std::int64_t now) {
    for (const Start& start : effects.starts) {
      if (Held* held = shelf_.find(start.id)) held->started = now;
    }
  }

  void take_result(std::string_view id, std::int64_t number, const Delivery& delivery, store::Decision decision) {
    run(outbox_.on_result(id, number, delivery, client_.wall_ns()), std::move(decision));
    arm();
  }

  // What takes the place of a message needs its text, and is stored with its end. The outbox learns of the end once that can be:
  // else what stands behind it in its lane would be sent first, and after a kill between the two this one once more, behind it.
  std::vector<std::string> missing_texts(const Held& failed) const {
    std::vector<std::string> missing;
    each_of(failed, [&](const std::string& id) {
      const Held* held = shelf_.find(id);
      if (held != nullptr && !held->has_text) missing.push_back(id);
    });
    return missing;
  }

  /// It, and what goes with it.
  template <class Visit>
  static void each_of(const Held& held, Visit visit) {
    std::ranges::for_each(held.carries, visit);
    visit(held.row.id);
  }

  /// Texts, and what became of others in a life before. Then also where the store gives neither.
  template <class Next>
  void load_for_end(const std::vector<std::string>& missing, const std::vector<std::string>& messages, Next next) {
    const auto left = std::make_shared<std::size_t>(messages.size() + 1);
    const auto one_less = [left, last = std::make_shared<Next>(std::move(next))](Impl& self) {
      if (--*left == 0) (*last)(self);
    };
    for (const std::string& message : messages) {
      ++storing_;
      store_.list_outbox_prefix(message + "/",
                                [weak = weak_from_this(), message, one_less](const Result<std::vector<store::OutboxRow>>& rows) {
                                  const auto self = weak.lock();
                                  if (!self) return;
                                  --self->storing_;
                                  if (rows) self->siblings_.learn(message, *rows);
                                  one_less(*self);
                                });
    }
    if (missing.empty()) return one_less(*this);
    load_texts(missing, one_less);
  }

  /// Then also where the store does not give them.
  template <class Next>
  void load_texts(const std::vector<std::string>& missing, Next next) {
    ++storing_;
    store_.load_outbox_rows(missing,
                            [weak = weak_from_this(), missing, next = std::move(next)](Result<std::vector<store::OutboxRow>> rows) mutable {
                              const auto self = weak.lock();
                              if (!self) return;
                              --self->storing_;
                              if (rows) {
                                self->keep_texts(*std::move(rows));
                                self->do_without_texts(missing);
                              }
                              next(*self);
                            });
  }

  /// The store works and does not have them: it was damaged, and begun anew. They go with what is known, and are stored again.
  void do_without_texts(const std::vector<std::string>& ids) {
    store::Decision again;
    for (const std::string& id : ids) {
      Held* held = shelf_.find(id);
      if (held == nullptr || held->has_text) continue;
      shelf_.set_text(*held, {held->row.text.title, text_was_lost, "{}"});
      held->is_stored = false;
      again.outbox.push_back(held->row);
    }
    if (!again.empty()) commit(std::move(again), {}, {});
  }

  /// What begins once its texts are there.
  struct Late {
    Effects effects;
    std::vector<std::string> missing;
  };

  // What the outbox decided is stored, then attempts begin. What begins with a text that only the store has follows when it
  // is there, and nothing else waits for it: a change that came later than the next one of its row would be a lie.
  void run(Effects effects, store::Decision decision) {
    note_starts(effects, client_.wall_ns());
    Late late = take_late(effects);
    finish(std::move(effects), std::move(decision));
    begin_late(std::move(late));
  }

  void begin_late(Late late) {
    if (late.missing.empty()) return;
    load_texts(late.missing, [effects = std::move(late.effects), set_by = set_by_](Impl& self) mutable {
      for (store::OutboxChange& change : effects.changes) change.first_at += change.first_at == 0 ? 0 : self.set_by_ - set_by;
      self.finish(std::move(effects), {});
      self.arm();
    });
  }

  /// The starts whose texts are missing, with the changes of all of their rows: nobody else changes those until then, for they
  /// are in flight.
  Late take_late(Effects& effects) const {
    Late late;
    std::unordered_set<std::string> rows;
    std::erase_if(effects.starts, [&](Start& start) {
      const Held* held = shelf_.find(start.id);
      if (held == nullptr || held->has_text) return false;
      late.missing.push_back(start.id);
      rows.insert(start.id);
      rows.insert(start.carries.begin(), start.carries.end());
      late.effects.starts.push_back(std::move(start));
      return true;
    });
    if (rows.empty()) return late;
    std::erase_if(effects.changes, [&](store::OutboxChange& change) {
      if (!rows.contains(change.id)) return false;
      late.effects.changes.push_back(std::move(change));
      return true;
    });
    return late;
  }

  void keep_texts(std::vector<store::OutboxRow> rows) {
    for (store::OutboxRow& row : rows) {
      Held* held = shelf_.find(row.id);
      if (held != nullptr && !held->has_text) shelf_.set_text(*held, std::move(row.text));
    }
  }

  void finish(Effects effects, store::Decision decision) {
    merge_texts(effects);
    tell(effects.troubles);
    add_fallbacks(effects, decision);
    std::vector<store::OutboxRow> given_up, delivered;
    const std::string detail = decision.trail.empty() ? std::string() : decision.trail.back().detail;
    for (store::OutboxChange& change : effects.changes) {
      Held* held = shelf_.find(change.id);
      if (held == nullptr) continue;
      held->row.attempts = change.attempts;
      held->row.carrier = change.carrier;
      if (change.state == store::OutboxState::dead) {
        held->row.last_error = change.last_error;
        given_up.push_back(held->row);
      }
      if (change.state == store::OutboxState::delivered) delivered.push_back(without_text(held->row));
      keep_change(std::move(change), decision);
    }
    take_back_idle(effects, decision);
    commit(std::move(decision), std::move(effects.starts), {});
    if (!given_up.empty()) client_.on_given_up(given_up);
    if (!delivered.empty()) client_.on_delivered(delivered, detail);
  }

  // In the ring it stands in its row, not beside it: there an older one would be stored after a newer one.
  void keep_change(store::OutboxChange change, store::Decision& decision) {
    const Held* held = shelf_.find(change.id);
    const bool in_ring = held != nullptr && !held->is_stored && ring_.change(change);
    if (is_ended(change.state)) {
      if (held != nullptr) siblings_.note_end(held->row, change.state);
      shelf_.drop(change.id);
      siblings_.tidy(change.id);
    }
    if (!in_ring) decision.changes.push_back(std::move(change));
  }

  // The first attempt of a message that carries others: its text becomes the text of all, in the store too.
  void merge_texts(Effects& effects) {
    for (const Start& start : effects.starts) {
      Held* held = shelf_.find(start.id);
      if (start.carries.empty() || start.number != 1 || held == nullptr || !held->has_text) continue;
      if (is_digest(held->row)) continue;  // taken back before its first attempt
      store::OutboxText text = digest(shelf_.rows(start.carries), held->row);
      for (store::OutboxChange& change : effects.changes) {
        if (change.id == start.id) change.text = text;
      }
      shelf_.set_text(*held, std::move(text));
    }
  }

  void tell(const std::vector<SinkTrouble>& troubles) {
    for (const SinkTrouble& trouble : troubles) {
      const Held* held = shelf_.find(trouble.id);
      client_.on_sink_trouble(trouble, held == nullptr ? store::OutboxRow() : held->row);
    }
  }

  void note_replaced(const Held& held, Effects& effects) {
    const auto change = std::ranges::find(effects.changes, held.row.id, &store::OutboxChange::id);
    if (change == effects.changes.end()) return;
    Fields fields = fields_from_json(held.row.text.fields);
    fields.emplace_back(replaced_field, "yes");
    change->text = held.row.text;
    change->text->fields = to_json(fields);
  }

  // In the same transaction as the end of what they stand in for: a kill between the two would lose them.
  void add_fallbacks(Effects& effects, store::Decision& decision) {
    std::vector<store::OutboxRow> rows;
    for (const std::string& id : effects.dead) {
      const Held* held = shelf_.find(id);
      if (held == nullptr || is_replaced(held->row)) continue;
      std::vector<store::OutboxRow> made = client_.fallbacks(held->row, siblings_.others(id, effects.dead));
      if (!made.empty() && held->has_text) note_replaced(*held, effects);
      std::ranges::move(made, std::back_inserter(rows));
    }
    if (rows.empty()) return;
    const std::int64_t now = client_.wall_ns();
    Effects more = outbox_.add(rows, now);
    for (const store::OutboxRow& row : rows) shelf_.put(row, true).is_whole = true;
    note_starts(more, now);
    decision.outbox.insert(decision.outbox.end(), rows.begin(), rows.end());
    std::ranges::move(more.changes, std::back_inserter(effects.changes));
    std::ranges::move(more.starts, std::back_inserter(effects.starts));
    tell(more.troubles);
  }

  // The store has the text and does not give it now, or the agent stops: not an attempt, and tried again soon.
  void take_back_idle(Effects& effects, store::Decision& decision) {
    std::erase_if(effects.starts, [&](const Start& start) {
      const Held* held = shelf_.find(start.id);
      if (!stopped_ && held != nullptr && held->has_text) return false;
      Effects back = outbox_.take_back(start.id, client_.wall_ns());
      for (store::OutboxChange& change : back.changes) keep_change(std::move(change), decision);
      return true;
    });
  }

  void commit(store::Decision decision, Starts starts, store::Done<Unit> done) {
    if (decision.empty()) {
      dispatch(starts);
      if (done) done(ronda::done());
      return;
    }
    replay();
    decision.number = ++last_number_;
    give(std::move(decision), [starts = std::move(starts), done = std::move(done)](Impl& self, Result<Unit> result) {
      self.dispatch(starts);
      if (done) done(std::move(result));
    });
  }

  void give(store::Decision decision, std::function<void(Impl&, Result<Unit>)> then) {
    ++deciding_;
    decision.order = order_;
    auto kept = std::make_shared<store::Decision>(std::move(decision));
    store_.decide(*kept, [weak = weak_from_this(), kept, then = std::move(then)](Result<Unit> result) {
      const auto self = weak.lock();
      if (!self) return;
      --self->deciding_;
      if (result)
        self->on_stored(*kept);
      else
        self->on_refused(std::move(*kept), result.error());
      then(*self, std::move(result));
      if (self->deciding_ == 0 && self->replay_waits_) self->replay();
      self->arm();
    });
  }

  void on_stored(const store::Decision& decision) {
    for (const store::OutboxRow& row : decision.outbox) {
      Held* held = shelf_.find(row.id);
      if (held == nullptr) continue;
      held->is_stored = true;
      // one that began meanwhile, by a decision that is stored after this one, needs its text then
      if (row.state == store::OutboxState::queued && held->started == 0) shelf_.relieve(*held);
    }
  }

  void on_refused(store::Decision decision, const Error& error) {
    if (error.code() != Errc::unavailable) return;  // it never will be: who asked is told
    ring_.push(std::move(decision));
    if (std::exchange(durable_, false)) client_.on_durability(false, error.message());
  }

  // Where the agent stops, what became `sending` in the store is taken back there too: to the next life it would look like
  // an attempt whose end nobody saw. Whatever it was that began it, nothing leaves without its text.
  void dispatch(const Starts& starts) {
    Effects back;
    for (const Start& start : starts) {
      Held* held = shelf_.find(start.id);
      if (held == nullptr) continue;
      if (stopped_ || !held->has_text) {
        std::ranges::move(outbox_.take_back(start.id, client_.wall_ns()).changes, std::back_inserter(back.changes));
        continue;
      }
      ++in_flight_;
      held->dispatched = start.number;
      held->carries = start.carries;
      const store::OutboxRow& row = held->row;
      client_.deliver({row.id, row.notifier, row.to, row.level, event_of_digest(shelf_.rows(start.carries), row), row.incident,
                       start.number, row.text, start.carries});
    }
    if (!back.changes.empty()) finish(std::move(back), {});
  }

  // In the order in which they were decided, once all that was given is answered: the store refuses what stands behind the first
  // that it refused, also what is given now. What comes after this stands behind them in its queue.
  //
  // Not by incident, though others then wait for what is not theirs. A decision has no one incident: beside events it has rows of
  // alerts, silences and messages, a digest carries those of several incidents, and a change of a row may stand in the ring in a
  // decision of another one. What may overtake would be what shares no key with anything owed, and in a storm all hang together.
  // Nothing is gained by it either: what is refused is refused by the whole database, for all incidents, and sooner than its answer
  // nobody knows that it takes anything again. The wait is one round of answers, milliseconds in a store that works; attempts do not
  // wait for it, for they begin when the store has answered, with a refusal too.
  void replay() {
    const std::int64_t now = client_.wall_ns();
    replay_waits_ = false;
    if (ring_.size() == 0 || store_.health().state == store::HealthState::failed) return;
    if (deciding_ > 0) {
      replay_waits_ = true;
      return;
    }
    if (now >= replayed_at_ && now - replayed_at_ < replay_every) return;
    replayed_at_ = now;
    order_ = std::make_shared<store::Order>();
    std::deque<store::Decision> owed = ring_.take();
    replaying_ = owed.size();
    for (store::Decision& decision : owed) {
      give(std::move(decision), [](Impl& self, const Result<Unit>&) {
        if (--self.replaying_ > 0 || self.ring_.size() > 0) return;
        if (!std::exchange(self.durable_, true)) self.client_.on_durability(true, "");
      });
    }
  }

  void arm() {
    std::int64_t next = outbox_.next_at();
    const bool waits = ring_.size() > 0 || !loaded_;
    if (waits) next = next == 0 ? client_.wall_ns() + replay_every : std::min(next, client_.wall_ns() + replay_every);
    if (next != 0) client_.wake_at(next);
  }

  store::Store& store_;
  CourierClient& client_;
  Outbox outbox_;
  Ring ring_;
  Shelf shelf_;
  Siblings siblings_{shelf_};
  std::shared_ptr<store::Order> order_ = std::make_shared<store::Order>();
  std::int64_t last_number_ = 0;  // of decisions
  std::size_t in_flight_ = 0, storing_ = 0, deciding_ = 0, replaying_ = 0;
  std::int64_t replayed_at_ = 0;
  std::int64_t set_by_ = 0;    // the clock, in this life, in all
  bool replay_waits_ = false;  // for answers
  bool loaded_ = false, loading_ = false, stopped_ = false, durable_ = true;
};

Courier::Courier(store::Store& store, CourierClient& client, OutboxRules rules) : impl_(std::make_shared<Impl>(store, client, rules)) {}
Courier::~Courier() = default;

void Courier::set_policy(std::string_view notifier, SinkPolicy policy) {
  impl_->set_policy(notifier, policy);
}
void Courier::start(store::Done<Unit> done) {
  impl_->start(std::move(done));
}
void Courier::decide(store::Decision decision, store::Done<Unit> done) {
  impl_->decide(std::move(decision), std::move(done));
}
void Courier::on_result(std::string_view id, std::int64_t number, const Delivery& delivery) {
  impl_->on_result(id, number, delivery);
}
void Courier::take_back(std::string_view id, std::int64_t number) {
  impl_->take_back(id, number);
}
void Courier::tick() {
  impl_->tick();
}
void Courier::on_clock_set(std::int64_t by_ns, store::Decision& decision) {
  impl_->on_clock_set(by_ns, decision);
}
void Courier::on_store_health(const store::Health& health) {
  impl_->on_store_health(health);
}
void Courier::stop() {
  impl_->stop();
}
bool Courier::is_durable() const {
  return impl_->is_durable();
}
bool Courier::is_idle() const {
  return impl_->is_idle();
}
Effects Courier::hurry(std::string_view notifier) {
  return impl_->hurry(notifier);
}
void Courier::revive(std::string id, store::Done<Unit> done) {
  impl_->revive(std::move(id), std::move(done));
}
const Ring& Courier::ring() const {
  return impl_->ring();
}
std::vector<SinkStatus> Courier::status() const {
  return impl_->status();
}

}  // namespace ronda::notify
