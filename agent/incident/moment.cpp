// SPDX-License-Identifier: Apache-2.0
#include "incident/moment.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <optional>

#include "base/text.hpp"
#include "base/units.hpp"
#include "schedule/preview.hpp"

namespace ronda::people {
namespace {

using namespace std::chrono;

/// Takes a number of exactly so many digits.
bool take(std::string_view& text, std::size_t digits, unsigned& out) {
  if (text.size() < digits || text.front() < '0' || text.front() > '9') return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + digits, out);
  if (error != std::errc() || end != text.data() + digits) return false;
  text.remove_prefix(digits);
  return true;
}

bool take(std::string_view& text, char wanted) {
  if (!text.starts_with(wanted)) return false;
  text.remove_prefix(1);
  return true;
}

bool take_date(std::string_view& text, schedule::local_seconds& out) {
  unsigned y = 0, m = 0, d = 0;
  if (!take(text, 4, y) || !take(text, '-') || !take(text, 2, m) || !take(text, '-') || !take(text, 2, d)) return false;
  const year_month_day date{year(static_cast<int>(y)), month(m), day(d)};
  out = local_days(date);
  return date.ok() && y >= 1970 && y <= 2199;
}

/// Digits after a dot, which say less than a second.
bool take_fraction(std::string_view& text) {
  if (!take(text, '.')) return true;
  const std::size_t digits = std::min(text.find_first_not_of("0123456789"), text.size());
  text.remove_prefix(digits);
  return digits > 0 && digits <= 9;
}

/// "Z", "+02:00" or "-0300", nothing where nothing follows; false: something else does.
bool take_offset(std::string_view& text, std::optional<minutes>& out) {
  if (text.empty()) return true;
  if (take(text, 'Z')) {
    out = minutes(0);
    return text.empty();
  }
  const bool is_west = text.front() == '-';
  unsigned hour = 0, minute = 0;
  if ((!take(text, '+') && !take(text, '-')) || !take(text, 2, hour)) return false;
  static_cast<void>(take(text, ':'));
  if (!take(text, 2, minute) || !text.empty() || hour > 23 || minute > 59) return false;
  out = (is_west ? -1 : 1) * (hours(hour) + minutes(minute));
  return true;
}

Error no(std::string_view what, std::string_view text) {
  return {Errc::invalid, "\"" + escape_controls(text.substr(0, 64)) + "\" is no " + std::string(what)};
}

}  // namespace

Result<std::int64_t> parse_moment(std::string_view text, const schedule::Zone& zone) {
  const std::string_view whole = text;
  const auto wrong = [&] { return no("time like \"2026-12-24 09:00\" or \"2026-12-24T12:00:00Z\"", whole); };
  schedule::local_seconds reading;
  unsigned hour = 0, minute = 0, second = 0;
  if (!take_date(text, reading) || (!take(text, 'T') && !take(text, ' '))) return wrong();
  if (!take(text, 2, hour) || !take(text, ':') || !take(text, 2, minute)) return wrong();
  if (take(text, ':') && (!take(text, 2, second) || !take_fraction(text))) return wrong();
  std::optional<minutes> offset;
  if (!take_offset(text, offset) || hour > 23 || minute > 59 || second > 59) return wrong();
  reading += hours(hour) + minutes(minute) + seconds(second);
  const schedule::sys_seconds at =
      offset ? schedule::sys_seconds(reading.time_since_epoch() - *offset) : zone.to_utc(reading).first;
  return Nanos(at.time_since_epoch()).count();
}

Result<schedule::local_seconds> parse_date(std::string_view text) {
  const std::string_view whole = text;
  schedule::local_seconds out;
  if (!take_date(text, out) || !text.empty()) return no("date like \"2026-12-24\"", whole);
  return out;
}

Result<minutes> parse_time_of_day(std::string_view text) {
  const std::string_view whole = text;
  unsigned hour = 0, minute = 0;
  const bool is_read = take(text, 2, hour) && take(text, ':') && take(text, 2, minute) && text.empty();
  if (!is_read || minute > 59 || hour > 24 || (hour == 24 && minute > 0)) return no("time of day like \"09:00\"", whole);
  return hours(hour) + minutes(minute);
}

std::string moment_text(std::int64_t at_ns, const schedule::Zone& zone) {
  return schedule::print_instant(floor<seconds>(sys_time<nanoseconds>(nanoseconds(at_ns))), zone);
}

}  // namespace ronda::people
