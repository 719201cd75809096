// SPDX-License-Identifier: Apache-2.0
// How long a runner may have nothing to do before it leaves.
#pragma once

#include <algorithm>
#include <chrono>

namespace ronda::schedule {

inline constexpr std::chrono::nanoseconds shortest_idle = std::chrono::seconds(60);

/// Twice the longest interval of its instances, at least a minute: what they keep open (a session of a server) lasts from one run to
/// the next. Instances without an interval count as 0.
constexpr std::chrono::nanoseconds idle_limit(std::chrono::nanoseconds longest_interval) {
  constexpr std::chrono::nanoseconds most = std::chrono::nanoseconds::max() / 2;
  return std::max(shortest_idle, 2 * std::min(longest_interval, most));
}

}  // namespace ronda::schedule
