// SPDX-License-Identifier: Apache-2.0
// Calendar expressions: systemd's OnCalendar grammar and cron's five fields, parsed into one type that tells
// the instants at which something is due. Pure: the clock is a parameter, zones come from a ZoneDatabase.
//
// What is due when the clock changes (after cron(8) of Debian; systemd.time(7) leaves it open):
//  - The hours are an *interval* when the hour field is "*" or has a step ("0/2", "*/2"), else they are
//  *named*
//    (a list or a range is named: "9..17").
//  - Interval: due at every instant whose reading matches. So in both passes of a repeated hour; a reading
//  that
//    is skipped does not happen.
//  - Named: each matching reading is due once: in the first pass if it comes twice; if it is skipped, at the
//    first instant after the gap. All readings that a gap swallows, and one that names the gap's very end,
//    are together due once there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "schedule/fields.hpp"
#include "schedule/zone.hpp"

namespace ronda::schedule {

class Calendar {
 public:
  Calendar(const Fields& fields, ZonePtr zone) : fields_(fields), zone_(std::move(zone)) {}

  /// The first instant strictly after; none when there is none before 2200.
  std::optional<sys_seconds> next(sys_seconds after) const;
  /// The last instant at or before.
  std::optional<sys_seconds> previous(sys_seconds at) const;
  /// How many instants lie in (after, upto], by arithmetic: a million costs no more than one.
  std::uint64_t count(sys_seconds after, sys_seconds upto) const;

  /// systemd's normal form with the zone: "Sun *-*-01..07 02:00:00 Europe/Berlin". Read back, it is the same
  /// calendar; only cron's either-day rule has no such form and is printed as two joined by " or ".
  std::string print() const;
  /// What a person should know who wrote this, for `validate`: empty when all is well.
  std::vector<std::string> warnings() const;

  /// False for dates that never come: "*-02-30".
  bool possible() const;
  const ZonePtr& zone() const { return zone_; }
  const Fields& fields() const { return fields_; }
  bool operator==(const Calendar& other) const {
    if (!(fields_ == other.fields_)) return false;
    return zone_ == other.zone_ || (zone_->name() == other.zone_->name() && zone_->same_rules(*other.zone_));
  }

 private:
  std::optional<sys_seconds> next_named(sys_seconds after) const;
  std::optional<sys_seconds> next_interval(sys_seconds after) const;
  std::optional<sys_seconds> previous_interval(sys_seconds at) const;
  std::uint64_t count_named(sys_seconds after, sys_seconds upto) const;
  std::uint64_t count_interval(sys_seconds after, sys_seconds upto) const;
  local_seconds latest_reading(sys_seconds at) const;

  Fields fields_;
  ZonePtr zone_;
};

/// `Sun *-*-01..07 02:00:00 America/Argentina/Buenos_Aires`, `daily`, `*:0/15`; without a zone in the text
/// `otherwise` is used. An Error's position is the column in the text, counted from 1, in line 1.
Result<Calendar> parse_calendar(std::string_view text, ZoneDatabase& zones, const ZonePtr& otherwise);

/// `0 */6 * * 1-5`, `@hourly`; names of months and days, Sunday is 0 and 7.
Result<Calendar> parse_cron(std::string_view text, const ZonePtr& zone);

}  // namespace ronda::schedule
