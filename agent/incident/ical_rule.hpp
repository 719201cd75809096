// SPDX-License-Identifier: Apache-2.0
// Times, durations and recurrence rules of iCalendar (RFC 5545, 3.3.4 to 3.3.10), as far as Ronda reads them.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "schedule/zone.hpp"

namespace ronda::people {

/// A DATE or DATE-TIME: the reading of a clock in a zone.
struct CalendarTime {
  schedule::local_seconds reading;
  schedule::ZonePtr zone;
  bool is_date = false;

  schedule::sys_seconds instant() const { return zone->to_utc(reading).first; }
  schedule::sys_seconds instant_at(schedule::local_seconds other) const { return zone->to_utc(other).first; }
};

/// "20261124", "20261124T090000" (in `zone`), "20261124T120000Z". Years 1970 to 2199.
Result<CalendarTime> parse_calendar_time(std::string_view text, const schedule::ZonePtr& zone, const schedule::ZonePtr& utc);

/// "P1W", "P1DT2H30M": days by the wall clock, the rest exact; never negative, at most 366 days.
struct CalendarDuration {
  std::chrono::days days{0};
  std::chrono::seconds exact{0};
};
Result<CalendarDuration> parse_calendar_duration(std::string_view text);

struct Recurrence {
  bool is_weekly = false;
  std::uint32_t interval = 1;
  std::optional<std::uint32_t> count;
  std::optional<CalendarTime> until;
  std::vector<std::chrono::weekday> by_day;  // empty: the day of the start
  std::chrono::weekday week_start{std::chrono::Monday};
};

/// An error names the part of the rule that Ronda does not read.
Result<Recurrence> parse_recurrence(std::string_view text, const schedule::ZonePtr& zone, const schedule::ZonePtr& utc);

/// The readings at which an event with that start recurs, from the first that may matter for `from` on. Calls `take`
/// with each until it says false, or until `upto`. `budget` counts down the days looked at; false: it was used up.
bool recur(const Recurrence& rule, const CalendarTime& start, schedule::local_seconds from, schedule::local_seconds upto,
           std::size_t& budget, const std::function<bool(schedule::local_seconds)>& take);

}  // namespace ronda::people
