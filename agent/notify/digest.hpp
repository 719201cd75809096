// SPDX-License-Identifier: Apache-2.0
// Several messages to one sink as one: the newest in full, the others by their titles and how many they were. Pure.
#pragma once

#include <vector>

#include "store/decision.hpp"

namespace ronda::notify {

/// `older`, oldest first: of them the titles alone are read. The named values are those of the newest, and `merged`.
store::OutboxText digest(const std::vector<const store::OutboxRow*>& older, const store::OutboxRow& newest);
bool is_digest(const store::OutboxRow& row);
/// The event of the whole: an update behind an open of the same incident that the sink has not had yet is an open.
std::string event_of_digest(const std::vector<const store::OutboxRow*>& older, const store::OutboxRow& newest);

}  // namespace ronda::notify
