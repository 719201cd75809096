// SPDX-License-Identifier: Apache-2.0
#include "measure/baseline.hpp"

#include "agent/measure/support.hpp"

using namespace ronda;
using namespace ronda::measure;
using namespace ronda::measure::test;

namespace {

schedule::ZonePtr zone_named(const std::string& name) {
  schedule::ZoneDatabase database;
  return *database.find(name);
}

/// "2027-03-29 09:30" as if it were UTC.
std::int64_t utc(int year, unsigned month, unsigned day, int hours, int minutes) {
  using namespace std::chrono;
  const auto at = sys_days(std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day)) + std::chrono::hours(hours) +
                  std::chrono::minutes(minutes);
  return nanoseconds(at.time_since_epoch()).count();
}

}  // namespace

TEST_CASE("over a change of summer time the same hour of the week is the one of the local clock", "[measure]") {
  const auto berlin = zone_named("Europe/Berlin");
  // Monday 29 March 2027 09:30 in Berlin is 07:30 UTC, summer time since the day before; a week earlier it was 08:30 UTC
  const auto hours = baseline_hours(utc(2027, 3, 29, 7, 30), 0, *berlin);
  REQUIRE(hours.size() == baseline_weeks);
  CHECK(hours[0] == utc(2027, 3, 22, 8, 0));
  CHECK(hours[1] == utc(2027, 3, 15, 8, 0));
}

TEST_CASE("a reading that a week before did not exist or came twice has an hour all the same", "[measure]") {
  const auto berlin = zone_named("Europe/Berlin");
  // 02:30 on 28 March 2027 was skipped: the first instant after the gap is 01:00 UTC
  CHECK(baseline_hours(utc(2027, 4, 4, 0, 30), 0, *berlin)[0] == utc(2027, 3, 28, 1, 0));
  // 02:30 on 31 October 2027 came twice: the first pass
  CHECK(baseline_hours(utc(2027, 11, 7, 1, 30), 0, *berlin)[0] == utc(2027, 10, 31, 0, 0));
}

TEST_CASE("a zone of half hours has the hour in which the reading lies", "[measure]") {
  CHECK(baseline_hours(utc(2027, 5, 10, 4, 45), 0, *zone_named("Asia/Kolkata"))[0] == utc(2027, 5, 3, 4, 0));
}

TEST_CASE("a frozen baseline looks twice as far back and at nothing that ended later", "[measure]") {
  const auto hours = baseline_hours(noon, noon - 15 * day, *zone_named("UTC"));
  REQUIRE(hours.size() == baseline_weeks);
  const std::int64_t this_hour = store::floor_to(noon, store::hour_ns);
  CHECK(hours.front() == this_hour - 21 * day);
  CHECK(hours.back() == this_hour - 56 * day);
  // an hour that was not over yet is none
  CHECK(baseline_hours(noon, this_hour - 7 * day + hour - 1, *zone_named("UTC")).front() == this_hour - 14 * day);
  CHECK(baseline_hours(noon, this_hour - 7 * day + hour, *zone_named("UTC")).front() == this_hour - 7 * day);
}

TEST_CASE("a baseline needs two weeks, and the middle of an even number is between two", "[measure]") {
  const std::int64_t this_hour = store::floor_to(noon, store::hour_ns);
  std::vector<Point> hours = {{this_hour - 7 * day, 10}};
  CHECK_FALSE(baseline(hours, noon, 0, *zone_named("UTC")));
  hours.insert(hours.begin(), {this_hour - 14 * day, 20});
  CHECK(*baseline(hours, noon, 0, *zone_named("UTC")) == 15);
  hours.push_back({this_hour - hour, 5000});  // another hour of the week
  CHECK(*baseline(hours, noon, 0, *zone_named("UTC")) == 15);
}
