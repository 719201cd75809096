// SPDX-License-Identifier: Apache-2.0
#include "measure/functions.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace ronda::measure {
namespace {

constexpr double hour = 3.6e12;
constexpr std::int64_t hour_ns = store::hour_ns, day_ns = store::day_ns;

std::size_t least_of(const Window& window, Function function) {
  return window.least_samples != 0 ? window.least_samples : least_samples(function);
}

bool reaches_over_half(std::int64_t first_ns, std::int64_t last_ns, const Window& window) {
  const std::int64_t half = window.length_ns() / 2;
  return first_ns - window.interval_ns <= window.after_ns + half && last_ns + window.interval_ns >= window.until_ns - half;
}

bool will_do(std::span<const Point> points, const Window& window, Function function) {
  return is_covered(points, window, least_of(window, function));
}

std::optional<double> finite(double value) {
  return std::isfinite(value) ? std::optional(value) : std::nullopt;
}

double median(std::vector<double>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return std::midpoint(*std::max_element(values.begin(), middle), *middle);
}

/// The element of this rank in order; ranks beyond the ends are the ends.
double ranked(std::span<double> values, double rank) {
  const double last = static_cast<double>(values.size()) - 1;
  const auto place = values.begin() + static_cast<std::ptrdiff_t>(std::clamp(rank, 0.0, last));
  std::nth_element(values.begin(), place, values.end());
  return *place;
}

/// At most trend_points: neighbours as one.
std::vector<Point> drawn_together(std::span<const Point> points) {
  if (points.size() <= trend_points) return {points.begin(), points.end()};
  std::vector<Point> out;
  std::vector<double> values;
  for (std::size_t group = 0; group < trend_points; ++group) {
    const std::size_t begin = group * points.size() / trend_points, end = (group + 1) * points.size() / trend_points;
    values.clear();
    for (std::size_t i = begin; i < end; ++i) values.push_back(points[i].value);
    out.push_back({std::midpoint(points[begin].at_ns, points[end - 1].at_ns), median(values)});
  }
  return out;
}

std::optional<Trend> line_through(std::span<const Point> all, std::int64_t until_ns) {
  const std::vector<Point> points = drawn_together(all);
  std::vector<double> slopes;
  slopes.reserve(points.size() * (points.size() - 1) / 2);
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (std::size_t j = i + 1; j < points.size(); ++j) {
      const auto apart = static_cast<double>(points[j].at_ns - points[i].at_ns);
      if (apart > 0) slopes.push_back((points[j].value - points[i].value) / apart * hour);
    }
  }
  if (slopes.empty()) return {};
  Trend out;
  out.until_ns = until_ns;
  out.per_hour = median(slopes);
  // Sen: the slopes whose ranks lie as far from the middle as Kendall's S may by chance
  const auto n = static_cast<double>(points.size()), pairs = static_cast<double>(slopes.size());
  const double by_chance = 1.96 * std::sqrt(n * (n - 1) * (2 * n + 5) / 18);
  const std::span all_slopes(slopes);
  const std::size_t middle = slopes.size() / 2;  // the median has put what is smaller before it
  out.low_per_hour = ranked(all_slopes.first(middle + 1), std::floor((pairs - by_chance) / 2));
  out.high_per_hour = ranked(all_slopes.subspan(middle), std::ceil((pairs + by_chance) / 2) - static_cast<double>(middle));
  std::vector<double> levels;
  for (const Point& point : points) levels.push_back(point.value + out.per_hour * static_cast<double>(until_ns - point.at_ns) / hour);
  out.level = median(levels);
  return out;
}

/// Nothing when it is not ahead, or too far.
std::optional<std::int64_t> meeting_of(const Trend& trend, double slope, double bound) {
  constexpr double farthest = 20 * 365.25 * 24;
  const double hours = trend.level == bound ? 0 : (bound - trend.level) / slope;
  if (!(hours >= 0 && hours <= farthest)) return {};
  return trend.until_ns + static_cast<std::int64_t>(hours * hour);
}

}  // namespace

