// SPDX-License-Identifier: Apache-2.0
// What conf.d says of messages that no incident makes: to whom windows are announced, and `[agent] drill`.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "incident/wrong_people.hpp"
#include "response/plan.hpp"

namespace ronda::response {

/// Whom a message that no incident makes may name, and by what they can be reached: as for ladders.
struct Targets {
  Targets(const schedule::Candidate& candidate, const people::People& people);

  const people::People& people;
  std::vector<std::string> notifiers;  // that can be used, or whose trouble was told
  people::WrongPeople wrong;           // what cannot be reached through them is no second mistake
  bool complete = true;                // false: part of conf.d could not be read, so a name that is not here may exist
};

/// Tells each name that is no contact, group or on-call, or in which nobody can hear a message of that level.
void check_targets(const Targets& known, std::string_view key, const std::vector<std::string>& names, config::Level level,
                   config::Place place, config::Diagnostics& diagnostics);
/// Its owner and those to whom it is announced.
void check_window(const Targets& known, const incident::Window& window, config::Diagnostics& diagnostics);
/// The same of one that is wrong: by what stands there.
void check_wrong_window(const Targets& known, const config::RawObject& object, config::Diagnostics& diagnostics);

/// `drill = { at = "Mon *-*-* 10:00", notify = ["p1-all"], level = "p1" }`; `cron` with `tz` in place of `at`.
std::optional<Drill> read_drill(const schedule::Candidate& candidate, schedule::ZoneDatabase& zones, const Targets& known,
                                config::Diagnostics& diagnostics);

}  // namespace ronda::response
