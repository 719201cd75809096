// SPDX-License-Identifier: Apache-2.0
// From an incident to the fields that a vendor's ticket may name. Pure.
#pragma once

#include <span>

#include "incident/incident.hpp"
#include "incident/vendor.hpp"
#include "response/plan.hpp"

namespace ronda::response {

/// `events` are its timeline. What other machines said when a message failed is no vendor's business and is left out.
people::TicketFields ticket_fields_of(const Plan& plan, const incident::Incident& incident, std::span<const incident::Event> events,
                                      const incident::Author& reporter, std::int64_t now_ns);

}  // namespace ronda::response
