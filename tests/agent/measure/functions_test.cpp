// SPDX-License-Identifier: Apache-2.0
#include "measure/functions.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "agent/measure/allocations.hpp"
#include "agent/measure/support.hpp"

using namespace ronda::measure;
using namespace ronda::measure::test;

namespace {

/// The window that these points fill.
Window over_all(const std::vector<Point>& points, std::int64_t step = 10 * second) {
  return {points.front().at_ns - step, points.back().at_ns, step};
}

/// Irregular times, values with humps and outliers, some equal.
std::vector<Point> wild(Seeded& seeded, std::size_t size) {
  std::vector<Point> out;
  std::int64_t at = noon;
  for (std::size_t i = 0; i < size; ++i) {
    at += 1 + seeded.below(20 * second);
    const double value = seeded.below(10) == 0 ? seeded.between(-1e6, 1e6) : seeded.below(3) == 0 ? 42 : seeded.between(0, 100);
    out.push_back({at, value});
  }
  return out;
}

double middle_of(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  return values.size() % 2 == 1 ? values[half] : (values[half - 1] + values[half]) / 2;
}

/// Every slope there is, sorted: the definition, word for word.
std::vector<double> all_slopes(const std::vector<Point>& points) {
  std::vector<double> out;
  for (std::size_t i = 0; i < points.size(); ++i) {
    for (std::size_t j = i + 1; j < points.size(); ++j)
      out.push_back((points[j].value - points[i].value) / (static_cast<double>(points[j].at_ns - points[i].at_ns) / 3.6e12));
  }
  std::ranges::sort(out);
  return out;
}

/// A view of one series that is all there is.
struct OneSeries : View {
  std::vector<Point> all;
  std::vector<Rollup> rolled;
  SeriesInfo about;
  std::int64_t every = 10 * second;

  std::optional<CheckNow> check(std::string_view) const override { return {}; }
  std::vector<SeriesId> series(std::string_view, std::string_view) const override { return {0}; }
  const SeriesInfo& info(SeriesId) const override { return about; }
  std::span<const Point> points(SeriesId, std::int64_t after, std::int64_t until) const override {
    const auto begin = std::ranges::upper_bound(all, after, {}, &Point::at_ns),
               end = std::ranges::upper_bound(all, until, {}, &Point::at_ns);
    return {begin, end};
  }
  std::optional<double> baseline(SeriesId, std::int64_t, std::int64_t) const override { return {}; }
  std::optional<std::int64_t> task_last_success_ns(std::string_view) const override { return {}; }
  std::span<const Point> statuses(std::string_view, std::int64_t, std::int64_t) const override { return {}; }
  std::int64_t interval_ns(SeriesId) const override { return every; }
  std::span<const Rollup> rollups(SeriesId, std::int64_t, std::int64_t) const override { return rolled; }
};

}  // namespace

TEST_CASE("average, least, most, sum and number of what is in a window", "[measure]") {
  const auto points = series({4, 1, 7});
  const Window window = over_all(points);
  CHECK(*avg(points, window) == Approx(4));
  CHECK(*min(points, window) == 1);
  CHECK(*max(points, window) == 7);
  CHECK(*sum(points, window) == 12);
  CHECK(count(points) == 3);
  CHECK(count({}) == 0);
}

TEST_CASE("an average of the largest numbers there are is no infinity", "[measure]") {
  const double most = std::numeric_limits<double>::max();
  const auto points = series({most, most, most});
  CHECK(*avg(points, over_all(points)) == Approx(most));
  CHECK_FALSE(sum(points, over_all(points)));
}

TEST_CASE("percentiles by nearest rank: the numbers of the textbook", "[measure]") {
  const auto points = series({35, 20, 15, 50, 40});
  const Window window = over_all(points);
  // ranks ceil(0.05 * 5) = 1, ceil(0.3 * 5) = 2, ceil(0.4 * 5) = 2, ceil(0.5 * 5) = 3, 5 of 15 20 35 40 50
  CHECK(*percentile(points, window, 0.05) == 15);
  CHECK(*percentile(points, window, 0.30) == 20);
  CHECK(*percentile(points, window, 0.40) == 20);
  CHECK(*percentile(points, window, 0.50) == 35);
  CHECK(*percentile(points, window, 1.00) == 50);
  CHECK(*percentile(points, window, 0) == 15);
}

TEST_CASE("p95 of twenty is the nineteenth, not a value between two humps", "[measure]") {
  std::vector<Point> points;
  for (int i = 0; i < 20; ++i) points.push_back({noon + i * second, i < 19 ? 0.1 : 9.0});
  CHECK(*percentile(points, over_all(points), 0.95) == 0.1);
  points[5].value = 9.0;
  CHECK(*percentile(points, over_all(points), 0.95) == 9.0);
}

