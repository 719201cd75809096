// SPDX-License-Identifier: Apache-2.0
// Reads who is on call from an iCalendar file (RFC 5545): VEVENT with DTSTART, DTEND or DURATION, RRULE of
// FREQ=DAILY or WEEKLY with INTERVAL, UNTIL, COUNT, BYDAY and WKST, EXDATE, TZID by the name of an IANA zone, folded
// lines. An event with RECURRENCE-ID takes the place of that instance of the series with its UID, STATUS:CANCELLED
// takes away what it is, and of several the greatest SEQUENCE counts. What else an event says that changes when it is
// (RDATE, RANGE, other rules, other zones) is not guessed: the event is left out and a warning names it. Pure; any bytes can be read without harm.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "schedule/zone.hpp"

namespace ronda::people {

/// One occurrence of an event: [begin, end), and whose it is by the event's SUMMARY.
struct CalendarShift {
  std::int64_t begin_ns = 0;
  std::int64_t end_ns = 0;
  std::string who;
  bool operator==(const CalendarShift&) const = default;
};

struct CalendarWarning {
  std::uint32_t line = 0;  // of the file, where the event begins or the property stands; from 1
  std::string text;
};

struct CalendarLimits {
  std::size_t max_bytes = 1U << 20;
  std::size_t max_events = 2000;
  std::size_t max_shifts = 20'000;  // within the time asked for
};

struct CalendarFile {
  std::vector<CalendarShift> shifts;      // by begin, then by name
  std::vector<CalendarWarning> warnings;  // at most 100
};

/// The occurrences that touch [from, to); times without a zone are of `floating`. An error: no calendar at all,
/// or larger than the limits.
Result<CalendarFile> read_icalendar(std::string_view text, std::int64_t from_ns, std::int64_t to_ns, schedule::ZoneDatabase& zones,
                                    const schedule::ZonePtr& floating, const CalendarLimits& limits = {});

}  // namespace ronda::people
