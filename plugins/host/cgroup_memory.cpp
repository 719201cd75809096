// SPDX-License-Identifier: Apache-2.0
#include "cgroup_memory.hpp"

#include <algorithm>

#include "pressure.hpp"
#include "text.hpp"

namespace host {
namespace {

std::optional<double> number_in(const std::string& path) {
  const auto number = to_u64(trim(read_file(path, 256).text));
  if (!number) return std::nullopt;
  return static_cast<double>(*number);
}

double droppable(const std::string& stat, const char* key) {
  return static_cast<double>(keyed_value(stat, key).value_or(0));
}

std::optional<CgroupMemory> read_version_2(const std::string& path) {
  const auto current = number_in(path + "/memory.current");
  if (!current) return std::nullopt;
  CgroupMemory memory;
  memory.used = std::max(0.0, *current - droppable(read_file(path + "/memory.stat").text, "inactive_file"));
  memory.limit = parse_limit(read_file(path + "/memory.max", 256).text);
  memory.kills = keyed_value(read_file(path + "/memory.events").text, "oom_kill");
  memory.pressure_path = path + "/memory.pressure";
  return memory;
}

std::optional<CgroupMemory> read_version_1(const std::string& path) {
  const auto current = number_in(path + "/memory.usage_in_bytes");
  if (!current) return std::nullopt;
  CgroupMemory memory;
  memory.used =
      std::max(0.0, *current - droppable(read_file(path + "/memory.stat").text, "total_inactive_file"));
  memory.limit = parse_limit(read_file(path + "/memory.limit_in_bytes", 256).text);
  memory.kills = keyed_value(read_file(path + "/memory.oom_control").text, "oom_kill");
  return memory;
}

}  // namespace

std::optional<double> parse_limit(std::string_view text) {
  const auto bytes = to_u64(trim(text));
  constexpr std::uint64_t unlimited_from = std::uint64_t{1} << 60;
  if (!bytes || *bytes >= unlimited_from) return std::nullopt;
  return static_cast<double>(*bytes);
}

std::optional<CgroupMemory> read_cgroup_memory(const std::string& cgroups, const std::string& name) {
  for (const char* hierarchy : {"", "/unified"}) {
    if (auto memory = read_version_2(cgroups + hierarchy + name)) return memory;
  }
  return read_version_1(cgroups + "/memory" + name);
}

}  // namespace host
