// SPDX-License-Identifier: Apache-2.0
// Durations in the unit of this part: nanoseconds.
#pragma once

#include <cstdint>

namespace ronda::incident {

inline constexpr std::int64_t second_ns = 1'000'000'000;
inline constexpr std::int64_t minute_ns = 60 * second_ns;
inline constexpr std::int64_t hour_ns = 60 * minute_ns;
inline constexpr std::int64_t day_ns = 24 * hour_ns;
/// In 2116. What is stored holds nothing later, damaged or not, so that no sum of two instants or lengths goes over.
inline constexpr std::int64_t latest_ns = INT64_MAX / 2;

}  // namespace ronda::incident
