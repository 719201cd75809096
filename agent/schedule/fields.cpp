// SPDX-License-Identifier: Apache-2.0
#include "schedule/fields.hpp"

#include <algorithm>
#include <bit>

namespace ronda::schedule {
namespace {

using namespace std::chrono;

std::optional<unsigned> bit_from(std::uint64_t set, unsigned from) {
  if (from >= 64 || set >> from == 0) return std::nullopt;
  return from + static_cast<unsigned>(std::countr_zero(set >> from));
}

std::uint64_t below(std::uint64_t set, unsigned end) {
  return end >= 64 ? set : set & ((std::uint64_t{1} << end) - 1);
}

std::optional<unsigned> bit_upto(std::uint64_t set, unsigned upto) {
  const std::uint64_t rest = below(set, upto + 1);
  if (rest == 0) return std::nullopt;
  return 63 - static_cast<unsigned>(std::countl_zero(rest));
}

bool has_bit(std::uint64_t set, unsigned bit) {
  return (set >> bit & 1) != 0;
}
unsigned lowest(std::uint64_t set) {
  return static_cast<unsigned>(std::countr_zero(set));
}
unsigned highest(std::uint64_t set) {
  return 63 - static_cast<unsigned>(std::countl_zero(set));
}
std::uint64_t size_of(std::uint64_t set) {
  return static_cast<std::uint64_t>(std::popcount(set));
}

struct Clock {
  unsigned hour, minute, second;
};

Clock split(seconds time) {
  const auto count = static_cast<unsigned>(time.count());
  return {count / 3600, count / 60 % 60, count % 60};
}

seconds join(unsigned hour, unsigned minute, unsigned second) {
  return seconds(hour * 3600 + minute * 60 + second);
}

std::optional<seconds> first_time(const Fields& f, seconds from) {
  const Clock t = split(from);
  if (has_bit(f.hours, t.hour)) {
    if (has_bit(f.minutes, t.minute)) {
      if (const auto s = bit_from(f.seconds, t.second)) return join(t.hour, t.minute, *s);
    }
    if (const auto m = bit_from(f.minutes, t.minute + 1)) return join(t.hour, *m, lowest(f.seconds));
  }
  if (const auto h = bit_from(f.hours, t.hour + 1)) return join(*h, lowest(f.minutes), lowest(f.seconds));
  return std::nullopt;
}

std::optional<seconds> last_time(const Fields& f, seconds upto) {
  const Clock t = split(upto);
  if (has_bit(f.hours, t.hour)) {
    if (has_bit(f.minutes, t.minute)) {
      if (const auto s = bit_upto(f.seconds, t.second)) return join(t.hour, t.minute, *s);
    }
    if (const auto m = bit_upto(below(f.minutes, t.minute), 63)) return join(t.hour, *m, highest(f.seconds));
  }
  if (const auto h = bit_upto(below(f.hours, t.hour), 63))
    return join(*h, highest(f.minutes), highest(f.seconds));
  return std::nullopt;
}

std::uint64_t times_before(const Fields& f, seconds end) {
  const Clock t = split(end);
  const std::uint64_t minutes = size_of(f.minutes), in_minute = size_of(f.seconds);
  std::uint64_t out = size_of(below(f.hours, t.hour)) * minutes * in_minute;
  if (!has_bit(f.hours, t.hour)) return out;
  out += size_of(below(f.minutes, t.minute)) * in_minute;
  if (has_bit(f.minutes, t.minute)) out += size_of(below(f.seconds, t.second));
  return out;
}

std::uint32_t counted_from_end(std::uint32_t days, unsigned last_day) {
  std::uint32_t out = 0;
  for (unsigned day = 1; day <= last_day; ++day) {
    if (has_bit(days, last_day + 1 - day)) out |= 1U << day;
  }
  return out;
}

/// The matching days of a month as bits 1..31.
std::uint32_t days_of(const Fields& f, year_month month) {
  if (!f.years.has(static_cast<int>(month.year())) ||
      !has_bit(f.months, static_cast<unsigned>(month.month())))
    return 0;
  const auto last_day = static_cast<unsigned>((month / last).day());
  const std::uint32_t by_day = f.days_from_end ? counted_from_end(f.days, last_day) : f.days;
  const unsigned first_weekday = weekday(local_days(month / 1)).iso_encoding() - 1;
  std::uint64_t by_weekday = f.weekdays;
  by_weekday = (by_weekday >> first_weekday | by_weekday << (7 - first_weekday)) & 0x7F;
  by_weekday |= by_weekday << 7 | by_weekday << 14 | by_weekday << 21 | by_weekday << 28;
  by_weekday <<= 1;
  const auto valid = static_cast<std::uint32_t>(((std::uint64_t{1} << last_day) - 1) << 1);
  const auto weekdays = static_cast<std::uint32_t>(by_weekday & 0xFFFF'FFFFU);
  return (f.either_day ? by_day | weekdays : by_day & weekdays) & valid;
}

constexpr year_month first_month = year(YearSet::first) / January;
constexpr year_month last_month = year(YearSet::last) / December;

bool day_matches(const Fields& f, local_days date) {
  const year_month_day day(date);
  return has_bit(days_of(f, day.year() / day.month()), static_cast<unsigned>(day.day()));
}

/// Matching days in [from, upto).
std::uint64_t count_days(const Fields& f, local_days from, local_days upto) {
  const year_month_day begin(from), end(upto);
  const year_month end_month = end.year() / end.month();
  std::uint64_t out = 0;
  for (year_month month = begin.year() / begin.month(); month < end_month; month += months(1)) {
    out += size_of(days_of(f, month));
  }
  out += size_of(below(days_of(f, end_month), static_cast<unsigned>(end.day())));
  out -= size_of(below(days_of(f, begin.year() / begin.month()), static_cast<unsigned>(begin.day())));
  return out;
}

}  // namespace

YearSet YearSet::all() {
  YearSet out;
  for (int year = first; year <= last; ++year) out.add(year);
  return out;
}

std::optional<local_seconds> first_match(const Fields& f, local_seconds from) {
  from = std::max(from, local_seconds(local_days(first_month / 1)));
  const auto date = floor<days>(from);
  if (day_matches(f, date)) {
    if (const auto time = first_time(f, from - date)) return date + *time;
  }
  const year_month_day day(date);
  unsigned next_day = static_cast<unsigned>(day.day()) + 1;
  for (year_month month = day.year() / day.month(); month <= last_month; month += months(1)) {
    if (const auto found = bit_from(days_of(f, month), next_day)) {
      return local_days(month / static_cast<int>(*found)) + *first_time(f, seconds(0));
    }
    next_day = 1;
  }
  return std::nullopt;
}

std::optional<local_seconds> last_match(const Fields& f, local_seconds upto) {
  upto = std::min(upto, local_seconds(local_days(last_month / last) + days(1) - seconds(1)));
  const auto date = floor<days>(upto);
  if (day_matches(f, date)) {
    if (const auto time = last_time(f, upto - date)) return date + *time;
  }
  const year_month_day day(date);
  unsigned upto_day = static_cast<unsigned>(day.day()) - 1;
  for (year_month month = day.year() / day.month(); month >= first_month; month -= months(1)) {
    if (const auto found = bit_upto(days_of(f, month), upto_day)) {
      return local_days(month / static_cast<int>(*found)) + *last_time(f, seconds(86'399));
    }
    upto_day = 31;
  }
  return std::nullopt;
}

std::uint64_t count_matches(const Fields& f, local_seconds from, local_seconds upto) {
  if (from >= upto) return 0;
  const auto begin = floor<days>(from), end = floor<days>(upto);
  const std::uint64_t a_day = size_of(f.hours) * size_of(f.minutes) * size_of(f.seconds);
  std::uint64_t out = count_days(f, begin, end) * a_day;
  if (day_matches(f, end)) out += times_before(f, upto - end);
  if (day_matches(f, begin)) out -= times_before(f, from - begin);
  return out;
}

}  // namespace ronda::schedule
