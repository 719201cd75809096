// SPDX-License-Identifier: Apache-2.0
// What a series usually is at this hour of the week: the median of the same hour of weeks before, by the local clock. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "measure/view.hpp"
#include "schedule/zone.hpp"

namespace ronda::measure {

inline constexpr int baseline_weeks = 6;        // that are looked at
inline constexpr int baseline_least_weeks = 2;  // of which so many must have samples

/// The hours whose values make up the baseline of `at_ns`: the UTC hours in which the local clock showed the same weekday and
/// time of day 1, 2, .. weeks before, newest first. With `frozen_at_ns` only hours that had ended by then, so that a fault
/// that lasts does not become what is usual; they are looked for twice as far back.
std::vector<std::int64_t> baseline_hours(std::int64_t at_ns, std::int64_t frozen_at_ns, const schedule::Zone& zone);

/// `hours`: the mean of each hour that has samples (of a counter what it grew per second), by its beginning, ascending.
std::optional<double> baseline(std::span<const Point> hours, std::int64_t at_ns, std::int64_t frozen_at_ns, const schedule::Zone& zone);

}  // namespace ronda::measure
