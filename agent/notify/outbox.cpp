// SPDX-License-Identifier: Apache-2.0
#include "notify/outbox.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "base/clock_set.hpp"
#include "notify/outbox_lane.hpp"

namespace ronda::notify {

using store::OutboxState;

class Outbox::Impl {
 public:
  explicit Impl(OutboxRules rules) : rules_(rules) {}

  Notifier& notifier(std::string_view name) {
    auto& made = notifiers_[std::string(name)];
    if (!made) {
      made = std::make_unique<Notifier>();
      made->name = name;
    }
    return *made;
  }

  Effects add(std::vector<store::OutboxRow>& rows, std::int64_t now) {
    see(now);
    Effects effects;
    std::unordered_set<std::string> ids;
    std::erase_if(rows, [&](const store::OutboxRow& row) { return items_.contains(row.id) || !ids.insert(row.id).second; });
    std::vector<Lane*> touched;  // each once, in the order of the rows: no address may decide what goes first
    std::unordered_set<const Lane*> seen;
    for (store::OutboxRow& row : rows) {
      row.order = last_order_ = std::max(last_order_ + 1, now);
      row.queued_at = now;
      Item& item = take_in(row);
      item.lane->queue.push_back(item);
      if (seen.insert(item.lane).second) touched.push_back(item.lane);
    }
    std::vector<Notifier*> notifiers;  // in that order too
    for (Lane* lane : touched) {
      settle(*lane, now);
      Notifier* at = lane->sink->notifier;
      if (std::ranges::find(notifiers, at) == notifiers.end()) notifiers.push_back(at);
    }
    for (Notifier* one : notifiers) pump(*one, now, false, effects);
    tell_in_rows(rows, effects);
    return effects;
  }

  Effects restore(const std::vector<store::OutboxRow>& rows, std::int64_t now) {
    see(now);
    std::vector<const store::OutboxRow*> sorted;
    for (const store::OutboxRow& row : rows) {
      if ((row.state == OutboxState::queued || row.state == OutboxState::sending) && !items_.contains(row.id)) sorted.push_back(&row);
    }
    std::ranges::sort(sorted, {}, [](const store::OutboxRow* row) { return std::pair(row->order, row->id); });
    std::vector<Lane*> touched;
    for (const store::OutboxRow* row : sorted) {
      last_order_ = std::max(last_order_, row->order);
      Item& item = take_in(*row);
      item.first_at = std::min(item.first_at, now);  // by a clock that was wrong, or its 72 hours would not end
    }
    for (const store::OutboxRow* row : sorted) {
      Item& item = items_.at(row->id);
      if (Item* carrier = carrier_of(item)) {
        carrier->carries.push_back(&item);
        continue;
      }
      item.carrier.clear();
      touched.push_back(item.lane);
      if (item.attempts > 0 && item.lane->active == nullptr && item.lane->queue.empty())
        make_active(item, row->state == OutboxState::sending ? now : row->next_at, now);
      else
        item.lane->queue.push_back(item);
    }
    Effects effects;
    for (Lane* lane : touched) settle(*lane, now);
    for (auto& [name, one] : notifiers_) pump(*one, now, true, effects);
    return effects;
  }

  Effects on_result(std::string_view id, std::int64_t number, const Delivery& delivery, std::int64_t now) {
    see(now);
    Effects effects;
    Item* item = in_flight(id, number);
    if (item == nullptr) return effects;
    Lane& lane = *item->lane;
    Notifier& at = *lane.sink->notifier;
    at.land(lane);
    switch (delivery.what) {
      case Delivery::What::delivered:
        answered(*lane.sink, now);
        if (at.failing_sinks == 0) at.last_error.clear();
        finish(*item, OutboxState::delivered, "", effects);
        break;
      case Delivery::What::dropped:
        answered(*lane.sink, now);  // it says no, so it is there
        fail_for_good(*item, SinkTrouble::What::dead_letter, delivery.detail, effects);
        break;
      case Delivery::What::retry:
        on_failure(*item, delivery, now, effects);
        break;
    }
    settle(lane, now);
    at.watch(rules_, now, effects);
    pump(at, now, true, effects);
    drop_if_done(lane, now);
    return effects;
  }

