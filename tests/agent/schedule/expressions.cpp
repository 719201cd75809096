// SPDX-License-Identifier: Apache-2.0
#include "expressions.hpp"

namespace ronda::schedule {
namespace {

#define ON [](const Day& d [[maybe_unused]]) -> bool
#define AT [](int h [[maybe_unused]], int m [[maybe_unused]]) -> bool

bool daily(const Day&) {
  return true;
}

}  // namespace

const std::vector<Expression>& all_expressions() {
  static const std::vector<Expression> list = {
      {"*-*-* 02:30", false, true, daily, AT{return h == 2 && m == 30;
}
}  // namespace ronda::schedule
, {"*-*-* 00:00", false, true, daily, AT{return h == 0 && m == 0;
}
}
, {"*-*-* 01:45", false, true, daily, AT{return h == 1 && m == 45;
}
}
, {"*-*-* 02:00,15,30,45", false, true, daily, AT{return h == 2 && m % 15 == 0;
}
}
, {"*-*-* 02,03:00,30", false, true, daily, AT{return (h == 2 || h == 3) && m % 30 == 0;
}
}
, {"*-*-* 00..04:07", false, true, daily, AT{return h <= 4 && m == 7;
}
}
, {"0 * * * *", true, false, daily, AT{return m == 0;
}
}
, {"*:0/15", false, false, daily, AT{return m % 15 == 0;
}
}
, {"*-*-* 0/2:00", false, false, daily, AT{return h % 2 == 0 && m == 0;
}
}
, {"30 */6 * * *", true, false, daily, AT{return h % 6 == 0 && m == 30;
}
}
, {"15 1,2,3 * * *", true, true, daily, AT{return h >= 1 && h <= 3 && m == 15;
}
}
, {"* 2 * * *", true, true, daily, AT{return h == 2;
}
}
, {"Sun *-*-* 02:30", false, true, ON{return d.weekday == 6;
}
, AT {
  return h == 2 && m == 30;
}
}
, {"Sun *-*-01..07 02:00", false, true, ON{return d.weekday == 6 && d.day <= 7;
}
, AT {
  return h == 2 && m == 0;
}
}
, {"*-*~01 23:59", false, true, ON{return d.day == d.last_day;
}
, AT {
  return h == 23 && m == 59;
}
}
, {"*-02-29 12:00", false, true, ON{return d.month == 2 && d.day == 29;
}
, AT {
  return h == 12 && m == 0;
}
}
, {"Fri *-*-30 00:30", false, true, ON{return d.weekday == 4 && d.day == 30;
}
, AT {
  return h == 0 && m == 30;
}
}
, {"0 3 13 * fri", true, true, ON{return d.day == 13 || d.weekday == 4;
}
, AT {
  return h == 3 && m == 0;
}
}
, {"*-03,10-* 00..03:59", false, true, ON{return d.month == 3 || d.month == 10;
}
, AT {
  return h <= 3 && m == 59;
}
}
, {"*-12-30,31 12:00", false, true, ON{return d.month == 12 && d.day >= 30;
}
, AT {
  return h == 12 && m == 0;
}
}
,
    // the rest is for the long run
    {"hourly", false, false, daily, AT{return m == 0;
}
}
, {"daily", false, true, daily, AT{return h == 0 && m == 0;
}
}
, {"weekly", false, true, ON{return d.weekday == 0;
}
, AT {
  return h == 0 && m == 0;
}
}
, {"monthly", false, true, ON{return d.day == 1;
}
, AT {
  return h == 0 && m == 0;
}
}
, {"quarterly", false, true, ON{return d.day == 1 && d.month % 3 == 1;
}
, AT {
  return h == 0 && m == 0;
}
}
, {"semiannually", false, true, ON{return d.day == 1 && d.month % 6 == 1;
}
, AT {
  return h == 0 && m == 0;
}
}
, {"yearly", false, true, ON{return d.day == 1 && d.month == 1;
}
, AT {
  return h == 0 && m == 0;
}
}
, {"Mon..Fri 08:00", false, true, ON{return d.weekday < 5;
}
, AT {
  return h == 8 && m == 0;
}
}
, {"Sat,Sun 03:30", false, true, ON{return d.weekday >= 5;
}
, AT {
  return h == 3 && m == 30;
}
}
, {"*-*-31 01:00", false, true, ON{return d.day == 31;
}
, AT {
  return h == 1 && m == 0;
}
}
, {"*-*~03/1 02:00", false, true, ON{return d.day > d.last_day - 3;
}
, AT {
  return h == 2 && m == 0;
}
}
, {"Mon *-05~07/1 03:00", false, true, ON{return d.month == 5 && d.weekday == 0 && d.day > d.last_day - 7;
}
, AT {
  return h == 3 && m == 0;
}
}
, {"*-*-01/10 04:00", false, true, ON{return d.day % 10 == 1;
}
, AT {
  return h == 4 && m == 0;
}
}
, {"*-02-30 00:00", false, true, ON{return d.month == 2 && d.day == 30;
}
, AT {
  return h == 0 && m == 0;
}
}
, {"2030/5-06-15 06:00", false, true,
   ON{return d.year >= 2030 && d.year % 5 == 0 && d.month == 6 && d.day == 15;
}
, AT {
  return h == 6 && m == 0;
}
}
, {"2027..2031-*-* 05:05", false, true, ON{return d.year >= 2027 && d.year <= 2031;
}
, AT {
  return h == 5 && m == 5;
}
}
, {"*-*-* 9..17:00", false, true, daily, AT{return h >= 9 && h <= 17 && m == 0;
}
}
, {"*-*-* 9..17/1:20", false, false, daily, AT{return h >= 9 && h <= 17 && m == 20;
}
}
, {"*-*-* 1/3:10,50", false, false, daily, AT{return h % 3 == 1 && (m == 10 || m == 50);
}
}
, {"*-*-* 0..23:00", false, true, daily, AT{return m == 0;
}
}
, {"*/20 * * * *", true, false, daily, AT{return m % 20 == 0;
}
}
, {"5-59/10 * * * *", true, false, daily, AT{return m >= 5 && m % 10 == 5;
}
}
, {"0 0 * * 0", true, true, ON{return d.weekday == 6;
}
, AT {
  return h == 0 && m == 0;
}
}
, {"0 0 * * 7", true, true, ON{return d.weekday == 6;
}
, AT {
  return h == 0 && m == 0;
}
}
, {"0 2 * jan-mar 5-7", true, true, ON{return d.month <= 3 && d.weekday >= 4;
}
, AT {
  return h == 2 && m == 0;
}
}
, {"45 23 1,15 * *", true, true, ON{return d.day == 1 || d.day == 15;
}
, AT {
  return h == 23 && m == 45;
}
}
, {"0 1 */2 * mon", true, true, ON{return d.day % 2 == 1 && d.weekday == 0;
}
, AT {
  return h == 1 && m == 0;
}
}
, {"30 1-3 * 3,4,9-11 *", true, true,
   ON{return d.month == 3 || d.month == 4 || (d.month >= 9 && d.month <= 11);
}
, AT {
  return h >= 1 && h <= 3 && m == 30;
}
}
, {"*-*-* 12/12:30", false, false, daily, AT{return h == 12 && m == 30;
}
}
, {"Wed *-*-* 0/6:15", false, false, ON{return d.weekday == 2;
}
, AT {
  return h % 6 == 0 && m == 15;
}
}
,
}
;
return list;
}

}  // namespace ronda::schedule
