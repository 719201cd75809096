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

/// A notifier stands in the queue once, however many messages it has.
void Scheduler::wait_for_locks(const Due& due, bool is_delivery) {
  const auto is_same = [&](const WaitingForLocks& one) { return one.is_delivery && one.due.id == due.id; };
  if (is_delivery && std::ranges::any_of(waiting_for_locks_, is_same)) return;
  waiting_for_locks_.push_back({due, is_delivery});
}

void Scheduler::release_locks(std::uint32_t position) {
  if (std::erase_if(locks_, [&](const auto& held) { return held.second == position; }) == 0 || stopping_) return;
  serve_waiting();
}

/// Locks came free. Runs and messages wait in one queue, so neither can have a lock for good while the other wants it; who
/// gets none stays where it is.
void Scheduler::serve_waiting() {
  for (const WaitingForLocks& one : std::exchange(waiting_for_locks_, {})) {
    if (one.is_delivery)
      deliver_next(one.due.id);
    else
      handle(one.due);
  }
  flush_launches();
}

}  // namespace ronda::schedule
