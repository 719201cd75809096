// SPDX-License-Identifier: Apache-2.0
#include "incident/incident_clock.hpp"

#include <algorithm>

namespace ronda::escalation {

Level IncidentClock::level_at(std::int64_t at_ns) const {
  Level now = level;
  for (const LevelChange& change : changes) {
    if (change.at_ns <= at_ns) now = change.level;
  }
  return now;
}

std::vector<Stretch> joined(std::vector<Stretch> stretches, std::int64_t from_ns) {
  for (Stretch& one : stretches) one.begin_ns = std::max(one.begin_ns, from_ns);
  std::erase_if(stretches, [](const Stretch& one) { return one.end_ns <= one.begin_ns; });
  std::ranges::sort(stretches, {}, &Stretch::begin_ns);
  std::vector<Stretch> out;
  for (const Stretch& one : stretches) {
    if (!out.empty() && one.begin_ns <= out.back().end_ns) {
      out.back().end_ns = std::max(out.back().end_ns, one.end_ns);
    } else {
      out.push_back(one);
    }
  }
  return out;
}

Nanos PausedTime::reading(std::int64_t at_ns) const {
  if (at_ns <= detected_ns_) return Nanos(0);
  std::int64_t value = at_ns - detected_ns_;
  for (const Stretch& pause : pauses_) {
    if (pause.begin_ns < at_ns) value -= std::min(pause.end_ns, at_ns) - pause.begin_ns;
  }
  return Nanos(value);
}

std::optional<std::int64_t> PausedTime::instant(Nanos value) const {
  std::int64_t at_ns = 0;
  if (__builtin_add_overflow(detected_ns_, value.count(), &at_ns)) return {};
  for (const Stretch& pause : pauses_) {
    if (pause.begin_ns > at_ns) break;
    if (pause.end_ns == Stretch::open) return {};
    if (__builtin_add_overflow(at_ns, pause.end_ns - pause.begin_ns, &at_ns)) return {};
  }
  return at_ns;
}

std::optional<std::int64_t> PausedTime::next_running(std::int64_t at_ns) const {
  for (const Stretch& pause : pauses_) {
    if (!pause.has(at_ns)) continue;
    if (pause.end_ns == Stretch::open) return {};
    return pause.end_ns;  // pauses are apart from each other
  }
  return at_ns;
}

namespace {

/// Of the time in which nothing was as high as the incident, that in which it had this level.
void add_below(const IncidentClock& clock, Level level, std::vector<Stretch>& out) {
  Stretch held{clock.detected_ns, Stretch::open};
  Level now = clock.level;
  const auto add = [&] {
    for (const Stretch& one : now == level ? clock.below : std::vector<Stretch>()) {
      const Stretch part{std::max(one.begin_ns, held.begin_ns), std::min(one.end_ns, held.end_ns)};
      if (part.begin_ns < part.end_ns) out.push_back(part);
    }
  };
  for (const LevelChange& change : clock.changes) {
    held.end_ns = change.at_ns;
    add();
    held = {change.at_ns, Stretch::open};
    now = change.level;
  }
  add();
}

/// What stops steps that page, whatever the level: windows, silences, and that somebody had it.
std::vector<Stretch> holds_of(const IncidentClock& clock) {
  std::vector<Stretch> pauses = clock.suppressed;
  for (Stretch ack : clock.acked) {
    Level held = clock.level_at(ack.begin_ns);
    for (const LevelChange& change : clock.changes) {
      if (change.at_ns <= ack.begin_ns || !people::more_severe(change.level, held)) continue;
      ack.end_ns = std::min(ack.end_ns, change.at_ns);
      break;
    }
    pauses.push_back(ack);
  }
  return pauses;
}

}  // namespace

PausedTime unsuppressed_time(const IncidentClock& clock) {
  return {clock.detected_ns, clock.suppressed};
}

PausedTime paging_time(const IncidentClock& clock) {
  return {clock.detected_ns, holds_of(clock)};
}

PausedTime unsuppressed_time(const IncidentClock& clock, Level level) {
  std::vector<Stretch> pauses = clock.suppressed;
  add_below(clock, level, pauses);
  return {clock.detected_ns, std::move(pauses)};
}

PausedTime paging_time(const IncidentClock& clock, Level level) {
  std::vector<Stretch> pauses = holds_of(clock);
  add_below(clock, level, pauses);
  return {clock.detected_ns, std::move(pauses)};
}

}  // namespace ronda::escalation
