// SPDX-License-Identifier: Apache-2.0
// host.memory: memory that programs can still have (MemAvailable), swap, stalls, and kills by the kernel
// since the last run; of the host, or of one control group of either version.
#pragma once

#include <ronda/plugin.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cgroup_memory.hpp"
#include "pressure.hpp"
#include "verdict.hpp"

namespace host {

class Memory : public ronda::check {
 public:
  static constexpr std::string_view procedure = "host.memory";
  ronda::result run(ronda::call& c) override;

 private:
  ronda::result run_host(ronda::call& c);
  ronda::result run_cgroup(ronda::call& c);
  void judge_pressure(ronda::call& c, const std::string& path, Verdict& verdict);
  void judge_kills(ronda::call& c, std::optional<std::uint64_t> kills, Verdict& verdict);

  const std::optional<std::string> cgroup_ = ronda::cfg<std::optional<std::string>>("cgroup");
  const double warn_at_ = ronda::cfg<double>("warn_at");
  const double crit_at_ = ronda::cfg<double>("crit_at");
  const double swap_warn_at_ = ronda::cfg<double>("swap_warn_at");
  const double swap_crit_at_ = ronda::cfg<double>("swap_crit_at");
  const double stall_warn_at_ = ronda::cfg<double>("stall_warn_at");
  const double stall_crit_at_ = ronda::cfg<double>("stall_crit_at");
  const std::string on_kill_ = ronda::cfg<std::string>("on_oom_kill");
};

}  // namespace host
