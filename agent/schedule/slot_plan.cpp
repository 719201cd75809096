// SPDX-License-Identifier: Apache-2.0
#include "schedule/slot_plan.hpp"

#include <algorithm>
#include <utility>

namespace ronda::schedule {

using namespace std::chrono_literals;

SlotPlan::SlotPlan(Calendar calendar, const SlotOptions& options, std::optional<sys_seconds> done_until)
    : calendar_(std::move(calendar)), options_(options), handled_(done_until) {
  if (done_until) latest_ = {*done_until, *done_until};
}

std::optional<sys_seconds> SlotPlan::next_not_done(sys_seconds after) const {
  auto slot = calendar_.next(after);
  // a block ends before the next one begins, so two jumps are enough; three cost nothing
  for (int i = 0; i < 3 && slot; ++i) {
    if (latest_.has(*slot)) {
      slot = calendar_.next(latest_.last);
    } else if (earlier_.has(*slot)) {
      slot = calendar_.next(earlier_.last);
    } else {
      break;
    }
  }
  return slot;
}

std::optional<sys_seconds> SlotPlan::last_not_done(sys_seconds at) const {
  auto slot = calendar_.previous(at);
  for (int i = 0; i < 3 && slot; ++i) {
    if (latest_.has(*slot)) {
      slot = calendar_.previous(latest_.first - 1s);
    } else if (earlier_.has(*slot)) {
      slot = calendar_.previous(earlier_.first - 1s);
    } else {
      break;
    }
  }
  return slot;
}

void SlotPlan::plan_after(sys_seconds handled) {
  slot_ = next_not_done(handled);
  // slots that were jumped over as done are not missed later on
  handled_ = slot_ ? *slot_ - 1s : handled;
}

void SlotPlan::replan(sys_seconds wall) {
  if (catch_up_ && *catch_up_ > wall) catch_up_.reset();
  plan_after(std::min(handled_.value_or(wall), wall));
}

void SlotPlan::mark_done(sys_seconds slot) {
  if (calendar_.next(latest_.last) == slot) {
    latest_.last = slot;
  } else if (calendar_.next(earlier_.last) == slot) {
    earlier_.last = slot;
    std::swap(earlier_, latest_);
  } else {
    earlier_ = std::exchange(latest_, Block{slot, slot});
  }
}

SlotPlan::Taken SlotPlan::take(sys_seconds wall) {
  Taken out;
  const sys_seconds first = *slot_;
  const sys_seconds last = std::max(last_not_done(wall).value_or(first), first);
  const seconds late = wall - last;
  const bool too_old = options_.catch_up_within && late > *options_.catch_up_within && late > late_after;
  const std::uint64_t missed = calendar_.count(first - 1s, last) - (too_old ? 0 : 1);
  if (missed > 0) out.missed = MissedSlots{first, too_old ? last : *calendar_.previous(last - 1s), missed};
  if (catch_up_) {
    // at most one catch-up: an older one that still waits gives way
    if (!out.missed) out.missed = MissedSlots{*catch_up_, *catch_up_, 0};
    out.missed->first = *std::exchange(catch_up_, std::nullopt);
    ++out.missed->count;
  }
  plan_after(last);
  if (too_old) return out;
  out.is_catch_up = late > late_after;
  if (out.is_catch_up && options_.catch_up_delay > 0ns) {
    catch_up_ = last;
    return out;
  }
  mark_done(last);
  plan_after(last);
  out.run = last;
  return out;
}

std::optional<sys_seconds> SlotPlan::take_catch_up() {
  const auto slot = std::exchange(catch_up_, std::nullopt);
  if (!slot) return std::nullopt;
  mark_done(*slot);
  return slot;
}

}  // namespace ronda::schedule
