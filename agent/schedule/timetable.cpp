// SPDX-License-Identifier: Apache-2.0
#include "schedule/timetable.hpp"

#include <algorithm>
#include <array>
#include <cassert>
#include <iterator>
#include <tuple>

#include "schedule/spread.hpp"

namespace ronda::schedule {
namespace {

using namespace std::chrono_literals;

// a wall clock that is slewed moves slots' keys only when it matters
constexpr Nanos slew_limit = 10ms;

std::uint32_t pack_phase(Nanos phase, Nanos interval) {
  return static_cast<std::uint32_t>(interval < 1s ? phase.count() : phase / 1ms);
}
Nanos unpack_phase(std::uint32_t phase, Nanos interval) {
  return interval < 1s ? Nanos(phase) : phase * Nanos(1ms);
}

}  // namespace

std::string_view to_text(Why why) {
  constexpr std::array<std::string_view, 7> texts = {"grid",  "slot",  "catch-up", "first run",
                                                     "again", "event", "by hand"};
  return texts[static_cast<std::size_t>(why)];
}

void Batch::clear() {
  due.clear();
  skipped.clear();
  missed.clear();
}

void Timetable::add(Id id, const Spec& spec, Nanos now) {
  assert(!has(id));
  if (id >= entries_.size()) entries_.resize(std::size_t{id} + 1);
  Entry& entry = entries_[id];
  entry = Entry();
  set_schedule(entry, spec, now);
  heap_.push(id);
}

void Timetable::remove(Id id) {
  if (!has(id)) return;
  heap_.remove(id);
  drop_plan(entries_[id]);
  entries_[id].kind = Kind::none;
}

void Timetable::replace(Id id, const Spec& spec, Nanos now) {
  if (!has(id)) return add(id, spec, now);
  Entry& entry = entries_[id];
  std::visit([&](const auto& schedule) { replace_schedule(entry, schedule, now); }, spec);
  heap_.update(id);
}

void Timetable::set_schedule(Entry& entry, const Spec& spec, Nanos now) {
  drop_plan(entry);
  if (const auto* every = std::get_if<Every>(&spec)) {
    entry.kind = Kind::every;
    const Nanos interval = std::max<Nanos>(every->interval, 1ms);
    entry.period = interval.count();
    entry.phase = pack_phase(every->phase, interval);
    entry.group = every->group;
    entry.exact = every->exact;
    entry.planned = grid_after(now, interval, unpack_phase(entry.phase, interval)).count();
    return;
  }
  if (const auto* on_demand = std::get_if<OnDemand>(&spec)) {
    entry.kind = Kind::on_demand;
    entry.group = on_demand->group;
    entry.exact = true;
    entry.planned = never;
    return;
  }
  const auto& slots = std::get<Slots>(spec);
  entry.kind = Kind::slots;
  entry.group = slots.group;
  entry.exact = true;
  if (free_plans_.empty()) {
    free_plans_.push_back(plans_.size());
    plans_.emplace_back();
  }
  entry.period = static_cast<std::int64_t>(free_plans_.back());
  free_plans_.pop_back();
  plans_[static_cast<std::size_t>(entry.period)].emplace(slots.calendar, slots.options, slots.done_until);
  plan_slot(entry, now);
}

void Timetable::replace_schedule(Entry& entry, const Every& spec, Nanos now) {
  // a turn that is due and was not taken yet stays due: a reload misses nothing
  const std::int64_t owed = entry.kind == Kind::every && entry.planned <= now.count() ? entry.planned : never;
  const bool same = entry.kind == Kind::every && entry.period == spec.interval.count() &&
                    entry.phase == pack_phase(spec.phase, spec.interval);
  const std::int64_t planned = entry.planned;
  if (entry.kind == Kind::slots && planned <= now.count()) want(entry, now, Why::again);
  set_schedule(entry, spec, now);
  if (same) entry.planned = planned;
  if (owed != never) entry.planned = owed;
}

void Timetable::replace_schedule(Entry& entry, const Slots& spec, Nanos now) {
  if (entry.kind == Kind::slots && plan_of(entry).calendar() == spec.calendar) {
    plan_of(entry).set_options(spec.options);
    entry.group = spec.group;
    return key_slot(entry);
  }
  const bool owes = entry.planned <= now.count();
  const bool had_plan = entry.kind == Kind::slots;
  const std::optional<sys_seconds> owed = owes && had_plan ? plan_of(entry).slot() : std::nullopt;
  const std::optional<sys_seconds> waiting = had_plan ? plan_of(entry).catch_up() : std::nullopt;
  const std::int64_t extra = entry.extra;
  set_schedule(entry, spec, now);
  if (owed) plan_of(entry).owe(*owed);
  else if (waiting) plan_of(entry).owe(*waiting), entry.extra = extra;
  if (owes) want(entry, now, Why::again);
}

void Timetable::replace_schedule(Entry& entry, const OnDemand& spec, Nanos now) { set_schedule(entry, spec, now); }

void Timetable::drop_plan(Entry& entry) {
  if (entry.kind != Kind::slots) return;
  plans_[static_cast<std::size_t>(entry.period)].reset();
  free_plans_.push_back(static_cast<std::size_t>(entry.period));
}

void Timetable::plan_slot(Entry& entry, Nanos now) {
  if (sane_) {
    plan_of(entry).replan(std::chrono::floor<seconds>(sys_seconds() + wall_at(now)));
  } else {
    plan_of(entry).unplan();
  }
  key_slot(entry);
}

void Timetable::key_slot(Entry& entry) {
  const SlotPlan& plan = plan_of(entry);
  const auto slot = plan.slot();
  if (entry.extra_why == Why::catch_up && !plan.catch_up()) entry.extra = never;
  entry.planned = slot ? (slot->time_since_epoch() + plan.options().jitter - offset_).count() : never;
}

ClockChange Timetable::set_wall(Nanos now, Nanos wall) {
  ClockChange out;
  const Nanos offset = wall - now;
  out.step = offset_known_ ? offset - offset_ : Nanos(0);
  out.is_step = std::chrono::abs(out.step) >= step_limit;
  out.was_sane = sane_ || !offset_known_;
  const bool first = !offset_known_;
  offset_ = offset;
  offset_known_ = true;
  out.sane = sane_at(now);
  const bool moved = std::chrono::abs(offset_ - planned_offset_) >= slew_limit;
  if (!first && !moved && out.sane == sane_) return out;
  sane_ = out.sane;
  replan_slots(now);
  return out;
}

void Timetable::replan_slots(Nanos now) {
  planned_offset_ = offset_;
  bool any = false;
  for (Entry& entry : entries_) {
    if (entry.kind != Kind::slots) continue;
    plan_slot(entry, now);
    any = true;
  }
  if (any) heap_.rebuild();
}

void Timetable::make_due(Id id, Nanos at, Why why) {
  if (!has(id)) return;
  want(entries_[id], at, why);
  heap_.update(id);
}

void Timetable::want(Entry& entry, Nanos at, Why why) {
  if (at.count() >= entry.extra) return;
  entry.extra = at.count();
  entry.extra_why = why;
}

void Timetable::owe(Id id, sys_seconds slot, Nanos now) {
  if (!has(id) || entries_[id].kind != Kind::slots) return;
  Entry& entry = entries_[id];
  plan_of(entry).owe(slot);
  want(entry, now, Why::catch_up);
  heap_.update(id);
}

void Timetable::learn_done(Id id, sys_seconds slot, Nanos now) {
  if (!has(id) || entries_[id].kind != Kind::slots) return;
  Entry& entry = entries_[id];
  plan_of(entry).learn_done(slot, std::chrono::floor<seconds>(sys_seconds() + wall_at(now)));
  key_slot(entry);
  heap_.update(id);
}

void Timetable::finished(Id id) {
  if (!has(id)) return;
  entries_[id].running = false;
  heap_.update(id);
}

std::optional<Nanos> Timetable::next_due() const {
  if (heap_.empty() || key(heap_.top()) == never) return std::nullopt;
  return Nanos(key(heap_.top()));
}

Timetable::View Timetable::look(Id id) const {
  View out;
  if (!has(id)) return out;
  const Entry& entry = entries_[id];
  if (key(id) != never) out.next = Nanos(key(id));
  if (entry.kind == Kind::slots) out.slot = plans_[static_cast<std::size_t>(entry.period)]->slot();
  out.running = entry.running;
  return out;
}

void Timetable::take_due(Nanos now, Batch& out) {
  const auto first = static_cast<std::ptrdiff_t>(out.due.size());
  ++mark_;
  while (!heap_.empty() && key(heap_.top()) <= now.count()) {
    const Id id = heap_.top();
    take(id, now, out);
    heap_.update(id);
  }
  if (std::ssize(out.due) == first) return;
  if (last_woken_ == mark_) take_early(now, out);
  std::sort(out.due.begin() + first, out.due.end(), [](const Due& a, const Due& b) {
    return std::tie(a.group, a.due, a.id) < std::tie(b.group, b.due, b.id);
  });
}

void Timetable::take(Id id, Nanos now, Batch& out) {
  const Entry& entry = entries_[id];
  if (entry.planned > now.count()) return take_extra(id, now, out);
  if (entry.kind == Kind::every) return take_turn(id, now, out);
  take_slot(id, now, out);
}

/// planned may be in the future: then it is taken early.
void Timetable::take_turn(Id id, Nanos now, Batch& out) {
  Entry& entry = entries_[id];
  const Nanos due(entry.planned);
  const Nanos interval(entry.period);
  const Nanos next = grid_after(std::max(due, now), interval, unpack_phase(entry.phase, interval));
  entry.planned = next.count();
  const auto passed_over = due < now ? static_cast<std::uint64_t>((now - due) / interval) : 0;
  if (entry.running) {
    out.skipped.push_back({id, due, std::nullopt, passed_over});
    return;
  }
  hand_out({id, entry.group, due, std::nullopt, passed_over, Why::grid}, now, out);
}

void Timetable::take_slot(Id id, Nanos now, Batch& out) {
  Entry& entry = entries_[id];
  SlotPlan& plan = plan_of(entry);
  const Nanos jitter = plan.options().jitter;
  const auto wall = std::chrono::floor<seconds>(sys_seconds() + wall_at(now) - jitter);
  if (*plan.slot() > wall) return key_slot(entry);  // the clock was slewed back a little: not yet
  const SlotPlan::Taken taken = plan.take(wall);
  key_slot(entry);
  if (taken.missed) out.missed.push_back({id, *taken.missed});
  if (plan.catch_up()) return want(entry, now + plan.options().catch_up_delay, Why::catch_up);
  if (!taken.run) return;
  const Nanos due = taken.run->time_since_epoch() + jitter - offset_;
  if (entry.running) {
    out.skipped.push_back({id, due, taken.run, 0});
    return;
  }
  hand_out({id, entry.group, due, taken.run, 0, taken.is_catch_up ? Why::catch_up : Why::slot}, now, out);
}

void Timetable::take_extra(Id id, Nanos now, Batch& out) {
  Entry& entry = entries_[id];
  Due due{id, entry.group, Nanos(entry.extra), std::nullopt, 0, entry.extra_why};
  if (entry.kind == Kind::slots) due.slot = plan_of(entry).take_catch_up();
  if (due.slot) due.why = Why::catch_up;
  hand_out(due, now, out);
}

void Timetable::hand_out(const Due& due, Nanos now, Batch& out) {
  Entry& entry = entries_[due.id];
  // this run serves whatever else was due by now; a first run is needed no more
  if (entry.extra <= now.count() || entry.extra_why == Why::first_run) entry.extra = never;
  entry.running = true;
  out.due.push_back(due);
  if (entry.exact) return;
  if (group_marks_.size() <= entry.group) group_marks_.resize(std::size_t{entry.group} + 1);
  group_marks_[entry.group] = mark_;
  last_woken_ = mark_;
}

/// Turns of a group that is woken anyway by one of its own kind: up to the slack, and to one percent of their interval.
void Timetable::take_early(Nanos now, Batch& out) {
  scratch_.clear();
  heap_.collect((now + options_.slack).count(), scratch_);
  for (const Id id : scratch_) {
    const Entry& entry = entries_[id];
    if (entry.kind != Kind::every || entry.exact || entry.running || entry.planned > entry.extra) continue;
    if (entry.group >= group_marks_.size() || group_marks_[entry.group] != mark_) continue;
    if (entry.planned - now.count() > entry.period / 100) continue;
    take_turn(id, now, out);
    heap_.update(id);
  }
}

}  // namespace ronda::schedule