  bool would_fail_for_good(std::string_view id, std::int64_t number, const Delivery& delivery, std::int64_t now) const {
    const auto found = items_.find(std::string(id));
    return found != items_.end() && is_in_flight(found->second, number) &&
           (delivery.what == Delivery::What::dropped || (delivery.what == Delivery::What::retry && is_too_late(found->second, now)));
  }

  Effects take_back(std::string_view id, std::int64_t now) {
    see(now);
    Effects effects;
    const auto found = items_.find(std::string(id));
    if (found == items_.end() || found->second.lane->active != &found->second || !found->second.lane->in_flight) return effects;
    Item& item = found->second;
    Notifier& at = *item.lane->sink->notifier;
    at.land(*item.lane);
    --item.attempts;
    item.state = OutboxState::queued;
    item.next_at = item.lane->ready_at = now + rules_.retry_least;
    if (item.attempts == 0) item.first_at = 0;
    note(item, effects);
    at.list(rules_, *item.lane, now);
    at.list(rules_, *item.lane->sink, now);
    return effects;
  }

  Effects tick(std::int64_t now) {
    see(now);
    Effects effects;
    for (auto& [name, one] : notifiers_) {
      one->watch(rules_, now, effects);
      pump(*one, now, true, effects);
    }
    return effects;
  }

  Effects set_clock(std::int64_t by, std::int64_t now) {
    last_now_ = now;
    std::vector<const Item*> changed;
    move_plans(by, now, [&] {
      for (auto& [name, one] : notifiers_) one->ages.clear();
      for (auto& [id, item] : items_) {
        item.queued_at = moved_with_clock(item.queued_at, by, now);
        item.lane->sink->notifier->ages.insert(item.queued_at);
        if (item.first_at == 0) continue;  // what quiet hours hold waits for an hour of the clock as it is
        item.first_at = moved_with_clock(item.first_at, by, now);
        if (item.lane->active == &item && item.next_at != 0) item.next_at += by;
        changed.push_back(&item);
      }
      for (auto& [key, lane] : lanes_) lane.plan(rules_);
    });
    Effects effects;
    for (const Item* item : changed) note(*item, effects);
    std::ranges::sort(effects.changes, {}, &store::OutboxChange::id);  // no address may decide what is stored first
    return effects;
  }

  void hold() { held_ = true; }

  Effects hurry(std::string_view name, std::int64_t now) {
    see(now);
    Effects effects;
    Notifier& one = notifier(name);
    one.not_before = 0;
    wake(one, nullptr, now);
    pump(one, now, true, effects);
    return effects;
  }

  std::int64_t next_at() const {
    std::int64_t next = never;
    for (const auto& [name, one] : notifiers_) {
      next = std::min(next, one->next_start());
      if (!one->stalled && !one->ages.empty()) next = std::min(next, *one->ages.begin() + rules_.stalled_after);
    }
    return next == never ? 0 : std::max(next, last_now_);
  }

  std::vector<SinkStatus> status() const {
    std::unordered_map<const Notifier*, int> failures;
    for (const auto& [key, sink] : sinks_) failures[sink.notifier] = std::max(failures[sink.notifier], sink.failures);
    std::vector<SinkStatus> all;
    for (const auto& [name, one] : notifiers_) {
      all.push_back(one->status());
      all.back().failures = failures[one.get()];
      all.back().open = all.back().failures >= rules_.circuit_after;
    }
    return all;
  }

  std::size_t size() const { return items_.size(); }
  bool knows(std::string_view id) const { return items_.contains(std::string(id)); }

 private:
  // A wall clock that was set back would make everything wait for as long: what is planned moves with it.
  void see(std::int64_t now) {
    const std::int64_t back = last_now_ - now;
    last_now_ = now;
    if (back >= second_ns) move_plans(-back, now, [] {});
  }