std::size_t least_samples(Function function) {
  switch (function) {
    case Function::count:
      return 0;
    case Function::rate:
      return 2;
    case Function::percentile:
    case Function::trend:
      return 5;
    default:
      return 1;
  }
}

bool is_covered(std::span<const Point> points, const Window& window, std::size_t least) {
  if (points.empty() || points.size() < least) return false;
  return reaches_over_half(points.front().at_ns, points.back().at_ns, window);
}

double count(std::span<const Point> points) {
  return static_cast<double>(points.size());
}

std::optional<double> sum(std::span<const Point> points, const Window& window) {
  if (!will_do(points, window, Function::sum)) return {};
  double total = 0;
  for (const Point& point : points) total += point.value;
  return finite(total);
}

std::optional<double> avg(std::span<const Point> points, const Window& window) {
  if (!will_do(points, window, Function::avg)) return {};
  // each divided first: the sum of large values would overflow
  double mean = 0;
  for (const Point& point : points) mean += point.value / count(points);
  // nor may rounding take it beyond what was measured
  const auto [least, most] = std::ranges::minmax_element(points, {}, &Point::value);
  return std::clamp(mean, least->value, most->value);
}

std::optional<double> min(std::span<const Point> points, const Window& window) {
  if (!will_do(points, window, Function::min)) return {};
  return std::ranges::min_element(points, {}, &Point::value)->value;
}

std::optional<double> max(std::span<const Point> points, const Window& window) {
  if (!will_do(points, window, Function::max)) return {};
  return std::ranges::max_element(points, {}, &Point::value)->value;
}

std::optional<double> percentile(std::span<const Point> points, const Window& window, double share) {
  if (!will_do(points, window, Function::percentile)) return {};
  std::vector<double> values;
  values.reserve(points.size());
  for (const Point& point : points) values.push_back(point.value);
  return ranked(values, std::ceil(share * count(points)) - 1);
}

std::optional<double> rate(std::span<const Point> points, const Window& window, Shape shape) {
  if (!will_do(points, window, Function::rate)) return {};
  const auto seconds = static_cast<double>(points.back().at_ns - points.front().at_ns) / 1e9;
  if (seconds <= 0) return {};
  double grown = points.back().value - points.front().value;
  if (shape == Shape::counter) {
    grown = 0;
    for (std::size_t i = 1; i < points.size(); ++i) grown += store::increase_between(points[i - 1].value, points[i].value);
  }
  return finite(grown / seconds);
}

std::optional<Trend> trend(std::span<const Point> points, const Window& window) {
  if (!will_do(points, window, Function::trend)) return {};
  return line_through(points, window.until_ns);
}

double Trend::at(std::int64_t ns) const {
  return level + per_hour * static_cast<double>(ns - until_ns) / hour;
}
double forecast(const Trend& trend, std::int64_t horizon_ns) {
  return trend.at(trend.until_ns + horizon_ns);
}
std::int64_t forecast_window_ns(std::int64_t horizon_ns) {
  return std::clamp(horizon_ns, hour_ns, day_ns);
}

Meeting meets(const Trend& trend, double bound) {
  const bool upwards = bound >= trend.level;
  return {meeting_of(trend, trend.per_hour, bound), meeting_of(trend, upwards ? trend.high_per_hour : trend.low_per_hour, bound),
          meeting_of(trend, upwards ? trend.low_per_hour : trend.high_per_hour, bound)};
}

std::optional<double> ratio(std::optional<double> a, std::optional<double> b) {
  if (!a || !b || *b == 0) return {};
  return finite(*a / *b);
}

// ---- from roll-ups --------------------------------------------------------------------------

