// SPDX-License-Identifier: Apache-2.0
// Alerts that others judged: what the door brings becomes an alert of its own, beside those of rules. A plain value; what it
// says is data from outside, bounded by whoever reads it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "config/generation.hpp"
#include "incident/alert_names.hpp"

namespace ronda::response {

/// Of their names.
using incident::inbound_prefix;
/// Firing at once, of all senders.
inline constexpr std::size_t most_inbound = 10'000;

struct InboundAlert {
  std::string name;                           // inbound_prefix SENDER/KEY
  std::string check;                          // what it groups by where it has no service: inbound_prefix SENDER/WORD
  std::string service;                        // one of conf.d, or empty
  config::Level level = config::Level::none;  // none: it is over
  std::string reason;                         // for people, one line
  std::int64_t until_ns = 0;                  // over by then if it is not said again; 0: holds until it is said to be over
};

/// What one sender says in one go.
struct InboundBatch {
  std::string source;  // the door or the format: "alertmanager", "event"
  std::string author;  // as incident::to_text writes it: "token:prometheus"
  std::vector<InboundAlert> alerts;
};

}  // namespace ronda::response
