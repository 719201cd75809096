// SPDX-License-Identifier: Apache-2.0
// Durations, sizes, percentages and Nagios ranges as people write them, and back.
#pragma once

#include <chrono>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace ronda {

using Nanos = std::chrono::nanoseconds;

/// "500ms" "30s" "5m" "1h30m" "2d" "1w": units ns us ms s m h d w, each at most once, largest first.
/// A bare number is refused with a hint; the largest value is about 292 years.
Result<Nanos> parse_duration(std::string_view text);
/// The shortest text that parse_duration reads back: "1h30m", "500ms", "0s".
std::string format_duration(Nanos value);

/// "512B" "10KiB" "10MiB" "2GB" (kB MB GB TB are powers of 1000, KiB MiB GiB TiB of 1024).
Result<std::int64_t> parse_size(std::string_view text);
std::string format_size(std::int64_t bytes);

/// "80%" as 0.8.
Result<double> parse_percent(std::string_view text);
std::string format_percent(double ratio);

/// What a value in `unit` is multiplied with to be in base units, and which that is: "ms" is 0.001 "s", "MiB" 1048576 "B",
/// "%" 0.01 "ratio". A unit that is none of these is its own.
struct BaseUnit {
  double factor = 1;
  std::string_view unit;
};
BaseUnit base_unit(std::string_view unit);

/// At most six digits that count, without an exponent: "0.61", "1500000".
std::string format_number(double value);
/// "83%", "0.61s", "1.5GiB", "42": a value in that unit for people.
std::string format_quantity(double value, std::string_view unit);

/// The whole number that `value` begins with; what no integer holds becomes the nearest one, and a NaN becomes 0.
std::int64_t clamp_to_int64(double value);

/// A Nagios range `[@][start:][end]`; alerts outside, or with @ inside, ends included.
/// Source: Monitoring Plugins interface guideline, "range expressions".
struct Range {
  double low = 0;
  double high = std::numeric_limits<double>::infinity();
  bool inside = false;  // @: alerts when low <= value <= high

  bool alerts(double value) const {
    const bool within = value >= low && value <= high;
    return inside ? within : !within;
  }
};

/// Each bound may carry a unit ("500ms", "10GiB", "80%"), given in base units then: seconds, bytes, ratio.
Result<Range> parse_range(std::string_view text);

/// A bound of a range: a plain number, a duration in seconds, a size in bytes, a percentage as ratio.
Result<double> parse_quantity(std::string_view text);

}  // namespace ronda
