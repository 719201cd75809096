// SPDX-License-Identifier: Apache-2.0
// The only place where clocks are read. Pure parts are given the time; they never ask for it.
#pragma once

#include <chrono>
#include <cstdint>
#include <ctime>

namespace ronda {

inline std::chrono::nanoseconds read_clock(clockid_t clock) {
  timespec now{};
  ::clock_gettime(clock, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

/// Never steps, goes on during suspend: what `every` follows.
inline std::chrono::nanoseconds boottime() { return read_clock(CLOCK_BOOTTIME); }
/// Never steps: deadlines and durations.
inline std::chrono::nanoseconds monotonic() { return read_clock(CLOCK_MONOTONIC); }
/// Since 1970-01-01 UTC; may step.
inline std::chrono::nanoseconds wall_clock() { return read_clock(CLOCK_REALTIME); }

}  // namespace ronda