  /// `besides`: what else moves, while no lane is listed.
  template <class Besides>
  void move_plans(std::int64_t by, std::int64_t now, Besides besides) {
    for (auto& [key, lane] : lanes_) {
      lane.sink->notifier->unlist(rules_, lane, now);
      if (lane.ready_at != never) lane.ready_at += by;
      if (lane.last_start != 0) lane.last_start += by;
      lane.fill_at += by;
      lane.began += by;
    }
    for (auto& [key, sink] : sinks_) {
      sink.failed_at += by;
      sink.rests_until += by;
      std::multiset<std::int64_t> flying;
      for (const std::int64_t began : sink.flying) flying.insert(began + by);
      sink.flying = std::move(flying);
    }
    for (auto& [name, one] : notifiers_) {
      one->not_before += by;
      one->last_start += by;
      one->last_failing += by;
    }
    besides();
    for (auto& [key, lane] : lanes_) lane.sink->notifier->list(rules_, lane, now);
  }

  Item& take_in(const store::OutboxRow& row) {
    const auto added = items_.try_emplace(row.id).first;
    Item& item = added->second;
    item.id = &added->first;
    item.last_error = row.last_error;
    item.level = level_of(row.level);
    item.state = row.state;
    item.order = row.order;
    item.queued_at = row.queued_at;
    item.next_at = row.next_at;
    item.first_at = row.first_at;
    item.attempts = row.attempts;
    item.carrier = row.carrier;
    const auto [lane, fresh] = lanes_.try_emplace(lane_key(row));
    if (fresh) {
      lane->second.key = &lane->first;
      lane->second.sink = &sink_of(row);
      ++lane->second.sink->lanes;
    }
    item.lane = &lane->second;
    item.lane->sink->notifier->ages.insert(item.queued_at);
    return item;
  }

  Sink& sink_of(const store::OutboxRow& row) {
    const auto [sink, fresh] = sinks_.try_emplace(sink_key(row));
    if (fresh) {
      sink->second.key = &sink->first;
      sink->second.notifier = &notifier(row.notifier);
    }
    return sink->second;
  }

  Item* carrier_of(const Item& item) {
    if (item.carrier.empty()) return nullptr;
    const auto found = items_.find(item.carrier);
    return found != items_.end() && found->second.lane == item.lane && &found->second != &item ? &found->second : nullptr;
  }

  void make_active(Item& item, std::int64_t next, std::int64_t now) {
    item.lane->active = &item;
    item.state = OutboxState::queued;
    // the clock may have been another one when this was written
    item.next_at = item.lane->ready_at = std::clamp(next, now, now + rules_.retry_after_most);
  }

  Item* in_flight(std::string_view id, std::int64_t number) {
    const auto found = items_.find(std::string(id));
    return found != items_.end() && is_in_flight(found->second, number) ? &found->second : nullptr;
  }
  static bool is_in_flight(const Item& item, std::int64_t number) {
    return item.lane->active == &item && item.lane->in_flight && item.attempts == number;
  }
  bool is_too_late(const Item& item, std::int64_t now) const { return now - item.first_at >= rules_.give_up_after; }

  void answered(Sink& sink, std::int64_t now) {
    Notifier& at = *sink.notifier;
    const bool was_open = at.open, sink_was_open = sink.failures >= rules_.circuit_after;
    at.note_answer(sink);
    if (was_open || sink_was_open) wake(at, was_open ? nullptr : &sink, now);
  }

  /// All that waits to be repeated may go now, at one sink or (null) at all; what the storm rule holds stays held.
  void wake(Notifier& at, const Sink* only, std::int64_t now) {
    std::vector<Lane*> waiting;
    for (const auto& [when, lane] : at.waiting) {
      if (lane->active != nullptr && (only == nullptr || lane->sink == only)) waiting.push_back(lane);
    }
    for (Lane* lane : waiting) {
      at.unlist(rules_, *lane, now);
      lane->ready_at = now;
      at.list(rules_, *lane, now);
    }
    if (only != nullptr) return;
    while (!at.resting.empty()) {
      Sink& sink = *at.resting.begin()->second;
      sink.rests_until = 0;
      at.list(rules_, sink, now);
    }
  }