namespace {

/// A stretch stands for its whole length, whenever in it the samples came.
bool will_do(std::span<const Rollup> rollups, Window window, Function function, std::uint64_t samples) {
  if (rollups.empty() || samples < least_of(window, function)) return false;
  window.interval_ns = std::max(window.interval_ns, store::five_minutes_ns);
  return reaches_over_half(rollups.front().from_ns + store::five_minutes_ns, rollups.back().from_ns + store::five_minutes_ns, window);
}

}  // namespace

std::optional<double> from_rollups(Function function, std::span<const Rollup> rollups, Window window, Shape shape, double share) {
  if (function == Function::trend) {
    const auto line = trend(rollups, window);
    return line ? std::optional(line->per_hour) : std::nullopt;
  }
  Rollup all;
  for (const Rollup& one : rollups) merge(all, one, shape);
  if (function == Function::count) return static_cast<double>(all.count);
  if (!will_do(rollups, window, function, all.count)) return {};
  switch (function) {
    case Function::avg:
      return finite(all.mean());
    case Function::min:
      return all.min;
    case Function::max:
      return all.max;
    case Function::sum:
      return finite(all.sum);
    case Function::percentile:
      return all.sketch.percentile(share);
    default:
      break;
  }
  const auto seconds = static_cast<double>(all.last_ns - all.first_ns) / 1e9;
  if (seconds <= 0) return {};
  return finite((shape == Shape::counter ? all.increase : all.last - all.first) / seconds);
}

std::optional<Trend> trend(std::span<const Rollup> rollups, Window window) {
  std::vector<Point> means;
  for (const Rollup& one : rollups) {
    if (one.count > 0) means.push_back({std::midpoint(one.first_ns, one.last_ns), one.mean()});
  }
  if (!will_do(rollups, window, Function::trend, means.size())) return {};
  return line_through(means, window.until_ns);
}

// ---- one question to a view -----------------------------------------------------------------

std::span<const Point> with_one_before(const View& view, SeriesId id, const Window& window) {
  const std::int64_t back = std::max<std::int64_t>(2 * window.interval_ns, 60'000'000'000);
  const auto all = view.points(id, window.after_ns - back, window.until_ns);
  const auto inside = std::ranges::upper_bound(all, window.after_ns, {}, &Point::at_ns);
  const auto before = static_cast<std::size_t>(inside - all.begin());
  return before == 0 ? all : all.subspan(before - 1);
}

std::optional<double> over(const View& view, SeriesId id, Function function, std::int64_t length_ns, std::int64_t now_ns, double share) {
  const Window window{now_ns - length_ns, now_ns, view.interval_ns(id)};
  const Shape shape = view.info(id).shape;
  if (length_ns > view.reach_ns(id)) return from_rollups(function, view.rollups(id, window.after_ns, now_ns), window, shape, share);
  const auto points = view.points(id, window.after_ns, now_ns);
  switch (function) {
    case Function::avg:
      return avg(points, window);
    case Function::min:
      return min(points, window);
    case Function::max:
      return max(points, window);
    case Function::sum:
      return sum(points, window);
    case Function::count:
      return count(points);
    case Function::percentile:
      return percentile(points, window, share);
    case Function::rate:
      return rate(with_one_before(view, id, window), window, shape);
    case Function::trend:
      break;
  }
  const auto line = trend(points, window);
  return line ? std::optional(line->per_hour) : std::nullopt;
}

std::optional<Trend> trend_over(const View& view, SeriesId id, std::int64_t length_ns, std::int64_t now_ns) {
  const Window window{now_ns - length_ns, now_ns, view.interval_ns(id)};
  if (length_ns > view.reach_ns(id)) return trend(view.rollups(id, window.after_ns, now_ns), window);
  return trend(view.points(id, window.after_ns, now_ns), window);
}

std::optional<double> forecast_over(const View& view, SeriesId id, std::int64_t horizon_ns, std::int64_t now_ns) {
  const auto line = trend_over(view, id, forecast_window_ns(horizon_ns), now_ns);
  return line ? finite(forecast(*line, horizon_ns)) : std::nullopt;
}

}  // namespace ronda::measure
