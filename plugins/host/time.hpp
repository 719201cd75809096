// SPDX-License-Identifier: Apache-2.0
// host.time: is the clock sane, synchronised, near, and did it step back. It asks the kernel and sets
// nothing.
#pragma once

#include <ronda/plugin.hpp>

#include <string_view>

#include "clock_state.hpp"

namespace host {

class Time : public ronda::check {
 public:
  Time();
  static constexpr std::string_view procedure = "host.time";
  ronda::result run(ronda::call& c) override;

 private:
  std::optional<double> step();

  ClockLimits limits_;
};

}  // namespace host
