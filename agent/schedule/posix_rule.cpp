// SPDX-License-Identifier: Apache-2.0
#include "schedule/posix_rule.hpp"

#include <charconv>

namespace ronda::schedule {
namespace {

using namespace std::chrono;

class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  bool at_end() const { return text_.empty(); }
  bool take(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }

  bool take_name() {
    const bool quoted = take('<');
    std::size_t length = 0;
    while (length < text_.size() && (quoted ? text_[length] != '>' : is_letter(text_[length]))) ++length;
    text_.remove_prefix(length);
    return length >= 3 && (!quoted || take('>'));
  }

  bool take_number(unsigned low, unsigned high, unsigned& out) {
    const auto [stop, error] = std::from_chars(text_.data(), text_.data() + text_.size(), out);
    if (error != std::errc() || out < low || out > high) return false;
    text_.remove_prefix(static_cast<std::size_t>(stop - text_.data()));
    return true;
  }

  /// [+-]h[:m[:s]]
  bool take_time(unsigned max_hours, seconds& out) {
    const bool negative = take('-');
    if (!negative) take('+');
    unsigned h = 0, m = 0, s = 0;
    if (!take_number(0, max_hours, h)) return false;
    if (take(':') && !take_number(0, 59, m)) return false;
    if (take(':') && !take_number(0, 59, s)) return false;
    out = hours(h) + minutes(m) + seconds(s);
    if (negative) out = -out;
    return true;
  }

 private:
  static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
  std::string_view text_;
};

bool take_day(Reader& in, YearlyMoment& out) {
  if (in.take('M')) {
    return in.take_number(1, 12, out.month) && in.take('.') && in.take_number(1, 5, out.week) &&
           in.take('.') && in.take_number(0, 6, out.day);
  }
  const bool julian = in.take('J');
  out.kind = julian ? YearlyMoment::Kind::julian : YearlyMoment::Kind::day_of_year;
  return in.take_number(julian ? 1 : 0, 365, out.day);
}

bool take_moment(Reader& in, YearlyMoment& out) {
  if (!in.take(',') || !take_day(in, out)) return false;
  return !in.take('/') || in.take_time(167, out.time);
}

}  // namespace

local_seconds YearlyMoment::in(int year_number) const {
  const auto y = year(year_number);
  if (kind == Kind::month_week_day) {
    const auto in_month = y / std::chrono::month(month);
    if (week == 5) return local_days(in_month / weekday(day)[last]) + time;
    return local_days(in_month / weekday(day)[week]) + time;
  }
  // Jn counts from 1 and never counts the 29th of February; n counts from 0 and does
  const bool after_february = kind == Kind::julian && y.is_leap() && day > 59;
  const int day_index = static_cast<int>(day) - (kind == Kind::julian ? 1 : 0) + (after_february ? 1 : 0);
  return local_days(y / January / 1) + days(day_index) + time;
}

std::optional<PosixRule> parse_posix_rule(std::string_view text) {
  Reader in(text);
  PosixRule rule;
  if (!in.take_name() || !in.take_time(24, rule.standard)) return std::nullopt;
  rule.standard = -rule.standard;  // POSIX counts west of Greenwich
  if (in.at_end()) return rule;
  rule.has_summer = true;
  rule.summer = rule.standard + hours(1);
  Reader before = in;
  if (!in.take_name()) return std::nullopt;
  before = in;
  if (!before.take(',')) {
    if (!in.take_time(24, rule.summer)) return std::nullopt;
    rule.summer = -rule.summer;
  }
  if (!take_moment(in, rule.begin) || !take_moment(in, rule.end) || !in.at_end()) return std::nullopt;
  return rule;
}

}  // namespace ronda::schedule
