// SPDX-License-Identifier: Apache-2.0
// host.process: are the processes of a name or of a systemd unit alive, how many, how big, how often
// restarted. It never signals anything and opens nothing that a process names.
#pragma once

#include <ronda/plugin.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "processes.hpp"
#include "verdict.hpp"

namespace host {

class ProcessCheck : public ronda::check {
 public:
  ProcessCheck();
  static constexpr std::string_view procedure = "host.process";
  ronda::result run(ronda::call& c) override;

 private:
  ronda::result judge(ronda::call& c, const std::vector<Process>& processes);
  void judge_restarts(ronda::call& c, const std::vector<Process>& processes, Verdict& verdict);
  ronda::result run_unit(ronda::call& c);

  const std::optional<std::string> name_ = ronda::cfg<std::optional<std::string>>("name");
  const std::string unit_ = ronda::cfg<std::optional<std::string>>("unit").value_or("");
  const std::uint64_t min_count_ = ronda::cfg<std::uint64_t>("min_count");
  const std::optional<std::uint64_t> max_count_ = ronda::cfg<std::optional<std::uint64_t>>("max_count");
  const std::uint64_t max_restarts_ = ronda::cfg<std::uint64_t>("max_restarts");
  const std::chrono::seconds restart_span_ = ronda::cfg<std::chrono::seconds>("restarts_within");
};

}  // namespace host
