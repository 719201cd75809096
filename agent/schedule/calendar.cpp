// SPDX-License-Identifier: Apache-2.0
#include "schedule/calendar.hpp"

#include <algorithm>

namespace ronda::schedule {
namespace {

using namespace std::chrono_literals;

// no two readings of a zone differ by more for one instant
constexpr seconds spread = 2 * Zone::max_offset;

local_seconds as_reading(sys_seconds instant, seconds offset) {
  return local_seconds((instant + offset).time_since_epoch());
}
sys_seconds as_instant(local_seconds reading, seconds offset) {
  return sys_seconds((reading - offset).time_since_epoch());
}
sys_seconds in_range(sys_seconds instant) {
  return std::clamp(instant, Zone::begin_of_time, Zone::end_of_time);
}

}  // namespace

std::optional<sys_seconds> Calendar::next(sys_seconds after) const {
  after = in_range(after);
  return fields_.hour_is_interval ? next_interval(after) : next_named(after);
}

std::optional<sys_seconds> Calendar::previous(sys_seconds at) const {
  at = in_range(at);
  if (fields_.hour_is_interval) return previous_interval(at);
  const auto reading = last_match(fields_, latest_reading(at));
  if (!reading) return std::nullopt;
  return zone_->to_utc(*reading).first;
}

std::uint64_t Calendar::count(sys_seconds after, sys_seconds upto) const {
  after = in_range(after);
  upto = in_range(upto);
  if (after >= upto) return 0;
  return fields_.hour_is_interval ? count_interval(after, upto) : count_named(after, upto);
}

bool Calendar::possible() const {
  return first_match(fields_, local_seconds::min()).has_value();
}

std::vector<std::string> Calendar::warnings() const {
  std::vector<std::string> out;
  if (!possible()) out.push_back("this date never comes, so nothing is ever due");
  if (fields_.either_day) {
    out.push_back(
        "day of month and day of week are both set: cron runs when either matches; "
        "for both write at = \"Fri *-*-13 02:00\"");
  }
  return out;
}

/// The last reading that is due at or before `at`. In a second pass that is all that the first pass had.
local_seconds Calendar::latest_reading(sys_seconds at) const {
  const local_seconds reading = zone_->to_local(at);
  const Meaning meaning = zone_->to_utc(reading);
  const bool second_pass = meaning.kind == Meaning::Kind::ambiguous && at >= meaning.second;
  return second_pass ? meaning.edge - 1s : reading;
}

std::optional<sys_seconds> Calendar::next_named(sys_seconds after) const {
  auto reading = first_match(fields_, latest_reading(after) + 1s);
  while (reading) {
    const sys_seconds instant = zone_->to_utc(*reading).first;
    if (instant > after) return instant;
    reading = first_match(fields_, *reading + 1s);
  }
  return std::nullopt;
}

std::optional<sys_seconds> Calendar::next_interval(sys_seconds after) const {
  sys_seconds from = after + 1s;
  while (from < Zone::end_of_time) {
    const Span span = zone_->span_at(from);
    const auto reading = first_match(fields_, as_reading(from, span.offset));
    if (reading) {
      const sys_seconds instant = as_instant(*reading, span.offset);
      if (instant < span.end) return instant;
    }
    if (span.end == sys_seconds::max()) return std::nullopt;
    // Only a clock that is set back shows readings from before `from` again, and only for a while: past that
    // nothing can match before the reading that was found, and whole years are skipped at once.
    const bool past_repeats = span.end - from > spread;
    if (past_repeats && !reading) return std::nullopt;
    from = past_repeats ? std::max(span.end, as_instant(*reading, Zone::max_offset)) : span.end;
  }
  return std::nullopt;
}

std::optional<sys_seconds> Calendar::previous_interval(sys_seconds at) const {
  sys_seconds upto = at;
  while (upto > Zone::begin_of_time) {
    const Span span = zone_->span_at(upto);
    const auto reading = last_match(fields_, as_reading(upto, span.offset));
    if (reading) {
      const sys_seconds instant = as_instant(*reading, span.offset);
      if (instant >= span.begin) return instant;
    }
    if (span.begin == sys_seconds::min()) return std::nullopt;
    const bool past_repeats = upto - span.begin > spread;
    if (past_repeats && !reading) return std::nullopt;
    upto =
        past_repeats ? std::min(span.begin - 1s, as_instant(*reading, -Zone::max_offset)) : span.begin - 1s;
  }
  return std::nullopt;
}

std::uint64_t Calendar::count_interval(sys_seconds after, sys_seconds upto) const {
  std::uint64_t out = 0;
  const auto add = [&](sys_seconds begin, sys_seconds end, seconds offset) {
    out += count_matches(fields_, as_reading(begin, offset), as_reading(end, offset));
  };
  Span span = zone_->span_at(after + 1s);
  sys_seconds from = after + 1s;
  for (const Span& later : zone_->spans_between(from, upto)) {
    add(from, later.begin, span.offset);
    from = later.begin;
    span = later;
  }
  add(from, upto + 1s, span.offset);
  return out;
}

std::uint64_t Calendar::count_named(sys_seconds after, sys_seconds upto) const {
  std::uint64_t out = count_matches(fields_, latest_reading(after) + 1s, latest_reading(upto) + 1s);
  seconds before = zone_->span_at(after).offset;
  for (const Span& span : zone_->spans_between(after, upto)) {
    if (span.offset > before) {
      // what the gap swallowed and what names its end is one
      const auto at_gap =
          count_matches(fields_, as_reading(span.begin, before), as_reading(span.begin, span.offset) + 1s);
      if (at_gap > 1) out -= at_gap - 1;
    }
    before = span.offset;
  }
  return out;
}

}  // namespace ronda::schedule
