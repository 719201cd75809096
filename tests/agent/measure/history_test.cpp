// SPDX-License-Identifier: Apache-2.0
#include "measure/history.hpp"

#include <algorithm>
#include <cmath>

#include "agent/measure/allocations.hpp"
#include "agent/measure/support.hpp"
#include "measure/functions.hpp"
#include "measure/series.hpp"
#include "plugin/messages.hpp"

using namespace ronda;
using namespace ronda::measure;
using namespace ronda::measure::test;

namespace {

struct Value {
  std::string name;
  double value = 0;
  std::string unit = {};
  bool counter = false;
  wire::Pairs labels = {};
};

std::string encoded(const std::vector<Value>& values) {
  std::string out;
  wire::Writer writer(out);
  for (const Value& one : values) {
    wire::Metric metric;
    metric.name = one.name;
    metric.value = one.value;
    metric.unit = one.unit;
    metric.counter = one.counter;
    metric.labels = one.labels;
    wire::encode_metric(writer, metric);
  }
  return out;
}

std::optional<store::Sampled> feed(History& history, std::string_view check, std::int64_t at, const std::vector<Value>& values,
                                   measure::Status status = measure::Status::ok) {
  const std::string metrics = encoded(values);
  return history.observe({check, status, at, at - second, at, second, metrics});
}

schedule::ZonePtr zone(const std::string& name = "UTC") {
  schedule::ZoneDatabase database;
  return *database.find(name);
}

std::vector<double> values_of(std::span<const Point> points) {
  std::vector<double> out;
  for (const Point& point : points) out.push_back(point.value);
  return out;
}

/// The only series of this metric.
SeriesId only(const History& history, std::string_view check, std::string_view metric) {
  const auto ids = history.series(check, metric);
  REQUIRE(ids.size() == 1);
  return ids.front();
}

}  // namespace

TEST_CASE("a check that nobody wants costs nothing, whatever it measures", "[measure]") {
  History history(zone());
  history.want({{"wanted", "total", hour, false, 10 * second}});
  const auto before = history.size();
  const std::string metrics = encoded({{"total", 1, "s"}, {"size", 2, "B"}});
  const auto used = allocations_of([&] {
    for (int i = 0; i < 1000; ++i) history.observe({"unwanted", measure::Status::critical, noon, noon, noon + i * second, 5, metrics});
  });
  CHECK(used.count == 0);
  CHECK(history.size().bytes == before.bytes);
  CHECK(history.series("unwanted", "total").empty());
  CHECK_FALSE(history.check("unwanted"));
  CHECK_FALSE(history.wants("unwanted"));
  CHECK_FALSE(feed(history, "unwanted", noon, {{"total", 1}}));
}

TEST_CASE("a wanted check has its state, its own series, and its metrics in base units by labels", "[measure]") {
  History history(zone());
  history.want({{"api", "total", hour, false, 10 * second}});
  CHECK_FALSE(history.check("api"));
  feed(history, "api", noon,
       {{"total", 250, "ms"},
        {"used", 80, "%", false, {{"disk", "b"}}},
        {"used", 10, "%", false, {{"disk", "a"}}},
        {"bytes", 7, "KiB", true}},
       measure::Status::warning);
  const auto now = history.check("api");
  REQUIRE(now);
  CHECK(now->status == measure::Status::warning);
  CHECK(now->last_result_ns == noon);
  CHECK(now->duration_s == 1);
  const SeriesId total = only(history, "api", "total");
  CHECK(history.info(total).unit == "s");
  CHECK(history.points(total, noon - 1, noon)[0].value == Approx(0.25));
  CHECK(history.interval_ns(total) == 10 * second);
  const auto used = history.series("api", "used");
  REQUIRE(used.size() == 2);
  CHECK(history.info(used[0]).labels == Labels{{"disk", "a"}});
  CHECK(history.info(used[0]).unit == "ratio");
  CHECK(history.points(used[1], noon - 1, noon)[0].value == Approx(0.8));
  CHECK(history.info(only(history, "api", "bytes")).shape == Shape::counter);
  CHECK(history.statuses("api", noon - 1, noon)[0].value == 1);
  CHECK(history.points(only(history, "api", "duration"), noon - 1, noon)[0].value == 1);
}

