// SPDX-License-Identifier: Apache-2.0
#include "response/clock.hpp"

#include <algorithm>
#include <iterator>

namespace ronda::response {
namespace {

std::vector<people::Stretch> stretches_of(const std::vector<incident::Stretch>& from) {
  std::vector<people::Stretch> out;
  out.reserve(from.size());
  for (const incident::Stretch& one : from) out.push_back({one.begin_ns, one.end_ns == 0 ? people::Stretch::open : one.end_ns});
  return out;
}

}  // namespace

escalation::IncidentClock clock_of(const incident::Incident& incident) {
  escalation::IncidentClock clock;
  clock.detected_ns = incident.detected_ns;
  clock.level = incident.history.levels.empty() ? incident.level : incident.history.levels.front().level;
  for (std::size_t i = 1; i < incident.history.levels.size(); ++i)
    clock.changes.push_back({incident.history.levels[i].at_ns, incident.history.levels[i].level});
  clock.suppressed = stretches_of(incident.history.suppressed);
  clock.below = stretches_of(incident.history.below);
  clock.acked = stretches_of(incident.history.held);
  std::ranges::move(stretches_of(incident.history.flapped), std::back_inserter(clock.acked));  // as if somebody had it: nobody is called
  for (const incident::History::Impact& impact : incident.history.impacts) clock.impacts.push_back({impact.at_ns, impact.tag});
  if (!incident.is_live()) clock.ended_ns = incident.resolved_ns != 0 ? incident.resolved_ns : incident.changed_ns;
  return clock;
}

}  // namespace ronda::response
