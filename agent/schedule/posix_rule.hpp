// SPDX-License-Identifier: Apache-2.0
// The rule at the end of a TZif file, in POSIX TZ form with the extensions of RFC 8536:
// "CET-1CEST,M3.5.0,M10.5.0/3", "<-02>2<-01>,M3.5.0/-1,M10.5.0/0". Pure; the text is checked, never trusted.
#pragma once

#include <optional>
#include <string_view>

#include "schedule/zone.hpp"

namespace ronda::schedule {

/// A day of each year and a time on it, counted from midnight; may be negative or above a day.
struct YearlyMoment {
  enum class Kind : std::uint8_t { month_week_day, julian, day_of_year };
  Kind kind = Kind::month_week_day;
  unsigned month = 1;
  unsigned week = 1;  // 5 is the last
  unsigned day = 0;   // of the week from Sunday, or of the year
  seconds time{7200};

  local_seconds in(int year) const;
};

struct PosixRule {
  seconds standard{0};
  seconds summer{0};
  bool has_summer = false;
  YearlyMoment begin;  // on the standard clock
  YearlyMoment end;    // on the summer clock
};

std::optional<PosixRule> parse_posix_rule(std::string_view text);

}  // namespace ronda::schedule
