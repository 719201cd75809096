// SPDX-License-Identifier: Apache-2.0
// /proc/pressure and /proc/meminfo and their like as numbers. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace host {

/// A share of the time in which tasks waited, 0..1, over 10 s, 60 s and 300 s.
struct Stall {
  double avg10 = 0, avg60 = 0, avg300 = 0;
};
struct Pressure {
  Stall some;                 // at least one task waited
  std::optional<Stall> full;  // all did; older kernels do not say it for the CPU
};
/// A file of /proc/pressure or of a cgroup v2.
std::optional<Pressure> parse_pressure(std::string_view text);

/// Bytes.
struct MemoryUse {
  double total = 0, available = 0;
  double swap_total = 0, swap_free = 0;

  double used_ratio() const { return total > 0 ? 1 - available / total : 0; }
  double swap_ratio() const { return swap_total > 0 ? 1 - swap_free / swap_total : 0; }
};
/// /proc/meminfo; nothing without MemTotal and MemAvailable (kernels before 3.14).
std::optional<MemoryUse> parse_meminfo(std::string_view text);

/// The value of "NAME VALUE" in a text of such lines: /proc/vmstat, memory.events, memory.stat.
std::optional<std::uint64_t> keyed_value(std::string_view text, std::string_view name);

struct LoadAverage {
  double load1 = 0, load5 = 0, load15 = 0;
};
std::optional<LoadAverage> parse_loadavg(std::string_view text);

/// "0-3,6" of /sys/devices/system/cpu/online as a count; 0 when it does not parse.
std::uint32_t count_cpus(std::string_view text);

}  // namespace host