TEST_CASE("a percentile is what sorting says, of a thousand random windows", "[measure]") {
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    Seeded seeded(seed);
    const auto points = wild(seeded, 5 + static_cast<std::size_t>(seeded.below(200)));
    std::vector<double> sorted;
    for (const Point& point : points) sorted.push_back(point.value);
    std::ranges::sort(sorted);
    const double share = seeded.between(0, 1);
    // the least value of which at least this share is not larger
    std::size_t rank = 1;
    while (static_cast<double>(rank) < share * static_cast<double>(sorted.size())) ++rank;
    INFO("seed " << seed << ", share " << share);
    REQUIRE(*percentile(points, over_all(points), share) == sorted[rank - 1]);
  }
}

TEST_CASE("the rate of a counter goes on over a reset", "[measure]") {
  const auto points = series({10, 20, 5, 15});  // 10 + 5 (began anew) + 10 in 30 s
  CHECK(*rate(points, over_all(points), Shape::counter) == Approx(25.0 / 30));
  CHECK(*rate(points, over_all(points), Shape::gauge) == Approx(5.0 / 30));
}

TEST_CASE("the rate of a gauge is negative where it falls; a counter's never is", "[measure]") {
  const auto points = series({100, 80, 60});
  CHECK(*rate(points, over_all(points), Shape::gauge) == Approx(-2));
  CHECK(*rate(points, over_all(points), Shape::counter) == Approx((80.0 + 60.0) / 20));
}

TEST_CASE("a counter's rate is what it grew, over any resets, of a thousand random counters", "[measure]") {
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    Seeded seeded(seed);
    std::vector<Point> points = {{noon, static_cast<double>(seeded.below(1000))}};
    double grown = 0;
    while (points.size() < 50) {
      const bool reset = seeded.below(8) == 0;
      const auto more = static_cast<double>(seeded.below(100));
      // a counter that began anew below where it was shows it; one that is past it already cannot be told
      const double before = points.back().value, now = reset ? std::min(more, before - 1) : before + more;
      if (now < 0) continue;
      grown += now < before ? now : now - before;
      points.push_back({points.back().at_ns + 1 + seeded.below(30 * second), now});
    }
    const double seconds = static_cast<double>(points.back().at_ns - points.front().at_ns) / 1e9;
    INFO("seed " << seed);
    REQUIRE(*rate(points, over_all(points), Shape::counter) == Approx(grown / seconds));
  }
}

TEST_CASE("a window says nothing of what it has too few samples for", "[measure]") {
  const auto one = series({1}), four = series({1, 2, 3, 4});
  CHECK_FALSE(avg({}, {0, minute, second}));
  CHECK(avg(one, over_all(one)));
  CHECK_FALSE(rate(one, over_all(one), Shape::counter));
  CHECK_FALSE(percentile(four, over_all(four), 0.95));
  CHECK_FALSE(trend(four, over_all(four)));
  Window strict = over_all(four);
  strict.least_samples = 5;
  CHECK_FALSE(avg(four, strict));
  strict.least_samples = 4;
  CHECK(avg(four, strict));
  CHECK(percentile(four, strict, 0.95));  // whoever asks for fewer gets it
}

TEST_CASE("a window has to be covered for half of its length, at each of its ends", "[measure]") {
  // five minutes, 10 s apart: samples from 2:30 on, less one interval
  const auto covered = [](std::int64_t first, std::int64_t last) {
    const std::vector<Point> points = {{noon - 5 * minute + first, 1}, {noon - 5 * minute + last, 1}};
    return avg(points, {noon - 5 * minute, noon, 10 * second}).has_value();
  };
  CHECK(covered(1 * second, 5 * minute));
  CHECK(covered(160 * second, 5 * minute));
  CHECK_FALSE(covered(161 * second, 5 * minute));
  CHECK(covered(1 * second, 140 * second));
  CHECK_FALSE(covered(1 * second, 139 * second));
}

TEST_CASE("one sample covers a window as long as its interval", "[measure]") {
  const std::vector<Point> points = {{noon, 3}};
  CHECK(*avg(points, {noon - minute, noon, minute}) == 3);
  CHECK_FALSE(avg(points, {noon - minute, noon, 0}));
  CHECK_FALSE(avg(points, {noon - 5 * minute, noon, minute}));
}

