// SPDX-License-Identifier: Apache-2.0
// What conf.d says of messages that no incident makes: to whom windows are announced, and `[agent] drill`.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "response/plan.hpp"

namespace ronda::response {

/// Tells each name that is no contact, group or on-call.
void check_targets(const people::People& people, std::string_view key, const std::vector<std::string>& names, config::Place place,
                   config::Diagnostics& diagnostics);

/// `drill = { at = "Mon *-*-* 10:00", notify = ["p1-all"], level = "p1" }`; `cron` with `tz` in place of `at`.
std::optional<Drill> read_drill(const schedule::Candidate& candidate, schedule::ZoneDatabase& zones, const people::People& people,
                                config::Diagnostics& diagnostics);

}  // namespace ronda::response
