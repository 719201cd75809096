// SPDX-License-Identifier: Apache-2.0
// Instants and levels in the words of messages. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/said.hpp"
#include "response/plan.hpp"

namespace ronda::response {

/// "2026-11-29 03:14:05 -03" in the agent's zone; "" for 0.
std::string time_text(const Plan& plan, std::int64_t at_ns);
/// What of the text about its end nobody has written yet, by its headings; empty: nothing.
Said pending_text(const incident::Incident& incident);
/// What was said last, then what fires.
Said situation_of(const incident::Incident& incident);
/// Whom to turn to: who leads it, else who has it, else those who are called. Of those that conf.d gives a telephone number or an
/// e-mail address of their own, with these.
Said contact_of(const Plan& plan, const incident::Incident& incident, const std::vector<std::string>& called);
/// What is broken, for people: the title of the service, else its name, else the host.
std::string system_of(const Plan& plan, const std::string& service);

}  // namespace ronda::response
