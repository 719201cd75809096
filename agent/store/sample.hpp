// SPDX-License-Identifier: Apache-2.0
// What was measured, as it is kept: single points, and what remains of them when they are rolled up. Pure.
// Times are wall clock, nanoseconds since 1970-01-01 UTC. Values are finite and in base units (seconds, bytes, ratio).
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "store/sketch.hpp"

namespace ronda::store {

struct Point {
  std::int64_t at_ns = 0;
  double value = 0;
  bool operator==(const Point&) const = default;
};

using Labels = std::vector<std::pair<std::string, std::string>>;  // sorted by name
enum class Shape : std::uint8_t { gauge, counter };

/// Which series of values; shared by all that hold samples of it.
struct SeriesKey {
  std::string check, metric;  // "api-status", "total"; of the check itself "status" and "duration"
  Labels labels;
  std::string unit;
  Shape shape = Shape::gauge;
  bool operator==(const SeriesKey&) const = default;
};
using SeriesRef = std::shared_ptr<const SeriesKey>;

/// observed: what one result measured.
struct Sampled {
  std::int64_t at_ns = 0;  // when it ended
  std::vector<std::pair<SeriesRef, double>> values;
};

/// All points of a series in [from_ns, from_ns + the length of its level).
struct Rollup {
  std::int64_t from_ns = 0;
  std::uint64_t count = 0;
  double min = std::numeric_limits<double>::infinity(), max = -std::numeric_limits<double>::infinity();
  double sum = 0;
  double first = 0, last = 0;  // by time
  std::int64_t first_ns = 0, last_ns = 0;
  double increase = 0;  // of a counter from `first` to `last`, over its resets; else 0
  Sketch sketch;

  double mean() const { return count == 0 ? 0 : sum / static_cast<double>(count); }
  bool operator==(const Rollup&) const = default;
};

/// How much a counter grew from one reading to the next: a smaller one began anew at zero.
inline double increase_between(double before, double after) {
  return after >= before ? after - before : after;
}

/// `point` is not earlier than what is in it.
void add(Rollup& into, const Point& point, Shape shape);
/// `later` lies after `into`. What a counter grew between the two is added.
void merge(Rollup& into, const Rollup& later, Shape shape);

enum class RollupLevel : std::uint8_t { five_minutes, hours };
inline constexpr std::int64_t five_minutes_ns = 300'000'000'000, hour_ns = 12 * five_minutes_ns, day_ns = 24 * hour_ns;
constexpr std::int64_t length_of(RollupLevel level) {
  return level == RollupLevel::hours ? hour_ns : five_minutes_ns;
}
/// The beginning of the stretch in which an instant lies.
constexpr std::int64_t floor_to(std::int64_t at_ns, std::int64_t length) {
  const std::int64_t rest = at_ns % length;
  return at_ns - (rest < 0 ? rest + length : rest);
}

/// Its beginning is kept beside it. What is no roll-up decodes to nothing.
std::string encode_rollup(const Rollup& rollup);
std::optional<Rollup> decode_rollup(std::int64_t from_ns, std::string_view bytes);

/// Points in ascending order as bytes, lossless: about 3 to 10 a point.
std::string encode_points(std::span<const Point> points);
/// What does not decode to its end is left out.
std::vector<Point> decode_points(std::string_view bytes);

}  // namespace ronda::store