TEST_CASE("a trend by hand: six points, one of them wild", "[measure]") {
  // hourly 1 2 3 4 5 and then 100 instead of 6: slopes 1 (ten times), 94.5..19.8 for the five pairs with the last one
  // sorted: 1 x 10, 19.8, 24.5, 32.33, 48, 95; the middle of 15 is the eighth
  const auto points = series({1, 2, 3, 4, 5, 100}, hour);
  const auto line = trend(points, over_all(points, hour));
  REQUIRE(line);
  CHECK(line->per_hour == Approx(1));
  CHECK(line->level == Approx(6));  // five of the six say 6 at the end of the window
  // Sen: n 6, 15 slopes, 1.96 * sqrt(6 * 5 * 17 / 18) = 10.43, ranks floor(2.28) and ceil(12.72) counted from 0
  CHECK(line->low_per_hour == Approx(1));
  CHECK(line->high_per_hour == Approx(48));
  CHECK(forecast(*line, 8 * hour) == Approx(14));
  CHECK(line->at(noon - 5 * hour) == Approx(1));
}

TEST_CASE("a trend is the middle of all slopes, of 300 random series of up to 120 points", "[measure]") {
  for (std::uint64_t seed = 1; seed <= 300; ++seed) {
    Seeded seeded(seed);
    const auto points = wild(seeded, 5 + static_cast<std::size_t>(seeded.below(trend_points - 4)));
    const auto slopes = all_slopes(points);
    const auto line = trend(points, over_all(points));
    INFO("seed " << seed << ", " << points.size() << " points");
    REQUIRE(line);
    REQUIRE(line->per_hour == Approx(middle_of(slopes)));
    std::vector<double> levels;
    for (const Point& point : points)
      levels.push_back(point.value + line->per_hour * static_cast<double>(points.back().at_ns - point.at_ns) / 3.6e12);
    REQUIRE(line->level == Approx(middle_of(levels)));
    REQUIRE(line->low_per_hour <= line->per_hour);
    REQUIRE(line->per_hour <= line->high_per_hour);
  }
}

TEST_CASE("the bounds of a trend hold the true slope about 95 times of 100", "[measure]") {
  int held = 0;
  for (std::uint64_t seed = 1; seed <= 1000; ++seed) {
    Seeded seeded(seed);
    std::vector<Point> points;
    for (int i = 0; i < 40; ++i) {
      double noise = 0;
      for (int k = 0; k < 12; ++k) noise += seeded.between(-0.5, 0.5);  // nearly normal, deviation 1
      points.push_back({noon + i * hour, 0.05 * i + noise});
    }
    const auto line = trend(points, over_all(points, hour));
    held += line->low_per_hour <= 0.05 && 0.05 <= line->high_per_hour ? 1 : 0;
  }
  CHECK(held >= 930);
  CHECK(held <= 980);
}

TEST_CASE("of many points a trend stays near to that of all of them, and is the same each time", "[measure]") {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    Seeded seeded(seed);
    std::vector<Point> points;
    for (int i = 0; i < 1500; ++i) points.push_back({noon + i * 10 * second, 100 + i * 0.02 + seeded.between(-1, 1)});
    for (int i = 0; i < 150; ++i) points[static_cast<std::size_t>(seeded.below(1500))].value = 1e9;  // a tenth is wild
    const auto line = trend(points, over_all(points));
    INFO("seed " << seed);
    REQUIRE(line);
    CHECK(line->per_hour == Approx(0.02 * 360).epsilon(0.05));
    CHECK(trend(points, over_all(points))->per_hour == line->per_hour);
  }
}

