// SPDX-License-Identifier: Apache-2.0
// A stretch of time.
#pragma once

#include <cstdint>

namespace ronda::people {

/// [begin, end) in nanoseconds UTC.
struct Stretch {
  static constexpr std::int64_t open = INT64_MAX;  // as an end: not known yet
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = open;
  bool has(std::int64_t at_ns) const { return at_ns >= begin_ns && at_ns < end_ns; }
  bool operator==(const Stretch&) const = default;
};

}  // namespace ronda::people
