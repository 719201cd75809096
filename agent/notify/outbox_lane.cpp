// SPDX-License-Identifier: Apache-2.0
#include "notify/outbox_lane.hpp"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "base/siphash.hpp"

namespace ronda::notify {

// What goes was seldom the only one that urgent or that early, so the next of its kind is near.
Item& Queue::pop_front() {
  Item& item = *first;
  first = item.next;
  if (first == nullptr) last = nullptr;
  item.next = nullptr;
  if (item.level == level) {
    level = 5;
    for (const Item* one = first; one != nullptr && level > item.level; one = one->next) level = std::min(level, one->level);
  }
  if (item.next_at == due_at) {
    due_at = never;
    for (const Item* one = first; one != nullptr && due_at > item.next_at; one = one->next) due_at = std::min(due_at, one->next_at);
  }
  return item;
}

// A bucket of `burst` messages that gets one back each group_interval, as one instant: the generic cell rate
// algorithm (ITU-T I.371).
std::int64_t Lane::open_at(const OutboxRules& rules, bool merges) const {
  if (!merges || last_start == 0) return 0;
  return std::max(fill_at - (rules.burst - 1) * rules.group_interval, last_start + rules.gather);
}

void Lane::plan(const OutboxRules& rules) {
  level = std::min(active != nullptr ? active->level : 5, queue.level);
  // what is held back goes along with what comes behind it
  if (active == nullptr) ready_at = queue.empty() ? never : std::max(queue.due_at, open_at(rules, sink->notifier->policy.merges));
}

// The first of a burst goes alone and at once; what gathered behind it goes as one. What has waited long is no
// burst: all of it is one message, with the newest state first. What has been tried goes again as it went: its text
// is known by its id.
std::size_t Lane::how_many(const OutboxRules& rules, std::int64_t now) const {
  const Item* item = queue.first;
  if (!sink->notifier->policy.merges) return 1;
  const bool held = item->next_at > now;
  const bool fresh = fill_at <= now && now - item->queued_at < rules.group_interval;
  if (fresh && !held) return 1;
  std::size_t count = 0;
  for (; item != nullptr && count < rules.merged_most && item->attempts == 0 && item->carries.empty(); item = item->next) ++count;
  return std::max<std::size_t>(count, 1);
}

void Lane::choose(const OutboxRules& rules, std::int64_t now, Effects& effects) {
  const std::size_t count = how_many(rules, now);
  std::vector<Item*> older;
  for (std::size_t i = 0; i + 1 < count; ++i) older.push_back(&queue.pop_front());
  Item& newest = queue.pop_front();
  for (Item* item : older) {
    item->carrier = *newest.id;
    note(*item, effects);
  }
  if (!older.empty()) newest.carries = std::move(older);
  active = &newest;
  last_start = now;
  fill_at = std::max(fill_at, now) + rules.group_interval;
}

// One place is always left to others, where there is more than one. What fails, or has not answered for long, is tried by
// one attempt at a time: the next would most likely hold its place for as long.
bool Sink::has_place(const OutboxRules& rules, std::int64_t now) const {
  if (flying.empty()) return true;
  if (failures > 0 || now - *flying.begin() >= rules.overdue_after) return false;
  return flying.size() < static_cast<std::size_t>(std::max(1, notifier->policy.in_flight - 1));
}

void Notifier::list(const OutboxRules& rules, Lane& lane, std::int64_t now) {
  unlist(rules, lane, now);
  if (lane.is_empty() || lane.in_flight || lane.ready_at == never) return;
  lane.is_listed = true;
  lane.is_ready = lane.ready_at <= now;
  const Item* first = lane.active != nullptr ? lane.active : lane.queue.first;
  lane.listed_level = lane.level;
  lane.listed_order = first->order;
  lane.listed_at = lane.ready_at;
  if (!lane.is_ready) {
    waiting.insert({lane.listed_at, &lane});
    return;
  }
  lane.sink->ready.insert({lane.listed_level, lane.listed_order, &lane});
  list(rules, *lane.sink, now);
}

void Notifier::unlist(const OutboxRules& rules, Lane& lane, std::int64_t now) {
  if (!lane.is_listed) return;
  lane.is_listed = false;
  if (!lane.is_ready) {
    waiting.erase({lane.listed_at, &lane});
    return;
  }
  lane.sink->ready.erase({lane.listed_level, lane.listed_order, &lane});
  list(rules, *lane.sink, now);
}

void Notifier::list(const OutboxRules& rules, Sink& sink, std::int64_t now) {
  unlist(sink);
  if (sink.ready.empty() || !sink.has_place(rules, now)) return;
  const Sink::Ready& first = *sink.ready.begin();
  sink.listed_level = first.level;
  sink.listed_order = first.order;
  if (sink.rests_until > now) {
    sink.listed = Sink::Listed::resting;
    sink.listed_at = sink.rests_until;
    resting.insert({sink.listed_at, &sink});
    return;
  }
  sink.listed = sink.failures > 0 ? Sink::Listed::failing : Sink::Listed::well;
  sink.listed_at = sink.failures > 0 ? sink.failed_at : 0;
  (sink.failures > 0 ? failing : well).insert({sink.listed_level, sink.listed_at, sink.listed_order, &sink});
}

void Notifier::unlist(Sink& sink) {
  const Turn turn{sink.listed_level, sink.listed_at, sink.listed_order, &sink};
  switch (std::exchange(sink.listed, Sink::Listed::no)) {
    case Sink::Listed::no:
      return;
    case Sink::Listed::well:
      well.erase(turn);
      return;
    case Sink::Listed::failing:
      failing.erase(turn);
      return;
    case Sink::Listed::resting:
      resting.erase({sink.listed_at, &sink});
      return;
  }
}

// Those that fail go behind those that do not: an attempt of theirs may hold its place, and its share of the rate, for
// nothing. While others always have something, one such attempt a minute goes ahead of what is no more urgent.
Sink* Notifier::next(const OutboxRules& rules, std::int64_t now) const {
  if (in_flight >= policy.in_flight || now < not_before || now < last_start + policy.spacing) return nullptr;
  if (failing.empty() || !has_place_for_failing()) return well.empty() ? nullptr : well.begin()->sink;
  const Turn& behind = *failing.begin();
  if (well.empty()) return behind.sink;
  const bool is_its_turn = behind.level <= well.begin()->level && now - last_failing >= rules.passed_over_most;
  return is_its_turn ? behind.sink : well.begin()->sink;
}

std::int64_t Notifier::next_start() const {
  if (in_flight >= policy.in_flight) return never;
  std::int64_t next = never;
  if (!waiting.empty()) next = waiting.begin()->first;
  if (!resting.empty()) next = std::min(next, resting.begin()->first);
  if (!well.empty() || (!failing.empty() && has_place_for_failing())) next = 0;
  return next == never ? never : std::max({next, not_before, last_start + policy.spacing});
}

void Notifier::take_off(Lane& lane, std::int64_t now) {
  Sink& sink = *lane.sink;
  lane.in_flight = true;
  lane.began = last_start = now;
  sink.flying.insert(now);
  ++in_flight;
  if (sink.failures == 0) return;
  ++failing_in_flight;
  last_failing = now;
}

void Notifier::land(Lane& lane) {
  Sink& sink = *lane.sink;
  lane.in_flight = false;
  sink.flying.erase(sink.flying.find(lane.began));
  --in_flight;
  if (sink.failures > 0) --failing_in_flight;
}

// What failed at once is tried again by its own delay. Where attempts hang, the sink rests for a multiple of what they took,
// so that it holds a place for a fifth of the time at most.
void Notifier::note_failure(const OutboxRules& rules, Sink& sink, std::int64_t took, std::int64_t now) {
  if (sink.failures++ == 0) {
    ++failing_sinks;
    failing_in_flight += static_cast<int>(sink.flying.size());
  }
  sink.failed_at = last_failing = now;
  const std::int64_t rest = std::max<std::int64_t>(took, 0) * std::min(sink.failures - 1, rules.rest_most);
  sink.rests_until = now + std::min(rest, rules.retry_most);
  if (sink.failures >= rules.circuit_after) {
    const std::int64_t probe = now + retry_delay(rules, *sink.key, sink.failures - rules.circuit_after + 3);
    sink.rests_until = std::max(sink.rests_until, probe);
  }
  open = ++failures >= rules.circuit_after;
}

void Notifier::note_answer(Sink& sink) {
  failures = 0;
  open = false;
  sink.rests_until = 0;
  if (std::exchange(sink.failures, 0) == 0) return;
  --failing_sinks;
  failing_in_flight -= static_cast<int>(sink.flying.size());
}

void Notifier::watch(const OutboxRules& rules, std::int64_t now, Effects& effects) {
  const bool late = !ages.empty() && now - *ages.begin() >= rules.stalled_after;
  if (late == stalled) return;
  stalled = late;
  const std::string text = late ? std::to_string(ages.size()) + " messages wait, the oldest for " +
                                      std::to_string((now - *ages.begin()) / minute_ns) + " minutes: " + last_error
                                : "";
  effects.troubles.push_back({late ? SinkTrouble::What::stalled : SinkTrouble::What::flowing, name, "", text});
}

SinkStatus Notifier::status() const {
  SinkStatus status;
  status.notifier = name;
  status.waiting = ages.size();
  status.in_flight = static_cast<std::size_t>(in_flight);
  status.oldest = ages.empty() ? 0 : *ages.begin();
  status.is_dead = open;
  status.last_error = last_error;
  return status;
}

void note(const Item& item, Effects& effects) {
  effects.changes.push_back({*item.id, item.state, item.carrier, item.attempts, item.next_at, item.first_at, item.last_error, {}});
}

void tell_in_rows(std::vector<store::OutboxRow>& rows, Effects& effects) {
  if (effects.changes.empty()) return;
  std::unordered_map<std::string_view, store::OutboxRow*> fresh;
  for (store::OutboxRow& row : rows) fresh[row.id] = &row;
  std::erase_if(effects.changes, [&](const store::OutboxChange& change) {
    const auto found = fresh.find(change.id);
    if (found == fresh.end()) return false;
    store::OutboxRow& row = *found->second;
    row.state = change.state;
    row.carrier = change.carrier;
    row.attempts = change.attempts;
    row.next_at = change.next_at;
    row.first_at = change.first_at;
    return true;
  });
}

std::string sink_key(const store::OutboxRow& row) {
  return row.notifier + '\0' + row.to;
}

std::string lane_key(const store::OutboxRow& row) {
  const std::string& group = row.group.empty() ? row.incident : row.group;
  // without group and incident nothing has to be in order: each by itself
  return sink_key(row) + '\0' + (group.empty() ? row.id : group);
}

int level_of(std::string_view level) {
  return level.size() == 2 && level[0] == 'p' && level[1] >= '1' && level[1] <= '4' ? level[1] - '0' : 5;
}

std::string_view outcome_name(Delivery::What what) {
  switch (what) {
    case Delivery::What::delivered:
      return "delivered";
    case Delivery::What::retry:
      return "retry";
    case Delivery::What::dropped:
      break;
  }
  return "dropped";
}

std::int64_t retry_delay(const OutboxRules& rules, std::string_view id, std::int64_t number) {
  const std::int64_t doubled =
      number > 30 ? rules.retry_most : rules.retry_least * (std::int64_t{2} << (std::max<std::int64_t>(number, 1) - 1));
  const std::int64_t range = std::min(doubled, rules.retry_most) - rules.retry_least;
  if (range <= 0) return rules.retry_least;
  const Hash128 hash = siphash128(std::string(id) + '\0' + std::to_string(number));
  return rules.retry_least + static_cast<std::int64_t>(hash.first % (static_cast<std::uint64_t>(range) + 1));
}

}  // namespace ronda::notify