  void on_failure(Item& item, const Delivery& delivery, std::int64_t now, Effects& effects) {
    Sink& sink = *item.lane->sink;
    Notifier& at = *sink.notifier;
    at.last_error = delivery.detail;
    at.note_failure(rules_, sink, now - item.lane->began, now);
    if (is_too_late(item, now)) {
      const std::string hours = std::to_string((now - item.first_at) / hour_ns);
      return fail_for_good(item, SinkTrouble::What::given_up, "given up after " + hours + " hours: " + delivery.detail, effects);
    }
    std::int64_t next = now + retry_delay(rules_, *item.id, item.attempts);
    if (delivery.again_at > now) {
      at.not_before = std::min(delivery.again_at, now + rules_.retry_after_most);
      next = std::max(next, at.not_before);
    }
    if (sink.failures >= rules_.circuit_after)
      next = std::min(next, std::max(at.not_before, sink.rests_until));  // somebody has to be the probe
    item.state = OutboxState::queued;
    item.next_at = item.lane->ready_at = next;
    item.last_error = delivery.detail;
    note(item, effects);
  }

  void fail_for_good(Item& item, SinkTrouble::What what, const std::string& why, Effects& effects) {
    item.lane->sink->notifier->last_error = why;
    for (const Item* carried : item.carries) effects.dead.push_back(*carried->id);
    effects.dead.push_back(*item.id);
    effects.troubles.push_back({what, item.lane->sink->notifier->name, *item.id, why});
    finish(item, OutboxState::dead, why, effects);
  }

  void finish(Item& item, OutboxState state, const std::string& error, Effects& effects) {
    const std::vector<Item*> carried = std::move(item.carries);
    item.lane->active = nullptr;
    for (Item* one : carried) end_one(*one, state, error, effects);
    end_one(item, state, error, effects);
  }

  void end_one(Item& item, OutboxState state, const std::string& error, Effects& effects) {
    item.state = state;
    item.last_error = error;
    item.next_at = 0;
    note(item, effects);
    auto& ages = item.lane->sink->notifier->ages;
    if (const auto age = ages.find(item.queued_at); age != ages.end()) ages.erase(age);
    items_.erase(std::string(*item.id));
  }

  /// When the lane may go on, and how urgent it is.
  void settle(Lane& lane, std::int64_t now) {
    Notifier& at = *lane.sink->notifier;
    at.unlist(rules_, lane, now);
    lane.plan(rules_);
    at.list(rules_, lane, now);
    at.list(rules_, *lane.sink, now);
  }

  void pump(Notifier& at, std::int64_t now, bool may_merge, Effects& effects) {
    if (held_) return;
    while (!at.waiting.empty() && at.waiting.begin()->first <= now) at.list(rules_, *at.waiting.begin()->second, now);
    while (!at.resting.empty() && at.resting.begin()->first <= now) at.list(rules_, *at.resting.begin()->second, now);
    std::vector<Lane*> aside;  // their texts have to be made first
    while (Sink* sink = at.next(rules_, now)) {
      Lane& lane = *sink->ready.begin()->lane;
      if (!sink->has_place(rules_, now)) {
        at.unlist(*sink);  // overdue meanwhile: until that attempt has ended
      } else if (!may_merge && lane.active == nullptr && lane.how_many(rules_, now) > 1) {
        at.unlist(rules_, lane, now);
        aside.push_back(&lane);
      } else {
        start(lane, now, effects);
      }
    }
    for (Lane* lane : aside) at.list(rules_, *lane, now);
  }

