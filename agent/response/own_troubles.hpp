// SPDX-License-Identifier: Apache-2.0
// What the agent says of itself (Response::on_own_trouble), by name; the alert of each is called incident::own_prefix NAME.
// That messages are lost is incident::lost_trouble.
#pragma once

#include <string_view>

namespace ronda::response {

inline constexpr std::string_view config_trouble = "config", heartbeat_trouble = "heartbeat", store_trouble = "store";
/// With the name of a notifier, and the id of a plugin.
inline constexpr std::string_view sink_trouble_prefix = "sink/", plugin_trouble_prefix = "plugin/";

}  // namespace ronda::response
