// SPDX-License-Identifier: Apache-2.0
// Alerts and incidents of an answer, for people at a terminal.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "cli/show.hpp"
#include "schedule/zone.hpp"

namespace ronda::cli {

/// Of an answer; null, false and empty where there is none or it is something else.
const json::value& member(const json::object& object, std::string_view key);
bool is_set(const json::object& object, std::string_view key);
const json::array& list_of(const json::object& object, std::string_view key);

/// "P1" of "p1" in its colour where colours are on, "--" of null.
std::string level_label(const json::value& level);
/// The lines below a silence or a maintenance: what each of its `hides` is, its level and its incident.
void print_hidden(const json::array& hides);
/// At least that wide, and a space.
std::string padded(std::string text, std::size_t width);
/// The zone of the agent's clocks, `[agent] tz`; UTC where it does not say. JSON has UTC always.
schedule::ZonePtr zone_of_agent(const Options& options);
schedule::ZonePtr zone_named(const std::string& name);
/// "2026-11-24 00:04:05 -0300" of an instant, "2026-11-24 03:04:05 UTC" in UTC; "" for null.
std::string instant_text(const json::value& instant, const schedule::Zone& zone);
constexpr std::size_t instant_width = 25;

/// One line each, without its end.
std::string alert_line(const json::object& alert);
std::string incident_line(const json::object& incident, const schedule::Zone& zone);
std::string slo_line(const json::object& slo);
/// Of a notifier: what waits for it, and whether it takes messages.
std::string sink_line(const json::object& sink);
/// All that explain knows of an alert.
void print_explained(const json::object& alert, const schedule::Zone& zone);
/// An incident with its timeline and its messages.
void print_incident(const json::object& incident, const schedule::Zone& zone);
/// What is to be sent to a vendor, and where to.
void print_ticket(const json::object& ticket);
void print_sinks(const json::array& sinks);
/// The state of a message, "accepted" where the other side only took it to hand it on.
std::string outcome_of(const json::object& message);
/// One line for each message.
void print_messages(const json::array& messages, const schedule::Zone& zone);

/// Whether a text was given by this flag, and more than blanks.
bool has_words(const Options& options, std::string_view flag);
/// Says what is missing, and exit_usage.
int lacks(std::string_view text);
/// "VERB has no verb "WORD"; did you mean "X"?" and exit_usage.
int unknown_word(std::string_view verb, const std::string& word, std::span<const std::string_view> known);

}  // namespace ronda::cli
