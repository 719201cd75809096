// SPDX-License-Identifier: Apache-2.0
// Which slot of a calendar comes next for one instance, which ones were missed, and which were done already,
// whatever the wall clock does. Pure: the wall clock's reading is a parameter.
//
// A slot is an instant of the calendar. It is run at most once: what was run is remembered as a few unbroken
// blocks (there is one until the clock jumps); older runs are known to the store, whose unique key (name,
// slot) is the last guard. What was missed is not remembered as done: when a clock that stood years ahead is
// put right, the slots of the years between are run in their time.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "base/units.hpp"
#include "schedule/calendar.hpp"

namespace ronda::schedule {

struct SlotOptions {
  Nanos jitter{};          // the run starts so long after its slot, always the same
  Nanos catch_up_delay{};  // a catch-up starts so long after it is found, so that a thousand do not at once
  std::optional<seconds> catch_up_within;  // an older slot is not caught up; none: always
};

struct MissedSlots {
  sys_seconds first;
  sys_seconds last;
  std::uint64_t count = 0;
};

class SlotPlan {
 public:
  /// A run that starts later than this after its slot is a catch-up, and waits for catch_up_delay.
  static constexpr seconds late_after{60};

  /// `done_until`: the last slot that was run or recorded as missed under this calendar; none for a new one.
  SlotPlan(Calendar calendar, const SlotOptions& options, std::optional<sys_seconds> done_until);

  const Calendar& calendar() const { return calendar_; }
  const SlotOptions& options() const { return options_; }
  void set_options(const SlotOptions& options) { options_ = options; }

  /// Looks again at what comes next; to be called when planned first and after every step of the wall clock.
  void replan(sys_seconds wall);
  /// While the wall clock is known to be wrong nothing is planned.
  void unplan() { slot_.reset(); }
  /// The earliest slot that is owed or to come.
  std::optional<sys_seconds> slot() const { return slot_; }

  struct Taken {
    std::optional<sys_seconds> run;  // to be run now
    bool is_catch_up = false;        // run, or (without run) waiting as catch_up()
    std::optional<MissedSlots> missed;
  };
  /// slot() has come: wall >= slot(). Plans the next one.
  Taken take(sys_seconds wall);

  /// A slot that waits for catch_up_delay.
  std::optional<sys_seconds> catch_up() const { return catch_up_; }
  std::optional<sys_seconds> take_catch_up();
  /// Heard late: this slot was done before the plan was made. Slots after it were missed, unless one was run since.
  void learn_done(sys_seconds slot, sys_seconds wall);
  /// Hands a slot over that another calendar of the same instance still owed.
  void owe(sys_seconds slot) { catch_up_ = slot; }

 private:
  struct Block {
    sys_seconds first;
    sys_seconds last;
    bool has(sys_seconds slot) const { return slot >= first && slot <= last; }
  };

  static constexpr std::size_t max_blocks = 32;

  const Block* block_of(sys_seconds slot) const;
  std::optional<sys_seconds> next_not_done(sys_seconds after) const;
  std::optional<sys_seconds> last_not_done(sys_seconds at) const;
  void plan_after(sys_seconds handled);
  void mark_done(sys_seconds slot);

  Calendar calendar_;
  SlotOptions options_;
  std::vector<Block> done_;             // in order of time
  std::optional<sys_seconds> handled_;  // slots up to this one are not owed
  std::optional<sys_seconds> slot_;
  std::optional<sys_seconds> catch_up_;
};

}  // namespace ronda::schedule
