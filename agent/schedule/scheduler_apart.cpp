// SPDX-License-Identifier: Apache-2.0
// Runs apart, which are made to see what would be done: only who asked hears of their end.
#include "base/clock.hpp"
#include "schedule/scheduler.hpp"

namespace ronda::schedule {

namespace {

/// What a run leaves of itself in its entry, as far as people are shown it.
struct Face {
  bool has_result = true;
  CheckStatus status = CheckStatus::unknown;
  std::string summary;
  PackedText detail, grade_reason, metrics, blocked_by;
  std::int64_t since_wall = 0;  // and no failures before it
  std::uint32_t failures = 0;
  Trip trip;
  Skip skip = Skip::none;
};

void exchange(Entry& entry, Face& face) {
  std::swap(entry.has_result, face.has_result);
  std::swap(entry.status, face.status);
  std::swap(entry.summary, face.summary);
  std::swap(entry.detail, face.detail);
  std::swap(entry.grade_reason, face.grade_reason);
  std::swap(entry.metrics, face.metrics);
  std::swap(entry.blocked_by, face.blocked_by);
  std::swap(entry.since_wall, face.since_wall);
  std::swap(entry.failures, face.failures);
  std::swap(entry.trip, face.trip);
  std::swap(entry.skip, face.skip);
}

}  // namespace

/// It serves no slot, no retry and nobody who waits for another run.
Result<Unit> Scheduler::run_apart(std::uint32_t position, std::uint32_t flags, std::function<void(const Entry&)> ended) {
  Entry& entry = entries_[position];
  const std::string subject = label_of(entry.spec.kind, entry.spec.name);
  if (timetable_.look(position).running)
    return Error(Errc::exists, subject + " runs or waits for its turn: try again when that run has ended");
  if (attempts_.contains(position)) return Error(Errc::exists, subject + " failed and is about to be tried again: wait for that");
  if (!take_locks(entry, position))
    return Error(Errc::exists, subject + " needs a lock that another run holds: try again when that has ended");
  timetable_.hold(position);
  Apart& apart = apart_[position];
  apart.ended = std::move(ended);
  hand_over(entry, position, apart.trip, {position, 0, boottime(), std::nullopt, 0, Why::by_hand}, flags);
  flush_launches();
  return done();
}

/// Nothing is counted, kept or tried again, and nobody is told but who asked: to them the entry is for once as if it were.
void Scheduler::end_apart(std::uint32_t position, plugin::CallEnd& end) {
  Entry& entry = entries_[position];
  const auto found = apart_.find(position);
  const Apart apart = std::move(found->second);
  apart_.erase(found);
  Face face;
  face.trip = apart.trip;
  face.since_wall = face.trip.ended_wall = wall().count();
  Ending ending = ending_of(entry.spec, face.trip, end);
  plugin::Grade graded = grade(entry, ending);
  add_dropped(ending);
  face.status = graded.status;
  face.grade_reason = std::move(graded.reason);
  face.summary = std::move(ending.summary);
  face.detail = std::move(ending.detail);
  face.metrics = std::move(ending.metrics);
  forget_call(entry, end.id);
  if (apart.ended) {
    exchange(entry, face);
    apart.ended(entry);
    exchange(entry, face);
  }
  free_after(position, end);
  if (const auto lingers = lingering_.find(position); lingers != lingering_.end()) lingers->second.was_apart = true;
  drain();
}

const Trip* Scheduler::apart(const Entry& entry) const {
  const auto position = apart_.empty() ? std::nullopt : position_of(entry.spec.kind, entry.spec.name);
  const auto found = position ? apart_.find(*position) : apart_.end();
  return found == apart_.end() ? nullptr : &found->second.trip;
}

}  // namespace ronda::schedule
