// SPDX-License-Identifier: Apache-2.0
// A message as an event of PagerDuty's Events API v2, within its limits, and what the answer to one means. Pure.
#pragma once

#include <ronda/plugin.hpp>

#include <string>
#include <string_view>

namespace pagerduty {

/// Of `ronda notify test` or a drill: it proves the way and is about nothing.
bool is_test(const ronda::message& message);

/// "trigger", "acknowledge" or "resolve": resolve is what outgoing::is_over() says; acknowledge is an event of that name, or an update
/// of which the field `state` says that somebody has the incident: acknowledged or mitigating.
std::string_view action_of(const ronda::message& message);

/// The incident's id, or the message's where there is no incident and of a test; at most 255 characters.
std::string dedup_key_of(const ronda::message& message);

std::string event_of(const ronda::message& message, std::string_view action, std::string_view routing_key, const std::string& host,
                     ronda::wall_time now);

/// Of an answer with status 2xx.
ronda::delivery read_reply(int status, std::string_view body);

}  // namespace pagerduty
