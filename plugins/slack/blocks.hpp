// SPDX-License-Identifier: Apache-2.0
// A message as Slack shows it: escaped, within Slack's limits, with no mention but those of the configuration. Pure.
#pragma once

#include <ronda/plugin.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "outgoing/json.hpp"

namespace slack {

/// With &, < and > as entities, so that nothing in it is a mention, a link or a command of Slack's; what is such an entity
/// already stays one. At most so many characters of the result, the last of them "…" when some were cut off.
std::string escaped(std::string_view text, std::size_t most);

/// Of "channel", "here", "everyone" and ids: "<!channel> <@U123> <!subteam^S123>".
std::string mentions_of(const std::vector<std::string>& names);

/// Whether the configured mentions go with a message of this event: with what opens, reminds and escalates.
bool mentions_fit(std::string_view event);

/// The members "text", which stands in notifications and old clients, and "blocks" of an object that is open.
void write_message(outgoing::JsonWriter& json, const ronda::message& message, const std::string& mentions, const std::string& host);

}  // namespace slack
