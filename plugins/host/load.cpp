// SPDX-License-Identifier: Apache-2.0
#include "load.hpp"

#include <algorithm>
#include <cstring>

#include "pressure.hpp"
#include "text.hpp"
#include "verdict.hpp"

namespace host {

ronda::result Load::run(ronda::call& c) {
  const Contents contents = read_file("/proc/loadavg", 4096);
  const auto load = parse_loadavg(contents.text);
  if (!load) {
    return ronda::unknown("/proc/loadavg: ",
                          contents.error != 0 ? std::strerror(contents.error) : "has no three averages");
  }
  const std::uint32_t cpus = std::max(1U, count_cpus(read_file("/sys/devices/system/cpu/online", 4096).text));
  const double per_cpu = load->load5 / cpus;
  c.metric("load1", load->load1);
  c.metric("load5", load->load5);
  c.metric("load15", load->load15);
  c.metric("load5_per_cpu", per_cpu, ronda::none, warn_at_, crit_at_);
  Verdict verdict;
  verdict.add(above(per_cpu, warn_at_, crit_at_),
              ronda::text("load ", load->load1, " ", load->load5, " ", load->load15, " on ", cpus,
                          cpus == 1 ? " processor" : " processors"));
  const auto pressure = parse_pressure(read_file("/proc/pressure/cpu", 4096).text);
  if (!pressure) return verdict.result();
  const double stall = pressure->some.avg60;
  c.metric("stall_some", stall, ronda::ratio, stall_warn_at_, stall_crit_at_);
  const auto level = above(stall, stall_warn_at_, stall_crit_at_);
  if (level != ronda::status::ok) {
    verdict.add(level, "tasks waited for a processor " + ronda::percent(stall) + " of the last minute");
  }
  return verdict.result();
}

}  // namespace host