TEST_CASE("the work of a trend is bounded: for 100,000 points it asks for no more memory than for 1,000", "[measure]") {
  const auto bytes_for = [](int size) {
    std::vector<Point> points;
    for (int i = 0; i < size; ++i) points.push_back({noon + i * second, static_cast<double>(i % 17)});
    const Window window = over_all(points);
    return allocations_of([&] { CHECK(trend(points, window)); }).bytes;
  };
  const std::size_t few = bytes_for(1000), many = bytes_for(100'000);
  CHECK(few < 80'000);         // 7,140 slopes of 8 bytes and some
  CHECK(many < few + 30'000);  // and one group of 834 neighbours
}

TEST_CASE("a line meets a bound once, in the direction in which it goes", "[measure]") {
  Trend line{2, 1, 4, 60, noon};  // 60 now, 2 an hour, between 1 and 4
  const Meeting up = meets(line, 80);
  CHECK(*up.at_ns == noon + 10 * hour);
  CHECK(*up.earliest_ns == noon + 5 * hour);
  CHECK(*up.latest_ns == noon + 20 * hour);
  CHECK_FALSE(meets(line, 50).at_ns);
  line.low_per_hour = -1;
  CHECK_FALSE(meets(line, 80).latest_ns);
  CHECK(*meets(line, 60).at_ns == noon);
  line = {-3, -6, 0, 60, noon};
  CHECK(*meets(line, 30).at_ns == noon + 10 * hour);
  CHECK(*meets(line, 30).earliest_ns == noon + 5 * hour);
  CHECK_FALSE(meets(line, 30).latest_ns);
  CHECK_FALSE(meets({1e-9, 0, 0, 0, noon}, 1).at_ns);  // in a hundred thousand years
}

TEST_CASE("a ratio to nothing is nothing", "[measure]") {
  CHECK(*ratio(6, 3) == 2);
  CHECK_FALSE(ratio(6, 0));
  CHECK_FALSE(ratio({}, 3));
  CHECK_FALSE(ratio(3, {}));
}

TEST_CASE("a rate over one interval takes the reading before it", "[measure]") {
  OneSeries view;
  view.about.shape = Shape::counter;
  view.every = minute;
  view.all = series({100, 160, 280}, minute);
  CHECK(*over(view, 0, Function::rate, minute, noon) == Approx(2));
  CHECK(*over(view, 0, Function::rate, 2 * minute, noon) == Approx(1.5));
  // the reading before is too old to say anything of this minute
  view.all = {{noon - 10 * minute, 0}, {noon, 600}};
  CHECK_FALSE(over(view, 0, Function::rate, minute, noon));
}

TEST_CASE("functions of a view are those of its points", "[measure]") {
  OneSeries view;
  view.all = series({9, 1, 2, 3, 4, 5, 6});
  CHECK(*over(view, 0, Function::avg, minute, noon) == Approx(3.5));
  CHECK(*over(view, 0, Function::min, minute, noon) == 1);
  CHECK(*over(view, 0, Function::max, minute, noon) == 6);
  CHECK(*over(view, 0, Function::sum, minute, noon) == 21);
  CHECK(*over(view, 0, Function::count, minute, noon) == 6);
  CHECK(*over(view, 0, Function::percentile, minute, noon, 0.5) == 3);
  CHECK(*over(view, 0, Function::trend, minute, noon) == Approx(360));
  CHECK(trend_over(view, 0, minute, noon)->level == Approx(6));
}

TEST_CASE("a forecast looks at least an hour and at most a day back", "[measure]") {
  CHECK(forecast_window_ns(10 * minute) == hour);
  CHECK(forecast_window_ns(8 * hour) == 8 * hour);
  CHECK(forecast_window_ns(30 * day) == day);
  OneSeries view;
  view.every = hour;
  view.all = series({10, 11, 12, 13, 14, 15, 16, 17, 18}, hour);
  CHECK(*forecast_over(view, 0, 8 * hour, noon) == Approx(26));
}

TEST_CASE("a window beyond a day is answered from roll-ups, percentiles from their distributions", "[measure]") {
  OneSeries view;
  view.about.shape = Shape::counter;
  std::vector<Point> all;
  Seeded seeded(7);
  double counter = 0;
  for (std::int64_t at = noon - 2 * day; at < noon; at += minute) {
    counter = seeded.below(500) == 0 ? 3 : counter + seeded.between(0, 10);
    all.push_back({at, counter});
  }
  for (const Point& point : all) {
    const std::int64_t from = ronda::store::floor_to(point.at_ns, ronda::store::five_minutes_ns);
    if (view.rolled.empty() || view.rolled.back().from_ns != from) view.rolled.emplace_back().from_ns = from;
    add(view.rolled.back(), point, Shape::counter);
  }
  const Window window{noon - 2 * day, noon, minute};
  const auto from = [&](Function function, double share = 0) { return *over(view, 0, function, 2 * day, noon, share); };
  CHECK(from(Function::count) == count(all));
  CHECK(from(Function::avg) == Approx(*avg(all, window)));
  CHECK(from(Function::min) == *min(all, window));
  CHECK(from(Function::max) == *max(all, window));
  CHECK(from(Function::sum) == Approx(*sum(all, window)));
  CHECK(from(Function::rate) == Approx(*rate(all, window, Shape::counter)));
  for (const double share : {0.05, 0.5, 0.95, 0.99})
    CHECK(from(Function::percentile, share) == Approx(*percentile(all, window, share)).epsilon(ronda::store::sketch_error));
  CHECK_FALSE(from_rollups(Function::avg, std::span(view.rolled).subspan(300), window, Shape::counter));  // half of it is missing
}
