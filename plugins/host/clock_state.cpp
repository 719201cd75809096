// SPDX-License-Identifier: Apache-2.0
#include "clock_state.hpp"

#include <sys/timex.h>

#include <cmath>

#include "text.hpp"

namespace host {
namespace {

constexpr std::int64_t year_2024_s = 1'704'067'200;
constexpr std::int64_t year_2100_s = 4'102'444'800;

std::string milliseconds(double seconds) {
  return ronda::text(std::round(seconds * 1e6) / 1e3, "ms");
}

}  // namespace

ClockState read_timex(const timex& t, int state) {
  ClockState out;
  out.synchronised = state != TIME_ERROR && (t.status & STA_UNSYNC) == 0;
  out.offset_s = static_cast<double>(t.offset) / ((t.status & STA_NANO) != 0 ? 1e9 : 1e6);
  out.max_error_s = static_cast<double>(t.maxerror) / 1e6;
  return out;
}

std::string format(const ClockMark& mark) {
  return mark.boot + " " + std::to_string(mark.wall_ns) + " " + std::to_string(mark.mono_ns);
}

std::optional<ClockMark> parse_mark(std::string_view text) {
  const auto all = fields(text);
  if (all.size() != 3) return std::nullopt;
  const auto wall = to_i64(all[1]);
  const auto mono = to_i64(all[2]);
  if (!wall || !mono) return std::nullopt;
  return ClockMark{std::string(all[0]), *wall, *mono};
}

std::optional<double> step_between(const ClockMark& before, const ClockMark& now) {
  if (before.boot != now.boot || now.mono_ns < before.mono_ns) return std::nullopt;
  const double wall = static_cast<double>(now.wall_ns) - static_cast<double>(before.wall_ns);
  return (wall - static_cast<double>(now.mono_ns - before.mono_ns)) / 1e9;
}

Verdict judge_clock(const ClockState& state, std::optional<double> step_s, std::int64_t wall_s,
                    const ClockLimits& limits) {
  Verdict verdict;
  const bool sane = wall_s >= year_2024_s && wall_s < year_2100_s;
  if (!sane)
    verdict.add(ronda::status::critical, ronda::text("the clock cannot be right: ", wall_s, " s since 1970"));
  const double offset = std::fabs(state.offset_s);
  if (state.synchronised) {
    verdict.add(above(offset, limits.warn_offset_s, limits.crit_offset_s),
                "synchronised, offset " + milliseconds(state.offset_s) + ", at most " +
                    milliseconds(state.max_error_s) + " wrong");
  } else {
    verdict.add(limits.must_be_synchronised ? ronda::status::warning : ronda::status::ok,
                "the clock is not synchronised; see chronyc tracking or timedatectl");
  }
  if (step_s && *step_s < -limits.max_step_back_s) {
    verdict.add(ronda::status::warning,
                "it was set back by " + milliseconds(-*step_s) + " since the last run");
  }
  return verdict;
}

}  // namespace host
