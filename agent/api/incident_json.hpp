// SPDX-License-Identifier: Apache-2.0
// Alerts, incidents, silences and messages as JSON: the shapes of the API, which are stable. Where a message goes to is
// named by contact and notifier only: an address may be a secret.
#pragma once

#include <boost/json/value.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "api/routes.hpp"
#include "incident/document.hpp"

namespace ronda::api {

const response::Desk& desk_of(AgentView& agent);
/// "p1", or null where there is none.
boost::json::value level_json(config::Level level);

/// Of more than `most` the worst.
boost::json::array alerts_json(AgentView& agent, bool firing_only, std::size_t most = SIZE_MAX);
std::size_t count_firing(AgentView& agent);
/// What each alert of conf.d fires for, as it is configured, and its state.
boost::json::array rules_json(AgentView& agent);
/// All that is known of an alert, with each of its conditions, part by part; none: no alert has that name.
std::optional<boost::json::object> explain_alert_json(AgentView& agent, std::string_view name);

/// Of more than `most_alerts` the worst; `alert_count` says how many there are.
boost::json::object incident_json(const incident::Incident& incident, std::int64_t now_ns, std::size_t most_alerts = SIZE_MAX);
/// Whom its escalation calls next, or null.
boost::json::value next_step_json(AgentView& agent, const incident::Incident& incident);
/// What was asked of vendors, each with what the check of its status page said last.
boost::json::array tickets_json(AgentView& agent, const incident::Incident& incident);
/// The last result of a check, in short; null: there is none of that name.
boost::json::value status_check_json(AgentView& agent, std::string_view check);
/// Those that are live, the highest level first; with `all` the resolved ones too. Of the alerts of each the 20 worst; where that were
/// more than 1,000 in all, as many of each as make 1,000, and one at least.
boost::json::array incidents_json(AgentView& agent, bool all);
/// The timeline, in order; `line` is the event in words.
boost::json::array timeline_json(std::span<const incident::Event> events, const incident::DocumentOptions& options = {});
boost::json::object silence_json(AgentView& agent, const incident::Silence& silence);
/// What waits for each notifier, for how long, and whether it takes messages; of one that has left the configuration
/// while something waits for it.
boost::json::array sinks_json(AgentView& agent);
/// Messages with the trail of each.
boost::json::array deliveries_json(std::span<const store::OutboxRow> rows, std::span<const store::DeliveryAttempt> trail);

/// What a viewer is not told: the room where people talk, and what notifiers say of other machines. Of an incident, with
/// or without timeline and deliveries, and of a message.
void hide_from_viewer(boost::json::object& shown);
/// Of each object of a list.
void hide_all_from_viewer(boost::json::value& list);
/// The same of a notifier as status and explain show it.
void hide_words_of_notifier(boost::json::object& shown);

/// What live incidents make of the whole: critical for one at P1 or P2, warning for others and for those about the agent
/// itself; nothing for one that a silence or a window hides.
plugin::CheckStatus status_of_incidents(AgentView& agent);

}  // namespace ronda::api
