// SPDX-License-Identifier: Apache-2.0
// What the two ways to facts share. Private to agent/rule.
#pragma once

#include <string>

#include "config/generation.hpp"
#include "rule/facts.hpp"

namespace ronda::rule {

/// After how long without a result nothing is known; 0: a check that has no interval.
std::int64_t patience_of(Nanos every, Nanos timeout);
/// Of a check without an interval: how long after its slot, which may begin late, its result may come.
std::int64_t slot_grace_of(Nanos timeout);
/// `own` if it says one, else the service that has the check in its list.
std::string service_of(const config::Generation& generation, const std::string& check, const std::string& own);
/// One that does not run: nothing is expected of it.
void add_idle_task(const std::string& name, Facts& facts);
/// Checks and tasks that are disabled: by name alone.
void add_names(const config::Generation& generation, Facts& facts);

}  // namespace ronda::rule