TEST_CASE("what the store is to keep of a result are all its values, with the check's own", "[measure]") {
  History history(zone());
  history.want({{"api", "", 0, false, 0}});
  const auto sampled = feed(history, "api", noon, {{"total", 250, "ms"}, {"broken", NAN}, {"status", 17}}, measure::Status::critical);
  REQUIRE(sampled);
  CHECK(sampled->at_ns == noon);
  REQUIRE(sampled->values.size() == 3);
  CHECK(sampled->values[0].first->metric == "status");
  CHECK(sampled->values[0].second == 2);  // the check's, not the plugin's metric of this name
  CHECK(sampled->values[1].first->metric == "duration");
  CHECK(*sampled->values[2].first == store::SeriesKey{"api", "total", {}, "s", Shape::gauge});
  CHECK(sampled->values[2].second == Approx(0.25));
  CHECK(history.size().dropped_values == 1);
  const auto again = feed(history, "api", noon + second, {{"total", 251, "ms"}});
  CHECK(again->values[2].first == sampled->values[2].first);  // shared, not copied
}

TEST_CASE("points are there as long as the longest window that anybody asked for, and one more", "[measure]") {
  History history(zone());
  history.want({{"a", "m", 10 * minute, false, 10 * second}, {"a", "m", hour, false, 10 * second}, {"b", "m", 0, false, 10 * second}});
  for (int i = 0; i <= 3000; ++i) {
    feed(history, "a", noon + i * 10 * second, {{"m", double(i)}});
    feed(history, "b", noon + i * 10 * second, {{"m", double(i)}, {"other", 1}});
  }
  const std::int64_t end = noon + 30'000 * second;
  const SeriesId m = only(history, "a", "m");
  CHECK(history.points(m, end - hour, end).size() == 360);
  CHECK(history.points(m, 0, end).size() < 360 + 20);
  CHECK(with_one_before(history, m, {end - hour, end, 10 * second}).size() == 361);
  CHECK(values_of(history.points(only(history, "b", "m"), 0, end)) == std::vector<double>{3000});
  CHECK(values_of(history.points(only(history, "b", "other"), 0, end)) == std::vector<double>{1});
  CHECK(history.points(m, end, end).empty());
  CHECK(history.points(m, end, end - hour).empty());
}

TEST_CASE("what is kept of a series is within a third of 16 bytes a point", "[measure]") {
  History history(zone());
  history.want({{"a", "m", 6 * hour, false, 10 * second}});
  feed(history, "a", noon, {{"m", 0}});
  const std::size_t empty = history.size().bytes;
  std::size_t most = 0;
  for (int i = 1; i <= 20'000; ++i) {
    feed(history, "a", noon + i * 10 * second, {{"m", double(i)}});
    most = std::max(most, history.size().bytes);
  }
  CHECK(history.size().points >= 2160);
  CHECK(most - empty < 2200 * 16 * 7 / 4);
}

