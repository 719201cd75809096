// SPDX-License-Identifier: Apache-2.0
// The keys `retry` and `overlap`: runs that do not count yet, and turns that wait for the run before them.
#include "plugin/report_text.hpp"
#include "ronda/abi.h"
#include "schedule/scheduler.hpp"

namespace ronda::schedule {

plugin::Grade Scheduler::grade(const Entry& entry, const Ending& ending) const {
  if (entry.spec.limits == nullptr) return {ending.reported, {}};
  return plugin::grade(ending.reported, plugin::decode_metrics(ending.metrics), *entry.spec.limits,
                       wire::is_cut(ending.metrics, ending.dropped_metrics));
}

/// A check is tried again when its result would be worse than the one that counts: what is known already needs no
/// second look. A task when it said that it failed; one that may be half done only if its configuration calls that
/// harmless.
bool Scheduler::will_retry(const Entry& entry, std::uint32_t position, const Ending& ending) const {
  const config::Rare* rare = entry.spec.rare.get();
  if (rare == nullptr || rare->retry.times == 0 || stopping_ || entry.removed || entry.id_in_flight != 0) return false;
  if (ending.fate == Fate::unavailable || ending.fate == Fate::spawn_failed || disabled_.contains(position)) return false;
  const auto before = attempts_.find(position);
  if (before != attempts_.end() && before->second.made >= rare->retry.times) return false;
  if (entry.spec.kind == Kind::task) return ending.told ? ending.reported == CheckStatus::critical : rare->idempotent.value_or(false);
  if (entry.spec.kind != Kind::check) return false;
  const CheckStatus graded = grade(entry, ending).status, counted = entry.has_result ? entry.status : CheckStatus::ok;
  return graded != counted && plugin::worse(graded, counted) == graded;
}

void Scheduler::hold_back(Entry& entry, std::uint32_t position, Ending ending) {
  Attempts& attempts = attempts_[position];
  ++attempts.made;
  attempts.slot_wall = entry.slot_wall;
  attempts.last = std::move(ending);
  const config::Retry& retry = entry.spec.rare->retry;
  ports_.log(RONDA_LOG_INFO, label_of(entry.spec.kind, entry.spec.name) + ": attempt " + std::to_string(attempts.made) + " of " +
                                 std::to_string(retry.times + 1) + ": " + attempts.last.summary + "; again in " +
                                 format_duration(retry.wait));
}

/// No further attempt comes: the last one counts after all.
void Scheduler::conclude(std::uint32_t position, std::string_view why) {
  const auto found = attempts_.find(position);
  if (found == attempts_.end()) return;
  Attempts attempts = std::move(found->second);
  attempts_.erase(found);
  Entry& entry = entries_[position];
  if (entry.call != 0) return;  // one is under way: that one counts
  count(entry, attempts.last);  // before its slot, as in settle()
  if (attempts.slot_wall != 0) {
    ports_.store.finish_slot(id_of(entry.spec), attempts.slot_wall, "not well, and not tried again: " + std::string(why), [](auto) {});
  }
  mark_dirty(entry, position);
  tell_waiters(position);
}

const Attempts* Scheduler::attempts(const Entry& entry) const {
  const auto position = attempts_.empty() ? std::nullopt : position_of(entry.spec.kind, entry.spec.name);
  const auto found = position ? attempts_.find(*position) : attempts_.end();
  return found == attempts_.end() ? nullptr : &found->second;
}

/// Whether a turn that comes while its run goes on waits for the end: as its overlap says, and always behind one that counts for nothing.
bool Scheduler::waits_its_turn(const Entry& entry, std::uint32_t position) const {
  const auto lingers = lingering_.find(position);
  return is_apart(position) || (lingers != lingering_.end() && lingers->second.was_apart) ||
         (entry.spec.rare != nullptr && entry.spec.rare->overlap == config::Overlap::queue);
}

/// Its turn came while it still runs: one turn waits for the end, a newer one takes its place.
bool Scheduler::queue(const Skipped& skipped) {
  if (!waits_its_turn(entries_[skipped.id], skipped.id)) return false;
  if (!skipped.slot) {
    timetable_.make_due(skipped.id, boottime(), Why::again);
    return true;
  }
  timetable_.owe(skipped.id, *skipped.slot, boottime());  // one that waited before was given up when this one came
  return true;
}

}  // namespace ronda::schedule
