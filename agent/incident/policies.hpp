// SPDX-License-Identifier: Apache-2.0
// Reads `[escalation.NAME.pN]` and makes of them, of [severity.*] and of the services what holds for each service. Tells
// targets that do not exist or cannot be reached, and ladders that contradict each other.
#pragma once

#include "config/diagnostic.hpp"
#include "incident/escalation.hpp"
#include "incident/people.hpp"

namespace ronda::escalation {

struct Policies {
  Policy general;                // of incidents without a service, and of services that name no escalation: the one named "default"
  std::vector<Policy> services;  // by name; of those that name escalations
  std::vector<config::Disabled> disabled;

  const Policy& of(std::string_view service) const;
};

/// A service names its escalations: `escalation = "default"`, or several that run side by side for one incident:
/// `escalation = ["technical", "business"]`.
Policies compile(const people::Input& input, const people::People& people, config::Diagnostics& diagnostics);

}  // namespace ronda::escalation
