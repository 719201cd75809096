// SPDX-License-Identifier: Apache-2.0
// What one control group uses of its memory limit, in version 1 and 2. Only reads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace host {

struct CgroupMemory {
  double used = 0;              // without file pages that can be dropped at once
  std::optional<double> limit;  // bytes; nothing when unlimited
  std::optional<std::uint64_t> kills;
  std::string pressure_path;  // empty in version 1
};

/// A file of one number; "max" and version 1's huge page-rounded number are no limit.
std::optional<double> parse_limit(std::string_view text);

/// `name` is "/system.slice/x.service" below `cgroups` ("/sys/fs/cgroup"), in whichever hierarchy has memory.
std::optional<CgroupMemory> read_cgroup_memory(const std::string& cgroups, const std::string& name);

}  // namespace host
