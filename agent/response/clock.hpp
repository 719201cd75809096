// SPDX-License-Identifier: Apache-2.0
// What an escalation must know of an incident, from what the incident says of itself. Pure.
#pragma once

#include "incident/incident.hpp"
#include "incident/incident_clock.hpp"

namespace ronda::response {

escalation::IncidentClock clock_of(const incident::Incident& incident);

}  // namespace ronda::response
