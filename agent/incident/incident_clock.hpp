// SPDX-License-Identifier: Apache-2.0
// The one clock of an escalation: unsuppressed time since detection. It is worked out of what happened and keeps
// nothing, so a restart cannot change it; it stands during windows and silences and never goes back.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/units.hpp"
#include "incident/severity.hpp"
#include "incident/stretch.hpp"

namespace ronda::escalation {

using people::Level;
using people::Stretch;

struct LevelChange {
  std::int64_t at_ns = 0;
  Level level = Level::none;
};

/// Whom it hurts was said: "users", "sla", "reputation", ...
struct Impact {
  std::int64_t at_ns = 0;
  std::string tag;
};

/// What an escalation must know of an incident. Times are wall clock, nanoseconds UTC, none before `detected_ns` but
/// those of stretches. An end that is not known yet is Stretch::open.
///
/// An event must not be stamped at or before an instant until which due() has been asked already: whoever records
/// events stamps them after it (max(now, asked + 1)), else what happened at that very instant would be lost or twice.
struct IncidentClock {
  std::int64_t detected_ns = 0;
  Level level = Level::none;         // at detection
  std::vector<LevelChange> changes;  // ascending
  std::vector<Stretch> suppressed;   // windows and silences that hide the whole incident; any order, may overlap
  std::vector<Stretch> below;        // nothing was as high as the level of then; any order, apart from each other
  std::vector<Stretch> acked;        // somebody had it, or it flapped; any order, may overlap
  std::vector<Impact> impacts;
  std::optional<std::int64_t> ended_ns;  // resolved: nothing is due from here on

  Level level_at(std::int64_t at_ns) const;
};

/// Stretches in order, apart from each other, without empty ones and without what lies before `from_ns`.
std::vector<Stretch> joined(std::vector<Stretch> stretches, std::int64_t from_ns);

/// Time since `detected_ns` without the pauses (joined).
class PausedTime {
 public:
  PausedTime(std::int64_t detected_ns, std::vector<Stretch> pauses)
      : detected_ns_(detected_ns), pauses_(joined(std::move(pauses), detected_ns)) {}

  /// What the clock reads; 0 before detection.
  Nanos reading(std::int64_t at_ns) const;
  /// The first instant outside of all pauses at which it reads at least `value`; none: not while a pause has no end.
  std::optional<std::int64_t> instant(Nanos value) const;
  /// The first instant at or after `at_ns` outside of all pauses.
  std::optional<std::int64_t> next_running(std::int64_t at_ns) const;
  const std::vector<Stretch>& pauses() const { return pauses_; }

 private:
  std::int64_t detected_ns_;
  std::vector<Stretch> pauses_;
};

/// Time since detection without windows and silences: what is shown to people, what response times count.
PausedTime unsuppressed_time(const IncidentClock& clock);
/// The same without the time that somebody had acknowledged it: what steps go by that page until an ack. An ack holds
/// for the level at which it was given; a raise above that ends it.
PausedTime paging_time(const IncidentClock& clock);
/// Either as the ladder of one level has it: besides, it stands while the incident had that level and nothing was as high.
PausedTime unsuppressed_time(const IncidentClock& clock, Level level);
PausedTime paging_time(const IncidentClock& clock, Level level);

}  // namespace ronda::escalation
