// SPDX-License-Identifier: Apache-2.0
// host.timers: which jobs cron and systemd run here, with a heartbeat check proposed for each. It only reads;
// nothing is enabled by it, and nothing that it finds is run.
#pragma once

#include <ronda/plugin.hpp>

#include <string>
#include <string_view>
#include <vector>

#include "cron.hpp"

namespace host {

class Timers : public ronda::check {
 public:
  static constexpr std::string_view procedure = "host.timers";
  ronda::result run(ronda::call& c) override;

 private:
  const std::vector<std::string> ignore_ = ronda::cfg<std::vector<std::string>>("ignore");
};

struct FoundJobs {
  std::vector<ScheduledJob> jobs;
  std::vector<std::string> unreadable;
};
/// Everything below `root` ("" on a real host): crontabs, cron.d, cron.daily and its like, enabled timers.
FoundJobs find_jobs(const std::string& root);

}  // namespace host
