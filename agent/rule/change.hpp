// SPDX-License-Identifier: Apache-2.0
// What the ladder of an alert says when its state changed: what incident is told.
#pragma once

#include <cstdint>
#include <string>

#include "config/generation.hpp"

namespace ronda::rule {

struct Change {
  std::string alert;    // its name; globally unique in a generation
  std::string check;    // the check whose result it judges
  std::string service;  // empty: the check belongs to none
  config::Level from = config::Level::none, to = config::Level::none;
  enum class What : std::uint8_t { fired, level_changed, resolved, no_data, blocked, unblocked } what = What::fired;
  std::string blocked_by;     // the check that it waits for
  std::int64_t at_ns = 0;     // of the decision
  std::int64_t since_ns = 0;  // from when on the condition has held
  std::string reason;         // for people: "error_rate 6.1% > 5% for 1m"
  double value = 0;
};

}  // namespace ronda::rule
