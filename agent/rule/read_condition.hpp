// SPDX-License-Identifier: Apache-2.0
// A condition as a value of conf.d, with what is wrong shown inside of its text. Private to agent/rule.
#pragma once

#include <optional>
#include <string_view>

#include "config/fields.hpp"
#include "rule/condition.hpp"

namespace ronda::rule {

/// What a condition is read against.
struct ConditionSource {
  const config::Generation& generation;
  const Facts& facts;
  const config::Sources& files;  // what places point into: their texts give a caret inside of a condition
};

/// Nothing where it has errors; they are the scope's. `more` is put behind the text: " >= 0" makes a condition of a metric;
/// what is warned of is then not about what somebody wrote.
std::optional<Condition> read_condition(config::Scope& scope, const ConditionSource& from, std::string_view key, const config::Value& value,
                                        std::string_view more = {});

}  // namespace ronda::rule
