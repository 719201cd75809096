// SPDX-License-Identifier: Apache-2.0
// What lies ahead of an incident: whom its escalation calls next. The same functions as when it is due. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "incident/incident.hpp"
#include "incident/route.hpp"
#include "response/plan.hpp"

namespace ronda::response {

struct NextStep {
  std::int64_t at_ns = 0;
  std::vector<escalation::Due> due;   // together at that instant
  std::vector<std::string> contacts;  // whom their targets stand for then
};

/// None: nobody is called by time alone; it is over, somebody has it, a silence or a window hides it, or its ladders have ended.
std::optional<NextStep> next_step(const Plan& plan, const incident::Incident& incident, const escalation::Overrides& overrides,
                                  std::int64_t now_ns);

}  // namespace ronda::response
