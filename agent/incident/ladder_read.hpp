// SPDX-License-Identifier: Apache-2.0
// One `[escalation.NAME.pN]` from its table.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "config/fields.hpp"
#include "incident/escalation.hpp"

namespace ronda::escalation {

/// What a ladder may name, wrong objects too; where a file could not be read an unknown name is only dropped.
struct Known {
  std::span<const std::string_view> targets;
  std::span<const std::string_view> escalations;  // and "severity"
  bool names_complete = true;
};

/// A step that is wrong is left out, a target that does not exist too; each is told and noted in `disabled`. None: the
/// ladder itself is wrong, or nothing is left of it.
std::optional<Ladder> read_ladder(const Known& known, config::Diagnostics& diagnostics, const config::RawObject& object, Level level,
                                  std::vector<config::Disabled>& disabled);

}  // namespace ronda::escalation