  void start(Lane& lane, std::int64_t now, Effects& effects) {
    Notifier& at = *lane.sink->notifier;
    at.unlist(rules_, lane, now);
    if (lane.active == nullptr) lane.choose(rules_, now, effects);
    Item& item = *lane.active;
    ++item.attempts;
    item.state = OutboxState::sending;
    if (item.first_at == 0) item.first_at = now;
    lane.ready_at = never;
    at.take_off(lane, now);
    at.list(rules_, *lane.sink, now);
    note(item, effects);
    Start made{*item.id, item.attempts, {}};
    for (const Item* carried : item.carries) made.carries.push_back(*carried->id);
    effects.starts.push_back(std::move(made));
  }

  void drop_if_done(Lane& lane, std::int64_t now) {
    // Empty lanes are remembered until the storm rule has forgotten them; now and then all such are looked for.
    if (lane.is_empty() && lane.fill_at <= now) {
      drop(*lane.sink);
      lanes_.erase(std::string(*lane.key));
      return;
    }
    if (lanes_.size() < sweep_at_) return;
    std::erase_if(lanes_, [&](const auto& one) {
      const bool is_done = one.second.is_empty() && one.second.fill_at <= now;
      if (is_done) drop(*one.second.sink);
      return is_done;
    });
    sweep_at_ = std::max<std::size_t>(1000, 2 * lanes_.size());
  }

  /// One lane less. That a sink failed is forgotten with the last of them.
  void drop(Sink& sink) {
    if (--sink.lanes > 0) return;
    if (sink.failures > 0) --sink.notifier->failing_sinks;
    sinks_.erase(std::string(*sink.key));
  }

  const OutboxRules rules_;
  std::unordered_map<std::string, Item> items_;                 // by id; addresses stay
  std::unordered_map<std::string, Lane> lanes_;                 // addresses stay here too
  std::unordered_map<std::string, Sink> sinks_;                 // and here
  std::map<std::string, std::unique_ptr<Notifier>> notifiers_;  // by name: effects come in that order
  std::int64_t last_order_ = 0, last_now_ = 0;
  std::size_t sweep_at_ = 1000;
  bool held_ = false;
};

Outbox::Outbox(OutboxRules rules) : impl_(std::make_unique<Impl>(rules)) {}
Outbox::~Outbox() = default;
Outbox::Outbox(Outbox&&) noexcept = default;
Outbox& Outbox::operator=(Outbox&&) noexcept = default;

void Outbox::set_policy(std::string_view notifier, SinkPolicy policy) {
  impl_->notifier(notifier).policy = policy;
}
Effects Outbox::add(std::vector<store::OutboxRow>& rows, std::int64_t now) {
  return impl_->add(rows, now);
}
Effects Outbox::restore(const std::vector<store::OutboxRow>& rows, std::int64_t now) {
  return impl_->restore(rows, now);
}
Effects Outbox::on_result(std::string_view id, std::int64_t number, const Delivery& delivery, std::int64_t now) {
  return impl_->on_result(id, number, delivery, now);
}
bool Outbox::would_fail_for_good(std::string_view id, std::int64_t number, const Delivery& delivery, std::int64_t now) const {
  return impl_->would_fail_for_good(id, number, delivery, now);
}
Effects Outbox::take_back(std::string_view id, std::int64_t now) {
  return impl_->take_back(id, now);
}
Effects Outbox::tick(std::int64_t now) {
  return impl_->tick(now);
}
Effects Outbox::set_clock(std::int64_t by, std::int64_t now) {
  return impl_->set_clock(by, now);
}
void Outbox::hold() {
  impl_->hold();
}
Effects Outbox::hurry(std::string_view notifier, std::int64_t now) {
  return impl_->hurry(notifier, now);
}
std::int64_t Outbox::next_at() const {
  return impl_->next_at();
}
std::size_t Outbox::size() const {
  return impl_->size();
}
bool Outbox::knows(std::string_view id) const {
  return impl_->knows(id);
}
std::vector<SinkStatus> Outbox::status() const {
  return impl_->status();
}

}  // namespace ronda::notify
