// SPDX-License-Identifier: Apache-2.0
// What a condition can ask of a window of points: pure functions, each of which answers nothing rather than something
// that too few samples say.
//
// A window is (after, until]. It is covered when there are at least `least_samples` of the function in it and they reach
// over at least half of it, each end counted one interval of the check further (the interval is what a sample stands for):
//     first - interval <= after + length / 2   and   last + interval >= until - length / 2
// Points ascend in time and are finite. Work is O(n), of percentile O(n) on average, of trend bounded by trend_points.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "measure/view.hpp"

namespace ronda::measure {

struct Window {
  std::int64_t after_ns = 0, until_ns = 0;
  std::int64_t interval_ns = 0;   // between two results; 0: not known, then only what is there counts
  std::size_t least_samples = 0;  // 0: that of the function, see least_samples()
  std::int64_t length_ns() const { return until_ns - after_ns; }
};

enum class Function : std::uint8_t { avg, min, max, sum, count, rate, percentile, trend };
/// avg, min, max, sum 1; rate 2; percentile and trend 5; count 0: it answers 0 where nothing came.
/// Of fewer than five values the nearest rank of p95 is just their largest.
std::size_t least_samples(Function function);
bool is_covered(std::span<const Point> points, const Window& window, std::size_t least);

std::optional<double> avg(std::span<const Point> points, const Window& window);
std::optional<double> min(std::span<const Point> points, const Window& window);
std::optional<double> max(std::span<const Point> points, const Window& window);
std::optional<double> sum(std::span<const Point> points, const Window& window);
/// Of samples; needs no cover.
double count(std::span<const Point> points);

/// `share` in [0, 1]: 0.95 for p95. Nearest rank, the value at rank ceil(share * n) of the sorted samples: it is always a
/// value that was measured (two humps give no third between them), and it is what a histogram answers too, so a short
/// window from samples and a long one from roll-ups mean the same. Source: Hyndman and Fan (1996), definition 1.
std::optional<double> percentile(std::span<const Point> points, const Window& window, double share);

/// Per second. Of a counter what it grew, over resets: a reading below the one before began anew at zero, so it grew by at
/// least that reading. Of a gauge the net change, negative where it fell. `points` may begin with one point before the
/// window, so that a window of one interval has two; see with_one_before().
std::optional<double> rate(std::span<const Point> points, const Window& window, Shape shape);

/// A straight line through the points: Theil and Sen's, the median of the slopes between all pairs, which up to 29 % of
/// wild values do not move. More than trend_points points are first drawn together, neighbours by their median value and
/// middle time, so there are at most 7,140 slopes. Source: Sen (1968), also for the bounds.
struct Trend {
  double per_hour = 0;
  double low_per_hour = 0, high_per_hour = 0;  // 95 % for this slope, if deviations from the line are independent
  double level = 0;                            // of the line at the end of the window
  std::int64_t until_ns = 0;
  double at(std::int64_t ns) const;  // of the line, also beyond the window
};
inline constexpr std::size_t trend_points = 120;
std::optional<Trend> trend(std::span<const Point> points, const Window& window);
/// Of the line so far after the end of its window.
double forecast(const Trend& trend, std::int64_t horizon_ns);
/// From which window: as long as the horizon, but 1 h to 24 h.
std::int64_t forecast_window_ns(std::int64_t horizon_ns);
/// When the line meets `bound` after the end of its window; with the steepest and flattest slope of its bounds: the
/// earliest and latest. Nothing where it never does, and for what is more than 20 years away.
struct Meeting {
  std::optional<std::int64_t> at_ns, earliest_ns, latest_ns;
};
Meeting meets(const Trend& trend, double bound);

/// a / b; nothing where either is missing or b is 0.
std::optional<double> ratio(std::optional<double> a, std::optional<double> b);

// --- the same from roll-ups, for windows beyond View::reach_ns -----------------------------------
// A stretch counts as one interval of five minutes; percentiles come from the merged distributions and are within
// store::sketch_error (1/64) of a measured value, never from averages. trend goes through the means of the stretches.
std::optional<double> from_rollups(Function function, std::span<const Rollup> rollups, Window window, Shape shape, double share = 0);
std::optional<Trend> trend(std::span<const Rollup> rollups, Window window);

// --- one question to a view -----------------------------------------------------------------------
/// Any of the functions over the last `length_ns` before `now_ns`; from points or, beyond its reach_ns(), from roll-ups.
/// `share` is read by percentile only. trend answers its slope per hour.
std::optional<double> over(const View& view, SeriesId id, Function function, std::int64_t length_ns, std::int64_t now_ns, double share = 0);
std::optional<Trend> trend_over(const View& view, SeriesId id, std::int64_t length_ns, std::int64_t now_ns);
/// forecast(m, horizon), from forecast_window_ns(horizon).
std::optional<double> forecast_over(const View& view, SeriesId id, std::int64_t horizon_ns, std::int64_t now_ns);
/// The points of (after, until], and the last one before if it is not more than two intervals (at least a minute) older.
std::span<const Point> with_one_before(const View& view, SeriesId id, const Window& window);

}  // namespace ronda::measure
