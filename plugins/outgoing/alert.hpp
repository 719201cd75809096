// SPDX-License-Identifier: Apache-2.0
// A message as Alertmanager sees it: labels that say which alert it is and stay the same while it lasts, annotations that
// say what is up. Both its API and its webhook (version 4) are made of these. Pure.
#pragma once

#include <ronda/plugin.hpp>

#include <cstdint>
#include <map>
#include <string>

#include "outgoing/json.hpp"

namespace outgoing {

using Labels = std::map<std::string, std::string>;  // in the order of their names, as Alertmanager's fingerprint wants them

struct Alert {
  Labels labels, annotations;  ///< none is empty
  std::string starts_at;       ///< RFC 3339; empty when the message does not say
  bool resolved = false;
  std::string link;  ///< a page of the incident, or where people meet about it; may be empty
};

/// A field that holds an http or https URL; empty where it is none: others would refuse the whole message for it.
std::string_view link_in(const ronda::message& message, std::string_view field);

/// Whether the incident that the message is about has ended: it says so, or it was said after the end, by the field `state`. Elsewhere
/// it ends then too, else a word about what is over would open it anew, and nothing would end it. A test is about no incident.
bool is_over(const ronda::message& message);

/// From level, incident, title, body and the fields alert, check, service, host, opened_at, state, incident_url and war_room. `host`: where
/// no field says another.
Alert alert_of(const ronda::message& message, const std::string& host);

/// Alertmanager's own of these labels, as it prints it: 16 digits.
std::string fingerprint(const Labels& labels);

void write_labels(JsonWriter& json, const Labels& labels);

}  // namespace outgoing
