// SPDX-License-Identifier: Apache-2.0
// Calendar expressions and, beside each, the same thing said by hand in C++: what the oracle believes.
// Nothing here uses agent/schedule's parser.
#pragma once

#include <vector>

namespace ronda::schedule {

struct Day {
  int year, month, day, last_day, weekday;  // weekday: Monday is 0
};

struct Expression {
  const char* text;
  bool is_cron;
  bool named;  // the hour field is a list or a range, without a step
  bool (*on_day)(const Day&);
  bool (*at_minute)(int hour, int minute);
};

/// The first `ci_expressions` are the ones that clock changes hurt most.
const std::vector<Expression>& all_expressions();
constexpr std::size_t ci_expressions = 20;

}  // namespace ronda::schedule
