// SPDX-License-Identifier: Apache-2.0
// Messages that belong to no incident: of windows, tests and drills; and who is on call because somebody said so. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "incident/route.hpp"
#include "incident/upkeep.hpp"
#include "response/message.hpp"
#include "response/plan.hpp"

namespace ronda::response {

/// How the ids of envelopes begin that are a test by hand, or a drill: nothing stands in for them, and a test that fails is
/// told to who asked for it alone.
inline constexpr std::string_view test_prefix = "test/", drill_prefix = "drill/";
bool is_trial(const store::OutboxRow& row);

/// By rota, for escalation; one that was ended holds until then.
escalation::Overrides overrides_of(const incident::UpkeepBook& book);
/// Everybody whom these targets stand for at that instant, each once.
std::vector<std::string> contacts_of(const Plan& plan, const std::vector<std::string>& targets, const escalation::Overrides& overrides,
                                     std::int64_t at_ns);
/// What a window owes to people.
Told tell_window(const Plan& plan, const incident::WindowNotice& notice, const escalation::Overrides& overrides, std::int64_t now_ns);
/// What a silence owes to its owner; where that is no contact, to who is called first for what it covers.
Told tell_silence(const Plan& plan, const incident::Notice& notice, const escalation::Overrides& overrides, std::int64_t now_ns);
/// A marked message by every channel of these contacts that fits the level (none: every one), fallbacks and quiet hours
/// regardless: that each way works is what it asks.
Told tell_trial(const Plan& plan, const std::vector<std::string>& contacts, const std::string& key, config::Level level,
                const incident::Author& author, std::int64_t now_ns);

/// The row that says, by its `until`, which drill was the last that was due.
inline constexpr std::string_view drill_row_id = "D";
bool is_upkeep(std::string_view row_id);
Status restore_upkeep(const store::SilenceRow& row, incident::UpkeepBook& book, std::int64_t& drilled_ns);

}  // namespace ronda::response
