// SPDX-License-Identifier: Apache-2.0
// Objectives as JSON: the shape of `GET /v1/slos` and of `slos` in `/v1/status`, which is stable.
#pragma once

#include <boost/json/value.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "api/routes.hpp"

namespace ronda::api {

/// All objectives by name, as the last look of each saw them: at most a minute old.
boost::json::array slos_json(AgentView& agent);
/// That of a level of an objective's alert.
const measure::slo::BurnRule& burn_rule_of(config::Level level);
/// "burns 14.4 times what 99.9% in 30d allows, in 1h and in 5m"
std::string burn_condition(const rule::Slo& slo, const measure::slo::BurnRule& rule);
/// The levels of an objective's alert, in the place where other alerts have conditions; empty: the alert is no objective's.
boost::json::array burns_as_conditions_json(const response::Desk& desk, std::string_view alert);

}  // namespace ronda::api
