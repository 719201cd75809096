// SPDX-License-Identifier: Apache-2.0
#include "memory.hpp"

#include <cstring>

#include "text.hpp"

namespace host {

ronda::result Memory::run(ronda::call& c) {
  return cgroup_ ? run_cgroup(c) : run_host(c);
}

ronda::result Memory::run_host(ronda::call& c) {
  const Contents contents = read_file("/proc/meminfo");
  const auto memory = parse_meminfo(contents.text);
  if (!memory) {
    return ronda::unknown("/proc/meminfo: ", contents.error != 0 ? std::strerror(contents.error)
                                                                 : "has no MemTotal and MemAvailable");
  }
  c.metric("used", memory->used_ratio(), ronda::ratio, warn_at_, crit_at_);
  c.metric("available", memory->available, ronda::bytes);
  c.metric("total", memory->total, ronda::bytes);
  Verdict verdict;
  verdict.add(above(memory->used_ratio(), warn_at_, crit_at_),
              "memory is " + ronda::percent(memory->used_ratio()) + " used (" +
                  ronda::human_bytes(memory->available) + " of " + ronda::human_bytes(memory->total) +
                  " available)");
  if (memory->swap_total > 0) {
    c.metric("swap_used", memory->swap_ratio(), ronda::ratio, swap_warn_at_, swap_crit_at_);
    verdict.add(above(memory->swap_ratio(), swap_warn_at_, swap_crit_at_),
                "swap " + ronda::percent(memory->swap_ratio()));
  }
  judge_pressure(c, "/proc/pressure/memory", verdict);
  judge_kills(c, keyed_value(read_file("/proc/vmstat").text, "oom_kill"), verdict);
  return verdict.result();
}

ronda::result Memory::run_cgroup(ronda::call& c) {
  const auto memory = read_cgroup_memory("/sys/fs/cgroup", *cgroup_);
  if (!memory) {
    return ronda::unknown("control group ", shown(*cgroup_),
                          " has no memory controller or does not exist; see /sys/fs/cgroup");
  }
  c.metric("used_bytes", memory->used, ronda::bytes);
  Verdict verdict;
  if (memory->limit && *memory->limit > 0) {
    const double used = memory->used / *memory->limit;
    c.metric("used", used, ronda::ratio, warn_at_, crit_at_);
    verdict.add(above(used, warn_at_, crit_at_), shown(*cgroup_) + " uses " + ronda::percent(used) +
                                                     " of its limit of " +
                                                     ronda::human_bytes(*memory->limit));
  } else {
    verdict.add(ronda::status::ok,
                shown(*cgroup_) + " uses " + ronda::human_bytes(memory->used) + " and has no limit");
  }
  if (!memory->pressure_path.empty()) judge_pressure(c, memory->pressure_path, verdict);
  judge_kills(c, memory->kills, verdict);
  return verdict.result();
}

void Memory::judge_pressure(ronda::call& c, const std::string& path, Verdict& verdict) {
  // a kernel without PSI, or with psi=0, has no such file: then there is nothing to say
  const auto pressure = parse_pressure(read_file(path, 4096).text);
  if (!pressure) return;
  c.metric("stall_some", pressure->some.avg60, ronda::ratio, stall_warn_at_, stall_crit_at_);
  if (pressure->full) c.metric("stall_full", pressure->full->avg60, ronda::ratio);
  const auto level = above(pressure->some.avg60, stall_warn_at_, stall_crit_at_);
  if (level != ronda::status::ok) {
    verdict.add(level,
                "tasks waited for memory " + ronda::percent(pressure->some.avg60) + " of the last minute");
  }
}

void Memory::judge_kills(ronda::call& c, std::optional<std::uint64_t> kills, Verdict& verdict) {
  if (!kills) return;
  const auto now = static_cast<std::int64_t>(*kills);
  const auto before = kv().get_i64("oom_kills");
  kv().put("oom_kills", now);
  c.metric("oom_kills", now, ronda::counter);
  // smaller than before: booted since, or the group was made anew; all of it is new then
  const std::int64_t fresh = !before ? 0 : now < *before ? now : now - *before;
  if (fresh > 0) {
    verdict.add(status_named(on_kill_),
                ronda::text("the kernel killed ", fresh, fresh == 1 ? " process" : " processes",
                            " for lack of memory since the last run"));
  }
}

}  // namespace host