TEST_CASE("a window that would hold too many points is answered from stretches of five minutes", "[measure]") {
  History history(zone());
  history.want({{"fast", "m", 12 * hour, false, second}, {"slow", "m", 3 * day, false, minute}});
  for (int i = 0; i < 12 * 3600; ++i) feed(history, "fast", noon + i * second, {{"m", double(i % 100)}});
  for (int i = 0; i < 3 * 1440; ++i) feed(history, "slow", noon + i * minute, {{"m", double(i % 100)}});
  const SeriesId fast = only(history, "fast", "m"), slow = only(history, "slow", "m");
  CHECK(history.reach_ns(fast) == 17'280 * second);
  CHECK(history.points(fast, 0, noon + day).size() <= History::points_max + 64);
  CHECK(*over(history, fast, Function::max, 12 * hour, noon + 12 * hour) == 99);
  CHECK(*over(history, fast, Function::avg, 12 * hour, noon + 12 * hour) == Approx(49.5).epsilon(0.01));
  CHECK(history.rollups(slow, noon, noon + 3 * day).size() >= 3 * 288 - 1);
  CHECK(*over(history, slow, Function::percentile, 3 * day, noon + 3 * day, 0.95) == Approx(94).epsilon(1.0 / 64));
  CHECK(history.size().points < 17'280 + 1500 + 300);
}

TEST_CASE("where it is said that the clock was set forward, what this life has seen goes with it, in its order", "[measure]") {
  const std::int64_t by = 3 * store::hour_ns;
  constexpr std::int64_t begin = 1'790'000'000 * second;
  const bool is_behind = GENERATE(false, true);  // what the store had was dated by the right clock, and this life began behind it
  CAPTURE(is_behind);
  History history(zone());
  history.want({{"disk", "used", 10 * 60 * second, false, 60 * second}, {"old", "", 0, false, 60 * second}}, {"backup", "stored"});
  const std::int64_t stored = begin + (is_behind ? by - 5 * 60 * second : -60 * second);
  history.restore_check("old", {measure::Status::ok, stored, stored, {}});
  history.restore_task("stored", stored, stored);
  for (int i = 0; i < 5; ++i) feed(history, "disk", begin + i * 60 * second, {{"used", static_cast<double>(i)}});
  history.task_succeeded("backup", begin);
  history.move(by, begin + by + 4 * 60 * second);
  feed(history, "disk", begin + by + 5 * 60 * second, {{"used", 5}});
  const SeriesId used = only(history, "disk", "used");
  CHECK(values_of(history.points(used, begin + by - second, begin + by + 6 * 60 * second)) == std::vector<double>{0, 1, 2, 3, 4, 5});
  CHECK(history.check("disk")->last_result_ns == begin + by + 5 * 60 * second);
  CHECK(history.check("old")->last_result_ns == stored);
  CHECK(history.task_last_success_ns("backup") == begin + by);
  CHECK(history.task_last_success_ns("stored") == stored);
  CHECK(history.size().clock_steps == 0);
  history.task_succeeded("stored", begin + by + 6 * 60 * second);
  history.move(by, begin + 2 * by + 6 * 60 * second);
  CHECK(history.task_last_success_ns("stored") == begin + 2 * by + 6 * 60 * second);
}

TEST_CASE("points that lay ahead of a clock that is set right are where they were, and of no future", "[measure]") {
  constexpr std::int64_t begin = 1'790'000'000 * second, by = 3 * store::hour_ns;
  Series series(std::make_shared<store::SeriesKey>(store::SeriesKey{"disk", "used", {}, "", Shape::gauge}), {by, 0, 0, 1000});
  const std::vector<Point> older = {{begin + by - 60 * second, 1}, {begin + by - 30 * second, 2}, {begin + by + 60 * second, 3}};
  series.restore(older, {}, {});
  series.move(by, begin + by);
  std::vector<std::int64_t> at;
  for (const Point& point : series.points()) at.push_back(point.at_ns);
  CHECK(at == std::vector<std::int64_t>{begin + by - 60 * second, begin + by - 30 * second, begin + by});
}

TEST_CASE("when the clock is set back, what lies after it is forgotten and judgement goes on", "[measure]") {
  History history(zone());
  history.want({{"a", "m", hour, false, 10 * second}});
  for (int i = 0; i < 60; ++i) feed(history, "a", noon + i * 10 * second, {{"m", double(i), "", true}});
  feed(history, "a", noon + 305 * second, {{"m", 1000, "", true}});
  const SeriesId m = only(history, "a", "m");
  const auto points = history.points(m, 0, noon + day);
  REQUIRE(points.size() == 32);
  CHECK(points[30].at_ns == noon + 300 * second);
  CHECK(points[31] == Point{noon + 305 * second, 1000});
  CHECK(history.size().clock_steps == 1);
  CHECK(history.check("a")->last_result_ns == noon + 305 * second);
  CHECK(std::ranges::is_sorted(points, {}, &Point::at_ns));
}

TEST_CASE("labels without end take a bounded number of series, and the rest is counted", "[measure]") {
  History history(zone());
  history.want({{"a", "m", minute, false, 10 * second}});
  for (int i = 0; i < 400; ++i) feed(history, "a", noon + i * second, {{"m", 1, "", false, {{"pid", std::to_string(i)}}}});
  CHECK(history.series("a", "m").size() == History::series_per_metric_max);
  CHECK(history.size().dropped_values == 400 - History::series_per_metric_max);
  SECTION("those that do not come any more make room after an hour") {
    const auto dropped = history.size().dropped_values;
    for (int i = 400; i < 500; ++i) feed(history, "a", noon + 2 * hour + i * second, {{"m", 1, "", false, {{"pid", std::to_string(i)}}}});
    CHECK(history.size().dropped_values == dropped);
    CHECK(history.series("a", "m").size() == 100);
    for (const SeriesId id : history.series("a", "m")) CHECK(history.points(id, 0, noon + day).size() == 1);
  }
}

TEST_CASE("a reload keeps the points of what is still wanted and lets go of the rest", "[measure]") {
  History history(zone());
  history.want({{"a", "m", hour, false, 10 * second}, {"b", "m", hour, false, 10 * second}}, {"nightly"});
  for (int i = 0; i < 360; ++i) {
    feed(history, "a", noon + i * 10 * second, {{"m", double(i)}});
    feed(history, "b", noon + i * 10 * second, {{"m", double(i)}});
  }
  history.task_succeeded("nightly", noon);
  const auto before = history.size();
  history.want({{"b", "m", 10 * minute, false, 10 * second}, {"c", "m", hour, false, 10 * second}}, {"nightly", "weekly"});
  CHECK(history.size().bytes < before.bytes / 2);
  CHECK_FALSE(history.wants("a"));
  CHECK(history.series("a", "m").empty());
  CHECK(history.points(only(history, "b", "m"), noon + 3000 * second, noon + hour).size() == 59);
  CHECK(history.points(only(history, "b", "m"), 0, noon + hour).size() < 90);
  CHECK(history.check("b"));
  CHECK(*history.task_last_success_ns("nightly") == noon);
  CHECK_FALSE(history.task_last_success_ns("weekly"));
  history.task_succeeded("unknown", noon);
  CHECK_FALSE(history.task_last_success_ns("unknown"));
}

TEST_CASE("a metric that comes in another unit begins anew", "[measure]") {
  History history(zone());
  history.want({{"a", "m", hour, false, 10 * second}});
  feed(history, "a", noon, {{"m", 5, "s"}});
  feed(history, "a", noon + second, {{"m", 5, "ms"}});  // the same in base units
  CHECK(history.points(only(history, "a", "m"), 0, noon + day).size() == 2);
  feed(history, "a", noon + 2 * second, {{"m", 5, "B"}});
  CHECK(values_of(history.points(only(history, "a", "m"), 0, noon + day)) == std::vector<double>{5});
  CHECK(history.info(only(history, "a", "m")).unit == "B");
}

TEST_CASE("what was restored lies before what came meanwhile, and nothing is there twice", "[measure]") {
  History history(zone());
  history.want({{"a", "m", hour, false, minute}});
  const store::SeriesKey key{"a", "m", {}, "s", Shape::gauge};
  feed(history, "a", noon, {{"m", 100, "s"}});
  const std::vector<Point> old = {{noon - 3 * minute, 1}, {noon - 2 * minute, 2}, {noon, 99}, {noon + minute, 98}};
  history.restore(key, old, {}, {});
  CHECK(values_of(history.points(only(history, "a", "m"), 0, noon + day)) == std::vector<double>{1, 2, 100});
  feed(history, "a", noon + minute, {{"m", 4, "s"}});
  CHECK(*over(history, only(history, "a", "m"), Function::count, 5 * minute, noon + minute) == 4);
  history.restore({"a", "m", {}, "B", Shape::gauge}, old, {}, {});  // of another unit: from before
  CHECK(history.points(only(history, "a", "m"), 0, noon + day).size() == 4);
  history.restore({"unwanted", "m", {}, "s", Shape::gauge}, old, {}, {});
  CHECK(history.series("unwanted", "m").empty());
}

TEST_CASE("a five-minute stretch in which the agent began is completed by what the store has of it", "[measure]") {
  History history(zone());
  history.want({{"a", "m", 2 * day, false, minute}});
  const std::int64_t begin = store::floor_to(noon, store::five_minutes_ns);
  const store::SeriesKey key{"a", "m", {}, "", Shape::gauge};
  store::Rollup before, with_start;
  before.from_ns = begin - store::five_minutes_ns;
  for (int i = 0; i < 5; ++i) add(before, {before.from_ns + i * minute, 10}, Shape::gauge);
  with_start.from_ns = begin;
  add(with_start, {begin, 10}, Shape::gauge);
  add(with_start, {begin + minute, 10}, Shape::gauge);
  SECTION("while it is open: from the points") {
    feed(history, "a", begin + 2 * minute, {{"m", 20}});
    const std::vector<Point> points = {{begin, 10}, {begin + minute, 10}};
    history.restore(key, points, {{before}}, {});
    for (int i = 3; i < 6; ++i) feed(history, "a", begin + i * minute, {{"m", 20}});
    const auto rolled = history.rollups(only(history, "a", "m"), 0, noon + day);
    REQUIRE(rolled.size() == 2);
    CHECK(rolled[1].count == 5);
    CHECK(rolled[1].sum == 80);
  }
  SECTION("the stretches of both, when it is closed") {
    for (int i = 2; i < 7; ++i) feed(history, "a", begin + i * minute, {{"m", 20}});
    history.restore(key, {}, {{before}}, {});
    const auto rolled = history.rollups(only(history, "a", "m"), 0, noon + day);
    REQUIRE(rolled.size() == 2);
    CHECK(rolled[0] == before);
    CHECK(rolled[1].count == 3);
  }
}

TEST_CASE("a baseline is the middle of the same hour of weeks before", "[measure]") {
  History history(zone());
  history.want({{"a", "m", hour, true, 10 * minute}});
  // Mondays at this hour 10, 20, 30, .. and the other hours 1000; the newest week is wild
  for (std::int64_t at = noon - 5 * 7 * day; at <= noon; at += 10 * minute) {
    const std::int64_t ago = noon - at, week = (ago + 3 * day) / (7 * day);
    const bool same = std::abs(ago - week * 7 * day) < 2 * hour && week > 0;
    feed(history, "a", at, {{"m", same ? (week == 1 ? 9999 : 10.0 * double(week)) : 1000}});
  }
  const SeriesId m = only(history, "a", "m");
  CHECK(*history.baseline(m, noon, 0) == Approx(40));  // 9999 20 30 40 50
  CHECK(*history.baseline(m, noon, noon - 6 * day) == Approx(40));
  CHECK(*history.baseline(m, noon, noon - 8 * day) == Approx(35));  // frozen before the wild week: 20 30 40 50
  CHECK_FALSE(history.baseline(m, noon, noon - 31 * day));          // one week alone says nothing
  CHECK_FALSE(history.baseline(only(history, "a", "duration"), noon, 0));
}

TEST_CASE("a baseline goes by the zone that it was given last", "[measure]") {
  History history(zone());
  history.want({{"a", "m", hour, true, 10 * minute}});
  // Thursday, 2026-04-02T12:00Z, 14:00 in Berlin; a week before summer time had not begun there, so that 14:00 was 13:00Z
  const std::int64_t thursday = std::int64_t{1'775'131'200} * second;
  for (std::int64_t at = thursday - 4 * 7 * day; at <= thursday; at += 10 * minute)
    feed(history, "a", at, {{"m", static_cast<double>(at / hour % 24)}});
  const SeriesId m = only(history, "a", "m");
  CHECK(*history.baseline(m, thursday, 0) == Approx(12));
  history.use_zone(zone("Europe/Berlin"));
  CHECK(*history.baseline(m, thursday, 0) == Approx(13));
}

TEST_CASE("the baseline of a counter is what it grew a second", "[measure]") {
  History history(zone());
  history.want({{"a", "m", hour, true, minute}});
  double counter = 0;
  for (std::int64_t at = noon - 15 * day; at <= noon; at += minute) {
    counter += 120;
    feed(history, "a", at, {{"m", counter, "", true}});
  }
  CHECK(*history.baseline(only(history, "a", "m"), noon, 0) == Approx(2));
}

TEST_CASE("a judged value that is no metric is a series of its own", "[measure]") {
  History history(zone());
  history.want({{"slo:api", "good", hour, false, minute}});
  const auto sampled = history.observe_value("slo:api", "good", noon, 1);
  REQUIRE(sampled);
  CHECK(sampled->values[0].first->check == "slo:api");
  CHECK(values_of(history.points(only(history, "slo:api", "good"), 0, noon)) == std::vector<double>{1});
  CHECK_FALSE(history.observe_value("slo:other", "good", noon, 1));
  CHECK_FALSE(history.observe_value("slo:api", "good", noon, NAN));
}
