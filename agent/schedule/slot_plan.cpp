// SPDX-License-Identifier: Apache-2.0
#include "schedule/slot_plan.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace ronda::schedule {

using namespace std::chrono_literals;

SlotPlan::SlotPlan(Calendar calendar, const SlotOptions& options, std::optional<sys_seconds> done_until)
    : calendar_(std::move(calendar)), options_(options), handled_(done_until) {
  if (done_until) done_.push_back({*done_until, *done_until});
}

const SlotPlan::Block* SlotPlan::block_of(sys_seconds slot) const {
  const auto found = std::ranges::find_if(done_, [&](const Block& block) { return block.has(slot); });
  return found == done_.end() ? nullptr : &*found;
}

std::optional<sys_seconds> SlotPlan::next_not_done(sys_seconds after) const {
  auto slot = calendar_.next(after);
  while (slot) {
    const Block* block = block_of(*slot);
    if (block == nullptr) break;
    slot = calendar_.next(block->last);
  }
  return slot;
}

std::optional<sys_seconds> SlotPlan::last_not_done(sys_seconds at) const {
  auto slot = calendar_.previous(at);
  while (slot) {
    const Block* block = block_of(*slot);
    if (block == nullptr) break;
    slot = calendar_.previous(block->first - 1s);
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
  const auto later = std::ranges::upper_bound(done_, slot, {}, &Block::first);
  if (later != done_.begin()) {
    const auto before = std::prev(later);
    if (before->has(slot)) return;
    if (calendar_.next(before->last) == slot) {
      before->last = slot;
      if (later == done_.end() || calendar_.next(slot) != later->first) return;
      before->last = later->last;
      done_.erase(later);
      return;
    }
  }
  done_.insert(later, Block{slot, slot});
  if (done_.size() > max_blocks) done_.erase(done_.begin());
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
  out.is_catch_up = !too_old && late > late_after;
  if (out.is_catch_up && options_.catch_up_delay > 0ns) {
    catch_up_ = last;
  } else if (!too_old) {
    mark_done(last);
    out.run = last;
  }
  plan_after(last);
  return out;
}

void SlotPlan::learn_done(sys_seconds slot, sys_seconds wall) {
  const bool untouched = done_.empty() && !catch_up_;
  mark_done(slot);
  if (untouched && slot_) handled_ = slot;
  if (slot_) replan(wall);
}

std::optional<sys_seconds> SlotPlan::take_catch_up() {
  const auto slot = std::exchange(catch_up_, std::nullopt);
  if (!slot) return std::nullopt;
  mark_done(*slot);
  return slot;
}

}  // namespace ronda::schedule
