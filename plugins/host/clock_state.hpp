// SPDX-License-Identifier: Apache-2.0
// What the kernel thinks of its own clock, and whether it jumped since the last look. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "verdict.hpp"

struct timex;

namespace host {

struct ClockState {
  bool synchronised = false;
  double offset_s = 0;     // what the kernel still has to correct
  double max_error_s = 0;  // how wrong it may be at most
};
/// `state` is what adjtimex(2) returned.
ClockState read_timex(const timex& t, int state);

/// Wall and monotonic clock at one moment, for one boot.
struct ClockMark {
  std::string boot;
  std::int64_t wall_ns = 0;
  std::int64_t mono_ns = 0;
};
std::string format(const ClockMark& mark);
std::optional<ClockMark> parse_mark(std::string_view text);
/// How far the wall clock went ahead of the monotonic one since then, in seconds; nothing after a boot.
/// Sleep of the machine shows as a step forward.
std::optional<double> step_between(const ClockMark& before, const ClockMark& now);

struct ClockLimits {
  bool must_be_synchronised = true;
  double warn_offset_s = 0, crit_offset_s = 0;
  double max_step_back_s = 0;
};
Verdict judge_clock(const ClockState& state, std::optional<double> step_s, std::int64_t wall_s,
                    const ClockLimits& limits);

}  // namespace host
