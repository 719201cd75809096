// SPDX-License-Identifier: Apache-2.0
// Locks that runs hold while they last: what shares one never runs at the same time.
#include <algorithm>

#include "schedule/scheduler.hpp"

namespace ronda::schedule {

/// All of its locks or none; none when somebody holds one of them.
bool Scheduler::take_locks(const Entry& entry, std::uint32_t position) {
  const std::vector<std::string>& own = entry.spec.procedure->locks;
  static const std::vector<std::string> none;
  const std::vector<std::string>& configured = entry.spec.rare != nullptr ? entry.spec.rare->locks : none;
  const auto is_held = [&](const std::string& lock) { return locks_.contains(lock); };
  if (std::ranges::any_of(own, is_held) || std::ranges::any_of(configured, is_held)) return false;
  for (const std::string& lock : own) locks_[lock] = position;
  for (const std::string& lock : configured) locks_[lock] = position;
  return true;
}

bool Scheduler::holds_locks(std::uint32_t position) const {
  return std::ranges::any_of(locks_, [&](const auto& held) { return held.second == position; });
}

void Scheduler::release_locks(std::uint32_t position) {
  if (std::erase_if(locks_, [&](const auto& held) { return held.second == position; }) == 0 || stopping_) return;
  for (const Due& due : std::exchange(waiting_for_locks_, {})) handle(due);  // in the order in which they came
  deliver_after(position);
  flush_launches();
}

/// Locks came free: notifiers that wait for one take turns, beginning behind the one that had it.
void Scheduler::deliver_after(std::uint32_t position) {
  std::vector<std::uint32_t> waiting;  // a copy: what begins may change the queues
  waiting.reserve(deliveries_.size());
  for (const auto& [notifier, messages] : deliveries_) waiting.push_back(notifier);
  std::ranges::sort(waiting);
  std::ranges::rotate(waiting, std::ranges::upper_bound(waiting, position));
  for (const std::uint32_t notifier : waiting) deliver_next(notifier);
}

}  // namespace ronda::schedule
