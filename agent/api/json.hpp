// SPDX-License-Identifier: Apache-2.0
// State as JSON: the shapes of the API, which are stable.
#pragma once

#include <boost/json/value.hpp>

#include "api/routes.hpp"

namespace ronda::api {

/// "2026-11-24T03:04:05.678Z", or null for 0.
boost::json::value time_json(std::int64_t wall_ns);
double seconds(std::int64_t ns);
/// Null where it is empty.
boost::json::value text_or_null(std::string_view text);
/// "ok", "warning", "critical", "unknown", or "pending" before the first result.
std::string_view status_word(const schedule::Entry& entry);

/// By name and labels; `encoded` as an entry keeps them.
boost::json::object metrics_json(std::string_view encoded);
boost::json::object entry_json(const schedule::Scheduler& scheduler, const schedule::Entry& entry, bool whole);
boost::json::object status_json(AgentView& agent);
/// How the step of explain begins that tells of a try that does not count yet.
inline constexpr std::string_view repeats_text = "does not count yet";
inline constexpr std::string_view no_result_text = "no result";
boost::json::object explain_json(AgentView& agent, const schedule::Entry& entry);
boost::json::array plugins_json(AgentView& agent);
/// What the command `check` prints: one Nagios line with perfdata, then the detail.
std::string nagios_line(const schedule::Entry& entry);
/// The answer to who had it run. Of a task the text says what the exit code of `task run` does.
boost::json::object run_json(const schedule::Scheduler& scheduler, const schedule::Entry& entry);
/// The worst of all, as `status` ranks them; what never ran counts as ok.
plugin::CheckStatus overall(AgentView& agent);

}  // namespace ronda::api
