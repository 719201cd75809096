// SPDX-License-Identifier: Apache-2.0
// The words of the post-incident document in each language.
#pragma once

#include <array>
#include <string_view>

#include "incident/document.hpp"

namespace ronda::incident {

struct Words {
  std::string_view severity, system, service, cause, status, detected, answered, answered_late, not_answered, mitigated, resolved, duration,
      hidden;
  std::string_view timeline, time, author, what, told, contact, channel, outcome, nobody_told, diagnosis, war_room, roles, alerts;
  std::string_view not_written, sent, delivered, accepted, accepted_for, failed, last_resort, still_open, agent, owed_until, owed_never,
      waits, cut;  // `waits`: of an alert that joined and never fired
  std::array<std::string_view, 6> parts;   // in the order of review_parts
  std::array<std::string_view, 5> stages;  // by Stage
};
const Words& words(Language language);

/// What an event of this kind says, with {who} {level} {alert} {subject} {role} {channel} {owed}; its text follows after a colon.
std::string_view phrase(Kind kind, Language language);

}  // namespace ronda::incident
