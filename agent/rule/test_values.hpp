// SPDX-License-Identifier: Apache-2.0
// The values of a series as a test writes them: ["0%", "6% x10", "none x3", "0% to 10% x5"]. Private to agent/rule.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "config/value.hpp"

namespace ronda::rule {

struct GivenValues {
  std::vector<std::optional<double>> values;  // none: no result then
  std::string unit;                           // of the first that says one
};

/// Adds what one element stands for; an Error says why it stands for nothing. `is_status`: words instead of numbers.
Status add_values(const config::Value& element, bool is_status, GivenValues& out);

}  // namespace ronda::rule
