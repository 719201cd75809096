// SPDX-License-Identifier: Apache-2.0
#include "incident/ical_rule.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <string>

#include "base/text.hpp"

namespace ronda::people {
namespace {

using namespace std::chrono;
using schedule::local_seconds;

Error bad(std::string_view what, std::string_view text) {
  return {Errc::invalid, std::string(what) + " \"" + escape_controls(text.substr(0, 64)) + "\""};
}

bool read_digits(std::string_view text, std::size_t at, std::size_t count, unsigned& out) {
  if (text.size() < at + count) return false;
  const char* begin = text.data() + at;
  const auto [end, error] = std::from_chars(begin, begin + count, out);
  return error == std::errc() && end == begin + count;
}

std::optional<std::uint32_t> read_number(std::string_view text, std::uint32_t low, std::uint32_t high) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < low || value > high) return {};
  return value;
}

std::optional<weekday> read_weekday(std::string_view text) {
  constexpr std::array<std::string_view, 7> names = {"SU", "MO", "TU", "WE", "TH", "FR", "SA"};
  const auto found = std::ranges::find(names, text);
  if (found == names.end()) return {};
  return weekday(static_cast<unsigned>(found - names.begin()));
}

/// Calls `take` with each piece between separators.
template <class Take>
void split(std::string_view text, char separator, Take take) {
  while (true) {
    const std::size_t end = text.find(separator);
    take(text.substr(0, end));
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

/// False: not read.
bool set_part(std::string_view key, std::string_view value, const schedule::ZonePtr& zone, const schedule::ZonePtr& utc, Recurrence& out) {
  if (key == "FREQ") {
    out.is_weekly = value == "WEEKLY";
    return out.is_weekly || value == "DAILY";
  }
  if (key == "INTERVAL" || key == "COUNT") {
    const auto number = read_number(value, 1, key == "COUNT" ? 100'000 : 1000);
    if (!number) return false;
    if (key == "COUNT") {
      out.count = number;
    } else {
      out.interval = *number;
    }
    return true;
  }
  if (key == "UNTIL") {
    const auto until = parse_calendar_time(value, zone, utc);
    if (until) out.until = *until;
    return until.has_value();
  }
  if (key == "WKST") {
    const auto day = read_weekday(value);
    out.week_start = day.value_or(Monday);
    return day.has_value();
  }
  if (key != "BYDAY") return false;
  bool is_read = true;
  split(value, ',', [&](std::string_view one) {
    const auto day = read_weekday(one);
    is_read = is_read && day.has_value();
    if (day && std::ranges::find(out.by_day, *day) == out.by_day.end()) out.by_day.push_back(*day);
  });
  return is_read;
}

bool is_through(const Recurrence& rule, const CalendarTime& start, local_seconds reading) {
  if (!rule.until) return false;
  if (rule.until->is_date) return floor<days>(reading) > floor<days>(rule.until->reading);
  return start.instant_at(reading) > rule.until->instant();
}

bool is_of_rule(const Recurrence& rule, const CalendarTime& start, local_days day) {
  if (rule.by_day.empty()) return !rule.is_weekly || weekday(day) == weekday(floor<days>(start.reading));
  return std::ranges::find(rule.by_day, weekday(day)) != rule.by_day.end();
}

}  // namespace

Result<CalendarTime> parse_calendar_time(std::string_view text, const schedule::ZonePtr& zone, const schedule::ZonePtr& utc) {
  unsigned y = 0, m = 0, d = 0;
  if (!read_digits(text, 0, 4, y) || !read_digits(text, 4, 2, m) || !read_digits(text, 6, 2, d)) return bad("no date:", text);
  const year_month_day date{year(static_cast<int>(y)), month(m), day(d)};
  if (!date.ok() || y < 1970 || y > 2199) return bad("no date between 1970 and 2199:", text);
  CalendarTime out{local_days(date), zone, text.size() == 8};
  if (out.is_date) return out;
  unsigned hour = 0, minute = 0, second = 0;
  const bool is_time =
      text[8] == 'T' && read_digits(text, 9, 2, hour) && read_digits(text, 11, 2, minute) && read_digits(text, 13, 2, second);
  if (!is_time || hour > 23 || minute > 59 || second > 60) return bad("no time:", text);
  out.reading += hours(hour) + minutes(minute) + seconds(std::min(second, 59U));
  const std::string_view tail = text.substr(15);
  if (tail == "Z") out.zone = utc;
  if (tail != "Z" && !tail.empty()) return bad("no time:", text);
  return out;
}

Result<CalendarDuration> parse_calendar_duration(std::string_view text) {
  const std::string_view whole = text;
  const auto wrong = [&] { return bad("no duration up to 366 days:", whole); };
  if (text.starts_with('+')) text.remove_prefix(1);
  if (!text.starts_with('P')) return wrong();
  text.remove_prefix(1);
  CalendarDuration out;
  bool in_time = false, any = false;
  while (!text.empty()) {
    if (text.front() == 'T' && !in_time) {
      in_time = true;
      text.remove_prefix(1);
      continue;
    }
    const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto number = read_number(text.substr(0, digits), 0, 40'000'000);
    if (!number || digits == text.size()) return wrong();
    const char unit = text[digits];
    text.remove_prefix(digits + 1);
    if (!in_time && unit == 'W') {
      out.days += days(*number * 7);
    } else if (!in_time && unit == 'D') {
      out.days += days(*number);
    } else if (in_time && (unit == 'H' || unit == 'M' || unit == 'S')) {
      out.exact += seconds(std::int64_t{*number} * (unit == 'H' ? 3600 : unit == 'M' ? 60 : 1));
    } else {
      return wrong();
    }
    any = true;
  }
  if (!any || out.days > days(366) || out.exact > days(366)) return wrong();
  return out;
}

Result<Recurrence> parse_recurrence(std::string_view text, const schedule::ZonePtr& zone, const schedule::ZonePtr& utc) {
  Recurrence out;
  std::string unread;
  bool has_frequency = false;
  split(text, ';', [&](std::string_view part) {
    const std::size_t equals = part.find('=');
    const std::string_view key = part.substr(0, equals);
    has_frequency = has_frequency || key == "FREQ";
    const bool is_read = equals != std::string_view::npos && set_part(key, part.substr(equals + 1), zone, utc, out);
    if (!is_read && unread.empty()) unread = part.empty() ? std::string("an empty part") : std::string(part);
  });
  if (unread.empty() && !has_frequency) unread = "a rule without FREQ";
  if (unread.empty() && out.count && out.until) unread = "COUNT together with UNTIL";
  if (!unread.empty()) return bad("RRULE with", unread);
  return out;
}

bool recur(const Recurrence& rule, const CalendarTime& start, local_seconds from, local_seconds upto, std::size_t& budget,
           const std::function<bool(local_seconds)>& take) {
  const local_days first = floor<days>(start.reading);
  const seconds time_of_day = start.reading - first;
  // the first day of the rule's period: itself, or the week's
  const days into_week = rule.is_weekly ? weekday(first) - rule.week_start : days(0);
  const local_days origin = first - into_week;
  const days length(rule.is_weekly ? 7 : 1);
  const days period = length * static_cast<int>(rule.interval);
  local_days begin = origin;
  // a rule that counts must be gone through from its beginning
  if (!rule.count && from > origin) begin += period * ((floor<days>(from) - origin) / period);
  std::uint32_t counted = 0;
  for (; begin <= upto; begin += period) {
    for (days i(0); i < length; ++i) {
      if (budget == 0) return false;
      --budget;
      const local_days day = begin + i;
      const local_seconds reading = day + time_of_day;
      if (day < first || !is_of_rule(rule, start, day)) continue;
      if (reading > upto || is_through(rule, start, reading) || (rule.count && ++counted > *rule.count)) return true;
      if (reading >= from && !take(reading)) return true;
    }
  }
  return true;
}

}  // namespace ronda::people
