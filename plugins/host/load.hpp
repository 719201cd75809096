// SPDX-License-Identifier: Apache-2.0
// host.load: the load average per processor and the share of time in which tasks waited for one.
#pragma once

#include <ronda/plugin.hpp>

#include <string_view>

namespace host {

class Load : public ronda::check {
 public:
  static constexpr std::string_view procedure = "host.load";
  ronda::result run(ronda::call& c) override;

 private:
  const double warn_at_ = ronda::cfg<double>("warn_at");
  const double crit_at_ = ronda::cfg<double>("crit_at");
  const double stall_warn_at_ = ronda::cfg<double>("stall_warn_at");
  const double stall_crit_at_ = ronda::cfg<double>("stall_crit_at");
};

}  // namespace host
