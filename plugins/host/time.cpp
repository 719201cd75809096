// SPDX-License-Identifier: Apache-2.0
#include "time.hpp"

#include <sys/timex.h>

#include <cerrno>
#include <cstring>

#include "text.hpp"

namespace host {
namespace {

double seconds(const char* key) {
  return std::chrono::duration<double>(ronda::cfg<std::chrono::nanoseconds>(key)).count();
}

}  // namespace

Time::Time() {
  limits_.must_be_synchronised = ronda::cfg<bool>("synchronised");
  limits_.warn_offset_s = seconds("warn_offset");
  limits_.crit_offset_s = seconds("crit_offset");
  limits_.max_step_back_s = seconds("max_step_back");
}

ronda::result Time::run(ronda::call& c) {
  timex t{};  // modes 0: only asks
  const int answer = adjtimex(&t);
  if (answer < 0) return ronda::unknown("adjtimex: ", std::strerror(errno));
  const ClockState state = read_timex(t, answer);
  c.metric("synchronised", state.synchronised ? 1 : 0);
  c.metric("offset", state.offset_s, ronda::seconds,
           ronda::range{-limits_.warn_offset_s, limits_.warn_offset_s},
           ronda::range{-limits_.crit_offset_s, limits_.crit_offset_s});
  c.metric("max_error", state.max_error_s, ronda::seconds);
  const auto step_s = step();
  if (step_s) c.metric("step", *step_s, ronda::seconds);
  const auto wall_s =
      std::chrono::duration_cast<std::chrono::seconds>(clock().wall().time_since_epoch()).count();
  return judge_clock(state, step_s, wall_s, limits_).result();
}

std::optional<double> Time::step() {
  const std::string boot = read_file("/proc/sys/kernel/random/boot_id", 64).text;
  const ClockMark now{std::string(trim(boot)), clock().wall().time_since_epoch().count(),
                      clock().mono().count()};
  const auto before = parse_mark(kv().get("mark").value_or(""));
  kv().put("mark", format(now));
  return before ? step_between(*before, now) : std::nullopt;
}

}  // namespace host
