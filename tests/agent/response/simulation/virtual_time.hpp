// SPDX-License-Identifier: Apache-2.0
// Clocks that stand still until an event loop has nothing left to do: while a VirtualTime lives, every clock of this
// process shows what it says, and a loop that would sleep until its next timer makes it pass instead. So the shells around
// the pure parts run as they are, a day in milliseconds, and the same inputs give the same run.
#pragma once

#include <cstdint>

namespace ronda::sim {

inline constexpr std::int64_t second_ns = 1'000'000'000, minute_ns = 60 * second_ns, hour_ns = 60 * minute_ns;

class VirtualTime {
 public:
  explicit VirtualTime(std::int64_t wall_ns);
  ~VirtualTime();
  VirtualTime(const VirtualTime&) = delete;
  VirtualTime& operator=(const VirtualTime&) = delete;

  /// Somebody sets the wall clock; the others go on.
  void step_wall(std::int64_t by_ns);
  std::int64_t wall_ns() const;
  /// Since the beginning of the world.
  std::int64_t passed_ns() const;
};

}  // namespace ronda::sim
