// SPDX-License-Identifier: Apache-2.0
// heartbeat.job: takes a job's pings from the inbox, judges them, and asks to be run again at the very moment
// at which silence would become an alarm.
#pragma once

#include <ronda/plugin.hpp>

#include <string>
#include <string_view>

#include "machine.hpp"

namespace heartbeat {

class Job : public ronda::check {
 public:
  Job();
  static constexpr std::string_view procedure = "heartbeat.job";
  ronda::result run(ronda::call& c) override;

 private:
  void expect_from(State& state, Nanos now);
  void take_events(ronda::call& c, State& state, Nanos now);
  void emit(ronda::call& c, const State& state, Nanos now) const;

  const std::string expect_ = ronda::cfg<std::string>("expect");
  Rules rules_;
};

}  // namespace heartbeat
