// SPDX-License-Identifier: Apache-2.0
// Instants and levels in the words of messages. Pure.
#pragma once

#include <cstdint>
#include <string>

#include "base/said.hpp"
#include "response/plan.hpp"

namespace ronda::response {

/// "2026-11-29 03:14:05 -03" in the agent's zone; "" for 0.
std::string time_text(const Plan& plan, std::int64_t at_ns);
/// What of the text about its end nobody has written yet, by its headings; empty: nothing.
Said pending_text(const incident::Incident& incident);
/// What is broken, for people: the title of the service, else its name, else the host.
std::string system_of(const Plan& plan, const std::string& service);

}  // namespace ronda::response
