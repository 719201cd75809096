// SPDX-License-Identifier: Apache-2.0
// The timetable: what is due now, and when to look again. Pure: it owns no clock, no timer and no calls;
// instants of CLOCK_BOOTTIME and of the wall clock are parameters, everything that was decided is returned.
//
//  - `every` follows CLOCK_BOOTTIME on a grid (spread.hpp). Such runs may start up to a slack early, together
//  with
//    others of their group, so that a runner is woken once; never late for that.
//  - Slots of a calendar follow the wall clock, never early, each at most once (slot_plan.hpp). Without a
//  sane wall
//    clock there are none.
//  - What is still running is not started a second time: the run is skipped, with the reason.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/units.hpp"
#include "schedule/due_heap.hpp"
#include "schedule/slot_plan.hpp"

namespace ronda::schedule {

/// Dense numbers that the caller gives: they index arrays. An id may be used again after remove().
using Id = std::uint32_t;
using Group = std::uint32_t;

struct Every {
  Group group = 0;
  Nanos interval{};    // at least 1 ms
  Nanos phase{};       // phase_of()
  bool exact = false;  // never early: exec
};

struct Slots {
  Group group = 0;
  Calendar calendar;
  SlotOptions options;
  std::optional<sys_seconds> done_until;  // from the store: later slots are owed; no slot from before this calendar was known is
};

/// Never by itself: make_due alone.
struct OnDemand {
  Group group = 0;
};

using Spec = std::variant<Every, Slots, OnDemand>;

enum class Why : std::uint8_t {
  grid,       // its turn
  slot,       // its slot
  catch_up,   // a slot missed by more than SlotPlan::late_after
  first_run,  // after start or when added
  again,      // the last result asked for it
  event,      // something came in
  by_hand,
};
std::string_view to_text(Why why);

struct Due {
  Id id = 0;
  Group group = 0;
  Nanos due{};  // when it should start: lateness is against this
  std::optional<sys_seconds> slot;
  std::uint64_t passed_over = 0;  // turns of the grid that went by before this one was taken
  Why why = Why::grid;
};

/// It was due while its last run still went on. A slot counts as done with that.
struct Skipped {
  Id id = 0;
  Nanos due{};
  std::optional<sys_seconds> slot;
  std::uint64_t passed_over = 0;  // further turns that went by
};

struct Missed {
  Id id = 0;
  MissedSlots slots;
};

struct Batch {
  std::vector<Due> due;  // ordered by group, within it by instant
  std::vector<Skipped> skipped;
  std::vector<Missed> missed;

  void clear();
};

struct ClockChange {
  Nanos step{};          // against what was told last
  bool is_step = false;  // 2 s or more: to be logged
  bool sane = true;
  bool was_sane = true;
};

class Timetable {
 public:
  static constexpr Nanos step_limit = std::chrono::seconds(2);

  struct Options {
    Nanos slack = std::chrono::milliseconds(100);
    sys_seconds sane_from;  // the build's date: a wall clock before it is wrong
  };
  explicit Timetable(const Options& options) : options_(options), heap_(*this) {}
  Timetable(const Timetable&) = delete;
  Timetable& operator=(const Timetable&) = delete;

  /// The wall clock (since 1970) at `now`. To be told before take_due; slots are re-planned as far as it
  /// moved.
  ClockChange set_wall(Nanos now, Nanos wall);

  void add(Id id, const Spec& spec, Nanos now);
  /// Keeps what is running and what is due; keeps the plan too if the schedule did not change.
  void replace(Id id, const Spec& spec, Nanos now);
  void remove(Id id);
  bool has(Id id) const { return id < entries_.size() && entries_[id].kind != Kind::none; }
  std::size_t size() const { return heap_.size(); }

  /// Due once at `at` besides its schedule. Of several the earliest holds. While it runs this waits for its
  /// end. A run for another reason that starts after `at` serves it too.
  void make_due(Id id, Nanos at, Why why);
  /// A slot that came while its run still went on and is to be run after it.
  void owe(Id id, sys_seconds slot, Nanos now);
  /// Heard late: the last slot that was run before this timetable began. Of no meaning for what has no slots.
  void learn_done(Id id, sys_seconds slot, Nanos now);
  /// The caller runs it for reasons of its own: nothing that is due is served by that, and finished() ends it.
  void hold(Id id) { entries_[id].running = true, heap_.update(id); }
  /// The run that take_due handed out is over.
  void finished(Id id);

  /// When to call take_due next; none: never.
  std::optional<Nanos> next_due() const;
  /// Appends what is due at `now` to `out` and counts each due id as running.
  void take_due(Nanos now, Batch& out);

  struct View {
    std::optional<Nanos> next;
    std::optional<sys_seconds> slot;
    bool running = false;
  };
  View look(Id id) const;

 private:
  friend class DueHeap<Timetable>;
  enum class Kind : std::uint8_t { none, every, slots, on_demand };
  static constexpr std::int64_t never = INT64_MAX;

  struct Entry {
    std::int64_t planned = never;  // the next turn or slot
    std::int64_t extra = never;    // make_due
    std::int64_t period = 0;       // the interval, or the index into plans_
    std::uint32_t phase = 0;       // ms; ns for intervals below 1 s
    Group group = 0;
    std::uint32_t place = 0;
    Kind kind = Kind::none;
    Why extra_why = Why::again;
    bool running = false;
    bool exact = false;
  };
  static_assert(sizeof(Entry) + sizeof(Id) <= 48);

  std::int64_t key(Id id) const {
    const Entry& e = entries_[id];
    return e.running || e.planned < e.extra ? e.planned : e.extra;
  }
  std::uint32_t& place(Id id) { return entries_[id].place; }

  Nanos wall_at(Nanos now) const { return now + offset_; }
  bool sane_at(Nanos now) const { return offset_known_ && wall_at(now) >= options_.sane_from.time_since_epoch(); }
  SlotPlan& plan_of(const Entry& entry) { return *plans_[static_cast<std::size_t>(entry.period)]; }

  void set_schedule(Entry& entry, const Spec& spec, Nanos now);
  void replace_schedule(Entry& entry, const Every& spec, Nanos now);
  void replace_schedule(Entry& entry, const Slots& spec, Nanos now);
  void replace_schedule(Entry& entry, const OnDemand& spec, Nanos now);
  void drop_plan(Entry& entry);
  void plan_slot(Entry& entry, Nanos now);
  void key_slot(Entry& entry);
  void want(Entry& entry, Nanos at, Why why);
  void replan_slots(Nanos now);

  void take(Id id, Nanos now, Batch& out);
  void take_turn(Id id, Nanos now, Batch& out);
  void take_slot(Id id, Nanos now, Batch& out);
  void take_extra(Id id, Nanos now, Batch& out);
  void hand_out(const Due& due, Nanos now, Batch& out);
  void take_early(Nanos now, Batch& out);

  Options options_;
  std::vector<Entry> entries_;
  std::vector<std::optional<SlotPlan>> plans_;
  std::vector<std::size_t> free_plans_;
  DueHeap<Timetable> heap_;
  std::vector<std::uint32_t> group_marks_;  // the last take that handed out one of this group that may be early itself
  std::uint32_t mark_ = 0;                  // of this take
  std::uint32_t last_woken_ = 0;            // the last in group_marks_
  std::vector<Id> scratch_;
  Nanos offset_{};          // wall minus boottime
  Nanos planned_offset_{};  // the one that the slots' keys were made with
  bool offset_known_ = false;
  bool sane_ = false;
};

}  // namespace ronda::schedule
