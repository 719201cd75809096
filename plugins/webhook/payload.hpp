// SPDX-License-Identifier: Apache-2.0
// The two bodies that the webhook can have. Pure.
#pragma once

#include <ronda/plugin.hpp>

#include <string>

namespace webhook {

/// What a body says besides the message.
struct Origin {
  std::string host;
  ronda::wall_time now{};
  std::string receiver;  ///< format alertmanager only
};

std::string ronda_payload(const ronda::message& message, const Origin& origin);

/// Alertmanager's webhook, version 4: one alert, a group of its own for each incident.
std::string alertmanager_payload(const ronda::message& message, const Origin& origin);

}  // namespace webhook
