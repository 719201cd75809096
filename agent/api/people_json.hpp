// SPDX-License-Identifier: Apache-2.0
// Whose turn it is and who would hear what as JSON: what `ronda oncall show` and `ronda escalation simulate` print is what
// the routes answer.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <span>

#include "incident/oncall.hpp"
#include "incident/simulate.hpp"

namespace ronda::api {

/// Of a rota, from one instant until another; `more` are overrides of the store, `overrides` the same as they are shown.
boost::json::object rota_json(const people::Rota& rota, const people::Stretch& asked, std::span<const people::Override> more,
                              boost::json::array overrides);
boost::json::object simulation_json(const escalation::Simulation& simulation, const escalation::Scenario& scenario);
/// Takes the addresses out of it, which may be a secret: notifier and contact stay.
void hide_addresses(boost::json::object& simulation);

}  // namespace ronda::api
