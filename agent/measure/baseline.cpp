// SPDX-License-Identifier: Apache-2.0
#include "measure/baseline.hpp"

#include <algorithm>
#include <numeric>

namespace ronda::measure {

std::vector<std::int64_t> baseline_hours(std::int64_t at_ns, std::int64_t frozen_at_ns, const schedule::Zone& zone) {
  using namespace std::chrono;
  const auto local = zone.to_local(schedule::sys_seconds(floor<seconds>(nanoseconds(at_ns))));
  const int farthest = frozen_at_ns == 0 ? baseline_weeks : 2 * baseline_weeks;
  std::vector<std::int64_t> hours;
  for (int week = 1; week <= farthest && hours.size() < static_cast<std::size_t>(baseline_weeks); ++week) {
    const auto instant = zone.to_utc(local - days(7 * week)).first;
    const std::int64_t hour = store::floor_to(nanoseconds(instant.time_since_epoch()).count(), store::hour_ns);
    if (frozen_at_ns == 0 || hour + store::hour_ns <= frozen_at_ns) hours.push_back(hour);
  }
  return hours;
}

std::optional<double> baseline(std::span<const Point> hours, std::int64_t at_ns, std::int64_t frozen_at_ns, const schedule::Zone& zone) {
  std::vector<double> values;
  for (const std::int64_t hour : baseline_hours(at_ns, frozen_at_ns, zone)) {
    const auto found = std::ranges::lower_bound(hours, hour, {}, &Point::at_ns);
    if (found != hours.end() && found->at_ns == hour) values.push_back(found->value);
  }
  if (values.size() < static_cast<std::size_t>(baseline_least_weeks)) return {};
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : std::midpoint(values[middle - 1], values[middle]);
}

}  // namespace ronda::measure
