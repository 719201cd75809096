// SPDX-License-Identifier: Apache-2.0
#include "response/outlook.hpp"

#include <algorithm>

#include "response/clock.hpp"
#include "response/upkeep.hpp"

namespace ronda::response {

std::optional<NextStep> next_step(const Plan& plan, const incident::Incident& incident, const escalation::Overrides& overrides,
                                  std::int64_t now_ns) {
  if (!incident.is_live()) return {};
  const escalation::Policy& policy = plan.policies.of(incident.service);
  const escalation::IncidentClock clock = clock_of(incident);
  const auto next_ns = escalation::due(policy, clock, now_ns, now_ns).next_ns;
  if (!next_ns) return {};
  NextStep out;
  out.at_ns = *next_ns;
  out.due = escalation::due(policy, clock, now_ns, *next_ns).due;
  std::vector<std::string> targets;
  for (const escalation::Due& one : out.due) targets.insert(targets.end(), one.targets.begin(), one.targets.end());
  out.contacts = contacts_of(plan, targets, overrides, *next_ns);
  return out;
}

}  // namespace ronda::response
